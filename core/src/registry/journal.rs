//! What has changed, for who keeps a copy elsewhere: a store.
//!
//! Time is divided into *epochs* by *cuts*. A message falls into one epoch as a whole: whoever applies one holds
//! a [`Pass`] meanwhile, and a cut waits until all passes are free. So what is captured for an epoch are the
//! values as they were at its cut: each series that changed in it, once.
//!
//! Nobody waits while values are captured. A series that changes again before its value has been captured is
//! captured first, by who changes it.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, MutexGuard};

use super::{family::Family, series::Series};
use crate::{
    model::{Labels, Timestamp},
    record::Record,
};

/// Shards of what is noted, by the number of the series.
const SHARDS: usize = 64;

/// The epoch while nothing is noted.
const NONE: u64 = 0;

/// Held by a thread while it applies a message. Each thread has its own, so that none waits for another's.
#[derive(Default)]
pub struct Pass(Mutex<()>);

/// What has changed since the last cut.
pub(super) struct Journal {
    /// Whether anybody keeps a copy. If not, nothing of this costs anything.
    is_kept: bool,
    /// [`NONE`], or the number of the present one.
    epoch: AtomicU64,
    /// The last epoch that there was.
    last: AtomicU64,
    passes: Mutex<Vec<Arc<Pass>>>,
    next_id: AtomicU64,
    shards: Box<[Mutex<Shard>]>,
    families: Mutex<Families>,
}

/// Families that have changed.
#[derive(Default)]
struct Families {
    /// In the present epoch.
    present: ChangedFamilies,
    /// In the epoch that ended with the last cut, not captured yet.
    cut: ChangedFamilies,
}

#[derive(Default)]
struct ChangedFamilies {
    changed: Vec<Arc<Family>>,
    /// Numbers of those that are gone.
    gone: Vec<u64>,
}

/// Series that have changed, and what has been captured of them, in records.
#[derive(Default)]
struct Shard {
    /// In the present epoch.
    present: Changed,
    /// In the epoch that ended with the last cut, not captured yet.
    cut: Changed,
    /// Captured by who changed them again.
    captured: Vec<u8>,
}

#[derive(Default)]
struct Changed {
    /// Records of series that are new.
    births: Vec<u8>,
    series: Vec<Arc<Series>>,
}

impl Journal {
    /// Nothing yet; `is_kept` says whether it ever is.
    pub(super) fn new(is_kept: bool) -> Self {
        Self {
            is_kept,
            epoch: AtomicU64::new(if is_kept { NONE + 1 } else { NONE }),
            last: AtomicU64::new(NONE + 1),
            passes: Mutex::default(),
            next_id: AtomicU64::new(1),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            families: Mutex::default(),
        }
    }

    /// A pass, of which cuts know from now on until it is dropped.
    pub(super) fn pass(&self) -> Arc<Pass> {
        let pass = Arc::default();
        if self.is_kept {
            self.passes.lock().push(Arc::clone(&pass));
        }
        pass
    }

