//! The one place that reads the clock.

use pushprom_core::model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Now, as of the kernel's last tick, which is some milliseconds ago at most. That is near enough for what
/// it is asked for, and costs a fifth of asking the hardware. A clock before 1970 reads as 1970.
pub fn now() -> Timestamp {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let milliseconds = u64::try_from(now.tv_nsec).unwrap_or_default() / 1_000_000;
    Timestamp(seconds.saturating_mul(1000).saturating_add(milliseconds))
}
