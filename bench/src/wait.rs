//! Waiting for a condition, within bounds.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::Result;

/// How long a waiter rests between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something to see; an error if there still is nothing after `limit`.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if begun.elapsed() > limit {
            return Err(format!("waited {limit:?} for {what}").into());
        }
        thread::sleep(PAUSE);
    }
}
