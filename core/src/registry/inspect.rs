//! What there is to know of families beside their page.

use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use foldhash::{HashSet, fast::RandomState};

use super::{Culprit, Known, Registry, family::Family};
use crate::{
    limits::OVERFLOW_LABEL,
    model::{Delta, Kind},
    policy::Source,
    snapshot::Index,
};

/// Series whose labels are looked at to find the one to blame: of more, some of them all over the family.
const SERIES_BLAMED_MAX: usize = 1 << 16;

/// Series that are looked at between two pauses.
const SERIES_BETWEEN_PAUSES: usize = 1024;

/// A family at one instant, without its series.
#[derive(Clone, Debug)]
pub struct FamilyFacts {
    /// The metric name.
    pub name: Arc<str>,
    /// What it measures; may be empty.
    pub help: Arc<str>,
    /// Of what kind it is.
    pub kind: Kind,
    /// Series that it has.
    pub series: usize,
    /// Deltas that would have made a series too many.
    pub overflowed: u64,
    /// The label to blame for that, once it has been looked for.
    pub culprit: Option<Culprit>,
    /// Deltas since it began, estimated by a sample of them.
    pub deltas: u64,
}

/// A family of which deltas would have made series too many.
#[derive(Clone, Debug)]
pub struct Overflowing {
    /// The metric name.
    pub name: Arc<str>,
    /// Series that it has.
    pub series: usize,
    /// The label to blame.
    pub culprit: Culprit,
}

impl Registry {
    /// All families, in the order of their names.
    pub fn families(&self) -> Vec<FamilyFacts> {
        self.all_families().iter().map(|family| family.facts()).collect()
    }

    /// Those of them that have had series too many.
    pub fn overflowing(&self) -> Vec<FamilyFacts> {
        let families = self.overflowing_families();
        families.iter().map(|family| family.facts()).collect()
    }

    fn overflowing_families(&self) -> Vec<Arc<Family>> {
        // Mostly there is none, and it is asked for with each page.
        if !self.overflowed.load(Relaxed) {
            return Vec::new();
        }
        let mut families = self.all_families();
        families.retain(|family| family.overflowed() > 0);
        families
    }

    /// Finds the labels to blame in families that have overflowed; returns those of which it is another one than
    /// when this was called last. Pauses as [`Self::snapshot_pausing`] does.
    pub fn blame(&self, mut pause: impl FnMut()) -> Vec<Overflowing> {
        let mut found = Vec::new();
        for family in self.overflowing_families() {
            if !family.is_to_be_judged() {
                continue;
            }
            let index = Arc::clone(family.settled().index());
            if let Some(culprit) = family.judge(&distinct_values(&index, &mut pause)) {
                let (name, series) = (Arc::clone(family.name()), family.live());
                found.push(Overflowing { name, series, culprit });
            }
        }
        found
    }

    /// Counts deltas that one stands for, which has been applied.
    pub fn sample(&self, delta: &Delta<'_>, source: Source<'_>, deltas: u32) {
        let sample = |name: &str| {
            if let Some(family) = self.families.read().get(name) {
                family.sample(deltas);
            }
        };
        if source.policy.is_plain() {
            sample(delta.name());
        } else if let Ok(Some(shaped)) = source.policy.shape(delta) {
            sample(shaped.name());
        }
    }
}

impl Known {
    /// Counts deltas that this one stands for.
    pub fn sample(&self, deltas: u32) {
        self.series.family().sample(deltas);
    }

    /// Whether its series has been removed.
    pub fn is_gone(&self) -> bool {
        self.series.is_gone()
    }
}

/// How many values each label has among the series of a family, of many among some of them. Values are told apart by
/// a hash of 64 bits.
fn distinct_values(index: &Index, pause: &mut impl FnMut()) -> BTreeMap<String, usize> {
    let hasher = RandomState::default();
    let mut values: HashMap<String, HashSet<u64>> = HashMap::new();
    let distance = index.len().div_ceil(SERIES_BLAMED_MAX).max(1);
    let (mut labels, mut place) = (index.labels(), 0_usize);
    while let Some(set) = labels.next() {
        place += 1;
        if !place.is_multiple_of(distance) {
            continue;
        }
        if place.is_multiple_of(SERIES_BETWEEN_PAUSES) {
            pause();
        }
        for (name, value) in set.escaped() {
            if !values.contains_key(name) {
                values.insert(name.to_owned(), HashSet::default());
            }
            if let Some(values) = values.get_mut(name) {
                values.insert(hasher.hash_one(value));
            }
        }
    }
    // That of the overflow series itself is our own.
    values.remove(OVERFLOW_LABEL);
    values.into_iter().map(|(name, values)| (name, values.len())).collect()
}
