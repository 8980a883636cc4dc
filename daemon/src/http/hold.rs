//! How long a new series shows 0.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use pushprom_core::model::Timestamp;

/// Series show 0 until they have this age.
pub(super) struct Hold {
    milliseconds: u64,
    /// The latest time of a page, in milliseconds: should the clock be set back, what has been shown stays.
    latest: AtomicU64,
}

impl Hold {
    pub(super) fn new(age: Duration) -> Self {
        let milliseconds = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self { milliseconds, latest: AtomicU64::new(0) }
    }

    /// The last birth of which the hold is over, on a page that is made at `now`.
    pub(super) fn over_before(&self, now: Timestamp) -> Timestamp {
        let before = self.latest.fetch_max(now.0, Relaxed);
        Timestamp(before.max(now.0)).before(self.milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_been_shown_is_shown_on_when_the_clock_goes_back() {
        let hold = Hold::new(Duration::from_secs(20));
        let seconds = |seconds: u64| Timestamp(seconds * 1000);
        for (now, want) in [(10, 0), (100, 80), (125, 105), (60, 105), (125, 105), (126, 106)] {
            assert_eq!(hold.over_before(seconds(now)), seconds(want), "at {now}");
        }
    }
}
