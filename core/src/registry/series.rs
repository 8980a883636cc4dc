//! A series: the state of one set of labels.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{
    family::{Family, Form},
    fingerprint::Fingerprint,
};
use crate::{
    atomic::{AtomicAmount, AtomicBuckets, AtomicF64, AtomicSummary},
    model::{Change, Exemplar, Incomposable, Timestamp},
    snapshot::{Exemplars, Values},
};

/// Exemplars that are kept of a histogram without classic bounds, where one for each bucket would be one
/// (as many as client libraries of Prometheus keep).
const EXEMPLARS_OF_NATIVE: usize = 10;

/// Its labels and its birth are not here: they are in the roster of its family.
pub(super) struct Series {
    fingerprint: Fingerprint,
    family: Arc<Family>,
    state: State,
    /// Those of its counter or buckets, by place. Few series have any.
    exemplars: Mutex<Option<Box<Exemplars>>>,
}

/// The composition of all changes so far, one kind of atomics per kind of metric.
enum State {
    Counter(AtomicAmount),
    Gauge(AtomicF64),
    Histogram(Box<AtomicBuckets>),
    Summary(Box<AtomicSummary>),
}

impl Series {
    pub(super) fn new(family: Arc<Family>, fingerprint: Fingerprint) -> Self {
        let state = match family.form() {
            Form::Counter => State::Counter(AtomicAmount::default()),
            Form::Gauge => State::Gauge(AtomicF64::default()),
            Form::Histogram(layout) => State::Histogram(Box::new(AtomicBuckets::new(layout))),
            Form::Summary(objectives) => {
                State::Summary(Box::new(AtomicSummary::new(objectives.is_some())))
            }
        };
        Self { fingerprint, family, state, exemplars: Mutex::default() }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn family(&self) -> &Family {
        &self.family
    }

    /// Adds a change to the state at `now`, whole or not at all. Says whether the layout or the objectives
    /// that it brought were ignored.
    pub(super) fn fold(&self, change: &Change, now: Timestamp) -> Result<bool, Incomposable> {
        match (&self.state, change) {
            (State::Counter(total), Change::Counter(amount)) => total.add(*amount),
            (State::Gauge(level), Change::Gauge(change)) => level.change(*change),
            (state, change) => return self.fold_observed(state, change, now),
        }
        Ok(false)
    }

    // Apart, so that the way of counters, which most deltas are of, stays short.
    #[inline(never)]
    fn fold_observed(
        &self,
        state: &State,
        change: &Change,
        now: Timestamp,
    ) -> Result<bool, Incomposable> {
        match (state, change) {
            (State::Summary(summary), Change::Summary(change)) => {
                summary.add(change, self.family.span(), now);
                Ok(self.family.ignores_objectives(change.objectives()))
            }
            (State::Histogram(buckets), Change::Histogram(change)) => {
                buckets.add(change, self.family.layout())?;
                Ok(self.family.ignores_layout(change.layout()))
            }
            (
                State::Counter(_) | State::Gauge(_) | State::Histogram(_) | State::Summary(_),
                change,
            ) => Err(Incomposable::Kinds(self.family.kind(), change.kind())),
        }
    }

    /// Keeps the exemplar of a change that came at `now`, in the place of the one of the same bucket.
    pub(super) fn keep(&self, exemplar: &Exemplar, now: Timestamp) {
        let exemplar = exemplar.at(now);
        let bounds = &self.family.layout().bounds;
        let (place, in_each) = match &self.state {
            State::Counter(_) => (0, 1),
            State::Histogram(_) if bounds.buckets() == 1 => (0, EXEMPLARS_OF_NATIVE),
            State::Histogram(_) => (bounds.bucket_of(exemplar.value), 1),
            State::Gauge(_) | State::Summary(_) => return,
        };
        let mut held = self.exemplars.lock();
        let held = held.get_or_insert_default();
        let mut in_place = (0..).zip(held.iter()).filter(|(_, (other, _))| *other == place);
        let oldest = in_place.next().map(|(index, _)| index);
        if let Some(oldest) = oldest.filter(|_| in_place.count() + 1 >= in_each) {
            held.remove(oldest);
        }
        held.push((place, Arc::new(exemplar)));
    }

    /// The exemplars that are kept, in the order of their places.
    pub(super) fn exemplars(&self) -> Option<Exemplars> {
        let mut exemplars = (**self.exemplars.lock().as_ref()?).clone();
        exemplars.sort_by_key(|(place, _)| *place);
        Some(exemplars)
    }

    /// Appends what it holds at `now` to the values of its family.
    pub(super) fn read_into(&self, values: &mut Values, now: Timestamp) {
        match (&self.state, values) {
            (State::Counter(total), Values::Counter(amounts)) => amounts.push(total.load()),
            (State::Gauge(level), Values::Gauge(levels)) => levels.push(level.load()),
            (State::Histogram(buckets), Values::Histogram(histograms)) => {
                histograms.push_with(|counts, natives| buckets.load_into(counts, natives));
            }
            (State::Summary(summary), Values::Summary(summaries)) => {
                let recent = summary.recent(self.family.span(), now);
                summaries.push(summary.load(), recent.as_ref());
            }
            (
                State::Counter(_) | State::Gauge(_) | State::Histogram(_) | State::Summary(_),
                values,
            ) => debug_assert!(false, "{values:?} are of another kind than their series"),
        }
    }
}
