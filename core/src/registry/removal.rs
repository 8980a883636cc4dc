//! Series that go: because no delta came for long enough, or because somebody wants it so.
//!
//! A series is marked as gone first, by an atomic that each delta to it looks at: from then on a delta that
//! would be added to it begins a new one. Then it leaves the table, and at last the roster of its family. Marking
//! it decides; a delta that came before that moment went with it.

use std::{
    borrow::Cow,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use super::{Registry, family::Family, series::Series};
use crate::{
    model::{LabelSet, Timestamp},
    rules::Rules,
};

/// Series that are looked at, or removed, between two pauses: some hundred microseconds.
const SERIES_BETWEEN_PAUSES: usize = 1024;

/// What came of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// How many series were removed.
    pub series: usize,
    /// Whether all were looked at.
    pub is_complete: bool,
}

impl Registry {
    /// Removes the series that have expired at `now`; says how many. Calls `pause` every so often, with nothing
    /// locked that a delta to a known series waits for.
    pub fn expire(&self, now: Timestamp, mut pause: impl FnMut()) -> usize {
        let mut removed = 0;
        for family in self.all_families() {
            if family.may_expire() {
                let has_expired = |_: &LabelSet, series: &Arc<Series>| {
                    let has_expired =
                        series.has_expired(now) && self.change(series, |series| series.expire(now));
                    ControlFlow::Continue(has_expired)
                };
                removed += self.remove_from(&family, has_expired, &mut pause).series;
            }
        }
        self.forget_gone(removed);
        removed
    }

    /// Removes the series that `is_wanted` picks by the name of their family and their labels.
    /// `may_be_wanted` tells of a family whether any of its series could be. Either may end it by a break: then
    /// what was picked before is removed, and nothing else is looked at. Pauses as [`Self::expire`] does.
    pub fn delete(
        &self,
        may_be_wanted: impl Fn(&str) -> ControlFlow<(), bool>,
        is_wanted: impl Fn(&str, &LabelSet) -> ControlFlow<(), bool>,
        mut pause: impl FnMut(),
    ) -> Deleted {
        let mut deleted = Deleted { series: 0, is_complete: true };
        for family in self.all_families() {
            match may_be_wanted(family.name()) {
                ControlFlow::Continue(true) => {
                    let pick = |labels: &LabelSet, series: &Arc<Series>| {
                        is_wanted(family.name(), labels).map_continue(|is_wanted| {
                            is_wanted && self.change(series, Series::remove)
                        })
                    };
                    let of_family = self.remove_from(&family, pick, &mut pause);
                    deleted.series += of_family.series;
                    deleted.is_complete = of_family.is_complete;
                }
                ControlFlow::Continue(false) => {}
                ControlFlow::Break(()) => deleted.is_complete = false,
            }
            if !deleted.is_complete {
                break;
            }
        }
        self.forget_gone(deleted.series);
        deleted
    }

    /// Follows other rules from now on, where what has begun can: limits, help texts, expiry. Deltas follow
    /// those of their policy.
    pub fn follow(&self, rules: &Rules, mut pause: impl FnMut()) {
        self.aliases.forget_all();
        for family in self.all_families() {
            {
                let _pass = self.journal.enter(&self.pass);
                if family.follow(rules) {
                    self.journal.note_family(&family);
                }
            }
            let expiries = rules.expiries(family.name());
            if expiries.of_all() != Some(None) {
                family.set_may_expire();
            }
            // Looked at apart from the lock: a page would wait.
            let sorted = family.settled().clone();
            let mut labels = sorted.index().labels();
            for (place, series) in sorted.series().iter().enumerate() {
                if place % SERIES_BETWEEN_PAUSES == 0 {
                    pause();
                }
                series.set_expire_after(match expiries.of_all() {
                    Some(of_all) => of_all,
                    None => {
                        let Some(labels) = labels.next() else { break };
                        let labels: Vec<(Cow<'_, str>, Cow<'_, str>)> = labels.iter().collect();
                        let held = |label: &str| labels.iter().find(|(name, _)| name == label);
                        expiries.after(|label| held(label).map(|(_, value)| &**value))
                    }
                });
            }
        }
    }

    /// How often series have been removed: who remembers some looks through them when this changes.
    pub fn removals(&self) -> u64 {
        self.removals.load(Relaxed)
    }

    pub(super) fn all_families(&self) -> Vec<Arc<Family>> {
        self.families.read().values().map(Arc::clone).collect()
    }

    /// Removes those series of a family that `mark` has marked as gone, until it breaks off.
    fn remove_from(
        &self,
        family: &Arc<Family>,
        mark: impl Fn(&LabelSet, &Arc<Series>) -> ControlFlow<(), bool>,
        pause: &mut impl FnMut(),
    ) -> Deleted {
        let (mut marked, mut is_complete) = (Vec::new(), true);
        // As in `follow`: to look at each may take long.
        let sorted = family.settled().clone();
        let mut labels = sorted.index().labels();
        for (place, series) in sorted.series().iter().enumerate() {
            let Some(labels) = labels.next() else { break };
            match mark(labels, series) {
                ControlFlow::Continue(true) => marked.push(Arc::clone(series)),
                ControlFlow::Continue(false) => {}
                ControlFlow::Break(()) => {
                    is_complete = false;
                    break;
                }
            }
            if place % SERIES_BETWEEN_PAUSES == 0 {
                pause();
            }
        }
        drop(sorted);
        if marked.is_empty() {
            return Deleted { series: 0, is_complete };
        }
        family.record_gone();
        for some in marked.chunks(SERIES_BETWEEN_PAUSES) {
            self.take_out(family, some);
            pause();
        }
        // Now, not with the next scrape: there may be none.
        drop(family.settled());
        Deleted { series: marked.len(), is_complete }
    }

    /// Changes a series apart from any delta.
    fn change(&self, series: &Arc<Series>, change: impl FnOnce(&Series) -> bool) -> bool {
        let _pass = self.journal.enter(&self.pass);
        self.journal.touch(series);
        change(series)
    }

    /// Takes series that have been marked out of the table, and out of all counts.
    fn take_out(&self, family: &Family, marked: &[Arc<Series>]) {
        let _pass = self.journal.enter(&self.pass);
        let mut families = self.families.write();
        for series in marked {
            let fingerprint = series.fingerprint();
            let mut shard = self.shard(fingerprint).write();
            // Another one may have taken its place.
            if let Ok(held) = shard.find_entry(fingerprint.low, |held| Arc::ptr_eq(held, series)) {
                held.remove();
            }
            drop(shard);
            if let Some(holding) = series.holding() {
                self.clients.give_back(holding);
            }
            self.series_count.fetch_sub(1, Relaxed);
            if family.record_removal(series) == 0 {
                families.remove(family.name());
                self.journal.note_family_gone(family.id());
            }
        }
    }

    fn forget_gone(&self, removed: usize) {
        if removed > 0 {
            self.aliases.forget_gone();
            self.removals.fetch_add(1, Relaxed);
        }
    }
}
