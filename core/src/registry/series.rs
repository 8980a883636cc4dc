//! A series: the state of one set of labels.

mod records;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
};

use parking_lot::Mutex;

use super::{
    family::{Family, Form},
    fingerprint::Fingerprint,
    room::Holding,
};
use crate::{
    atomic::{AtomicAmount, AtomicBuckets, AtomicF64, AtomicSummary},
    limits::EXEMPLAR_CHARS_MAX,
    model::{Change, Exemplar, HistogramChange, Incomposable, Kind, Resolution, Timestamp},
    snapshot::{Exemplars, Values},
};

/// Exemplars that are kept of a histogram without classic bounds, where one for each bucket would be one
/// (as many as client libraries of Prometheus keep).
const EXEMPLARS_OF_NATIVE: usize = 10;

/// Bytes that an exemplar may take: four for each of its characters, and what holds them.
const EXEMPLAR_BYTES: usize = 4 * EXEMPLAR_CHARS_MAX + 128;

/// Bytes that a series takes besides its state and its labels: itself, its places in the table and in the
/// rosters, and what an allocator adds.
pub(super) const SERIES_BYTES: usize = 208;

/// Bytes of a native bucket: two numbers, in a list that grows by doubling.
const NATIVE_BUCKET_BYTES: usize = 32;

/// Times that the text of labels is there at most: while the lists grow that it is in, or are put in order.
const LABELS_COPIES: usize = 2;

/// Its labels and its birth are not here: they are in the roster of its family.
pub(super) struct Series {
    fingerprint: Fingerprint,
    /// Of this one alone among all there ever are.
    id: u64,
    role: Role,
    family: Arc<Family>,
    state: State,
    /// The last epoch of the journal in which it changed.
    marked: AtomicU64,
    /// Those of its counter or buckets, by place. Few series have any.
    exemplars: Mutex<Option<Box<Exemplars>>>,
    /// Of the client that began it, if clients have a limit.
    holding: Option<Arc<Holding>>,
    /// When the last delta came, in seconds since 1970; [`GONE`] when it has been removed.
    touched: AtomicU32,
    /// Seconds without a delta after which it expires; 0 if it does not.
    expire_after: AtomicU32,
    /// Bytes that it has taken from the ledger, and gives back at its end; `u32::MAX` stands for no more.
    charged: AtomicU32,
}

/// Marks a series that no delta can be added to any more.
const GONE: u32 = u32::MAX;

/// Why a change was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFolded {
    /// The series has been removed.
    Gone,
    /// The change does not go with it.
    Incomposable(Incomposable),
}

/// What a series is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// For deltas of its labels.
    Ordinary,
    /// For those that would make a series too many.
    Overflow,
}

/// What a series begins with.
pub(super) struct Birth {
    pub(super) fingerprint: Fingerprint,
    pub(super) id: u64,
    pub(super) role: Role,
    pub(super) holding: Option<Arc<Holding>>,
    pub(super) expire_after: Option<NonZeroU32>,
    /// Bytes that have been taken for it.
    pub(super) bytes: usize,
    pub(super) now: Timestamp,
}

/// The composition of all changes so far, one kind of atomics per kind of metric.
enum State {
    Counter(AtomicAmount),
    Gauge(AtomicF64),
    Histogram(Box<AtomicBuckets>),
    Summary(Box<AtomicSummary>),
}

impl Series {
    pub(super) fn new(family: Arc<Family>, birth: Birth) -> Self {
        let state = match family.form() {
            Form::Counter => State::Counter(AtomicAmount::default()),
            Form::Gauge => State::Gauge(AtomicF64::default()),
            Form::Histogram(layout) => State::Histogram(Box::new(AtomicBuckets::new(layout))),
            Form::Summary(objectives) => {
                State::Summary(Box::new(AtomicSummary::new(objectives.is_some())))
            }
        };
        Self {
            fingerprint: birth.fingerprint,
            id: birth.id,
            marked: AtomicU64::new(0),
            role: birth.role,
            family,
            state,
            exemplars: Mutex::default(),
            holding: birth.holding,
            touched: AtomicU32::new(seconds(birth.now)),
            expire_after: AtomicU32::new(birth.expire_after.map_or(0, NonZeroU32::get)),
            charged: AtomicU32::new(u32::try_from(birth.bytes).unwrap_or(u32::MAX)),
        }
    }

