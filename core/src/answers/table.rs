//! Answers by key, and in their order.

use std::{collections::VecDeque, mem, sync::Arc};

use foldhash::HashMap;

use super::{Answered, Retention, TEXT_BYTES_MAX};
use crate::model::Timestamp;

/// Keys that are remembered.
#[derive(Default)]
pub(super) struct Table {
    by_key: HashMap<u128, Arc<Answered>>,
    /// The oldest first.
    in_order: VecDeque<Arc<Answered>>,
    /// How many of them, the last ones, no store has been told of.
    noted: usize,
    text_bytes: usize,
    /// The time up to which all has come.
    latest: Timestamp,
    evicted: u64,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn find(&self, key: u128) -> Option<&Arc<Answered>> {
        self.by_key.get(&key)
    }

    pub(super) fn forget_old(&mut self, now: Timestamp, retention: Retention) {
        self.latest = self.latest.max(now);
        let age = |answered: &Arc<Answered>| self.latest.0.saturating_sub(answered.at.0);
        let is_young = |answered: &Arc<Answered>| age(answered) < retention.window_millis;
        let old = self.in_order.iter().position(is_young).unwrap_or(self.in_order.len());
        for _ in 0..old {
            self.forget_first();
        }
    }

    /// Adds a key that is not there.
    pub(super) fn add(&mut self, answered: Answered, retention: Retention) {
        if answered.epoch > 0 {
            self.noted += 1;
        }
        self.evicted += self.push(answered, retention);
    }

    /// Adds one of which a store has been told, in the order of their times. A copy that is made while others are
    /// written may have it twice. Another one with its key had been driven out when it came.
    pub(super) fn restore(&mut self, answered: Answered, retention: Retention) {
        self.forget_old(answered.at, retention);
        if self.by_key.get(&answered.key).is_none_or(|known| **known != answered) {
            self.push(answered, retention);
        }
    }

    /// The last ones that were added in an epoch.
    pub(super) fn take_noted(&mut self) -> Vec<Arc<Answered>> {
        let told = self.in_order.len().saturating_sub(mem::take(&mut self.noted));
        self.in_order.iter().skip(told).cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<Arc<Answered>> {
        self.in_order.iter().cloned().collect()
    }

    /// Returns how many had to go for it.
    fn push(&mut self, answered: Answered, retention: Retention) -> u64 {
        self.latest = self.latest.max(answered.at);
        let answered = Arc::new(Answered { at: self.latest, ..answered });
        self.text_bytes += answered.answer.text_bytes();
        self.by_key.insert(answered.key, Arc::clone(&answered));
        self.in_order.push_back(answered);
        let mut gone = 0;
        while self.in_order.len() > retention.keys_max || self.text_bytes > TEXT_BYTES_MAX {
            self.forget_first();
            gone += 1;
        }
        gone
    }

    fn forget_first(&mut self) {
        if let Some(first) = self.in_order.pop_front() {
            if self.find(first.key).is_some_and(|last| Arc::ptr_eq(last, &first)) {
                self.by_key.remove(&first.key);
            }
            self.text_bytes -= first.answer.text_bytes();
            self.noted = self.noted.min(self.in_order.len());
        }
    }
}
