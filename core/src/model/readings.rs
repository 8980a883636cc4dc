//! What was observed, before it is sorted into anything.

use smallvec::SmallVec;

use super::{Observations, count_as_f64, whole};
use crate::limits::{READINGS_PER_DELTA_MAX, TIMES_MAX};

/// Values that were observed, each as often as the others. Most deltas bring one value, once.
#[derive(Clone, Debug, PartialEq)]
// Invariant: at most READINGS_PER_DELTA_MAX values.
pub struct Readings {
    values: SmallVec<[f64; 1]>,
    times: Times,
}

/// How often something was observed: from 1 to [`TIMES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times(u64);

/// Why a client's observations cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadingsError {
    /// More values than a delta may bring.
    #[error(
        "{0} observations; the limit is {READINGS_PER_DELTA_MAX} in a delta: send several deltas"
    )]
    TooMany(usize),
    /// A count that is no number of times.
    #[error("count {0:?} is no number of times: use a whole number from 1 to {TIMES_MAX}")]
    Times(f64),
}

impl Times {
    /// Once.
    pub const ONCE: Self = Self(1);

    /// Takes a number from a client.
    pub fn new(times: f64) -> Result<Self, ReadingsError> {
        let whole = whole(times).filter(|times| (1..=TIMES_MAX).contains(times));
        whole.map(Self).ok_or(ReadingsError::Times(times))
    }
}

impl Readings {
    /// One value, once.
    pub fn one(value: f64) -> Self {
        Self::repeated(value, Times::ONCE)
    }

    /// One value, so many times.
    pub fn repeated(value: f64, times: Times) -> Self {
        Self { values: SmallVec::from_buf([value]), times }
    }

    /// Nothing.
    pub fn none() -> Self {
        Self { values: SmallVec::new(), times: Times::ONCE }
    }

    /// Each of `values` so many times.
    pub fn new(values: SmallVec<[f64; 1]>, times: Times) -> Result<Self, ReadingsError> {
        if values.len() > READINGS_PER_DELTA_MAX {
            return Err(ReadingsError::TooMany(values.len()));
        }
        Ok(Self { values, times })
    }

    /// What was observed.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How often each of the values was.
    pub const fn times(&self) -> u64 {
        self.times.0
    }

    /// How many observations that makes.
    pub fn count(&self) -> u64 {
        u64::try_from(self.values.len()).unwrap_or(u64::MAX).saturating_mul(self.times.0)
    }

    /// The sum and count of the observations.
    pub fn summed(&self) -> Observations {
        let sum: f64 = self.values.iter().sum();
        Observations { sum: sum * count_as_f64(self.times.0), count: self.count() }
    }
}