    /// Bytes that a series of a family may take at most, as estimated; exemplars come on top.
    pub(super) fn bytes_of(family: &Family, labels_bytes: usize) -> usize {
        let native = |resolution: Resolution| resolution.buckets_max() * NATIVE_BUCKET_BYTES;
        let state = match family.form() {
            Form::Counter | Form::Gauge | Form::Summary(None) => 0,
            Form::Histogram(layout) => {
                layout.bounds.buckets() * size_of::<u64>() + layout.native.map_or(0, native)
            }
            Form::Summary(Some(_)) => {
                // The oldest slice goes when the next one comes.
                (family.span().slices() + 1).saturating_mul(native(Resolution::SKETCH))
            }
        };
        let labels = labels_bytes.saturating_mul(LABELS_COPIES);
        SERIES_BYTES.saturating_add(labels).saturating_add(state)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The last epoch in which it changed; 0 for none that anybody noted.
    #[inline]
    pub(super) fn marked(&self) -> u64 {
        // Who sees it marked changes it after whoever marked it looked at it.
        self.marked.load(Acquire)
    }

    /// Says in which epoch it changes.
    pub(super) fn set_marked(&self, epoch: u64) {
        self.marked.store(epoch, Release);
    }

    /// What it is for.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    pub(super) fn family(&self) -> &Arc<Family> {
        &self.family
    }

    /// Adds a change to the state at `now`, whole or not at all. Says whether the layout or the objectives
    /// that it brought were ignored.
    pub(super) fn fold(&self, change: &Change, now: Timestamp) -> Result<bool, NotFolded> {
        match (&self.state, change) {
            (State::Counter(total), Change::Counter(amount)) => {
                self.touch(now)?;
                total.add(*amount);
            }
            (State::Gauge(level), Change::Gauge(change)) => {
                self.touch(now)?;
                level.change(*change);
            }
            (state, change) => return self.fold_observed(state, change, now),
        }
        Ok(false)
    }

    /// Notes that a delta comes, unless the series is gone. Whoever would remove it for its age sees that, or
    /// has removed it before.
    fn touch(&self, now: Timestamp) -> Result<(), NotFolded> {
        let now = seconds(now);
        let mut touched = self.touched.load(Relaxed);
        // Nearly always the same second: nothing is written then.
        while touched < now {
            match self.touched.compare_exchange_weak(touched, now, AcqRel, Relaxed) {
                Ok(_) => return Ok(()),
                Err(newer) => touched = newer,
            }
        }
        if touched == GONE { Err(NotFolded::Gone) } else { Ok(()) }
    }

    /// Whether it has been removed.
    pub(super) fn is_gone(&self) -> bool {
        self.touched.load(Acquire) == GONE
    }

    /// When the last delta came, to the second.
    pub(super) fn touched(&self) -> Timestamp {
        Timestamp(u64::from(self.touched.load(Relaxed)) * 1000)
    }

