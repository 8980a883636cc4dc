//! New series, and what becomes of deltas that there is no room for one for.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{
    Applied, Destination, Families, Registry, Rejected, SchemaConflicts, SeriesLimit,
    family::{FAMILY_BYTES, Family},
    find,
    fingerprint::Fingerprint,
    fold, reserved,
    series::{Birth, Role, SERIES_BYTES, Series},
};
use crate::{
    model::{Delta, Kind, LabelSet, Labels, Quoted, Timestamp, collision, escape_value},
    policy::{Client, Source},
};

/// A delta that is to begin a series.
#[derive(Clone, Copy)]
struct New<'a, 'd, 'l> {
    delta: &'a Delta<'d>,
    labels: &'a Labels<'l>,
    role: Role,
    fingerprint: Fingerprint,
    source: Source<'a>,
    now: Timestamp,
}

impl Registry {
    /// Applies a delta whose series was not there a moment ago.
    pub(super) fn create(
        &self,
        delta: &Delta<'_>,
        fingerprint: Fingerprint,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        // Held to the end: two deltas never create the same series, and a family is seen with its first
        // series or not at all.
        let mut families = self.families.write();
        if let Some(series) = self.find(fingerprint)
            && let Some(applied) = self.apply_to(&series, delta, source, now)?
        {
            return Ok(applied);
        }
        let (labels, role) = (delta.labels(), Role::Ordinary);
        let new = New { delta, labels, role, fingerprint, source, now };
        let Some(family) = families.get(delta.name()).map(Arc::clone) else {
            let family = Arc::new(self.new_family(&families, delta, source)?);
            let bytes = self.room_for(&family, &new);
            let bytes = bytes.map_err(|limit| too_many(delta, limit))?;
            self.journal.note_family(&family);
            let applied = self.insert(&family, &new, bytes)?;
            families.insert(Arc::clone(family.name()), family);
            return Ok(applied);
        };
        family.check_kind(delta.name(), delta.kind())?;
        match self.schema_conflicts {
            SchemaConflicts::Adopt => {}
            SchemaConflicts::Reject => {
                family.check_help(delta)?;
                family.check_label_names(delta)?;
            }
        }
        match self.room_for(&family, &new) {
            Ok(bytes) => self.insert(&family, &new, bytes),
            Err(limit) => self.overflow(&family, new, limit),
        }
    }

    /// The family that `delta` begins, if it may.
    fn new_family(
        &self,
        families: &Families,
        delta: &Delta<'_>,
        source: Source<'_>,
    ) -> Result<Family, Rejected> {
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
        let rules = source.policy.rules();
        let limit = SeriesLimit::Bytes(rules.limits.bytes);
        // Before any rule is looked at: a name that is refused may come without end, and is to cost no match.
        self.check_counts(source).map_err(|limit| too_many(delta, limit))?;
        if self.bytes() + FAMILY_BYTES + SERIES_BYTES > rules.limits.ordinary_bytes() {
            return Err(too_many(delta, limit));
        }
        let id = self.journal.next_id();
        let family = Family::new(id, delta, rules, Arc::clone(&self.ledger));
        family.ok_or_else(|| too_many(delta, limit))
    }

    /// Whether there may be one series more, of whatever family.
    fn check_counts(&self, source: Source<'_>) -> Result<(), SeriesLimit> {
        let all = source.policy.rules().limits.all;
        if self.series_count() >= all {
            return Err(SeriesLimit::All(all));
        }
        if let Some(limit) = source.policy.series_max()
            && self.clients.series_of(source.client) >= limit
        {
            return Err(SeriesLimit::Client(limit));
        }
        Ok(())
    }

    /// Takes the bytes of one series more from the ledger, if no limit is in the way.
    fn room_for(&self, family: &Family, new: &New<'_, '_, '_>) -> Result<usize, SeriesLimit> {
        if let Some(limit) = family.reached_limit() {
            return Err(SeriesLimit::Family(limit));
        }
        self.check_counts(new.source)?;
        let limits = &new.source.policy.rules().limits;
        let bytes = Series::bytes_of(family, bytes(new.labels));
        if self.ledger.take(bytes, limits.ordinary_bytes()) {
            Ok(bytes)
        } else {
            Err(SeriesLimit::Bytes(limits.bytes))
        }
    }

