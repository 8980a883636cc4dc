//! A series: the state of one set of labels.

use std::sync::Arc;

use super::family::Family;
use crate::{
    atomic::{AtomicAmount, AtomicBuckets, AtomicF64, AtomicObservations},
    model::{Change, Delta, Incomposable, Kind, LabelSet, Timestamp, Value},
    snapshot::SeriesSnapshot,
};

pub(super) struct Series {
    /// The hash of name and labels; kept so that a growing table need not hash again.
    hash: u64,
    born: Timestamp,
    family: Arc<Family>,
    labels: LabelSet,
    state: State,
}

/// The composition of all changes so far, one kind of atomics per kind of metric.
enum State {
    Counter(AtomicAmount),
    Gauge(AtomicF64),
    Histogram(Box<AtomicBuckets>),
    Summary(Box<AtomicObservations>),
}

impl Series {
    pub(super) fn new(family: Arc<Family>, delta: &Delta<'_>, hash: u64, born: Timestamp) -> Self {
        let state = match family.kind() {
            Kind::Counter => State::Counter(AtomicAmount::default()),
            Kind::Gauge => State::Gauge(AtomicF64::default()),
            Kind::Histogram => State::Histogram(Box::new(AtomicBuckets::new(family.bounds()))),
            Kind::Summary => State::Summary(Box::default()),
        };
        Self { hash, born, family, labels: delta.labels().into(), state }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn family(&self) -> &Family {
        &self.family
    }

    pub(super) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Whether this is the series that `delta` changes.
    pub(super) fn is_of(&self, delta: &Delta<'_>) -> bool {
        **self.family.name() == *delta.name() && self.labels.matches(delta.labels())
    }

    /// Adds a change to the state, whole or not at all. Says whether the buckets that it brought were
    /// ignored.
    pub(super) fn fold(&self, change: &Change) -> Result<bool, Incomposable> {
        match (&self.state, change) {
            (State::Counter(total), Change::Counter(amount)) => total.add(*amount),
            (State::Gauge(level), Change::Gauge(change)) => level.change(*change),
            (State::Summary(observed), Change::Summary(observations)) => {
                observed.add(*observations);
            }
            (State::Histogram(buckets), Change::Histogram(change)) => {
                buckets.add(change, self.family.bounds())?;
                return Ok(self.family.ignores_buckets_of(change));
            }
            (
                State::Counter(_) | State::Gauge(_) | State::Histogram(_) | State::Summary(_),
                change,
            ) => return Err(Incomposable::Kinds(self.family.kind(), change.kind())),
        }
        Ok(false)
    }

    pub(super) fn snapshot(&self) -> SeriesSnapshot {
        let value = match &self.state {
            State::Counter(total) => Value::Counter(total.load()),
            State::Gauge(level) => Value::Gauge(level.load()),
            State::Histogram(buckets) => Value::Histogram(buckets.load(self.family.bounds())),
            State::Summary(observed) => Value::Summary(observed.load()),
        };
        SeriesSnapshot { labels: self.labels.clone(), born: self.born, value }
    }
}
