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
    /// Hashes of the values of each label, of a few deltas since somebody looked last.
    sample: Mutex<BTreeMap<Box<str>, Vec<u64>>>,
    verdict: Mutex<Option<Verdict>>,
}

struct Verdict {
    culprit: Culprit,
    /// Deltas by then.
    at: u64,
}

impl Excess {
    /// Counts a delta; its labels are looked at if there is room for that.
    pub(super) fn record(&self, labels: &Labels<'_>, has_room: impl FnOnce() -> bool) {
        let before = self.deltas.fetch_add(1, Relaxed);
        let is_sampled = before < SAMPLED_FIRST || before.is_multiple_of(SAMPLED_FIRST);
        if !is_sampled || (before == 0 && !has_room()) {
            return;
        }
        let hasher = FixedState::default();
        let mut sample = self.sample.lock();
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
        let sample = std::mem::take(&mut *self.sample.lock());
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
