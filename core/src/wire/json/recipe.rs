//! The methods of a delta: how its fields make its change.

use super::{DeltaError, Field, JsonKind, more::More};
use crate::model::{
    Amount, Buckets, Change, GaugeChange, HistogramChange, InvalidDelta, Kind, Layout,
    NegativeAmount, Objectives, Quoted, Readings, SummaryChange, Times,
};

/// What a delta does with its number.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// `inc` of a counter: nothing.
    CountOne,
    /// `add` of a counter.
    Count,
    /// `set` of a gauge.
    Set,
    /// `inc` of a gauge: nothing.
    Increment,
    /// `dec` of a gauge: nothing.
    Decrement,
    /// `add` of a gauge.
    Add,
    /// `sub` of a gauge.
    Subtract,
    /// `observe` of a histogram.
    ObserveIn(Layout, Times),
    /// `observe` of a summary.
    Observe(Option<Objectives>, Times),
    /// Nothing: the change is the same whatever the number is. Apart, since few deltas are such and all are
    /// moved about.
    Fixed(Box<Change>),
}

impl Recipe {
    pub(super) fn new(
        kind: Kind,
        method: &str,
        buckets: &[f64],
        more: &mut More,
    ) -> Result<Self, DeltaError> {
        let recipe = match (kind, method) {
            (Kind::Counter, "inc") => Self::CountOne,
            (Kind::Counter, "add") => Self::Count,
            (Kind::Gauge, "set") => Self::Set,
            (Kind::Gauge, "inc") => Self::Increment,
            (Kind::Gauge, "dec") => Self::Decrement,
            (Kind::Gauge, "add") => Self::Add,
            (Kind::Gauge, "sub") => Self::Subtract,
            (Kind::Histogram, "observe") => observe_in(more.layout(buckets)?, more)?,
            (Kind::Summary, "observe") => {
                let objectives = more.objectives.take();
                let times = more.times.take().unwrap_or(Times::ONCE);
                match more.values.take() {
                    None => Self::Observe(objectives, times),
                    Some(values) => {
                        let readings = Readings::new(values, times).map_err(InvalidDelta::from)?;
                        let change = SummaryChange::Observed { readings, objectives };
                        Self::Fixed(Box::new(Change::Summary(change)))
                    }
                }
            }
            (kind, "declare") => Self::Fixed(Box::new(nothing(kind, buckets, more)?)),
            (kind, method) => {
                return Err(DeltaError::UnknownMethod { kind, method: Quoted::new(method) });
            }
        };
        match more.left() {
            None => Ok(recipe),
            Some(field @ Field::Value) => {
                Err(DeltaError::WrongType { field, found: JsonKind::Array })
            }
            Some(field) => Err(DeltaError::Misplaced { field, kind, method: Quoted::new(method) }),
        }
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
            Self::ObserveIn(layout, times) => observed_in(layout, *times, value),
            Self::Observe(objectives, times) => observed(objectives.as_ref(), *times, value),
            Self::Fixed(change) => fixed(change),
        })
    }
}

// Apart, so that the way of counters, which most deltas are of, stays short.
#[inline(never)]
fn observed_in(layout: &Layout, times: Times, value: f64) -> Change {
    let (readings, layout) = (Readings::repeated(value, times), layout.clone());
    Change::Histogram(HistogramChange::Observed { readings, layout })
}

#[inline(never)]
fn observed(objectives: Option<&Objectives>, times: Times, value: f64) -> Change {
    let (readings, objectives) = (Readings::repeated(value, times), objectives.cloned());
    Change::Summary(SummaryChange::Observed { readings, objectives })
}

#[inline(never)]
fn fixed(change: &Change) -> Change {
    change.clone()
}

/// `observe` of a histogram: one value, several, or counts for its buckets.
fn observe_in(layout: Layout, more: &mut More) -> Result<Recipe, DeltaError> {
    let change = match (more.values.take(), more.counts.take()) {
        (None, None) => {
            return Ok(Recipe::ObserveIn(layout, more.times.take().unwrap_or(Times::ONCE)));
        }
        (Some(values), None) => {
            let times = more.times.take().unwrap_or(Times::ONCE);
            let readings = Readings::new(values, times).map_err(InvalidDelta::from)?;
            HistogramChange::Observed { readings, layout }
        }
        (None, Some(counts)) => {
            let sum = more.sum.take().ok_or(DeltaError::NoSum)?;
            if layout.native.is_some() {
                return Err(DeltaError::NativeAndCounts);
            }
            if counts.iter().all(|count| *count == 0) && sum.abs() > 0.0 {
                return Err(DeltaError::SumOfNothing(sum));
            }
            let buckets =
                Buckets::sorted(layout.bounds, &counts, sum).map_err(InvalidDelta::from)?;
            HistogramChange::Sorted(Box::new(buckets))
        }
        (Some(_), Some(_)) => return Err(DeltaError::ValueAndCounts),
    };
    Ok(Recipe::Fixed(Box::new(Change::Histogram(change))))
}

/// `declare`: the change that leaves everything as it is, but for making what is not there.
fn nothing(kind: Kind, buckets: &[f64], more: &mut More) -> Result<Change, DeltaError> {
    Ok(match kind {
        Kind::Counter => Change::Counter(Amount::default()),
        // Not 0: what is there already stays. The sum of -0 and -0 alone is -0.
        Kind::Gauge => Change::Gauge(GaugeChange::Add(-0.0)),
        Kind::Histogram => Change::Histogram(HistogramChange::Observed {
            readings: Readings::none(),
            layout: more.layout(buckets)?,
        }),
        Kind::Summary => Change::Summary(SummaryChange::Observed {
            readings: Readings::none(),
            objectives: more.objectives.take(),
        }),
    })
}

/// The methods of a kind, for an error text. [`Recipe::new`] is where they are.
pub(super) const fn methods(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "inc, add or declare",
        Kind::Gauge => "set, inc, dec, add, sub or declare",
        Kind::Histogram | Kind::Summary => "observe or declare",
    }
}
