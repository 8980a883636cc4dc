//! Observations in buckets whose bounds grow exponentially: a native histogram of Prometheus, and the
//! sketch behind the quantiles of a summary.
//!
//! Which buckets there are follows from the set of what was observed alone: the finest schema, not finer
//! than asked for, in which they are few enough. So it does not matter in which order observations come,
//! nor how they are divided among histograms that are merged in the end.

use std::sync::LazyLock;

use super::{Resolution, SCHEMA_COARSEST, SCHEMA_FINEST, count_as_f64, number};

/// 2^-128. What is no further from zero falls into the zero bucket, as with the client libraries of
/// Prometheus. It is a bound of every schema.
pub const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// Buckets of the finest schema from a power of two to the next.
const BUCKETS_PER_DOUBLING: i32 = 1 << SCHEMA_FINEST;

/// The index in the finest schema of what is beyond the greatest float.
const INDEX_OF_INFINITY: i32 = 1024 * BUCKETS_PER_DOUBLING + 1;

/// The bounds of the finest schema from 1/2 on, up to but without 1.
static BOUNDS: LazyLock<[f64; 256]> = LazyLock::new(|| {
    std::array::from_fn(|place| 0.5 * (count_as_f64(number::as_u64(place)) / 256.0).exp2())
});

/// Observations in exponential buckets, as many of them as its resolution allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Exponential {
    /// What was asked for.
    resolution: Resolution,
    /// What it has come to; never finer than asked for.
    schema: i8,
    zero_threshold: f64,
    zero_count: u64,
    // Invariant: both sorted by index, each index once, no count of 0.
    negative: Vec<ExponentialBucket>,
    positive: Vec<ExponentialBucket>,
}

/// One bucket. In schema s it holds what has an absolute value above 2^((index-1) * 2^-s), up to and with
/// 2^(index * 2^-s).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentialBucket {
    /// Its place.
    pub index: i32,
    /// What it holds.
    pub count: u64,
}

impl Exponential {
    /// No observation yet.
    pub const fn none(resolution: Resolution) -> Self {
        Self {
            resolution,
            schema: resolution.schema(),
            zero_threshold: ZERO_THRESHOLD,
            zero_count: 0,
            negative: Vec::new(),
            positive: Vec::new(),
        }
    }

    /// Joins the parts that a record keeps apart: threshold and count of the zero bucket, and both sides,
    /// negative first. `None` if no observations lead to them.
    pub(crate) fn from_parts(
        resolution: Resolution,
        schema: i8,
        (zero_threshold, zero_count): (f64, u64),
        [negative, positive]: [Vec<ExponentialBucket>; 2],
    ) -> Option<Self> {
        let indexes = -INDEX_OF_INFINITY - 52 * BUCKETS_PER_DOUBLING..=INDEX_OF_INFINITY;
        let is_side = |side: &[ExponentialBucket]| {
            side.is_sorted_by(|a, b| a.index < b.index)
                && side.iter().all(|bucket| bucket.count > 0 && indexes.contains(&bucket.index))
        };
        let is_one = (SCHEMA_COARSEST..=resolution.schema()).contains(&schema)
            && (ZERO_THRESHOLD..f64::INFINITY).contains(&zero_threshold)
            && negative.len() + positive.len() <= resolution.buckets_max()
            && is_side(&negative)
            && is_side(&positive);
        is_one.then_some(Self {
            resolution,
            schema,
            zero_threshold,
            zero_count,
            negative,
            positive,
        })
    }

    /// The schema of its buckets now.
    pub const fn schema(&self) -> i8 {
        self.schema
    }

    /// What is no further from zero than this is in the zero bucket.
    pub const fn zero_threshold(&self) -> f64 {
        self.zero_threshold
    }

    /// What the zero bucket holds.
    pub const fn zero_count(&self) -> u64 {
        self.zero_count
    }

