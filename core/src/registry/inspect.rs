//! What there is to know of families beside their page.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use foldhash::{HashSet, fast::RandomState};

use super::{Culprit, Known, Registry, family::Family};
use crate::{
    model::{Kind, LabelSet, Timestamp},
    snapshot::FamilySnapshot,
};

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
        self.all_families().iter().map(|family| facts(family)).collect()
    }

    /// Those of them that have had series too many.
    pub fn overflowing(&self) -> Vec<FamilyFacts> {
        let families = self.overflowing_families();
        families.iter().map(|family| facts(family)).collect()
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

    /// The values of one family, and when the last delta came to each of its series. Pauses as
    /// [`Self::snapshot_pausing`] does.
    pub fn family(
        &self,
        name: &str,
        now: Timestamp,
        mut pause: impl FnMut(),
    ) -> Option<(FamilySnapshot, Vec<Timestamp>)> {
        let family = self.families.read().get(name).map(Arc::clone)?;
        Some(family.snapshot_with_touches(now, &mut pause))
    }

    /// Finds the labels to blame in families that have begun to overflow since this was called last. Pauses as
    /// [`Self::snapshot_pausing`] does.
    pub fn blame(&self, mut pause: impl FnMut()) -> Vec<Overflowing> {
        let mut found = Vec::new();
        for family in self.overflowing_families() {
            if family.culprit().is_some() {
                continue;
            }
            let (snapshot, _) = family.snapshot_with_touches(Timestamp(0), &mut pause);
            let mut labels = snapshot.index.labels();
            let counts = distinct_values(std::iter::from_fn(|| labels.next().cloned()));
            let most = counts.into_iter().max_by(|(a, m), (b, n)| m.cmp(n).then(b.cmp(a)));
            // Without labels there is none to blame; the limit is one of all series.
            let (label, values) = most.unwrap_or_default();
            let culprit = family.blame(Culprit { label: label.into(), values }).clone();
            let (name, series) = (Arc::clone(family.name()), family.live());
            found.push(Overflowing { name, series, culprit });
        }
        found
    }

    /// Counts deltas that one of stands for.
    pub fn sample(&self, name: &str, deltas: u32) {
        if let Some(family) = self.families.read().get(name) {
            family.sample(deltas);
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

/// How many values each label has among label sets. Values are told apart by a hash of 64 bits.
pub fn distinct_values(sets: impl Iterator<Item = LabelSet>) -> HashMap<String, usize> {
    let hasher = RandomState::default();
    let mut values: HashMap<String, HashSet<u64>> = HashMap::new();
    for set in sets {
        for (name, value) in set.escaped() {
            if !values.contains_key(name) {
                values.insert(name.to_owned(), HashSet::default());
            }
            if let Some(values) = values.get_mut(name) {
                values.insert(hasher.hash_one(value));
            }
        }
    }
    values.into_iter().map(|(name, values)| (name, values.len())).collect()
}

fn facts(family: &Family) -> FamilyFacts {
    FamilyFacts {
        name: Arc::clone(family.name()),
        help: family.help(),
        kind: family.kind(),
        series: family.live(),
        overflowed: family.overflowed(),
        culprit: family.culprit().cloned(),
        deltas: family.sampled(),
    }
}
