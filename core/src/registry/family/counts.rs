//! How many series a family has, and what becomes of them.

use std::sync::atomic::{Ordering, Ordering::Relaxed};

use super::{Family, excess::SAMPLE_BYTES};
use crate::{
    model::Labels,
    registry::{
        room::Ledger,
        series::{Role, Series},
    },
};

impl Family {
    pub(in crate::registry) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Series that are there.
    pub(in crate::registry) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// The limit of series, if it is reached.
    pub(in crate::registry) fn reached_limit(&self) -> Option<usize> {
        let limit = self.limit.load(Relaxed);
        (self.live() >= limit.saturating_add(self.overflow_series.load(Relaxed))).then_some(limit)
    }

    /// One of its series takes what others would be too many.
    pub(in crate::registry) fn record_overflow_series(&self) {
        self.overflow_series.fetch_add(1, Relaxed);
    }

    /// A delta with these labels would have made a series too many; all may take `bytes_max` bytes.
    pub(in crate::registry) fn record_overflow(&self, labels: &Labels<'_>, bytes_max: usize) {
        self.excess.record(labels, || {
            let has_room = self.ledger.take(SAMPLE_BYTES, bytes_max);
            if has_room {
                self.charged.fetch_add(SAMPLE_BYTES, Relaxed);
            }
            has_room
        });
    }

    /// Deltas that would have made a series too many.
    pub(in crate::registry) fn overflowed(&self) -> u64 {
        self.excess.deltas()
    }

    /// Counts deltas of which one has been looked at.
    pub(in crate::registry) fn sample(&self, deltas: u32) {
        self.sampled.fetch_add(u64::from(deltas), Relaxed);
    }

    /// Deltas so far, estimated.
    pub(in crate::registry) fn sampled(&self) -> u64 {
        self.sampled.load(Relaxed)
    }

    /// Some of its series expire.
    pub(in crate::registry) fn set_may_expire(&self) {
        self.may_expire.store(true, Relaxed);
    }

    /// Whether series may expire.
    pub(in crate::registry) fn may_expire(&self) -> bool {
        self.may_expire.load(Relaxed)
    }

    /// A series has been removed; says how many are left. The caller holds all families.
    pub(in crate::registry) fn record_removal(&self, series: &Series) -> usize {
        match series.role() {
            Role::Ordinary => {}
            Role::Overflow => {
                self.overflow_series.fetch_sub(1, Relaxed);
            }
        }
        self.live.fetch_sub(1, Relaxed).saturating_sub(1)
    }

    /// Series have been marked as gone.
    pub(in crate::registry) fn record_gone(&self) {
        self.has_gone.store(true, Ordering::Release);
    }
}
