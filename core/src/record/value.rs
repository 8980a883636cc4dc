//! What series hold, in records.

use serde::{Deserialize, Serialize};

use super::Float;
use crate::model::{
    Amount, Buckets, Exponential, ExponentialBucket, Layout, Observations, Resolution, Span,
    Timestamp, Window,
};

/// What a series holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueRecord {
    /// A total that is whole.
    Count(u64),
    /// A total.
    Amount {
        /// The whole part.
        whole: u64,
        /// The rest.
        rest: Float,
    },
    /// A level.
    Level(Float),
    /// Observations in buckets.
    Buckets {
        /// The count of each classic bucket alone, `+Inf` last.
        counts: Vec<u64>,
        /// The sum of what was observed.
        sum: Float,
        /// Native buckets, if there are any.
        native: Option<ExponentialRecord>,
    },
    /// Observations summed up.
    Summary {
        /// How many.
        count: u64,
        /// Their sum.
        sum: Float,
        /// Those of late, where quantiles are asked for.
        recent: Vec<SliceRecord>,
    },
}

/// Observations in exponential buckets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialRecord {
    /// The schema that they have come to.
    pub schema: i8,
    /// What is no further from zero is in the zero bucket.
    pub zero_threshold: Float,
    /// What the zero bucket holds.
    pub zero_count: u64,
    /// Buckets below zero, by their distance from it.
    pub negative: Vec<BucketRecord>,
    /// Buckets above zero.
    pub positive: Vec<BucketRecord>,
}

/// A bucket: its index and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRecord(pub i32, pub u64);

/// What was observed in one slice of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceRecord {
    /// When it began, in milliseconds since 1970.
    pub start: u64,
    /// What was observed.
    pub sketch: ExponentialRecord,
}

impl From<Amount> for ValueRecord {
    fn from(amount: Amount) -> Self {
        match (amount.whole(), amount.rest()) {
            (whole, rest) if rest > 0.0 => Self::Amount { whole, rest: Float(rest) },
            (whole, _) => Self::Count(whole),
        }
    }
}

impl From<Buckets> for ValueRecord {
    fn from(buckets: Buckets) -> Self {
        Self::Buckets {
            counts: buckets.counts().to_vec(),
            sum: Float(buckets.sum()),
            native: buckets.native().map(ExponentialRecord::from),
        }
    }
}

impl ValueRecord {
    /// Of a summary whose slices of time are those of `span`.
    pub fn summary(observations: Observations, window: &Window, span: Span) -> Self {
        let recent = window.slices().map(|(slice, sketch)| SliceRecord {
            start: span.start_of(slice).0,
            sketch: ExponentialRecord::from(sketch),
        });
        let Observations { sum, count } = observations;
        Self::Summary { count, sum: Float(sum), recent: recent.collect() }
    }

    /// The total of a counter, if it is one.
    pub fn amount(&self) -> Option<Amount> {
        match self {
            Self::Count(whole) => Some(Amount::from(*whole)),
            Self::Amount { whole, rest } => {
                (rest.0 >= 0.0).then(|| Amount::from_parts(*whole, rest.0))
            }
            Self::Level(_) | Self::Buckets { .. } | Self::Summary { .. } => None,
        }
    }

    /// The level of a gauge, if it is one.
    pub fn level(&self) -> Option<f64> {
        match self {
            Self::Level(level) => Some(level.0),
            Self::Count(_) | Self::Amount { .. } | Self::Buckets { .. } | Self::Summary { .. } => {
                None
            }
        }
    }

    /// The buckets of a histogram with `layout`, if they are such.
    pub fn buckets(&self, layout: &Layout) -> Option<Buckets> {
        let Self::Buckets { counts, sum, native } = self else { return None };
        if counts.len() != layout.bounds.buckets() {
            return None;
        }
        let native = match (native, layout.native) {
            (Some(native), Some(resolution)) => Some(native.exponential(resolution)?),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return None,
        };
        Some(Buckets::from_parts(layout.clone(), counts.as_slice().into(), native, sum.0))
    }

    /// The observations of a summary whose slices of time are those of `span`, if they are such.
    pub fn observations(&self, span: Span) -> Option<(Observations, Window)> {
        let Self::Summary { count, sum, recent } = self else { return None };
        let mut window = Window::default();
        for slice in recent {
            let sketch = slice.sketch.exponential(Resolution::SKETCH)?;
            window.put(span.slice_of(Timestamp(slice.start)), &sketch);
        }
        Some((Observations { sum: sum.0, count: *count }, window))
    }
}

impl From<&Exponential> for ExponentialRecord {
    fn from(exponential: &Exponential) -> Self {
        let records = |side: &[ExponentialBucket]| {
            side.iter().map(|bucket| BucketRecord(bucket.index, bucket.count)).collect()
        };
        Self {
            schema: exponential.schema(),
            zero_threshold: Float(exponential.zero_threshold()),
            zero_count: exponential.zero_count(),
            negative: records(exponential.negative()),
            positive: records(exponential.positive()),
        }
    }
}

impl ExponentialRecord {
    fn exponential(&self, resolution: Resolution) -> Option<Exponential> {
        let side = |records: &[BucketRecord]| {
            let bucket = |&BucketRecord(index, count): &_| ExponentialBucket { index, count };
            records.iter().map(bucket).collect()
        };
        Exponential::from_parts(
            resolution,
            self.schema,
            (self.zero_threshold.0, self.zero_count),
            [side(&self.negative), side(&self.positive)],
        )
    }
}
