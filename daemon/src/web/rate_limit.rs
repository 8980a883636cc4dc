//! How many requests are taken: a bucket of `burst` tokens, to which one is added each `interval`.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A bucket, full at first.
#[derive(Debug)]
pub struct RateLimiter {
    interval: Duration,
    /// How long a full bucket takes to fill, less one token: how far ahead of the rate a burst may be.
    ahead_max: Option<Duration>,
    /// When the bucket will be full, were it left alone.
    full_at: Mutex<Option<Instant>>,
}

impl RateLimiter {
    /// A bucket that holds `burst` tokens. Of none at all, none can be had.
    pub fn new(interval: Duration, burst: u32) -> Self {
        let ahead_max = burst.checked_sub(1).map(|more| interval.saturating_mul(more));
        Self { interval, ahead_max, full_at: Mutex::new(None) }
    }

    /// Takes a token, if there is one at `now`.
    pub fn allows(&self, now: Instant) -> bool {
        let Some(ahead_max) = self.ahead_max else { return false };
        let mut full_at = self.full_at.lock();
        let begin = full_at.map_or(now, |full_at| full_at.max(now));
        if begin.duration_since(now) > ahead_max {
            return false;
        }
        *full_at = begin.checked_add(self.interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_one_an_interval() {
        let second = Duration::from_secs(1);
        let limiter = RateLimiter::new(second, 3);
        let begun = Instant::now();
        let taken = |at: Duration| (0..10).filter(|_| limiter.allows(begun + at)).count();
        assert_eq!(taken(Duration::ZERO), 3);
        assert_eq!(taken(second / 2), 0);
        assert_eq!(taken(second), 1);
        assert_eq!(taken(3 * second), 2);
        assert_eq!(taken(100 * second), 3);
        assert!(!RateLimiter::new(second, 0).allows(begun));
    }
}
