//! The one idea of this system: a change to a series is a value, and two changes to the same series
//! compose into one.
//!
//! | kind | a change is | composing `a`, then `b` |
//! |---|---|---|
//! | counter | an amount ≥ 0 | `a + b` |
//! | gauge | "set to x" or "add d" | a later set forgets what was before it; adds add up |
//! | histogram | counts per bucket and a sum | element by element |
//! | summary | a sum and a count | element by element |
//!
//! A series' state is the composition of all its changes, and so a [`Value`] is itself a change: the one
//! that leads from nothing to there.

use super::{Bounds, Kind, count_as_f64, whole};

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
    Summary(Observations),
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
    Summary(Observations),
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

/// What happens to a histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum HistogramChange {
    /// One observation, as clients send it. It falls into the buckets of the histogram that it comes to;
    /// `bounds` are what a histogram that begins with it gets.
    Observation {
        /// What was observed.
        value: f64,
        /// The bounds the client asked for.
        bounds: Bounds,
    },
    /// Observations already sorted into buckets.
    Buckets(Buckets),
}

/// Observations sorted into buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    bounds: Bounds,
    // Invariant: `bounds.buckets()` counts, the last for +Inf; each its own, not cumulative.
    counts: Box<[u64]>,
    sum: f64,
}

/// Observations as a summary keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observations {
    /// The sum of what was observed, in order of arrival.
    pub sum: f64,
    /// How many there were.
    pub count: u64,
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

    /// The change that does what this one and then `later` do.
    ///
    /// Associative; commutative too but for [`GaugeChange::Set`]; up to the rounding of float sums. The
    /// bounds of a histogram are those of the earlier change.
    pub fn then(self, later: Self) -> Result<Self, Incomposable> {
        Ok(match (self, later) {
            (Self::Counter(a), Self::Counter(b)) => Self::Counter(a.plus(b)),
            (Self::Gauge(a), Self::Gauge(b)) => Self::Gauge(a.then(b)),
            (Self::Summary(a), Self::Summary(b)) => Self::Summary(a.plus(b)),
            (Self::Histogram(a), Self::Histogram(b)) => {
                let mut buckets = a.into_buckets();
                buckets.add(&b)?;
                Self::Histogram(HistogramChange::Buckets(buckets))
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
            Value::Histogram(buckets) => Self::Histogram(HistogramChange::Buckets(buckets)),
            Value::Summary(observations) => Self::Summary(observations),
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

impl HistogramChange {
    /// The bounds it brings.
    pub const fn bounds(&self) -> &Bounds {
        match self {
            Self::Observation { bounds, .. } => bounds,
            Self::Buckets(buckets) => &buckets.bounds,
        }
    }

    fn into_buckets(self) -> Buckets {
        match self {
            Self::Observation { value, bounds } => {
                let mut buckets = Buckets::none(bounds);
                buckets.observe(value);
                buckets
            }
            Self::Buckets(buckets) => buckets,
        }
    }
}

impl Buckets {
    /// No observation yet.
    pub fn none(bounds: Bounds) -> Self {
        let counts = vec![0; bounds.buckets()].into();
        Self { bounds, counts, sum: 0.0 }
    }

    /// Joins the parts that a series keeps apart; `counts` are those of `bounds.buckets()` buckets.
    pub(crate) fn from_parts(bounds: Bounds, counts: Box<[u64]>, sum: f64) -> Self {
        debug_assert_eq!(counts.len(), bounds.buckets(), "a count for each bucket");
        Self { bounds, counts, sum }
    }

    /// The upper bounds, `+Inf` not among them.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The count of each bucket alone, `+Inf` last.
    pub const fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The sum of what was observed.
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |total, &count| total.saturating_add(count))
    }

    fn observe(&mut self, value: f64) {
        if let Some(count) = self.counts.get_mut(self.bounds.bucket_of(value)) {
            *count = count.saturating_add(1);
        }
        self.sum += value;
    }

    fn add(&mut self, change: &HistogramChange) -> Result<(), Incomposable> {
        match change {
            HistogramChange::Observation { value, .. } => self.observe(*value),
            HistogramChange::Buckets(later) if later.bounds == self.bounds => {
                for (count, &by) in self.counts.iter_mut().zip(&later.counts) {
                    *count = count.saturating_add(by);
                }
                self.sum += later.sum;
            }
            HistogramChange::Buckets(_) => return Err(Incomposable::Bounds),
        }
        Ok(())
    }
}

impl Observations {
    /// One observation.
    pub const fn one(value: f64) -> Self {
        Self { sum: value, count: 1 }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, count: self.count.saturating_add(other.count) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    fn bounds() -> Bounds {
        Bounds::new(&[-10.0, 0.5, 100.0]).unwrap()
    }

    /// Changes of one kind.
    fn changes(kind: Kind) -> BoxedStrategy<Change> {
        match kind {
            Kind::Counter => amount().prop_map(Change::Counter).boxed(),
            Kind::Gauge => prop_oneof![
                exact().prop_map(|value| Change::Gauge(GaugeChange::Set(value))),
                exact().prop_map(|value| Change::Gauge(GaugeChange::Add(value))),
            ]
            .boxed(),
            Kind::Histogram => prop_oneof![
                exact().prop_map(|value| HistogramChange::Observation { value, bounds: bounds() }),
                (proptest::collection::vec(0_u64..1000, 4), exact()).prop_map(|(counts, sum)| {
                    HistogramChange::Buckets(Buckets::from_parts(bounds(), counts.into(), sum))
                }),
            ]
            .prop_map(Change::Histogram)
            .boxed(),
            Kind::Summary => (exact(), 0_u64..1000)
                .prop_map(|(sum, count)| Change::Summary(Observations { sum, count }))
                .boxed(),
        }
    }

    fn three_of_a_kind() -> impl Strategy<Value = (Change, Change, Change)> {
        prop_oneof![
            Just(Kind::Counter),
            Just(Kind::Gauge),
            Just(Kind::Histogram),
            Just(Kind::Summary)
        ]
        .prop_flat_map(|kind| (changes(kind), changes(kind), changes(kind)))
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
