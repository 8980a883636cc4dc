//! Deltas to totals: every family and series there is, and the rules for new ones.
//!
//! A delta is applied whole or refused whole; a refused one leaves no trace. A known series costs one
//! hash, one shared lock on one shard and a few atomic additions; no scrape ever holds a lock that
//! such a push waits for. New series take the slow road through `Registry::create`.

mod aliases;
mod create;
mod cut;
mod family;
mod fingerprint;
mod inspect;
mod journal;
mod outcome;
mod removal;
mod reserved;
mod restore;
mod room;
mod roster;
mod series;
mod turn;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

pub use cut::Cut;
pub use family::{Culprit, Inspected};
use hashbrown::HashTable;
pub use inspect::{FamilyFacts, Overflowing};
pub use journal::Pass;
pub use outcome::{Applied, Destination, Rejected, SeriesLimit};
use parking_lot::RwLock;
pub use removal::Deleted;
pub use restore::{Restore, RestoreError, Restored};
pub use turn::Turn;

use crate::{
    model::{Change, Delta, Quoted, Timestamp},
    policy::Source,
    registry::{
        aliases::{Alias, Aliases},
        family::{Family, SERIES_BETWEEN_PAUSES},
        fingerprint::{Fingerprint, Fingerprinter},
        journal::Journal,
        room::{Clients, Ledger},
        series::{NotFolded, Series},
    },
    snapshot::Snapshot,
};

/// Shards of the series table. Pushes of two cores meet in one with probability 1/64.
const SHARDS: usize = 64;

/// What copying a family costs beside its series, in series.
const SERIES_LIKE_A_FAMILY: usize = 16;

/// What happens when a delta names a family with another help text or other label names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaConflicts {
    /// The newest help text holds; other label names make another series of the family.
    #[default]
    Adopt,
    /// The delta is refused, as by the original.
    Reject,
}

/// What applying a delta did that a rule drops.
const DROPPED: Applied = Applied {
    destination: Destination::Nowhere,
    created: false,
    help_replaced: false,
    layout_ignored: false,
};

/// All families and series.
pub struct Registry {
    schema_conflicts: SchemaConflicts,
    fingerprinter: Fingerprinter,
    /// Families by name. Invariant: none is without series for longer than `create` or a removal runs.
    families: RwLock<Families>,
    shards: Box<[RwLock<Shard>]>,
    /// Changed by who holds all families.
    series_count: AtomicUsize,
    aliases: Aliases,
    clients: Clients,
    ledger: Arc<Ledger>,
    journal: Journal,
    /// For what is no message of a thread that has its own.
    pass: Arc<Pass>,
    /// How often series have been removed.
    removals: AtomicU64,
    /// Whether any family has had a series too many.
    overflowed: AtomicBool,
}

/// A series and what a delta said of it besides the change: see [`Registry::known`].
#[derive(Clone)]
pub struct Known {
    series: Arc<Series>,
    /// How often the help text had changed, if the delta had to agree with it.
    help_version: Option<u64>,
}

impl Registry {
    /// An empty registry, of which nobody keeps a copy.
    pub fn new(schema_conflicts: SchemaConflicts) -> Self {
        Self::with(schema_conflicts, Journal::new(false))
    }

    /// An empty registry that notes what changes, for who calls [`Self::cut`] again and again.
    pub fn journaled(schema_conflicts: SchemaConflicts) -> Self {
        Self::with(schema_conflicts, Journal::new(true))
    }