    /// Buckets of observations below zero, by their distance from it.
    pub fn negative(&self) -> &[ExponentialBucket] {
        &self.negative
    }

    /// Buckets of observations above zero.
    pub fn positive(&self) -> &[ExponentialBucket] {
        &self.positive
    }

    /// All that it holds.
    pub fn count(&self) -> u64 {
        let buckets = self.negative.iter().chain(&self.positive);
        buckets.fold(self.zero_count, |all, bucket| all.saturating_add(bucket.count))
    }

    /// Adds an observation, so many times. What is not a number is in no bucket.
    pub fn observe(&mut self, value: f64, times: u64) {
        let magnitude = value.abs();
        if magnitude <= self.zero_threshold {
            self.zero_count = self.zero_count.saturating_add(times);
        } else if magnitude > 0.0 && times > 0 {
            let index = coarser(finest_index(magnitude), SCHEMA_FINEST, self.schema);
            let side = if value > 0.0 { &mut self.positive } else { &mut self.negative };
            if add(side, ExponentialBucket { index, count: times }) {
                self.fit();
            }
        }
    }

    /// Adds all that another one holds.
    pub fn merge(&mut self, other: &Self) {
        while self.schema > other.schema {
            self.halve();
        }
        self.zero_count = self.zero_count.saturating_add(other.zero_count);
        let sides = [(&mut self.negative, &other.negative), (&mut self.positive, &other.positive)];
        for (side, more) in sides {
            for bucket in more {
                let index = coarser(bucket.index, other.schema, self.schema);
                add(side, ExponentialBucket { index, ..*bucket });
            }
        }
        if self.zero_threshold < other.zero_threshold {
            self.widen_zero(other.zero_threshold);
        } else {
            self.widen_zero(self.zero_threshold);
        }
        self.fit();
    }

    /// Forgets all but what was asked for.
    pub fn clear(&mut self) {
        *self = Self::none(self.resolution);
    }

    /// About the smallest value that is not below this part of all; `None` if there are none. It lies in
    /// the bucket of that value, in its middle: off by (g-1)/(g+1) of it at most, where g is the growth
    /// of the bounds, 2^(2^-schema).
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let count = self.count();
        let rank = (part * count_as_f64(count)).ceil();
        let mut seen = 0_u64;
        let mut reaches = |more: u64| {
            seen = seen.saturating_add(more);
            more > 0 && count_as_f64(seen) >= rank
        };
        if let Some(bucket) = self.negative.iter().rev().find(|bucket| reaches(bucket.count)) {
            return Some(-self.middle(bucket.index));
        }
        if reaches(self.zero_count) {
            return Some(0.0);
        }
        let positive = self.positive.iter().find(|bucket| reaches(bucket.count));
        // Where the rank is lost to rounding it is the last.
        let last = self.positive.last().filter(|_| count > 0);
        positive.or(last).map(|bucket| self.middle(bucket.index))
    }

    /// What is off by the same part of itself from both bounds of a bucket.
    fn middle(&self, index: i32) -> f64 {
        let growth = (-f64::from(self.schema)).exp2().exp2();
        let upper = bound(index, self.schema);
        (upper * (2.0 / (1.0 + growth))).min(f64::MAX)
    }

    /// Makes the buckets few enough.
    fn fit(&mut self) {
        while self.negative.len().saturating_add(self.positive.len())
            > self.resolution.buckets_max()
        {
            if self.schema > SCHEMA_COARSEST {
                self.halve();
                continue;
            }
            let nearest =
                [&self.negative, &self.positive].into_iter().filter_map(|side| side.first());
            match nearest.map(|bucket| bucket.index).min() {
                Some(index) => self.widen_zero(bound(index, self.schema)),
                None => return,
            }
        }
    }

    /// Takes two buckets for one throughout.
    fn halve(&mut self) {
        let finer = self.schema;
        self.schema -= 1;
        for side in [&mut self.negative, &mut self.positive] {
            for bucket in side.iter_mut() {
                bucket.index = coarser(bucket.index, finer, finer - 1);
            }
            side.dedup_by(|next, bucket| {
                let same = next.index == bucket.index;
                if same {
                    bucket.count = bucket.count.saturating_add(next.count);
                }
                same
            });
        }
    }

    /// Lets the zero bucket reach to `threshold`, which is a bound.
    fn widen_zero(&mut self, threshold: f64) {
        self.zero_threshold = threshold;
        let schema = self.schema;
        for side in [&mut self.negative, &mut self.positive] {
            let inside = side.partition_point(|bucket| bound(bucket.index, schema) <= threshold);
            for bucket in side.drain(..inside) {
                self.zero_count = self.zero_count.saturating_add(bucket.count);
            }
        }
    }
}

