//! A registry out of the records of a store.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use foldhash::{HashMap, HashMapExt};

use super::{
    Registry, create,
    family::Family,
    find, reserved,
    series::{Birth, Role, Series},
};
use crate::{
    limits::{NameScheme, OVERFLOW_LABEL},
    model::{LabelPairs, LabelSet, Labels, MetricName, Quoted, Timestamp, collision},
    policy::Client,
    record::{ClientRecord, FamilyRecord, Record, SeriesRecord},
    rules::Rules,
    snapshot::Index,
};

/// A registry that is being restored: nobody else has it yet.
pub struct Restore<'a> {
    registry: &'a Registry,
    rules: &'a Rules,
    families: HashMap<u64, Arc<Family>>,
    /// Where series are in `all`, by their numbers.
    places: HashMap<u64, usize>,
    /// In the order of their records, which is that of pages but for what came after the last copy; `None` where
    /// one is gone.
    all: Vec<Option<Arc<Series>>>,
    /// The labels and births of these, in one piece: between the series they would leave holes when they are freed.
    index: Index,
    /// The greatest number so far.
    id_max: u64,
}

/// The greatest number of a series or family that may be found: there are as many more for what comes then.
const ID_MAX: u64 = u64::MAX >> 1;

/// What has been restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Families.
    pub families: usize,
    /// Series.
    pub series: usize,
}

/// Why records lead to no registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A record is about what no record says there is.
    #[error("a record is about {what} {id}, which is none")]
    Unknown {
        /// Series or family.
        what: &'static str,
        /// Its number.
        id: u64,
    },
    /// A record of a family is none of a family that can be.
    #[error("the record of the family {0} is invalid")]
    Family(Quoted),
    /// The name of a family is one of our own.
    #[error("{0} is reserved, since it is or was one of pushprom's own metrics")]
    Reserved(Quoted),
    /// The sample names of two families overlap.
    #[error("{name} cannot be beside {other}: their samples would collide")]
    Collision {
        /// One of them.
        name: Quoted,
        /// The other one.
        other: Quoted,
    },
    /// A record of a series is none of a series that can be.
    #[error("the record of series {id} of {family} is invalid")]
    Series {
        /// Its number.
        id: u64,
        /// Its family.
        family: Quoted,
    },
    /// A record has a number that nothing can come after.
    #[error("{0} is no number of a series or family: it is too great")]
    Number(u64),
    /// Two series have the same name and labels.
    #[error("{0} has two series with the same labels")]
    Twice(Quoted),
}

impl Registry {
    /// Begins to restore an empty registry, under rules that may have changed since.
    pub fn restore<'a>(&'a self, rules: &'a Rules) -> Restore<'a> {
        Restore {
            registry: self,
            rules,
            families: HashMap::new(),
            places: HashMap::new(),
            all: Vec::new(),
            index: Index::default(),
            id_max: 0,
        }
    }
}

