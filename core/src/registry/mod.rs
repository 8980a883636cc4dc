//! Deltas to totals: every family and series there is, and the rules for new ones.
//!
//! A delta is applied whole or refused whole; a refused one leaves no trace. A known series costs one
//! hash, one shared lock on one shard and a few atomic additions; no scrape ever holds a lock that
//! such a push waits for. New series take the slow road through `Registry::create`.

mod family;
mod reserved;
mod series;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::{
    limits::Limits,
    model::{Delta, Kind, Quoted, Timestamp, collision},
    registry::{family::Family, series::Series},
    snapshot::Snapshot,
};

/// Shards of the series table. Pushes of two cores meet in one with probability 1/64.
const SHARDS: usize = 64;

/// What happens when a delta names a family with another help text or other label names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaConflicts {
    /// The newest help text holds; other label names make another series of the family.
    #[default]
    Adopt,
    /// The delta is refused, as by the original.
    Reject,
}

/// All families and series.
pub struct Registry {
    schema_conflicts: SchemaConflicts,
    series_max: usize,
    /// Seeded per process, so that nobody can choose labels that collide.
    hasher: RandomState,
    /// Families by name. Invariant: none is without series for longer than `create` runs.
    families: RwLock<BTreeMap<Arc<str>, Arc<Family>>>,
    shards: Box<[RwLock<HashTable<Arc<Series>>>]>,
    series_count: AtomicUsize,
}

/// What applying a delta did besides changing a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The series is new.
    pub created: bool,
    /// The delta's help text replaced another one.
    pub help_replaced: bool,
    /// The delta's buckets are not those of the family, which it keeps.
    pub buckets_ignored: bool,
}

/// Why a delta was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The family is of another kind.
    #[error("{name} is a {existing}, not a {pushed}: use another name or the type it has")]
    KindConflict {
        /// The family.
        name: Quoted,
        /// What it is.
        existing: Kind,
        /// What the delta takes it for.
        pushed: Kind,
    },
    /// The family's sample names and another family's overlap.
    #[error(
        "{name} cannot be a {kind}: its samples would collide with those of {other}; rename it"
    )]
    SuffixCollision {
        /// The family that would be new.
        name: Quoted,
        /// Its kind.
        kind: Kind,
        /// The family that is there.
        other: Quoted,
    },
    /// The name is, or was, one of our own.
    #[error("{0} is reserved, since it is or was one of pushprom's own metrics: rename yours")]
    ReservedName(Quoted),
    /// The family has another help text, and conflicts are refused.
    #[error(
        "{name} has the help text {existing}, not {pushed}: send the same, or start with \
         -schema.conflicts=adopt"
    )]
    HelpConflict {
        /// The family.
        name: Quoted,
        /// Its help text.
        existing: Quoted,
        /// The delta's.
        pushed: Quoted,
    },
    /// The family has other label names, and conflicts are refused.
    #[error(
        "{name} has the label names {existing}, not {pushed}: send the same, or start with \
         -schema.conflicts=adopt"
    )]
    LabelConflict {
        /// The family.
        name: Quoted,
        /// Its label names.
        existing: Quoted,
        /// The delta's.
        pushed: Quoted,
    },
    /// Counts per bucket came for other buckets than the family's.
    #[error("{0} has other buckets: send counts for the buckets it has")]
    BoundsConflict(Quoted),
    /// There are as many series as there may be.
    #[error(
        "{name} would be one series more than the limit of {limit}: use labels of fewer values or \
         raise -series.limit"
    )]
    TooManySeries {
        /// The family.
        name: Quoted,
        /// The limit in force.
        limit: usize,
    },
}

impl Registry {
    /// An empty registry.
    pub fn new(schema_conflicts: SchemaConflicts, limits: &Limits) -> Self {
        Self {
            schema_conflicts,
            series_max: limits.series,
            hasher: RandomState::new(),
            families: RwLock::default(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            series_count: AtomicUsize::new(0),
        }
    }

    /// Applies one delta, whole or not at all. `now` is the birth of the series if it is new.
    pub fn apply(&self, delta: &Delta<'_>, now: Timestamp) -> Result<Applied, Rejected> {
        let hash = self.hash(delta);
        if let Some(series) = self.shard(hash).read().find(hash, |series| series.is_of(delta)) {
            return self.apply_to(series, delta);
        }
        self.create(delta, hash, now)
    }

    /// The families with their values, as of about now: a scrape and a push at the same time may see
    /// each other or not, series by series.
    pub fn snapshot(&self) -> Snapshot {
        let families: Vec<Arc<Family>> = self.families.read().values().map(Arc::clone).collect();
        Snapshot::new(families.iter().map(|family| family.snapshot()).collect())
    }

    /// Series held now.
    pub fn series_count(&self) -> usize {
        self.series_count.load(Ordering::Relaxed)
    }

    /// Series that may be held.
    pub fn series_max(&self) -> usize {
        self.series_max
    }

    /// Families held now.
    pub fn family_count(&self) -> usize {
        self.families.read().len()
    }

    fn hash(&self, delta: &Delta<'_>) -> u64 {
        // No text contains the byte 0xff, so it keeps the parts apart.
        let mut hasher = self.hasher.build_hasher();
        let mut write = |text: &str| {
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff);
        };
        write(delta.name());
        for (name, value) in delta.labels().iter() {
            write(name);
            write(value);
        }
        hasher.finish()
    }

