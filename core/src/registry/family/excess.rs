//! What would have been series too many of a family: how many deltas, and which label is to blame.

use std::{
    collections::BTreeMap,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use foldhash::fast::FixedState;
use parking_lot::Mutex;

use super::Culprit;
use crate::model::Labels;

/// Deltas whose labels are all looked at; of later ones one in as many is.
const SAMPLED_FIRST: u64 = 64;

/// Labels of a delta that are looked at, and different values of each that are told apart.
const LABELS_MAX: usize = 16;
const VALUES_MAX: usize = 32;

/// Bytes that the sample of a family may take.
pub(super) const SAMPLE_BYTES: usize = LABELS_MAX * (VALUES_MAX * size_of::<u64>() + 256 + 64);

/// The deltas of a family that would have made a series too many.
#[derive(Default)]
pub(super) struct Excess {
    deltas: AtomicU64,
    /// `None` until there is room for it.
    sample: Mutex<Option<Sample>>,
    verdict: Mutex<Option<Verdict>>,
}

/// Hashes of the values of each label, of a few deltas since somebody looked last.
type Sample = BTreeMap<Box<str>, Vec<u64>>;

struct Verdict {
    culprit: Culprit,
    /// Deltas by then.
    at: u64,
}

impl Excess {
    /// Counts a delta; its labels are looked at if there is room for that, which `take_room` takes until it has.
    pub(super) fn record(&self, labels: &Labels<'_>, take_room: impl FnOnce() -> bool) {
        let before = self.deltas.fetch_add(1, Relaxed);
        let is_sampled = before < SAMPLED_FIRST || before.is_multiple_of(SAMPLED_FIRST);
        if !is_sampled {
            return;
        }
        let mut sample = self.sample.lock();
        if sample.is_none() && !take_room() {
            return;
        }
        let sample = sample.get_or_insert_default();
        let hasher = FixedState::default();
        for (name, value) in labels.iter() {
            if !sample.contains_key(name) {
                if sample.len() >= LABELS_MAX {
                    continue;
                }
                sample.insert(name.into(), Vec::new());
            }
            let Some(values) = sample.get_mut(name) else { continue };
            let hash = hasher.hash_one(value);
            if values.len() < VALUES_MAX && !values.contains(&hash) {
                values.push(hash);
            }
        }
    }

    /// How many deltas there were.
    pub(super) fn deltas(&self) -> u64 {
        self.deltas.load(Relaxed)
    }

    /// The label to blame, as of when somebody looked last.
    pub(super) fn culprit(&self) -> Option<Culprit> {
        self.verdict.lock().as_ref().map(|verdict| verdict.culprit.clone())
    }

    /// Whether it is worth looking: for the first time, or again after as many deltas.
    pub(super) fn is_due(&self) -> bool {
        let deltas = self.deltas();
        deltas > 0 && self.verdict.lock().as_ref().is_none_or(|verdict| deltas >= 2 * verdict.at)
    }

    /// Finds the label to blame: that of which what is too many has most values, and else that of which the series
    /// have most, which `held` says. Returns it if it is another one than before.
    pub(super) fn judge(&self, held: &BTreeMap<String, usize>) -> Option<Culprit> {
        // The room for it stays taken.
        let sample = self.sample.lock().as_mut().map(std::mem::take).unwrap_or_default();
        let held_of = |label: &str| held.get(label).copied().unwrap_or_default();
        let sampled = sample.iter().filter(|(_, values)| values.len() > 1);
        let sampled = sampled
            .max_by_key(|(label, values)| (values.len(), held_of(label)))
            .map(|(label, values)| (&**label, values.len() + held_of(label)));
        let most = sampled.or_else(|| {
            let most = held.iter().max_by_key(|(_, values)| **values)?;
            Some((most.0.as_str(), *most.1))
        });
        // Without labels there is none to blame; the limit is one of all series.
        let (label, values) = most.unwrap_or_default();
        let culprit = Culprit { label: label.into(), values };
        let mut verdict = self.verdict.lock();
        let is_other = verdict.as_ref().is_none_or(|old| old.culprit.label != culprit.label);
        *verdict = Some(Verdict { culprit: culprit.clone(), at: self.deltas() });
        is_other.then_some(culprit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::NameScheme;

    /// Labels are looked at from when there is room on, which is taken once; what is counted never waits for it.
    #[test]
    fn no_label_is_looked_at_without_room() {
        for refusals in [0, 1, 2, 63, 64, 65, 1000] {
            let (excess, mut asked, mut taken) = (Excess::default(), 0, 0);
            for value in 0..refusals + 128_u64 {
                let pairs = [("user".into(), value.to_string().into())].into_iter().collect();
                let labels = Labels::new(pairs, NameScheme::Legacy).unwrap();
                excess.record(&labels, || {
                    asked += 1;
                    taken += u32::from(value >= refusals);
                    value >= refusals
                });
                assert_eq!(excess.sample.lock().is_some(), taken > 0, "{refusals} {value}");
            }
            assert_eq!((excess.deltas(), taken), (refusals + 128, 1), "{refusals}");
            assert!(asked <= 1 + SAMPLED_FIRST + refusals / SAMPLED_FIRST, "{refusals}: {asked}");
            excess.judge(&BTreeMap::new());
            assert!(excess.sample.lock().is_some(), "its room stays taken");
        }
    }

    #[test]
    fn what_the_series_have_most_values_of_is_to_blame_without_room() {
        let excess = Excess::default();
        excess.record(&Labels::default(), || false);
        let held = BTreeMap::from([("path".to_owned(), 3), ("user".to_owned(), 9)]);
        let want = Culprit { label: "user".into(), values: 9 };
        assert_eq!(excess.judge(&held), Some(want));
    }
}
