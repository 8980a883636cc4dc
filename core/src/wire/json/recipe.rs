//! The methods of a delta: how its number makes its change.

use super::DeltaError;
use crate::model::{
    Amount, Bounds, Change, GaugeChange, HistogramChange, InvalidDelta, Kind, NegativeAmount,
    Observations, Quoted,
};

/// What a delta does with its number. `inc` and `dec` do nothing with it; only a histogram has buckets.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// `inc` of a counter.
    CountOne,
    /// `add` of a counter.
    Count,
    /// `set` of a gauge.
    Set,
    /// `inc` of a gauge.
    Increment,
    /// `dec` of a gauge.
    Decrement,
    /// `add` of a gauge.
    Add,
    /// `sub` of a gauge.
    Subtract,
    /// `observe` of a histogram, with the bounds that it asks for.
    ObserveIn(Bounds),
    /// `observe` of a summary.
    Observe,
}

impl Recipe {
    pub(super) fn new(kind: Kind, method: &str, buckets: &[f64]) -> Result<Self, DeltaError> {
        Ok(match (kind, method) {
            (Kind::Counter, "inc") => Self::CountOne,
            (Kind::Counter, "add") => Self::Count,
            (Kind::Gauge, "set") => Self::Set,
            (Kind::Gauge, "inc") => Self::Increment,
            (Kind::Gauge, "dec") => Self::Decrement,
            (Kind::Gauge, "add") => Self::Add,
            (Kind::Gauge, "sub") => Self::Subtract,
            (Kind::Histogram, "observe") => {
                Self::ObserveIn(Bounds::new(buckets).map_err(InvalidDelta::from)?)
            }
            (Kind::Summary, "observe") => Self::Observe,
            (kind, method) => {
                return Err(DeltaError::UnknownMethod { kind, method: Quoted::new(method) });
            }
        })
    }

    /// The change that a delta with this number makes.
    pub fn change(&self, value: f64) -> Result<Change, NegativeAmount> {
        Ok(match self {
            Self::CountOne => Change::Counter(Amount::ONE),
            Self::Count => Change::Counter(Amount::new(value)?),
            Self::Set => Change::Gauge(GaugeChange::Set(value)),
            Self::Increment => Change::Gauge(GaugeChange::Add(1.0)),
            Self::Decrement => Change::Gauge(GaugeChange::Add(-1.0)),
            Self::Add => Change::Gauge(GaugeChange::Add(value)),
            Self::Subtract => Change::Gauge(GaugeChange::Add(-value)),
            Self::ObserveIn(bounds) => {
                Change::Histogram(HistogramChange::Observation { value, bounds: bounds.clone() })
            }
            Self::Observe => Change::Summary(Observations::one(value)),
        })
    }
}

/// The methods of a kind, for an error text. [`Recipe::new`] is where they are.
pub(super) const fn methods(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "inc or add",
        Kind::Gauge => "set, inc, dec, add or sub",
        Kind::Histogram | Kind::Summary => "observe",
    }
}