    /// Begins something that is to fall into one epoch as a whole.
    #[inline]
    pub(super) fn enter<'a>(&self, pass: &'a Pass) -> Option<MutexGuard<'a, ()>> {
        self.is_kept.then(|| pass.0.lock())
    }

    /// The present epoch: the same as long as a pass is held.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    /// A number that no family and no series has had.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    /// All numbers up to `id` have been had.
    pub(super) fn skip_id(&self, id: u64) {
        self.next_id.fetch_max(id.saturating_add(1), Relaxed);
    }

    /// Notes that a series is about to change. The caller holds a pass.
    #[inline]
    pub(super) fn touch(&self, series: &Arc<Series>) {
        if series.marked() != self.epoch() {
            self.mark(series);
        }
    }

    #[cold]
    #[inline(never)]
    fn mark(&self, series: &Arc<Series>) {
        let Some(shard) = self.shard_of(series.id()) else { return };
        let mut shard = shard.lock();
        let (epoch, marked) = (self.epoch(), series.marked());
        // One that is gone has been noted by who removed it, and changes no more.
        if marked == epoch || series.is_gone() {
            return;
        }
        if epoch != NONE {
            // Captured already if nothing is left of the cut.
            if marked.saturating_add(1) == epoch && !shard.cut.series.is_empty() {
                series.capture_into(&mut shard.captured);
            }
            shard.present.series.push(Arc::clone(series));
        }
        series.set_marked(epoch);
    }

    /// Notes a new series. The caller holds a pass, and nobody else has the series yet.
    pub(super) fn note_birth(&self, series: &Arc<Series>, labels: &Labels<'_>, born: Timestamp) {
        let epoch = self.epoch();
        if epoch == NONE {
            return;
        }
        if let Some(shard) = self.shard_of(series.id()) {
            let mut shard = shard.lock();
            series.set_marked(epoch);
            series.birth_into(labels.iter(), born, &mut shard.present.births);
            shard.present.series.push(Arc::clone(series));
        }
    }

    /// Notes that a family is new, or that its help text is.
    pub(super) fn note_family(&self, family: &Arc<Family>) {
        if self.epoch() != NONE && family.set_noted(true) {
            self.families.lock().present.changed.push(Arc::clone(family));
        }
    }

    /// Notes that a family is gone.
    pub(super) fn note_family_gone(&self, id: u64) {
        if self.epoch() != NONE {
            self.families.lock().present.gone.push(id);
        }
    }

    /// Ends the present epoch, and returns its number. What it held has to be captured before the next cut.
    /// `also` is done while no pass is held.
    pub(super) fn cut<T>(&self, also: impl FnOnce(u64) -> T) -> (u64, T) {
        self.while_nobody_passes(|| {
            let epoch = self.last.load(Relaxed);
            self.last.store(epoch + 1, Relaxed);
            self.epoch.store(epoch + 1, Relaxed);
            for shard in &self.shards {
                let mut shard = shard.lock();
                debug_assert!(shard.cut.series.is_empty(), "captured before the next cut");
                shard.cut = mem::take(&mut shard.present);
            }
            let mut families = self.families.lock();
            families.cut = mem::take(&mut families.present);
            for family in &families.cut.changed {
                family.set_noted(false);
            }
            (epoch, also(epoch))
        })
    }

    /// Forgets what has changed, and notes nothing from now on, until [`Self::resume`]: nobody would capture it.
    pub(super) fn suspend(&self) {
        self.while_nobody_passes(|| self.epoch.store(NONE, Relaxed));
        for shard in &self.shards {
            *shard.lock() = Shard::default();
        }
        let families = mem::take(&mut *self.families.lock());
        for family in families.present.changed {
            family.set_noted(false);
        }
    }

    /// Notes what changes again. All that there is has to be captured besides.
    pub(super) fn resume(&self) {
        self.while_nobody_passes(|| {
            // One that was never cut lies between: no series is marked by the one before.
            let epoch = self.last.load(Relaxed) + 2;
            self.last.store(epoch, Relaxed);
            self.epoch.store(epoch, Relaxed);
        });
    }

    /// Series that are noted to have changed and have not been captured, if any are.
    pub(super) fn noted(&self) -> Option<usize> {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock();
            shard.present.series.len() + shard.cut.series.len()
        };
        (self.epoch() != NONE).then(|| self.shards.iter().map(count).sum())
    }

    fn while_nobody_passes<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut passes = self.passes.lock();
        passes.retain(|pass| Arc::strong_count(pass) > 1);
        // One may be in the middle of a long message: the others are not held up by that.
        for pass in &*passes {
            drop(pass.0.lock());
        }
        let held: Vec<MutexGuard<'_, ()>> = passes.iter().map(|pass| pass.0.lock()).collect();
        let done = work();
        drop(held);
        done
    }

    /// The families that changed in the epoch that ended with the last cut, in records; and records of those that
    /// are gone, which belong after all others.
    pub(super) fn capture_families(&self) -> [Vec<u8>; 2] {
        let families = mem::take(&mut self.families.lock().cut);
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for family in families.changed {
            family.capture_into(&mut changed);
        }
        for id in families.gone {
            Record::FamilyGone { id }.write_to(&mut gone);
        }
        [changed, gone]
    }

    /// The series of the epoch that ended with the last cut, in records, shard by shard.
    pub(super) fn capture_series(&self) -> impl Iterator<Item = Vec<u8>> {
        self.shards.iter().map(|shard| {
            let mut shard = shard.lock();
            let epoch = self.last.load(Relaxed);
            let Changed { mut births, series } = mem::take(&mut shard.cut);
            births.append(&mut mem::take(&mut shard.captured));
            for series in series {
                // Those of the present epoch have been captured by who changed them.
                if series.marked() != epoch {
                    series.capture_into(&mut births);
                }
            }
            births
        })
    }

    fn shard_of(&self, id: u64) -> Option<&Mutex<Shard>> {
        self.shards.get(usize::try_from(id).unwrap_or_default() % SHARDS)
    }
}
