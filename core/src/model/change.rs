//! The one idea of this system: a change to a series is a value, and two changes to the same series
//! compose into one.
//!
//! | kind | a change is | composing `a`, then `b` |
//! |---|---|---|
//! | counter | an amount ≥ 0 | `a + b` |
//! | gauge | "set to x" or "add d" | a later set forgets what was before it; adds add up |
//! | histogram | counts per bucket and a sum | element by element |
//! | summary | a sum, a count, and sketches by time | element by element |
//!
//! A series' state is the composition of all its changes, and so a [`Value`] is itself a change: the one
//! that leads from nothing to there.

use super::{Buckets, HistogramChange, Kind, Summary, SummaryChange, count_as_f64, whole};

/// A change to one series.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// To a counter.
    Counter(Amount),
    /// To a gauge.
    Gauge(GaugeChange),
    /// To a histogram.
    Histogram(HistogramChange),
    /// To a summary.
    Summary(SummaryChange),
}

/// What a series holds at one instant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A total.
    Counter(Amount),
    /// A level. Overflow makes it infinite, and infinities of both signs NaN.
    Gauge(f64),
    /// Observations in buckets.
    Histogram(Buckets),
    /// Observations.
    Summary(Summary),
}

/// What a counter grows by, or has grown to: never negative, never NaN.
///
/// Whole amounts add up exactly in a u64, whatever their size; the rest adds up in a float. Where the
/// whole part would overflow, the amount goes to the rest instead: an amount never wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    whole: u64,
    // Invariant: 0 ≤ rest ≤ +Inf.
    rest: f64,
}

/// A counter was asked to go down.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a counter cannot go down by {0:?}; add amounts of 0 or more, or use a gauge")]
pub struct NegativeAmount(f64);

/// What happens to a gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GaugeChange {
    /// It takes this value, whatever it was. "Set to x, then add d" is the change "set to x + d".
    Set(f64),
    /// It moves by this much, down if negative.
    Add(f64),
}

/// Two changes that are not to the same series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomposable {
    /// They are of two kinds.
    #[error("a {0} and a {1} do not compose")]
    Kinds(Kind, Kind),
    /// Both are sorted into buckets, of different bounds.
    #[error("buckets of different bounds do not compose")]
    Bounds,
}

impl Change {
    /// What the series is that this happens to.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram(_) => Kind::Histogram,
            Self::Summary(_) => Kind::Summary,
        }
    }

    /// Whether it leaves every value as it is.
    pub fn is_none(&self) -> bool {
        match self {
            Self::Counter(amount) => *amount == Amount::default(),
            Self::Gauge(GaugeChange::Add(by)) => by.abs() <= 0.0,
            Self::Gauge(GaugeChange::Set(_)) => false,
            Self::Histogram(HistogramChange::Observed { readings, .. })
            | Self::Summary(SummaryChange::Observed { readings, .. }) => readings.count() == 0,
            Self::Histogram(HistogramChange::Sorted(buckets)) => {
                buckets.count() == 0 && buckets.sum().abs() <= 0.0
            }
            Self::Summary(SummaryChange::Summed(summary)) => {
                let observations = summary.observations;
                observations.count == 0 && observations.sum.abs() <= 0.0
            }
        }
    }

    /// The change that does what this one and then `later` do.
    ///
    /// Associative; commutative too but for [`GaugeChange::Set`]; up to the rounding of float sums. The
    /// layout of a histogram is that of the earlier change.
    pub fn then(self, later: Self) -> Result<Self, Incomposable> {
        Ok(match (self, later) {
            (Self::Counter(a), Self::Counter(b)) => Self::Counter(a.plus(b)),
            (Self::Gauge(a), Self::Gauge(b)) => Self::Gauge(a.then(b)),
            (Self::Summary(a), Self::Summary(b)) => {
                let mut summary = a.into_summary();
                summary.add(b);
                Self::Summary(SummaryChange::Summed(Box::new(summary)))
            }
            (Self::Histogram(a), Self::Histogram(b)) => {
                let mut buckets = a.into_buckets();
                buckets.add(&b)?;
                Self::Histogram(HistogramChange::Sorted(Box::new(buckets)))
            }
            (
                a @ (Self::Counter(_) | Self::Gauge(_) | Self::Histogram(_) | Self::Summary(_)),
                b,
            ) => return Err(Incomposable::Kinds(a.kind(), b.kind())),
        })
    }
}