    fn with(schema_conflicts: SchemaConflicts, journal: Journal) -> Self {
        Self {
            pass: journal.pass(),
            journal,
            schema_conflicts,
            fingerprinter: Fingerprinter::new(),
            families: RwLock::default(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            series_count: AtomicUsize::new(0),
            aliases: Aliases::new(),
            clients: Clients::default(),
            ledger: Arc::default(),
            removals: AtomicU64::new(0),
            overflowed: AtomicBool::new(false),
        }
    }

    /// Applies one delta by itself, whole or not at all. `now` is the birth of the series if it is new.
    pub fn apply(
        &self,
        delta: &Delta<'_>,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        self.turn(&self.pass).apply(delta, source, now)
    }

    fn apply_in_turn(
        &self,
        delta: &Delta<'_>,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        if source.policy.is_plain() {
            return self.apply_as_it_is(delta, source, now);
        }
        let pushed = self.fingerprinter.of_pushed(source.policy, delta);
        match self.aliases.find(pushed) {
            Some(Alias::Dropped) => return Ok(DROPPED),
            Some(Alias::Of(series)) => {
                if let Some(applied) = self.apply_to(&series, delta, source, now)? {
                    return Ok(applied);
                }
            }
            None => {}
        }
        let Some(shaped) = source.policy.shape(delta)? else {
            self.aliases.put(pushed, Alias::Dropped, self.series_count());
            return Ok(DROPPED);
        };
        let applied = self.apply_as_it_is(&shaped, source, now)?;
        let fingerprint = self.fingerprinter.of(shaped.name(), shaped.labels());
        if let Some(series) = self.find(fingerprint) {
            self.aliases.put(pushed, Alias::Of(series), self.series_count());
        }
        Ok(applied)
    }

    fn apply_as_it_is(
        &self,
        delta: &Delta<'_>,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        let fingerprint = self.fingerprinter.of(delta.name(), delta.labels());
        if let Some(series) = find(&self.shard(fingerprint).read(), fingerprint)
            && let Some(applied) = self.apply_to(series, delta, source, now)?
        {
            return Ok(applied);
        }
        self.create(delta, fingerprint, source, now)
    }

    /// What has been found out about `delta`, for when the same comes again under the same policy with another
    /// change. `None` if there is no such series, or if the delta could not be applied to it now just so.
    pub fn known(&self, delta: &Delta<'_>, source: Source<'_>) -> Option<Known> {
        let series = if source.policy.is_plain() {
            self.find(self.fingerprinter.of(delta.name(), delta.labels()))?
        } else {
            match self.aliases.find(self.fingerprinter.of_pushed(source.policy, delta))? {
                Alias::Of(series) => series,
                Alias::Dropped => return None,
            }
        };
        let family = series.family();
        family.check_kind(delta.name(), delta.kind()).ok()?;
        let help_version = match self.schema_conflicts {
            SchemaConflicts::Adopt if delta.help().is_empty() => None,
            // Taken back by a reload, this makes no version: the next text of another delta does.
            SchemaConflicts::Adopt | SchemaConflicts::Reject if family.has_ruled_help() => None,
            SchemaConflicts::Adopt | SchemaConflicts::Reject => {
                Some(family.version_of_help(delta.help())?)
            }
        };
        Some(Known { series, help_version })
    }

    fn apply_known_in_turn(
        &self,
        known: &Known,
        change: &Change,
        now: Timestamp,
    ) -> Option<Applied> {
        let family = known.series.family();
        if known.help_version.is_some_and(|version| version != family.help_version()) {
            return None;
        }
        self.journal.touch(&known.series);
        let layout_ignored = known.series.fold(change, now).ok()?;
        Some(Applied { layout_ignored, ..Applied::default() })
    }