    /// Whether it has expired at `now`, and is still there.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expired_since(now).is_some()
    }

    /// Removes it if it has expired at `now`, never early and up to a second late; says whether it has. The
    /// caller sees to the rest.
    pub(super) fn expire(&self, now: Timestamp) -> bool {
        self.expired_since(now).is_some_and(|touched| {
            self.touched.compare_exchange(touched, GONE, AcqRel, Relaxed).is_ok()
        })
    }

    /// When the last delta came, if it has expired.
    fn expired_since(&self, now: Timestamp) -> Option<u32> {
        let (after, touched) = (self.expire_after.load(Relaxed), self.touched.load(Relaxed));
        // A clock that has been set back makes nothing older. Both are whole seconds: what they count as `after` may
        // be all but a second less.
        let age = seconds(now).saturating_sub(touched);
        (after > 0 && age > after && touched != GONE).then_some(touched)
    }

    /// Removes it, whatever its age; says whether it was there. The caller sees to the rest.
    pub(super) fn remove(&self) -> bool {
        self.touched.swap(GONE, AcqRel) != GONE
    }

    /// Says when it expires.
    pub(super) fn set_expire_after(&self, seconds: Option<NonZeroU32>) {
        self.expire_after.store(seconds.map_or(0, NonZeroU32::get), Relaxed);
    }

    /// Of the client that began it, if clients have a limit.
    pub(super) fn holding(&self) -> Option<&Holding> {
        self.holding.as_deref()
    }

    // Apart, so that the way of counters, which most deltas are of, stays short.
    #[inline(never)]
    fn fold_observed(
        &self,
        state: &State,
        change: &Change,
        now: Timestamp,
    ) -> Result<bool, NotFolded> {
        match (state, change) {
            (State::Summary(summary), Change::Summary(change)) => {
                self.touch(now)?;
                summary.add(change, self.family.span(), now);
                Ok(self.family.ignores_objectives(change.objectives()))
            }
            (State::Histogram(buckets), Change::Histogram(change)) => {
                let layout = self.family.layout();
                // Before anything is noted: what is refused leaves no trace.
                if let HistogramChange::Sorted(sorted) = change
                    && sorted.layout() != layout
                {
                    return Err(NotFolded::Incomposable(Incomposable::Bounds));
                }
                self.touch(now)?;
                buckets.add(change, layout).map_err(NotFolded::Incomposable)?;
                Ok(self.family.ignores_layout(change.layout()))
            }
            (
                State::Counter(_) | State::Gauge(_) | State::Histogram(_) | State::Summary(_),
                change,
            ) => {
                let kinds = Incomposable::Kinds(self.family.kind(), change.kind());
                Err(NotFolded::Incomposable(kinds))
            }
        }
    }

    /// Keeps the exemplar of a change that came at `now`, in the place of the one of the same bucket; but not
    /// if all series would take more than `bytes_max` with it.
    pub(super) fn keep(&self, exemplar: &Exemplar, bytes_max: usize, now: Timestamp) {
        let exemplar = exemplar.at(now);
        let bounds = &self.family.layout().bounds;
        let (place, in_each) = match &self.state {
            State::Counter(_) => (0, 1),
            State::Histogram(_) if bounds.buckets() == 1 => (0, EXEMPLARS_OF_NATIVE),
            State::Histogram(_) => (bounds.bucket_of(exemplar.value), 1),
            State::Gauge(_) | State::Summary(_) => return,
        };
        let mut held = self.exemplars.lock();
        if held.is_none() && !self.charge_exemplars(bytes_max) {
            return;
        }
        let held = held.get_or_insert_default();
        let mut in_place = (0..).zip(held.iter()).filter(|(_, (other, _))| *other == place);
        let oldest = in_place.next().map(|(index, _)| index);
        if let Some(oldest) = oldest.filter(|_| in_place.count() + 1 >= in_each) {
            held.remove(oldest);
        }
        held.push((place, Arc::new(exemplar)));
    }

    /// Takes the bytes of as many exemplars as it may keep, if all series may take them; says whether it did.
    fn charge_exemplars(&self, bytes_max: usize) -> bool {
        let buckets = match self.family.layout().bounds.buckets() {
            1 if self.family.kind() == Kind::Histogram => EXEMPLARS_OF_NATIVE,
            buckets => buckets,
        };
        let bytes = buckets * EXEMPLAR_BYTES;
        let Ok(charge) = u32::try_from(bytes) else { return false };
        if !self.family.ledger().take(bytes, bytes_max) {
            return false;
        }
        let add = |charged: u32| charged.checked_add(charge);
        let has_room = self.charged.fetch_update(Relaxed, Relaxed, add).is_ok();
        if !has_room {
            self.family.ledger().give_back(bytes);
        }
        has_room
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

impl Drop for Series {
    fn drop(&mut self) {
        let charged = usize::try_from(*self.charged.get_mut()).unwrap_or(usize::MAX);
        self.family.ledger().give_back(charged);
    }
}

/// Seconds since 1970; none is [`GONE`].
fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.0 / 1000).unwrap_or(GONE).min(GONE - 1)
}
