//! How much is remembered of messages that came with a key.

use pushprom_core::answers::Retention;

use super::{
    ConfigError,
    flags::Values,
    read::{parse_count, parse_duration},
};

/// What the flags say of it.
pub(super) fn retention(values: &Values) -> Result<Retention, ConfigError> {
    let window = values.get("idempotency.window", parse_duration)?;
    Ok(Retention {
        // Less than a millisecond would be no time.
        window_millis: u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1),
        keys_max: values.get("idempotency.max-keys", parse_count)?,
    })
}
