//! Families with their values at one instant: what an encoder walks.
//!
//! The registry makes one of the clients' series; the daemon adds its own families. Ingest waits for
//! nothing here: values are copies, and what stays the same from page to page is shared.

use std::{iter, sync::Arc};

use crate::model::{
    Amount, Bounds, Buckets, Exemplar, Exponential, Kind, LabelSet, LabelSets, LabelsChanges,
    Lines, Objectives, Observations, Timestamp, Value, Walk, collision,
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
    /// Exemplars, of those few series that have any, by their places in that order.
    pub exemplars: Vec<(usize, Exemplars)>,
}

/// The exemplars of a series: of its counter, or of buckets by their places; all of a histogram without
/// classic bounds are of its bucket `+Inf`.
pub type Exemplars = Vec<(usize, Arc<Exemplar>)>;

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
    /// Observations, and quantiles of them.
    Summary(Summaries),
}

/// Histograms with the same layout.
#[derive(Clone, Debug)]
pub struct Histograms {
    bounds: Bounds,
    /// `bounds.buckets()` counts for each histogram; each its own, not cumulative.
    counts: Vec<u64>,
    /// One for each histogram, or none for any.
    natives: Vec<Exponential>,
    sums: Vec<f64>,
}

/// One histogram of many.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a> {
    /// The count of each classic bucket alone, `+Inf` last.
    pub counts: &'a [u64],
    /// Its native buckets, if its family has any.
    pub native: Option<&'a Exponential>,
    /// The sum of what was observed.
    pub sum: f64,
}

/// Summaries with the same objectives.
#[derive(Clone, Debug)]
pub struct Summaries {
    objectives: Option<Objectives>,
    observations: Vec<Observations>,
    /// One for each objective of each summary; NaN where nothing was observed of late.
    quantiles: Vec<f64>,
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

    /// Shows what is counted, of series born after `instant`, as it was before the first change: 0.
    pub fn zero_born_after(&mut self, instant: Timestamp) {
        for family in &mut self.families {
            let born = family.index.born();
            family.values.zero_born_after(instant, born);
            family
                .exemplars
                .retain(|(place, _)| born.get(*place).is_none_or(|born| *born <= instant));
        }
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
        self.values.kind()
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

    /// How the labels of each series come out of those of the one before.
    pub fn label_changes(&self) -> LabelsChanges<'_> {
        self.labels.changes()
    }

    /// The labels of each series behind a text.
    pub fn lines(&self, before: &str) -> Lines<'_> {
        self.labels.lines(before)
    }

    /// Whether labels have names that not all of Prometheus knows.
    pub const fn has_quoted_names(&self) -> bool {
        self.labels.has_quoted_names()
    }

    /// When each series began: with its first delta, or its declaration.
    pub fn born(&self) -> &[Timestamp] {
        &self.born
    }

    /// Makes all of them as old as each other.
    pub fn set_born(&mut self, born: Timestamp) {
        self.born.fill(born);
    }

    /// Gives back memory that was taken for more.
    pub fn shrink(&mut self) {
        self.labels.shrink();
        self.born.shrink_to_fit();
    }
}

impl Values {
    /// No values yet of `kind`: of histograms with the default bounds, and of summaries without quantiles.
    pub fn none(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Vec::new()),
            Kind::Gauge => Self::Gauge(Vec::new()),
            Kind::Histogram => Self::Histogram(Histograms::with_capacity(&Bounds::default(), 0)),
            Kind::Summary => Self::Summary(Summaries::with_capacity(None, 0)),
        }
    }

    /// Appends the value of one more series. It is of the kind, and a histogram of the layout, of the
    /// others; a summary is without quantiles.
    pub fn push(&mut self, value: &Value) {
        match (self, value) {
            (Self::Counter(amounts), Value::Counter(amount)) => amounts.push(*amount),
            (Self::Gauge(levels), Value::Gauge(level)) => levels.push(*level),
            (Self::Histogram(histograms), Value::Histogram(buckets)) => histograms.push(buckets),
            (Self::Summary(summaries), Value::Summary(summary)) => {
                summaries.push(summary.observations, None);
            }
            (Self::Counter(_) | Self::Gauge(_) | Self::Histogram(_) | Self::Summary(_), other) => {
                debug_assert!(false, "{other:?} is of another kind than its family");
            }
        }
    }

    /// What all of them are.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram(_) => Kind::Histogram,
            Self::Summary(_) => Kind::Summary,
        }
    }

    /// Makes all that is counted, of series born after `instant`, what it was before the first change: 0.
    /// Gauges stay.
    fn zero_born_after(&mut self, instant: Timestamp, born: &[Timestamp]) {
        let young = born.iter().enumerate().filter(|(_, born)| **born > instant);
        for (place, _) in young {
            match self {
                Self::Counter(amounts) => set(amounts, place, Amount::default()),
                Self::Gauge(_) => {}
                Self::Histogram(histograms) => {
                    let buckets = histograms.bounds.buckets();
                    let counts = histograms.counts.chunks_exact_mut(buckets).nth(place);
                    counts.unwrap_or_default().fill(0);
                    if let Some(native) = histograms.natives.get_mut(place) {
                        native.clear();
                    }
                    set(&mut histograms.sums, place, 0.0);
                }
                Self::Summary(summaries) => {
                    set(&mut summaries.observations, place, Observations::default());
                    let each = summaries.quantiles_each().max(1);
                    let quantiles = summaries.quantiles.chunks_exact_mut(each).nth(place);
                    quantiles.unwrap_or_default().fill(f64::NAN);
                }
            }
        }
    }
}

