//! Where log lines go, and how many of one sort.

use std::io;

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::config::LogFormat;

/// Lines a second of one sort that client input can cause. The rest are counted, not written.
const LINES_PER_SECOND_MAX: u32 = 10;

/// Starts logging to standard error. Client text in a line is quoted and escaped by the layout.
pub fn init(level: LevelFilter, format: LogFormat) {
    let started = match format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().layer().with_writer(io::stderr);
            registry().with(level).with(layer).try_init()
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
            registry().with(level).with(layer.with_writer(io::stderr)).try_init()
        }
    };
    if let Err(error) = started {
        tracing::warn!(%error, "logging had been started before");
    }
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
