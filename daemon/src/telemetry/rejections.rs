//! The last of what was refused: so many, and of each reason so many a second that a flood costs next to
//! nothing and drives out what is rare only after minutes.

use std::{array, collections::VecDeque, fmt, sync::Arc};

use parking_lot::Mutex;
use pushprom_core::model::Timestamp;

use super::{Reason, Telemetry, Transport};
use crate::log::Sampler;

/// Rejections that are kept. With all their texts they are some two megabytes at most.
const KEPT_MAX: usize = 1000;

/// Characters of the beginning of a message, before they are escaped.
const SAMPLE_CHARS_MAX: usize = 200;

/// Characters of an error. Those with texts of clients in them are shorter, since these are cut.
const ERROR_CHARS_MAX: usize = 500;

/// Something that was refused.
#[derive(Debug)]
pub struct Rejection {
    /// Its number; later ones have greater numbers.
    pub id: u64,
    /// When it came.
    pub time: Timestamp,
    /// How it came.
    pub transport: Transport,
    /// Who sent it: an address, or `unix`.
    pub peer: Box<str>,
    /// Why it was refused.
    pub reason: Reason,
    /// The same in words, with the value in question and the remedy.
    pub error: Box<str>,
    /// The beginning of the message that it was in, escaped to one line; empty if none of it came.
    pub sample: Box<str>,
    /// How many have been refused for this reason since the one before that was kept.
    pub suppressed: u64,
}

/// The last rejections.
pub(super) struct Rejections {
    samplers: [Sampler; Reason::ALL.len()],
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    next_id: u64,
    /// The oldest first.
    list: VecDeque<Arc<Rejection>>,
}

impl Default for Rejections {
    fn default() -> Self {
        Self { samplers: array::from_fn(|_| Sampler::new()), kept: Mutex::default() }
    }
}

impl Telemetry {
    /// Keeps a rejection, if not too many of its reason are kept in this second: what was refused is said by
    /// `error`, and was in `message`, of which nothing may have come. Who sent it is asked for only then.
    pub fn keep_rejection(
        &self,
        now: Timestamp,
        transport: Transport,
        peer: impl FnOnce() -> String,
        reason: Reason,
        error: &dyn fmt::Display,
        message: &[u8],
    ) {
        let rejections = &self.rejections;
        let sampler = &rejections.samplers[reason as usize];
        let Some(suppressed) = sampler.admit(now.0 / 1000) else { return };
        let mut rejection = Rejection {
            id: 0,
            time: now,
            transport,
            peer: peer().into(),
            reason,
            error: error.to_string().chars().take(ERROR_CHARS_MAX).collect(),
            sample: sample(message),
            suppressed,
        };
        let mut kept = rejections.kept.lock();
        kept.next_id += 1;
        rejection.id = kept.next_id;
        if kept.list.len() == KEPT_MAX {
            kept.list.pop_front();
        }
        kept.list.push_back(Arc::new(rejection));
    }

    /// Those that are kept, the newest first.
    pub fn rejections(&self) -> Vec<Arc<Rejection>> {
        self.rejections.kept.lock().list.iter().rev().map(Arc::clone).collect()
    }
}

/// The beginning of a message as one line.
fn sample(message: &[u8]) -> Box<str> {
    // A character has four bytes at most, and what is no UTF-8 becomes a character for each byte.
    let beginning = message.get(..4 * SAMPLE_CHARS_MAX).unwrap_or(message);
    let text = String::from_utf8_lossy(beginning);
    let mut sample: String =
        text.chars().take(SAMPLE_CHARS_MAX).flat_map(char::escape_debug).collect();
    let is_cut = beginning.len() < message.len() || text.chars().nth(SAMPLE_CHARS_MAX).is_some();
    if is_cut {
        sample.push_str("...");
    }
    sample.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let telemetry = Telemetry::default();
        for second in 0..200 {
            for place in 0..20 {
                let (now, peer) = (Timestamp(second * 1000), || "a:1".to_owned());
                let reason = if place < 19 { Reason::Syntax } else { Reason::Label };
                telemetry.keep_rejection(now, Transport::Udp, peer, reason, &"wrong", b"{");
            }
        }
        let kept = telemetry.rejections();
        assert_eq!(kept.len(), KEPT_MAX);
        assert!(kept.is_sorted_by(|a, b| a.id > b.id));
        let of = |reason| kept.iter().filter(move |rejection| rejection.reason == reason);
        assert_eq!((of(Reason::Label).count(), of(Reason::Syntax).count()), (91, 909));
        let suppressed: Vec<u64> =
            of(Reason::Syntax).map(|rejection| rejection.suppressed).collect();
        assert_eq!(&suppressed[..10], [0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn a_sample_is_one_short_line() {
        assert_eq!(&*sample(b"{\"a\":\"\xff\n\"}"), "{\\\"a\\\":\\\"\u{fffd}\\n\\\"}");
        assert_eq!(sample(&[b'x'; 300]).len(), 203);
        assert_eq!(sample(&[b'x'; 200]).len(), 200);
        assert_eq!(sample("\u{1f600}".repeat(300).as_bytes()).chars().count(), 203);
        assert_eq!(&*sample(b""), "");
    }
}
