//! Where log lines go, and how many of one sort.

use std::{io, sync::OnceLock};

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// Lines a second of one sort that client input can cause. The rest are counted, not written.
const LINES_PER_SECOND_MAX: u32 = 10;

/// Lines that wait to be written. A reader of standard error that stops reading must not stop us; beyond
/// this, lines are dropped and counted.
const LINES_WAITING_MAX: usize = 10_000;

/// Counts the lines dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Starts logging to standard error, on a thread apart. Client text in a line is quoted and escaped by
/// the layout. What waits to be written is, within a second, when the returned guard is dropped.
pub fn init(level: LevelFilter, format: LogFormat) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(io::stderr());
    DROPPED.get_or_init(|| writer.error_counter());
    let started = match format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().layer().with_writer(writer);
            registry().with(ours(level)).with(layer).try_init()
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
            registry().with(ours(level)).with(layer.with_writer(writer)).try_init()
        }
    };
    if let Err(error) = started {
        tracing::warn!(%error, "logging had been started before");
    }
    guard
}

/// What we ourselves have to say. Libraries would tell of each frame of HTTP/2 that a client sends.
fn ours(level: LevelFilter) -> Targets {
    Targets::new().with_target("pushprom", level).with_default(level.min(LevelFilter::WARN))
}

/// Lines dropped so far because standard error was not read.
pub fn dropped_lines() -> u64 {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// Bounds the log lines of one sort that clients can cause.
#[derive(Debug, Default)]
pub struct Sampler(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    second: u64,
    lines: u32,
    suppressed: u64,
}

impl Sampler {
    /// A sampler that has seen nothing.
    pub const fn new() -> Self {
        Self(Mutex::new(Window { second: 0, lines: 0, suppressed: 0 }))
    }

    /// Whether one more line may be written in this second of the clock; if so, how many were
    /// suppressed since the last one.
    pub fn admit(&self, second: u64) -> Option<u64> {
        let mut window = self.0.lock();
        if window.second != second {
            window.second = second;
            window.lines = 0;
        }
        if window.lines == LINES_PER_SECOND_MAX {
            window.suppressed += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_sort_are_bounded_by_the_second() {
        let sampler = Sampler::new();
        let admitted = |second| (0..100).filter_map(|_| sampler.admit(second)).collect::<Vec<_>>();
        assert_eq!(admitted(1), [0; 10]);
        assert!(admitted(1).is_empty());
        let next = admitted(2);
        assert_eq!((next.len(), next[0], next[1]), (10, 190, 0));
    }
}