/// The upper bound of a bucket.
fn bound(index: i32, schema: i8) -> f64 {
    (f64::from(index) * (-f64::from(schema)).exp2()).exp2()
}

/// The index in a coarser schema of a bucket that has `index` in a finer one.
fn coarser(index: i32, from: i8, to: i8) -> i32 {
    let halvings = u32::try_from(from.saturating_sub(to)).unwrap_or_default();
    // Rounded up: a bucket holds its upper bound.
    (index + ((1 << halvings) - 1)) >> halvings
}

/// Bits of a float that are its fraction (IEEE 754, binary64).
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;

/// The index in the finest schema of what is above [`ZERO_THRESHOLD`].
fn finest_index(magnitude: f64) -> i32 {
    if magnitude.is_infinite() {
        return INDEX_OF_INFINITY;
    }
    // The exponent and the fraction, from 1/2 up to 1, that it is made of.
    let bits = magnitude.to_bits();
    let exponent = i32::try_from(bits >> FRACTION_BITS).unwrap_or_default() - 1022;
    let fraction = f64::from_bits(bits & ((1 << FRACTION_BITS) - 1) | 0.5_f64.to_bits());
    let place = BOUNDS.partition_point(|&bound| bound < fraction);
    (exponent - 1) * BUCKETS_PER_DOUBLING + i32::try_from(place).unwrap_or_default()
}

