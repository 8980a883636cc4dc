//! How long to wait with what has failed.

use std::time::{Duration, Instant};

/// The first wait; each is twice as long as the one before.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Waits that grow from failure to failure; none before the first.
#[derive(Default)]
pub(super) struct Backoff {
    failed: Option<Failed>,
}

struct Failed {
    at: Instant,
    wait: Duration,
}

impl Backoff {
    /// It failed again; returns whether that is news.
    pub(super) fn fail(&mut self) -> bool {
        let before = self.failed.as_ref().map(|failed| failed.wait);
        let wait = before.map_or(WAIT_MIN, |wait| (wait * 2).min(WAIT_MAX));
        self.failed = Some(Failed { at: Instant::now(), wait });
        before.is_none()
    }

    /// It went well.
    pub(super) fn end(&mut self) {
        self.failed = None;
    }

    /// How long it is until it should be tried again.
    pub(super) fn left(&self) -> Duration {
        let left = |failed: &Failed| failed.wait.saturating_sub(failed.at.elapsed());
        self.failed.as_ref().map_or(Duration::ZERO, left)
    }
}
