//! Families one at a time, for who wants to know of some series and not of all.

use std::{
    cmp::Ordering::{Equal, Greater, Less},
    collections::BTreeMap,
    ops::Bound,
    sync::Arc,
};

use super::Family;
use crate::{
    model::{Kind, LabelSet, Timestamp},
    registry::{Culprit, FamilyFacts, Registry},
    snapshot::{FamilySnapshot, Index},
};

/// A family that is looked at. It can be gone from the registry by now.
pub struct Inspected(Arc<Family>);

impl Registry {
    /// The families in the order of their names, from a name on.
    pub fn inspect(&self, from: Bound<&str>) -> Vec<Inspected> {
        let families = self.families.read();
        let from = families.range::<str, _>((from, Bound::Unbounded));
        from.map(|(_, family)| Inspected(Arc::clone(family))).collect()
    }
}

impl Family {
    /// What is known of it beside its series.
    pub(in crate::registry) fn facts(&self) -> FamilyFacts {
        FamilyFacts {
            name: Arc::clone(&self.name),
            help: self.help(),
            kind: self.kind(),
            series: self.live(),
            overflowed: self.overflowed(),
            culprit: self.excess.culprit(),
            deltas: self.sampled(),
        }
    }
}

/// The label to blame.
impl Family {
    /// Whether it is worth looking for it.
    pub(in crate::registry) fn is_to_be_judged(&self) -> bool {
        self.excess.is_due()
    }

    /// Finds it; `held` are the values of each label that series have. Says so if it is another one than before.
    pub(in crate::registry) fn judge(&self, held: &BTreeMap<String, usize>) -> Option<Culprit> {
        self.excess.judge(held)
    }
}

impl Inspected {
    /// The metric name.
    pub fn name(&self) -> &Arc<str> {
        self.0.name()
    }

    /// The kind of all its series.
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// What is known of it beside its series.
    pub fn facts(&self) -> FamilyFacts {
        self.0.facts()
    }

    /// Its series in the order of a page: shared, so that looking through it holds up nobody.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(self.0.settled().index())
    }

    /// What those of its series hold at `now` that have these labels, which come in the order of a page, and
    /// when the last delta came to each. Series that are gone are left out.
    pub fn values(&self, wanted: &[LabelSet], now: Timestamp) -> (FamilySnapshot, Vec<Timestamp>) {
        let mut index = Index::default();
        let mut values = self.0.no_values(wanted.len());
        let mut series = Vec::with_capacity(wanted.len());
        let sorted = self.0.settled();
        let mut wanted = wanted.iter().peekable();
        let mut labels = sorted.index().labels();
        for (held, &born) in sorted.series().iter().zip(sorted.index().born()) {
            let Some(labels) = labels.next() else { break };
            while wanted.next_if(|wanted| (*wanted).cmp(labels) == Less).is_some() {}
            match wanted.peek().map(|wanted| (*wanted).cmp(labels)) {
                Some(Equal) => {
                    index.push(labels, born);
                    held.read_into(&mut values, now);
                    series.push(Arc::clone(held));
                }
                Some(Greater | Less) => {}
                None => break,
            }
        }
        drop(sorted);
        let touched = series.iter().map(|series| series.touched()).collect();
        let snapshot = FamilySnapshot {
            name: Arc::clone(self.name()),
            help: self.0.help(),
            index: Arc::new(index),
            values,
            exemplars: self.0.exemplars(&series, &mut || ()),
        };
        (snapshot, touched)
    }
}