/// Adds a bucket to others in order; says whether it is one more.
fn add(side: &mut Vec<ExponentialBucket>, more: ExponentialBucket) -> bool {
    match side.binary_search_by_key(&more.index, |bucket| bucket.index) {
        Ok(place) => {
            if let Some(bucket) = side.get_mut(place) {
                bucket.count = bucket.count.saturating_add(more.count);
            }
            false
        }
        Err(place) => {
            side.insert(place, more);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolution(schema: i8, buckets: u32) -> Resolution {
        Resolution::new(Some(f64::from(schema)), Some(f64::from(buckets))).unwrap()
    }

    fn of(values: &[f64], resolution: Resolution) -> Exponential {
        let mut histogram = Exponential::none(resolution);
        for &value in values {
            histogram.observe(value, 1);
        }
        histogram
    }

    #[track_caller]
    fn check_index(value: f64, schema: i8, want: i32) {
        let histogram = of(&[value], resolution(schema, 160));
        assert_eq!(histogram.positive(), [ExponentialBucket { index: want, count: 1 }], "{value}");
        let above = bound(want - 1, schema) < value || want > 1024;
        assert!(above && value <= bound(want, schema), "{value} in {want} of schema {schema}");
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (value, schema, want) in [
            (1.0, 0, 0),
            (1.0_f64.next_up(), 0, 1),
            (2.0, 0, 1),
            (2.0, 8, 256),
            (2.0_f64.next_up(), 8, 257),
            (0.5, 3, -8),
            (1.0, -4, 0),
            (65536.0, -4, 1),
            (65536.0_f64.next_up(), -4, 2),
            (1.0 / 65536.0, -4, -1),
            (1.5, 3, 5),
            (1.41, 1, 1),
            (1.42, 1, 2),
            (f64::MAX, 0, 1024),
            (f64::MAX, -4, 64),
            (f64::INFINITY, 0, 1025),
            (ZERO_THRESHOLD.next_up(), 0, -127),
        ] {
            check_index(value, schema, want);
        }
        assert_eq!(ZERO_THRESHOLD.to_bits(), (-128.0_f64).exp2().to_bits());
    }

    #[test]
    fn what_is_near_zero_is_zero() {
        let values = [0.0, -0.0, ZERO_THRESHOLD, -ZERO_THRESHOLD, 5e-324, f64::NAN];
        let histogram = of(&values, Resolution::DEFAULT);
        assert_eq!((histogram.zero_count(), histogram.count()), (5, 5));
    }

    #[test]
    fn resolution_halves_when_it_is_full() {
        let values: Vec<f64> = (0..9).map(|n| f64::from(n).exp2()).collect();
        let histogram = of(&values, resolution(3, 8));
        // 1 to 256 are nine buckets down to schema 0, and five in schema -1.
        assert_eq!((histogram.schema(), histogram.positive().len()), (-1, 5));
        assert_eq!(histogram.count(), 9);
        let wide: Vec<f64> = (0..20).map(|n| f64::from(n * 40 - 400).exp2()).collect();
        let histogram = of(&wide, resolution(3, 8));
        assert_eq!((histogram.schema(), histogram.positive().len()), (-4, 8));
        assert_eq!((histogram.zero_count(), histogram.count()), (12, 20));
        assert_eq!(histogram.zero_threshold().to_bits(), 48.0_f64.exp2().to_bits());
    }

    #[test]
    fn a_quantile_of_nothing_is_none() {
        assert_eq!(Exponential::none(Resolution::SKETCH).quantile(0.5), None);
        let one = of(&[0.0], Resolution::SKETCH);
        assert_eq!([0.0, 0.5, 1.0].map(|part| one.quantile(part)), [Some(0.0); 3]);
    }

    /// Values of all sizes and both signs, some of them on bounds.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![
            (-1000_i32..1000).prop_map(|n| f64::from(n) / 8.0),
            (-200_i32..200).prop_map(|n| f64::from(n).exp2()),
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
        ];
        proptest::collection::vec(value, 0..60)
    }

    proptest! {
        #[test]
        fn neither_order_nor_division_matters(
            a in values(), b in values(), c in values(),
            schema in SCHEMA_COARSEST..=SCHEMA_FINEST, buckets in 8_u32..40,
        ) {
            let resolution = resolution(schema, buckets);
            let [x, y, z] = [&a, &b, &c].map(|values| of(values, resolution));
            let mut left = x.clone();
            left.merge(&y);
            left.merge(&z);
            let mut right = y.clone();
            right.merge(&z);
            right.merge(&x);
            let all = of(&[c, a, b].concat(), resolution);
            prop_assert_eq!(&left, &right);
            prop_assert_eq!(&left, &all);
            prop_assert!(all.negative().len() + all.positive().len() <= resolution.buckets_max());
        }

        #[test]
        fn a_quantile_is_as_near_as_stated(
            mut values in proptest::collection::vec((-30.0_f64..30.0, any::<bool>()), 1..300),
            part in 0.0_f64..=1.0,
        ) {
            let mut values: Vec<f64> = values
                .drain(..)
                .map(|(log, negative)| if negative { -log.exp() } else { log.exp() })
                .collect();
            let sketch = of(&values, resolution(5, 1024));
            prop_assert_eq!(sketch.schema(), 5);
            values.sort_by(f64::total_cmp);
            let rank = (part * f64::from(u32::try_from(values.len()).unwrap())).ceil();
            let exact = values.iter().zip(1_u32..).find(|(_, n)| f64::from(*n) >= rank).unwrap().0;
            let got = sketch.quantile(part).unwrap();
            prop_assert!((got - exact).abs() <= exact.abs() * 0.0109, "{got} for {exact}");
        }
    }
}