    /// The shard of a hash, by its upper bits: the table inside uses the lower ones.
    #[expect(clippy::indexing_slicing, reason = "six bits index 64 shards")]
    #[expect(clippy::as_conversions, reason = "six bits fit")]
    fn shard(&self, hash: u64) -> &RwLock<HashTable<Arc<Series>>> {
        const _: () = assert!(SHARDS == 1 << 6, "six bits of the hash choose a shard");
        // Bits 50 to 55: above those that pick a bucket, below the seven that tag a slot.
        &self.shards[(hash >> 50) as usize % SHARDS]
    }

    /// Applies a delta to the series it is of.
    fn apply_to(&self, series: &Series, delta: &Delta<'_>) -> Result<Applied, Rejected> {
        let family = series.family();
        family.check_kind(delta.name(), delta.kind())?;
        match self.schema_conflicts {
            SchemaConflicts::Adopt => {}
            // Its label names are those of the series, which have been checked.
            SchemaConflicts::Reject => family.check_help(delta)?,
        }
        let buckets_ignored = series.fold(delta.change()).map_err(|_| {
            // The kind has been checked; what is left are counts for other buckets.
            Rejected::BoundsConflict(Quoted::new(delta.name()))
        })?;
        Ok(Applied {
            created: false,
            help_replaced: family.adopt_help(delta.help()),
            buckets_ignored,
        })
    }

    /// Applies a delta whose series was not there a moment ago.
    fn create(&self, delta: &Delta<'_>, hash: u64, now: Timestamp) -> Result<Applied, Rejected> {
        // Held to the end: two deltas never create the same series, and a family is seen with its first
        // series or not at all.
        let mut families = self.families.write();
        let known = families.get(delta.name()).map(Arc::clone);
        if let Some(series) = self.shard(hash).read().find(hash, |series| series.is_of(delta)) {
            return self.apply_to(series, delta);
        }
        let family = match &known {
            Some(family) => {
                family.check_kind(delta.name(), delta.kind())?;
                match self.schema_conflicts {
                    SchemaConflicts::Adopt => {}
                    SchemaConflicts::Reject => {
                        family.check_help(delta)?;
                        family.check_label_names(delta)?;
                    }
                }
                Arc::clone(family)
            }
            None => Arc::new(new_family(&families, delta)?),
        };
        let count = self.series_count.load(Ordering::Relaxed);
        if count >= self.series_max {
            let name = Quoted::new(delta.name());
            return Err(Rejected::TooManySeries { name, limit: self.series_max });
        }
        let series = Arc::new(Series::new(Arc::clone(&family), delta, hash, now));
        let buckets_ignored = series
            .fold(delta.change())
            .map_err(|_| Rejected::BoundsConflict(Quoted::new(delta.name())))?;
        // Nothing can fail from here on.
        let help_replaced = family.adopt_help(delta.help());
        family.add(Arc::clone(&series));
        self.shard(hash).write().insert_unique(hash, series, |series| series.hash());
        self.series_count.store(count + 1, Ordering::Relaxed);
        if known.is_none() {
            families.insert(Arc::clone(family.name()), family);
        }
        Ok(Applied { created: true, help_replaced, buckets_ignored })
    }
}

type Families = BTreeMap<Arc<str>, Arc<Family>>;

/// The family that `delta` begins, if it may.
fn new_family(families: &Families, delta: &Delta<'_>) -> Result<Family, Rejected> {
    if reserved::is_reserved(delta.name(), delta.kind()) {
        return Err(Rejected::ReservedName(Quoted::new(delta.name())));
    }
    let kind_of = |name: &str| families.get(name).map(|family| family.kind());
    if let Some(other) = collision(delta.name(), delta.kind(), kind_of) {
        return Err(Rejected::SuffixCollision {
            name: Quoted::new(delta.name()),
            kind: delta.kind(),
            other: Quoted::new(&other),
        });
    }
    Ok(Family::new(delta))
}
