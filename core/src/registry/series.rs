//! A series: the state of one set of labels.

use std::sync::Arc;

use super::{family::Family, fingerprint::Fingerprint};
use crate::{
    atomic::{AtomicAmount, AtomicBuckets, AtomicF64, AtomicObservations},
    model::{Change, Incomposable, Kind},
    snapshot::Values,
};

/// Its labels and its birth are not here: they are in the roster of its family.
pub(super) struct Series {
    fingerprint: Fingerprint,
    family: Arc<Family>,
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
    pub(super) fn new(family: Arc<Family>, fingerprint: Fingerprint) -> Self {
        let state = match family.kind() {
            Kind::Counter => State::Counter(AtomicAmount::default()),
            Kind::Gauge => State::Gauge(AtomicF64::default()),
            Kind::Histogram => State::Histogram(Box::new(AtomicBuckets::new(family.bounds()))),
            Kind::Summary => State::Summary(Box::default()),
        };
        Self { fingerprint, family, state }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn family(&self) -> &Family {
        &self.family
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

    /// Appends what it holds now to the values of its family.
    pub(super) fn read_into(&self, values: &mut Values) {
        match (&self.state, values) {
            (State::Counter(total), Values::Counter(amounts)) => amounts.push(total.load()),
            (State::Gauge(level), Values::Gauge(levels)) => levels.push(level.load()),
            (State::Histogram(buckets), Values::Histogram(histograms)) => {
                histograms.push_with(|counts| buckets.load_into(counts));
            }
            (State::Summary(observed), Values::Summary(all)) => all.push(observed.load()),
            (
                State::Counter(_) | State::Gauge(_) | State::Histogram(_) | State::Summary(_),
                values,
            ) => debug_assert!(false, "{values:?} are of another kind than their series"),
        }
    }
}