impl From<Value> for Change {
    /// The change that leads from nothing to this value.
    fn from(value: Value) -> Self {
        match value {
            Value::Counter(amount) => Self::Counter(amount),
            Value::Gauge(level) => Self::Gauge(GaugeChange::Set(level)),
            Value::Histogram(buckets) => {
                Self::Histogram(HistogramChange::Sorted(Box::new(buckets)))
            }
            Value::Summary(summary) => Self::Summary(SummaryChange::Summed(Box::new(summary))),
        }
    }
}

impl Amount {
    /// One.
    pub const ONE: Self = Self { whole: 1, rest: 0.0 };

    /// Takes a number from a client: refuses negative ones; -0 is 0.
    pub fn new(value: f64) -> Result<Self, NegativeAmount> {
        if let Some(whole) = whole(value) {
            Ok(Self { whole, rest: 0.0 })
        } else if value >= 0.0 {
            Ok(Self { whole: 0, rest: value })
        } else {
            Err(NegativeAmount(value))
        }
    }

    /// Joins a whole part and a rest that a series keeps apart.
    pub(crate) fn from_parts(whole: u64, rest: f64) -> Self {
        debug_assert!(rest >= 0.0, "the rest of an amount is never negative, nor NaN: {rest}");
        Self { whole, rest }
    }

    /// The whole part, exact.
    pub const fn whole(self) -> u64 {
        self.whole
    }

    /// What is not in the whole part.
    pub const fn rest(self) -> f64 {
        self.rest
    }

    /// Both parts as one float, as an exposition shows it.
    pub const fn as_f64(self) -> f64 {
        self.rest + count_as_f64(self.whole)
    }

    /// The sum. Where the whole parts do not fit together, the second goes to the rest.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let rest = self.rest + other.rest;
        match self.whole.checked_add(other.whole) {
            Some(whole) => Self { whole, rest },
            None => Self { whole: self.whole, rest: rest + count_as_f64(other.whole) },
        }
    }
}

impl From<u64> for Amount {
    fn from(whole: u64) -> Self {
        Self { whole, rest: 0.0 }
    }
}