    /// The families with their values, as of about `now`: a scrape and a push at the same time may see
    /// each other or not, series by series.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        self.snapshot_pausing(now, || ())
    }

    /// The same, but calls `pause` every so often, with nothing locked that a push waits for.
    pub fn snapshot_pausing(&self, now: Timestamp, mut pause: impl FnMut()) -> Snapshot {
        let families: Vec<Arc<Family>> = self.families.read().values().map(Arc::clone).collect();
        // A pause may cost as much as a thousand small families: one for each would be the death of a page.
        let mut looked_at = 0;
        let snapshots = families.iter().map(|family| {
            let snapshot = family.snapshot(now, &mut pause);
            looked_at += SERIES_LIKE_A_FAMILY + family.live().min(SERIES_BETWEEN_PAUSES);
            if looked_at >= SERIES_BETWEEN_PAUSES {
                looked_at = 0;
                pause();
            }
            snapshot
        });
        Snapshot::new(snapshots.collect())
    }

    /// Series held now.
    pub fn series_count(&self) -> usize {
        self.series_count.load(Relaxed)
    }

    /// Bytes that all series may take at most now, as estimated.
    pub fn bytes(&self) -> usize {
        self.ledger.bytes()
    }

    /// Families held now.
    pub fn family_count(&self) -> usize {
        self.families.read().len()
    }

    /// The shard of a series.
    #[expect(clippy::indexing_slicing, reason = "there are so many shards")]
    fn shard(&self, fingerprint: Fingerprint) -> &RwLock<Shard> {
        &self.shards[shard_of(fingerprint)]
    }

    fn find(&self, fingerprint: Fingerprint) -> Option<Arc<Series>> {
        find(&self.shard(fingerprint).read(), fingerprint).map(Arc::clone)
    }

    /// Applies a delta to the series it is of. `None` if that has been removed.
    fn apply_to(
        &self,
        series: &Arc<Series>,
        delta: &Delta<'_>,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Option<Applied>, Rejected> {
        let family = series.family();
        family.check_kind(delta.name(), delta.kind())?;
        match self.schema_conflicts {
            SchemaConflicts::Adopt => {}
            // Its label names are those of the series, which have been checked.
            SchemaConflicts::Reject => family.check_help(delta)?,
        }
        let bytes_max = source.policy.rules().limits.ordinary_bytes();
        self.journal.touch(series);
        let Some(layout_ignored) = fold(series, delta, bytes_max, now)? else { return Ok(None) };
        let help_replaced = self.adopt_help(family, delta.help(), bytes_max);
        Ok(Some(Applied { help_replaced, layout_ignored, ..Applied::default() }))
    }

    fn adopt_help(&self, family: &Arc<Family>, help: &str, bytes_max: usize) -> bool {
        let was_awaited = family.awaits_help();
        let is_another = family.adopt_help(help, bytes_max);
        // One that reads as the rule's did is a client's from now on.
        if is_another || was_awaited && !family.awaits_help() {
            self.journal.note_family(family);
        }
        is_another
    }
}

type Families = BTreeMap<Arc<str>, Arc<Family>>;

type Shard = HashTable<Arc<Series>>;

fn find(shard: &Shard, fingerprint: Fingerprint) -> Option<&Arc<Series>> {
    shard.find(fingerprint.low, |series| series.fingerprint() == fingerprint)
}

/// The shard of a fingerprint, by its upper bits: the table inside uses the lower ones.
#[expect(clippy::as_conversions, reason = "six bits fit")]
fn shard_of(fingerprint: Fingerprint) -> usize {
    const _: () = assert!(SHARDS == 1 << 6, "six bits of the hash choose a shard");
    // Bits 50 to 55: above those that pick a bucket, below the seven that tag a slot.
    (fingerprint.low >> 50) as usize % SHARDS
}

/// Folds a delta of the right kind into its series; says whether its layout was ignored. `None` if the series
/// has been removed.
fn fold(
    series: &Series,
    delta: &Delta<'_>,
    bytes_max: usize,
    now: Timestamp,
) -> Result<Option<bool>, Rejected> {
    let ignored = match series.fold(delta.change(), now) {
        Ok(ignored) => ignored,
        Err(NotFolded::Gone) => return Ok(None),
        // The kind has been checked; what is left are counts for other buckets.
        Err(NotFolded::Incomposable(_)) => {
            let name = Quoted::new(delta.name());
            return Err(match series.family().layout().native {
                Some(_) => Rejected::NativeConflict(name),
                None => Rejected::BoundsConflict(name),
            });
        }
    };
    if let Some(exemplar) = delta.exemplar() {
        series.family().keep(series, exemplar, bytes_max, now);
    }
    Ok(Some(ignored))
}
