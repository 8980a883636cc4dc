//! What a histogram holds, and what happens to one.

use super::{Bounds, Exponential, Incomposable, Layout, Readings};

/// What happens to a histogram.
#[derive(Clone, Debug, PartialEq)]
pub enum HistogramChange {
    /// Observations, as clients send them. They fall into the buckets of the histogram that they come to.
    Observed {
        /// What was observed.
        readings: Readings,
        /// What a histogram that begins with them gets.
        layout: Layout,
    },
    /// Observations already sorted into buckets.
    Sorted(Box<Buckets>),
}

/// Observations sorted into buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    layout: Layout,
    // Invariant: `layout.bounds.buckets()` counts, the last for +Inf; each its own, not cumulative.
    counts: Box<[u64]>,
    // Invariant: there is one if the layout says so.
    native: Option<Exponential>,
    sum: f64,
}

/// Counts that do not fit the bounds of their buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{counts} counts for {buckets} buckets: send one for each, and a last one for +Inf")]
pub struct CountsMismatch {
    counts: usize,
    buckets: usize,
}

impl HistogramChange {
    /// The layout it brings.
    pub const fn layout(&self) -> &Layout {
        match self {
            Self::Observed { layout, .. } => layout,
            Self::Sorted(buckets) => &buckets.layout,
        }
    }

    pub(super) fn into_buckets(self) -> Buckets {
        match self {
            Self::Observed { readings, layout } => {
                let mut buckets = Buckets::none(layout);
                buckets.observe(&readings);
                buckets
            }
            Self::Sorted(buckets) => *buckets,
        }
    }
}

impl Buckets {
    /// No observation yet.
    pub fn none(layout: Layout) -> Self {
        let counts = vec![0; layout.bounds.buckets()].into();
        let native = layout.native.map(Exponential::none);
        Self { layout, counts, native, sum: 0.0 }
    }

    /// Observations that a client has sorted into classic buckets: how many of them are in each alone, and
    /// their sum. Into native ones nobody could sort them any more.
    pub fn sorted(bounds: Bounds, counts: &[u64], sum: f64) -> Result<Self, CountsMismatch> {
        let buckets = bounds.buckets();
        if counts.len() != buckets {
            return Err(CountsMismatch { counts: counts.len(), buckets });
        }
        Ok(Self { layout: bounds.into(), counts: counts.into(), native: None, sum })
    }

    /// Joins the parts that a series keeps apart; `counts` are those of its layout.
    pub(crate) fn from_parts(
        layout: Layout,
        counts: Box<[u64]>,
        native: Option<Exponential>,
        sum: f64,
    ) -> Self {
        debug_assert_eq!(counts.len(), layout.bounds.buckets(), "a count for each bucket");
        debug_assert_eq!(native.is_some(), layout.native.is_some(), "native buckets as laid out");
        Self { layout, counts, native, sum }
    }

    /// What they are sorted into.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The count of each classic bucket alone, `+Inf` last.
    pub const fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The native buckets, if there are any.
    pub const fn native(&self) -> Option<&Exponential> {
        self.native.as_ref()
    }

    /// The sum of what was observed.
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |total, &count| total.saturating_add(count))
    }

    fn observe(&mut self, readings: &Readings) {
        for &value in readings.values() {
            if let Some(count) = self.counts.get_mut(self.layout.bounds.bucket_of(value)) {
                *count = count.saturating_add(readings.times());
            }
            if let Some(native) = &mut self.native {
                native.observe(value, readings.times());
            }
        }
        self.sum += readings.summed().sum;
    }

    pub(super) fn add(&mut self, change: &HistogramChange) -> Result<(), Incomposable> {
        match change {
            HistogramChange::Observed { readings, .. } => self.observe(readings),
            HistogramChange::Sorted(later) if later.layout == self.layout => {
                for (count, &by) in self.counts.iter_mut().zip(&later.counts) {
                    *count = count.saturating_add(by);
                }
                if let (Some(native), Some(later)) = (&mut self.native, &later.native) {
                    native.merge(later);
                }
                self.sum += later.sum;
            }
            HistogramChange::Sorted(_) => return Err(Incomposable::Bounds),
        }
        Ok(())
    }
}
