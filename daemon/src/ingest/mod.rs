//! The way in that all transports share: a message is decoded, its deltas are applied, and what
//! happened is recorded. What a transport does with a broken message is its own: see [`Terms::broken`].

pub mod datagrams;
pub mod udp;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use pushprom_core::{
    answers::Answers,
    intake::{Intake, Taken, Terms},
    limits::{DATAGRAM_BYTES_MAX, Limits},
    model::Timestamp,
    registry::Registry,
};

use crate::telemetry::{Reason, Telemetry, Transport};

/// Where deltas go.
pub struct Ingest {
    registry: Registry,
    answers: Answers,
    telemetry: Arc<Telemetry>,
}

/// A fault of ours ended the handling of a message. It has been counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Ingest {
    /// A way into `registry`, past `answers`.
    pub fn new(registry: Registry, answers: Answers, telemetry: Arc<Telemetry>) -> Self {
        Self { registry, answers, telemetry }
    }

    /// All series and families.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What was answered to messages with keys.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Where it is recorded what happens.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Takes in one message, by the intake of the thread that it came to. A panic in here ends this
    /// message alone. What was refused is recorded; the tally of what was applied is the caller's to
    /// record, so that many messages cost one record.
    pub fn message(
        &self,
        intake: &mut Intake,
        message: &[u8],
        transport: Transport,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Result<Taken, Panicked> {
        let limits = match transport {
            Transport::Http => *terms.limits,
            // The flag is about bodies; a datagram has its own limit.
            Transport::Udp | Transport::Unix => {
                Limits { message_bytes: DATAGRAM_BYTES_MAX, ..*terms.limits }
            }
        };
        let terms = Terms { limits: &limits, ..terms };
        let taken = contain(|| intake.take_in(message, terms, &self.registry, &self.answers, now));
        match &taken {
            Ok(Taken::Anew(outcome)) => {
                for (_, refusal) in &outcome.refused {
                    self.telemetry.record_rejected(transport, Reason::from(refusal));
                }
                if let Some(error) = &outcome.broken {
                    self.telemetry.record_rejected(transport, Reason::from(error));
                }
            }
            Ok(Taken::Again(answered)) => {
                self.telemetry.record_repeated(transport, answered.answer().applied);
            }
            Ok(Taken::Refused(error)) => {
                self.telemetry.record_rejected(transport, Reason::from(error));
            }
            Err(Panicked) => {
                // Whatever it was in the middle of, it shall not go on from there.
                *intake = Intake::default();
                self.telemetry.record_rejected(transport, Reason::Panic);
            }
        }
        taken
    }
}

/// Runs `work`; a panic in it ends it and nothing else. The hook of [`crate::app`] counts and logs it.
fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // Unwind safety: the registry's locks do not poison, and each delta is applied by atomics last.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use pushprom_core::{intake::Broken, policy::Policy, registry::SchemaConflicts};

    use super::*;

    fn ingest() -> Ingest {
        let registry = Registry::new(SchemaConflicts::Adopt);
        Ingest::new(registry, Answers::default(), Arc::default())
    }

    #[track_caller]
    fn check(message: &str, broken: Broken, applied: u64, refused: &[usize], is_broken: bool) {
        let (ingest, mut intake) = (ingest(), Intake::default());
        let (message, now) = (message.as_bytes(), Timestamp(0));
        let (policy, limits) = (Policy::default(), Limits::default());
        let terms = Terms { source: policy.source(), limits: &limits, broken, key: None };
        let taken = ingest.message(&mut intake, message, Transport::Udp, terms, now);
        let Ok(Taken::Anew(outcome)) = taken else { unreachable!("it has no key") };
        let indexes: Vec<usize> = outcome.refused.iter().map(|(index, _)| *index).collect();
        assert_eq!(
            (outcome.applied(), &*indexes, outcome.broken.is_some()),
            (applied, refused, is_broken)
        );
        assert_eq!(ingest.registry().series_count() > 0, applied > 0);
    }

    #[test]
    fn each_delta_of_a_message_stands_for_itself() {
        let (a, bad) = (r#"{"type":"counter","name":"a","method":"inc"}"#, r#"{"type":"x"}"#);
        check(a, Broken::Refuse, 1, &[], false);
        check(&format!("[{bad},{a},{bad}]"), Broken::Refuse, 1, &[0, 2], false);
        check(&format!("{a}{{"), Broken::Refuse, 0, &[], true);
        check(&format!("{bad}{a}{{"), Broken::Salvage, 1, &[0], true);
    }

    #[test]
    fn a_panic_is_contained() {
        assert_eq!(contain(|| panic!("on purpose")), Err::<(), _>(Panicked));
        assert_eq!(contain(|| 1), Ok(1));
    }
}
