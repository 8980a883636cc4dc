//! Families with their values at one instant: what an encoder walks.
//!
//! The registry makes one of the clients' series; the daemon adds its own families. Ingest waits for
//! nothing here: values are copies, and what stays the same from page to page is shared.

use std::sync::Arc;

use crate::model::{
    Amount, Bounds, Kind, LabelSet, LabelSets, Lines, Observations, Timestamp, Value, Walk,
    collision,
};

/// Families sorted by name, each with at least one series.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    // Invariant: sorted by name, names unique, no family without series.
    families: Vec<FamilySnapshot>,
}

/// One family at one instant.
#[derive(Clone, Debug)]
pub struct FamilySnapshot {
    /// The metric name.
    pub name: Arc<str>,
    /// What it measures; may be empty.
    pub help: Arc<str>,
    /// Its series in the order of [`LabelSet`].
    pub index: Arc<Index>,
    /// What each of them holds, in the same order.
    pub values: Values,
}

/// What stays the same of the series of a family.
#[derive(Clone, Debug, Default)]
pub struct Index {
    labels: LabelSets,
    // Invariant: as many as label sets.
    born: Vec<Timestamp>,
}

/// What the series of a family hold: all of one kind.
#[derive(Clone, Debug)]
pub enum Values {
    /// Totals.
    Counter(Vec<Amount>),
    /// Levels.
    Gauge(Vec<f64>),
    /// Observations in buckets.
    Histogram(Histograms),
    /// Observations.
    Summary(Vec<Observations>),
}

/// Histograms with the same bounds.
#[derive(Clone, Debug)]
pub struct Histograms {
    bounds: Bounds,
    /// `bounds.buckets()` counts for each histogram; each its own, not cumulative.
    counts: Vec<u64>,
    sums: Vec<f64>,
}

impl Snapshot {
    /// Takes families in any order; drops those without series.
    pub fn new(mut families: Vec<FamilySnapshot>) -> Self {
        families.retain(|family| !family.index.is_empty());
        families.sort_by(|a, b| a.name.cmp(&b.name));
        debug_assert!(families.is_sorted_by(|a, b| a.name < b.name), "each name once");
        Self { families }
    }

    /// The families in the order of their names.
    pub fn families(&self) -> &[FamilySnapshot] {
        &self.families
    }

    /// Adds families, but none that shares a sample name with those that are here: they step aside.
    pub fn add(&mut self, mut families: Vec<FamilySnapshot>) {
        families.retain(|family| {
            self.kind_of(&family.name).is_none()
                && collision(&family.name, family.kind(), |name| self.kind_of(name)).is_none()
        });
        families.append(&mut self.families);
        *self = Self::new(families);
    }

    fn kind_of(&self, name: &str) -> Option<Kind> {
        let place = self.families.binary_search_by(|family| (*family.name).cmp(name)).ok()?;
        self.families.get(place).map(FamilySnapshot::kind)
    }
}

impl FamilySnapshot {
    /// The kind of all its series.
    pub const fn kind(&self) -> Kind {
        match self.values {
            Values::Counter(_) => Kind::Counter,
            Values::Gauge(_) => Kind::Gauge,
            Values::Histogram(_) => Kind::Histogram,
            Values::Summary(_) => Kind::Summary,
        }
    }
}

impl Index {
    /// Appends a series.
    pub fn push(&mut self, labels: &LabelSet, born: Timestamp) {
        self.labels.push(labels);
        self.born.push(born);
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.born.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.born.is_empty()
    }

    /// The labels of each series.
    pub fn labels(&self) -> Walk<'_> {
        self.labels.walk()
    }

    /// The labels of each series behind a text.
    pub fn lines(&self, before: &str) -> Lines<'_> {
        self.labels.lines(before)
    }

    /// When the first change to each series came.
    pub fn born(&self) -> &[Timestamp] {
        &self.born
    }

    /// Gives back memory that was taken for more.
    pub fn shrink(&mut self) {
        self.labels.shrink();
        self.born.shrink_to_fit();
    }
}

impl Values {
    /// No values yet of `kind`; `bounds` are those of histograms.
    pub fn with_capacity(kind: Kind, bounds: &Bounds, capacity: usize) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Vec::with_capacity(capacity)),
            Kind::Gauge => Self::Gauge(Vec::with_capacity(capacity)),
            Kind::Histogram => Self::Histogram(Histograms {
                bounds: bounds.clone(),
                counts: Vec::with_capacity(capacity.saturating_mul(bounds.buckets())),
                sums: Vec::with_capacity(capacity),
            }),
            Kind::Summary => Self::Summary(Vec::with_capacity(capacity)),
        }
    }

    /// Appends the value of one more series. It is of the kind, and a histogram of the bounds, of the
    /// others.
    pub fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Counter(amounts), Value::Counter(amount)) => amounts.push(amount),
            (Self::Gauge(levels), Value::Gauge(level)) => levels.push(level),
            (Self::Histogram(histograms), Value::Histogram(buckets)) => {
                debug_assert_eq!(histograms.bounds, *buckets.bounds(), "the bounds of the family");
                histograms.counts.extend_from_slice(buckets.counts());
                histograms.sums.push(buckets.sum());
            }
            (Self::Summary(all), Value::Summary(observations)) => all.push(observations),
            (Self::Counter(_) | Self::Gauge(_) | Self::Histogram(_) | Self::Summary(_), other) => {
                debug_assert!(false, "{other:?} is of another kind than its family");
            }
        }
    }
}

impl Histograms {
    /// The upper bounds of all, `+Inf` not among them.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Appends a histogram whose counts `write` appends to those of the others; it returns the sum.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u64>) -> f64) {
        let sum = write(&mut self.counts);
        self.sums.push(sum);
        debug_assert_eq!(self.counts.len(), self.sums.len() * self.bounds.buckets());
    }

    /// The counts of each bucket, `+Inf` last, and the sum, of each histogram.
    pub fn iter(&self) -> impl Iterator<Item = (&[u64], f64)> {
        self.counts.chunks_exact(self.bounds.buckets()).zip(self.sums.iter().copied())
    }
}
