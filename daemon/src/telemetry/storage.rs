//! What there is to know of a store, if there is one.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use pushprom_core::{
    atomic::AtomicBuckets,
    model::{Bounds, Kind, Layout, Readings, Value, count_as_f64},
    registry::Registry,
    snapshot::FamilySnapshot,
};

use super::{
    Counter, StorageFault, Telemetry,
    family::{counter, family, level, series},
};
use crate::clock;

/// How writing to the store goes.
pub(super) struct Storage {
    is_used: AtomicBool,
    commits: AtomicBuckets,
    copies: Counter,
    written_bytes: Counter,
    /// Bytes on disk.
    bytes: AtomicU64,
    /// Milliseconds of the clock when all that had changed was last on disk.
    succeeded: AtomicU64,
    faults: [Counter; StorageFault::ALL.len()],
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            is_used: AtomicBool::default(),
            commits: AtomicBuckets::new(&Layout::default()),
            copies: Counter::default(),
            written_bytes: Counter::default(),
            bytes: AtomicU64::default(),
            succeeded: AtomicU64::default(),
            faults: Default::default(),
        }
    }
}

impl Telemetry {
    /// There is a store, all that is known is in it, and it takes so many bytes.
    pub fn record_stored(&self, bytes: u64) {
        let storage = &self.storage;
        storage.bytes.store(bytes, Relaxed);
        storage.succeeded.store(clock::now().0, Relaxed);
        storage.is_used.store(true, Relaxed);
    }

    /// So many bytes of what had changed were committed, after this long.
    pub fn record_commit(&self, bytes: u64, took: Duration) {
        self.storage.written_bytes.add(bytes);
        let reading = Readings::one(took.as_secs_f64());
        self.storage.commits.observe(&reading, &Bounds::default());
    }

    /// So many bytes of a copy were written.
    pub fn record_copied_bytes(&self, bytes: u64) {
        self.storage.written_bytes.add(bytes);
    }

    /// A copy of all there is has taken the place of what was kept.
    pub fn record_copy(&self) {
        self.storage.copies.inc();
    }

    /// Something could not be written.
    pub fn record_storage_fault(&self, fault: StorageFault) {
        self.storage.faults[fault as usize].inc();
    }

    pub(super) fn families_of_the_store(
        &self,
        registry: &Registry,
        is_stored: bool,
    ) -> Vec<FamilySnapshot> {
        let storage = &self.storage;
        if !storage.is_used.load(Relaxed) {
            return Vec::new();
        }
        let commits = storage.commits.load(&Layout::default());
        let faults = StorageFault::ALL.into_iter().map(|fault| {
            let count = storage.faults[fault as usize].get();
            series(&[("kind", fault.as_str())], Value::Counter(count.into()))
        });
        let unsaved = u64::try_from(registry.unsaved_series()).unwrap_or(u64::MAX);
        vec![
            level(
                "pushprom_storage_healthy",
                "Whether what changes is written to -storage.path: 1, or 0 if that fails.",
                f64::from(u8::from(is_stored)),
            ),
            family(
                "pushprom_storage_commit_duration_seconds",
                "Time from the begin of a commit until it was on disk.",
                Kind::Histogram,
                [series(&[], Value::Histogram(commits))],
            ),
            counter(
                "pushprom_storage_copies_total",
                "Copies of all there is that took the place of what was kept.",
                &storage.copies,
            ),
            counter(
                "pushprom_storage_written_bytes_total",
                "Bytes of records written, those of copies among them.",
                &storage.written_bytes,
            ),
            level(
                "pushprom_storage_bytes",
                "Bytes that the store takes on disk.",
                count_as_f64(storage.bytes.load(Relaxed)),
            ),
            level(
                "pushprom_storage_unsaved_series",
                "Series that have changed since they were last written.",
                count_as_f64(unsaved),
            ),
            level(
                "pushprom_storage_last_success_timestamp_seconds",
                "When all that had changed was last on disk.",
                count_as_f64(storage.succeeded.load(Relaxed)) / 1000.0,
            ),
            family(
                "pushprom_storage_errors_total",
                "Failures to write to -storage.path, those of further tries among them.",
                Kind::Counter,
                faults,
            ),
        ]
    }
}