    /// Begins a series for which `bytes` have been taken, with its delta.
    fn insert(
        &self,
        family: &Arc<Family>,
        new: &New<'_, '_, '_>,
        bytes: usize,
    ) -> Result<Applied, Rejected> {
        let New { delta, labels, role, fingerprint, source, now } = *new;
        let rules = source.policy.rules();
        let value_of =
            |label: &str| labels.iter().find(|(name, _)| *name == label).map(|(_, value)| value);
        let expire_after = rules.expiries(delta.name()).after(value_of);
        let holding = source.policy.series_max().and_then(|_| self.clients.take(source.client));
        let id = self.journal.next_id();
        let birth = Birth { fingerprint, id, role, holding, expire_after, bytes, now };
        let series = Arc::new(Series::new(Arc::clone(family), birth));
        let bytes_max = rules.limits.ordinary_bytes();
        let folded = fold(&series, delta, bytes_max, now);
        let layout_ignored = match folded {
            Ok(ignored) => ignored.unwrap_or_default(),
            Err(rejected) => {
                // The ledger gets its bytes back as the series is dropped.
                if let Some(holding) = series.holding() {
                    self.clients.give_back(holding);
                }
                return Err(rejected);
            }
        };
        // Nothing can fail from here on.
        let help_replaced = self.adopt_help(family, delta.help(), bytes_max);
        self.journal.note_birth(&series, labels, now);
        if expire_after.is_some() {
            family.set_may_expire();
        }
        family.add(&LabelSet::from(labels), now, Arc::clone(&series));
        let mut shard = self.shard(fingerprint).write();
        // One that has been marked as gone may still be there.
        if let Ok(gone) =
            shard.find_entry(fingerprint.low, |series| series.fingerprint() == fingerprint)
        {
            gone.remove();
        }
        shard.insert_unique(fingerprint.low, series, |series| series.fingerprint().low);
        drop(shard);
        self.series_count.fetch_add(1, Relaxed);
        Ok(Applied { created: true, help_replaced, layout_ignored, ..Applied::default() })
    }

    /// Applies a delta that would make a series too many to one that takes all such, for its policy: what is
    /// added up stays right in all.
    fn overflow(
        &self,
        family: &Arc<Family>,
        new: New<'_, '_, '_>,
        limit: SeriesLimit,
    ) -> Result<Applied, Rejected> {
        let New { delta, source, now, .. } = new;
        family.record_overflow(delta.labels(), source.policy.rules().limits.ordinary_bytes());
        self.overflowed.store(true, Relaxed);
        match delta.kind() {
            Kind::Counter | Kind::Histogram | Kind::Summary => {}
            // Of levels there is no sum that would mean anything.
            Kind::Gauge => return Err(too_many(delta, limit)),
        }
        let labels = source.policy.forced().overflowing();
        let fingerprint = self.fingerprinter.of(delta.name(), &labels);
        if let Some(series) = find(&self.shard(fingerprint).read(), fingerprint)
            && let Some(applied) = self.apply_to(series, delta, source, now)?
        {
            return Ok(Applied { destination: Destination::Overflow, ..applied });
        }
        // There are as many such series as families and policies at most; of limits that of bytes alone is to
        // keep them out.
        let bytes_max = source.policy.rules().limits.bytes;
        let bytes = Series::bytes_of(family, bytes(&labels));
        if !self.ledger.take(bytes, bytes_max) {
            return Err(too_many(delta, SeriesLimit::Bytes(bytes_max)));
        }
        let source = Source { client: Client::Unnamed, ..source };
        let (labels, role) = (&labels, Role::Overflow);
        let new = New { delta, labels, role, fingerprint, source, now };
        let applied = self.insert(family, &new, bytes)?;
        family.record_overflow_series();
        Ok(Applied { destination: Destination::Overflow, ..applied })
    }
}

fn too_many(delta: &Delta<'_>, limit: SeriesLimit) -> Rejected {
    Rejected::TooManySeries { name: Quoted::new(delta.name()), limit }
}

/// Bytes of the text of labels, with escapes.
pub(super) fn bytes(labels: &Labels<'_>) -> usize {
    let escaped = |value: &str| escape_value(value).map(str::len).sum::<usize>();
    labels.iter().map(|(name, value)| name.len() + escaped(value) + "=\"\",".len()).sum()
}