impl Restore<'_> {
    /// Follows a record. Where records of one series may come apart, as in the copy that is made while others are
    /// written, `is_settled` says that all that came before are there.
    pub fn follow(&mut self, record: &Record<'_>, is_settled: bool) -> Result<(), RestoreError> {
        match record {
            Record::Family(record) => self.family(record),
            Record::Series(record) => self.born(record, is_settled),
            Record::State(record) => {
                self.note_id(record.id)?;
                let place = self.places.get(&record.id).copied();
                let Some(Some(series)) = place.and_then(|place| self.all.get(place)) else {
                    return unless(!is_settled, "series", record.id);
                };
                series.restore(record).ok_or_else(|| RestoreError::Series {
                    id: record.id,
                    family: Quoted::new(series.family().name()),
                })
            }
            Record::SeriesGone { id } => {
                self.note_id(*id)?;
                let place = self.places.remove(id);
                self.forget(place);
                unless(place.is_some() || !is_settled, "series", *id)
            }
            Record::FamilyGone { id } => {
                self.note_id(*id)?;
                unless(self.families.remove(id).is_some() || !is_settled, "family", *id)
            }
            // It is about a message, not about what that came to.
            Record::Answer(_) => Ok(()),
        }
    }

    /// Series so far.
    pub fn series(&self) -> usize {
        self.places.len()
    }

    /// Puts all that is left into the registry. Tells `progress` now and then how many series are there.
    pub fn finish(self, mut progress: impl FnMut(usize)) -> Result<Restored, RestoreError> {
        let Self { registry, rules, families: _, places: _, all, index, id_max } = self;
        registry.journal.skip_id(id_max);
        let mut families = registry.families.write();
        let mut restored = Restored { families: 0, series: 0 };
        let mut labels = index.labels();
        for (series, &born) in all.into_iter().zip(index.born()) {
            let Some(labels) = labels.next() else { break };
            let Some(series) = series else { continue };
            let family = Arc::clone(series.family());
            let name = || Quoted::new(family.name());
            let held = families.entry(Arc::clone(family.name())).or_insert_with(|| {
                restored.families += 1;
                Arc::clone(&family)
            });
            if !Arc::ptr_eq(held, &family) {
                return Err(RestoreError::Family(name()));
            }
            let fingerprint = series.fingerprint();
            let mut shard = registry.shard(fingerprint).write();
            if find(&shard, fingerprint).is_some() {
                return Err(RestoreError::Twice(name()));
            }
            if rules.expiries(family.name()).of_all() != Some(None) {
                family.set_may_expire();
            }
            if series.role() == Role::Overflow {
                family.record_overflow_series();
            }
            family.add(labels, born, Arc::clone(&series));
            shard.insert_unique(fingerprint.low, series, |series| series.fingerprint().low);
            drop(shard);
            registry.series_count.fetch_add(1, Relaxed);
            restored.series += 1;
            if restored.series.is_multiple_of(4096) {
                progress(restored.series);
            }
        }
        // Not before all are there: of those that came and went within a batch, it says last which are gone.
        let kind_of = |name: &str| families.get(name).map(|family| family.kind());
        for (name, family) in &*families {
            if let Some(other) = collision(name, family.kind(), kind_of) {
                let (name, other) = (Quoted::new(name), Quoted::new(&other));
                return Err(RestoreError::Collision { name, other });
            }
        }
        Ok(restored)
    }

    fn family(&mut self, record: &FamilyRecord<'_>) -> Result<(), RestoreError> {
        self.note_id(record.id)?;
        if let Some(family) = self.families.get(&record.id) {
            family.restore_help(&record.help);
            return Ok(());
        }
        let invalid = || RestoreError::Family(Quoted::new(&record.name));
        MetricName::new(record.name.as_ref().into(), NameScheme::Utf8).map_err(|_| invalid())?;
        if reserved::is_reserved(&record.name, record.form.kind()) {
            return Err(RestoreError::Reserved(Quoted::new(&record.name)));
        }
        let ledger = Arc::clone(&self.registry.ledger);
        let family = Family::restored(record, self.rules, ledger).ok_or_else(invalid)?;
        self.families.insert(record.id, Arc::new(family));
        Ok(())
    }

    fn born(&mut self, record: &SeriesRecord<'_>, is_settled: bool) -> Result<(), RestoreError> {
        let id = record.id;
        self.note_id(id)?;
        let Some(family) = self.families.get(&record.family) else {
            // A copy lacks a family that was gone when it began, though its series are born and gone beside it.
            return unless(!is_settled, "family", record.family);
        };
        let pairs = record.labels.iter().map(|label| (&*label.name, &*label.value));
        let pairs: LabelPairs<'_> = pairs
            .filter(|(name, _)| !(record.is_overflow && *name == OVERFLOW_LABEL))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let labels = Labels::new(pairs, NameScheme::Utf8);
        let labels =
            labels.map_err(|_| RestoreError::Series { id, family: Quoted::new(family.name()) })?;
        let (labels, role) = if record.is_overflow {
            (labels.overflowing(), Role::Overflow)
        } else {
            (labels, Role::Ordinary)
        };
        let client = match &record.client {
            None => Client::Unnamed,
            Some(ClientRecord::Address(address)) => Client::Address(*address),
            Some(ClientRecord::Principal(name)) => Client::Principal(name),
            Some(ClientRecord::Unix) => Client::Unix,
            Some(ClientRecord::User(name)) => Client::User(name),
        };
        let value_of =
            |label: &str| labels.iter().find(|(name, _)| *name == label).map(|(_, value)| value);
        let text = LabelSet::from(&labels);
        let bytes = Series::bytes_of(family, create::bytes(&labels));
        // What was there before a limit was lowered stays.
        self.registry.ledger.take(bytes, usize::MAX);
        let birth = Birth {
            fingerprint: self.registry.fingerprinter.of(family.name(), &labels),
            id,
            role,
            holding: self.registry.clients.take(client),
            expire_after: self.rules.expiries(family.name()).after(value_of),
            bytes,
            now: Timestamp(record.born),
        };
        let series = Arc::new(Series::new(Arc::clone(family), birth));
        let before = self.places.insert(id, self.all.len());
        self.all.push(Some(series));
        self.index.push(&text, Timestamp(record.born));
        self.forget(before);
        Ok(())
    }

    /// Sees to what a series that is none any more has taken.
    fn forget(&mut self, place: Option<usize>) {
        let gone = place.and_then(|place| self.all.get_mut(place)?.take());
        if let Some(series) = gone
            && let Some(holding) = series.holding()
        {
            self.registry.clients.give_back(holding);
        }
    }

    fn note_id(&mut self, id: u64) -> Result<(), RestoreError> {
        self.id_max = self.id_max.max(id);
        if id > ID_MAX { Err(RestoreError::Number(id)) } else { Ok(()) }
    }
}

fn unless(is_well: bool, what: &'static str, id: u64) -> Result<(), RestoreError> {
    if is_well { Ok(()) } else { Err(RestoreError::Unknown { what, id }) }
}