fn set<T>(values: &mut [T], place: usize, value: T) {
    if let Some(held) = values.get_mut(place) {
        *held = value;
    }
}

impl Histograms {
    /// None yet, with room for so many.
    pub fn with_capacity(bounds: &Bounds, capacity: usize) -> Self {
        Self {
            bounds: bounds.clone(),
            counts: Vec::with_capacity(capacity.saturating_mul(bounds.buckets())),
            natives: Vec::new(),
            sums: Vec::with_capacity(capacity),
        }
    }

    /// The upper bounds of all, `+Inf` not among them.
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Appends a histogram that has the layout of the others.
    pub fn push(&mut self, buckets: &Buckets) {
        debug_assert_eq!(self.bounds, buckets.layout().bounds, "the bounds of the family");
        self.push_with(|counts, natives| {
            counts.extend_from_slice(buckets.counts());
            natives.extend(buckets.native().cloned());
            buckets.sum()
        });
    }

    /// Appends a histogram whose counts and native buckets `write` appends to those of the others; it
    /// returns the sum.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u64>, &mut Vec<Exponential>) -> f64) {
        let sum = write(&mut self.counts, &mut self.natives);
        self.sums.push(sum);
        debug_assert_eq!(self.counts.len(), self.sums.len() * self.bounds.buckets());
        debug_assert!(self.natives.is_empty() || self.natives.len() == self.sums.len());
    }

    /// Whether they have native buckets.
    pub fn are_native(&self) -> bool {
        !self.natives.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Histogram<'_>> {
        let counts = self.counts.chunks_exact(self.bounds.buckets());
        let natives = self.natives.iter().map(Some).chain(iter::repeat(None));
        let parts = counts.zip(natives).zip(&self.sums);
        parts.map(|((counts, native), &sum)| Histogram { counts, native, sum })
    }
}

impl Histogram<'_> {
    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |total, &count| total.saturating_add(count))
    }
}

impl Summaries {
    /// None yet, with room for so many.
    pub fn with_capacity(objectives: Option<&Objectives>, capacity: usize) -> Self {
        let each = objectives.map_or(0, |objectives| objectives.quantiles().len());
        Self {
            objectives: objectives.cloned(),
            observations: Vec::with_capacity(capacity),
            quantiles: Vec::with_capacity(capacity.saturating_mul(each)),
        }
    }

    /// Appends a summary; `recent` is what its quantiles are taken from.
    pub fn push(&mut self, observations: Observations, recent: Option<&Exponential>) {
        self.observations.push(observations);
        for &part in self.objectives.as_ref().map_or(&[][..], Objectives::quantiles) {
            let quantile = recent.and_then(|recent| recent.quantile(part));
            self.quantiles.push(quantile.unwrap_or(f64::NAN));
        }
    }

    /// The quantiles that are shown of each, in increasing order.
    pub fn objectives(&self) -> &[f64] {
        self.objectives.as_ref().map_or(&[], Objectives::quantiles)
    }

    /// The sum and count of each, and its quantiles in the order of [`Self::objectives`].
    pub fn iter(&self) -> impl Iterator<Item = (Observations, &[f64])> {
        let each = self.quantiles_each();
        let mut rest = &*self.quantiles;
        self.observations.iter().map(move |&observations| {
            let (quantiles, after) = rest.split_at_checked(each).unwrap_or((rest, &[]));
            rest = after;
            (observations, quantiles)
        })
    }

    fn quantiles_each(&self) -> usize {
        self.objectives().len()
    }
}
