//! Deltas to totals: every family and series there is, and the rules for new ones.
//!
//! A delta is applied whole or refused whole; a refused one leaves no trace. A known series costs one
//! hash, one shared lock on one shard and a few atomic additions; no scrape ever holds a lock that
//! such a push waits for. New series take the slow road through `Registry::create`.

mod family;
mod fingerprint;
mod reserved;
mod roster;
mod series;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::{
    limits::Limits,
    model::{Change, Delta, Kind, LabelSet, Quoted, Timestamp, collision},
    registry::{
        family::Family,
        fingerprint::{Fingerprint, Fingerprinter},
        series::Series,
    },
    rules::Rules,
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
    rules: Rules,
    fingerprinter: Fingerprinter,
    /// Families by name. Invariant: none is without series for longer than `create` runs.
    families: RwLock<BTreeMap<Arc<str>, Arc<Family>>>,
    shards: Box<[RwLock<Shard>]>,
    series_count: AtomicUsize,
}

/// A series and what a delta said of it besides the change: see [`Registry::known`].
#[derive(Clone)]
pub struct Known {
    series: Arc<Series>,
    /// How often the help text had changed, if the delta had to agree with it.
    help_version: Option<u64>,
}

/// What applying a delta did besides changing a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The series is new.
    pub created: bool,
    /// The delta's help text replaced another one.
    pub help_replaced: bool,
    /// The delta's buckets, resolution or objectives are not those of the family, which it keeps.
    pub layout_ignored: bool,
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
    /// Counts per bucket came for a histogram that has native buckets.
    #[error(
        "{0} has native buckets, into which counts cannot be sorted: send what was observed, or let a \
         rule of -histogram.native make it classic"
    )]
    NativeConflict(Quoted),
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
            rules: Rules::default(),
            fingerprinter: Fingerprinter::new(),
            families: RwLock::default(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            series_count: AtomicUsize::new(0),
        }
    }

    /// The same, where the operator has made rules.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Applies one delta, whole or not at all. `now` is the birth of the series if it is new.
    pub fn apply(&self, delta: &Delta<'_>, now: Timestamp) -> Result<Applied, Rejected> {
        let fingerprint = self.fingerprinter.of(delta);
        if let Some(series) = find(&self.shard(fingerprint).read(), fingerprint) {
            return self.apply_to(series, delta, now);
        }
        self.create(delta, fingerprint, now)
    }

    /// What has been found out about `delta`, for when the same comes again with another change. `None`
    /// if there is no such series, or if the delta could not be applied to it now just so.
    pub fn known(&self, delta: &Delta<'_>) -> Option<Known> {
        let fingerprint = self.fingerprinter.of(delta);
        let series = find(&self.shard(fingerprint).read(), fingerprint).map(Arc::clone)?;
        let family = series.family();
        family.check_kind(delta.name(), delta.kind()).ok()?;
        let help_version = match self.schema_conflicts {
            SchemaConflicts::Adopt if delta.help().is_empty() => None,
            SchemaConflicts::Adopt | SchemaConflicts::Reject => {
                Some(family.version_of_help(delta.help())?)
            }
        };
        Some(Known { series, help_version })
    }

    /// Applies a change to the series of a delta seen before, as if that delta had come at `now` with this
    /// change and without an exemplar. `None` if that takes another look at the whole delta.
    pub fn apply_known(&self, known: &Known, change: &Change, now: Timestamp) -> Option<Applied> {
        let family = known.series.family();
        if known.help_version.is_some_and(|version| version != family.help_version()) {
            return None;
        }
        let layout_ignored = known.series.fold(change, now).ok()?;
        Some(Applied { created: false, help_replaced: false, layout_ignored })
    }

    /// The families with their values, as of about `now`: a scrape and a push at the same time may see
    /// each other or not, series by series.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        self.snapshot_pausing(now, || ())
    }

    /// The same, but calls `pause` every so often, with nothing locked that a push waits for.
    pub fn snapshot_pausing(&self, now: Timestamp, mut pause: impl FnMut()) -> Snapshot {
        let families: Vec<Arc<Family>> = self.families.read().values().map(Arc::clone).collect();
        Snapshot::new(families.iter().map(|family| family.snapshot(now, &mut pause)).collect())
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

    /// The shard of a series, by its hash's upper bits: the table inside uses the lower ones.
    #[expect(clippy::indexing_slicing, reason = "six bits index 64 shards")]
    #[expect(clippy::as_conversions, reason = "six bits fit")]
    fn shard(&self, fingerprint: Fingerprint) -> &RwLock<Shard> {
        const _: () = assert!(SHARDS == 1 << 6, "six bits of the hash choose a shard");
        // Bits 50 to 55: above those that pick a bucket, below the seven that tag a slot.
        &self.shards[(fingerprint.low >> 50) as usize % SHARDS]
    }

    /// Applies a delta to the series it is of.
    fn apply_to(
        &self,
        series: &Series,
        delta: &Delta<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        let family = series.family();
        family.check_kind(delta.name(), delta.kind())?;
        match self.schema_conflicts {
            SchemaConflicts::Adopt => {}
            // Its label names are those of the series, which have been checked.
            SchemaConflicts::Reject => family.check_help(delta)?,
        }
        let layout_ignored = fold(series, delta, now)?;
        Ok(Applied {
            created: false,
            help_replaced: family.adopt_help(delta.help()),
            layout_ignored,
        })
    }

    /// Applies a delta whose series was not there a moment ago.
    fn create(
        &self,
        delta: &Delta<'_>,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        // Held to the end: two deltas never create the same series, and a family is seen with its first
        // series or not at all.
        let mut families = self.families.write();
        let known = families.get(delta.name()).map(Arc::clone);
        if let Some(series) = find(&self.shard(fingerprint).read(), fingerprint) {
            return self.apply_to(series, delta, now);
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
            None => Arc::new(self.new_family(&families, delta)?),
        };
        let count = self.series_count.load(Ordering::Relaxed);
        if count >= self.series_max {
            let name = Quoted::new(delta.name());
            return Err(Rejected::TooManySeries { name, limit: self.series_max });
        }
        let series = Arc::new(Series::new(Arc::clone(&family), fingerprint));
        let layout_ignored = fold(&series, delta, now)?;
        // Nothing can fail from here on.
        let help_replaced = family.adopt_help(delta.help());
        family.add(&LabelSet::from(delta.labels()), now, Arc::clone(&series));
        let mut shard = self.shard(fingerprint).write();
        shard.insert_unique(fingerprint.low, series, |series| series.fingerprint().low);
        drop(shard);
        self.series_count.store(count + 1, Ordering::Relaxed);
        if known.is_none() {
            families.insert(Arc::clone(family.name()), family);
        }
        Ok(Applied { created: true, help_replaced, layout_ignored })
    }

    /// The family that `delta` begins, if it may.
    fn new_family(&self, families: &Families, delta: &Delta<'_>) -> Result<Family, Rejected> {
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
        Ok(Family::new(delta, &self.rules))
    }
}

type Families = BTreeMap<Arc<str>, Arc<Family>>;

type Shard = HashTable<Arc<Series>>;

fn find(shard: &Shard, fingerprint: Fingerprint) -> Option<&Arc<Series>> {
    shard.find(fingerprint.low, |series| series.fingerprint() == fingerprint)
}

/// Folds a delta of the right kind into its series; says whether its layout was ignored.
fn fold(series: &Series, delta: &Delta<'_>, now: Timestamp) -> Result<bool, Rejected> {
    let folded = series.fold(delta.change(), now);
    // The kind has been checked; what is left are counts for other buckets.
    let ignored = folded.map_err(|_| {
        let name = Quoted::new(delta.name());
        match series.family().layout().native {
            Some(_) => Rejected::NativeConflict(name),
            None => Rejected::BoundsConflict(name),
        }
    })?;
    if let Some(exemplar) = delta.exemplar() {
        series.family().keep(series, exemplar, now);
    }
    Ok(ignored)
}