impl GaugeChange {
    /// This, then `later`.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match (self, later) {
            (_, Self::Set(value)) => Self::Set(value),
            (Self::Set(value), Self::Add(by)) => Self::Set(value + by),
            (Self::Add(a), Self::Add(b)) => Self::Add(a + b),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Bounds, Layout, Observations, Readings, Resolution};

    /// Multiples of 1/8 of some size: their sums are exact, so that the laws hold to the letter.
    fn exact() -> impl Strategy<Value = f64> {
        (-1_000_000_i32..1_000_000).prop_map(|n| f64::from(n) / 8.0)
    }

    fn amount() -> impl Strategy<Value = Amount> {
        prop_oneof![
            exact().prop_map(|value| Amount::new(value.abs()).unwrap()),
            (0..u64::MAX).prop_map(|whole| Amount::from_parts(whole >> 8, 0.0)),
        ]
    }

    /// Classic buckets, native ones, and both.
    fn layouts() -> [Layout; 3] {
        let bounds = Bounds::new(&[-10.0, 0.5, 100.0]).unwrap();
        let native = Some(Resolution::new(Some(4.0), Some(8.0)).unwrap());
        [
            Layout { bounds: bounds.clone(), native: None },
            Layout { bounds: Bounds::none(), native },
            Layout { bounds, native },
        ]
    }

    fn readings() -> impl Strategy<Value = Readings> {
        (proptest::collection::vec(exact(), 0..5), 1_u32..5).prop_map(|(values, times)| {
            Readings::new(values.into(), crate::model::Times::new(f64::from(times)).unwrap())
                .unwrap()
        })
    }

    /// Changes of one kind.
    fn changes(kind: Kind, layout: Layout) -> BoxedStrategy<Change> {
        match kind {
            Kind::Counter => amount().prop_map(Change::Counter).boxed(),
            Kind::Gauge => prop_oneof![
                exact().prop_map(|value| Change::Gauge(GaugeChange::Set(value))),
                exact().prop_map(|value| Change::Gauge(GaugeChange::Add(value))),
            ]
            .boxed(),
            Kind::Histogram => {
                let observed = readings().prop_map(move |readings| {
                    let layout = layout.clone();
                    Change::Histogram(HistogramChange::Observed { readings, layout })
                });
                let observed = observed.boxed();
                let sorted = (observed.clone(), observed.clone())
                    .prop_map(|(one, other)| one.then(other).unwrap());
                prop_oneof![observed, sorted].boxed()
            }
            Kind::Summary => prop_oneof![
                readings()
                    .prop_map(|readings| SummaryChange::Observed { readings, objectives: None }),
                (exact(), 0_u64..1000).prop_map(|(sum, count)| {
                    let observations = Observations { sum, count };
                    SummaryChange::Summed(Box::new(Summary { observations, ..Summary::default() }))
                })
            ]
            .prop_map(Change::Summary)
            .boxed(),
        }
    }

    fn three_of_a_kind() -> impl Strategy<Value = (Change, Change, Change)> {
        (proptest::sample::select(&Kind::ALL[..]), proptest::sample::select(layouts().to_vec()))
            .prop_flat_map(|(kind, layout)| {
                (
                    changes(kind, layout.clone()),
                    changes(kind, layout.clone()),
                    changes(kind, layout),
                )
            })
    }

    fn sets(change: &Change) -> bool {
        matches!(change, Change::Gauge(GaugeChange::Set(_)))
    }

    proptest! {
        #[test]
        fn composition_is_associative((a, b, c) in three_of_a_kind()) {
            let left = a.clone().then(b.clone()).unwrap().then(c.clone()).unwrap();
            let right = a.then(b.then(c).unwrap()).unwrap();
            prop_assert_eq!(left, right);
        }

        #[test]
        fn composition_commutes_but_for_set((a, b, _) in three_of_a_kind()) {
            prop_assume!(!sets(&a) && !sets(&b));
            let forth = a.clone().then(b.clone()).unwrap();
            let back = b.then(a).unwrap();
            prop_assert_eq!(forth, back);
        }

        #[test]
        fn an_amount_never_wraps_and_never_falls(
            amounts in proptest::collection::vec(
                prop_oneof![(0..u64::MAX).prop_map(|w| Amount::from_parts(w, 0.0)), amount()], 1..20),
        ) {
            let mut total = Amount::default();
            for amount in amounts {
                let next = total.plus(amount);
                prop_assert!(next.as_f64() >= total.as_f64(), "{total:?} + {amount:?} = {next:?}");
                prop_assert!(next.as_f64() >= amount.as_f64(), "{total:?} + {amount:?} = {next:?}");
                total = next;
            }
        }
    }

    #[test]
    fn kinds_do_not_mix() {
        let counter = Change::Counter(Amount::ONE);
        let gauge = Change::Gauge(GaugeChange::Add(1.0));
        assert_eq!(
            counter.then(gauge).unwrap_err().to_string(),
            "a counter and a gauge do not compose"
        );
    }

    #[test]
    fn counters_are_exact_beyond_what_a_float_holds() {
        let two_pow_53 = Amount::new(9_007_199_254_740_992.0).unwrap();
        let sum = two_pow_53.plus(Amount::ONE).plus(Amount::ONE);
        assert_eq!(sum.whole(), 9_007_199_254_740_994);
        let ten_pow_19 = Amount::new(1e19).unwrap();
        let doubled = ten_pow_19.plus(ten_pow_19).as_f64();
        assert_eq!(doubled.to_bits(), 2e19_f64.to_bits(), "the original shows 1.55e18 here");
        assert_eq!(Amount::new(-0.0), Ok(Amount::default()));
        assert_eq!(
            Amount::new(-0.5).unwrap_err().to_string(),
            "a counter cannot go down by -0.5; add amounts of 0 or more, or use a gauge"
        );
    }
}
