//! How far a start has come, for those who wait for it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{Restoring, Storage};

/// How often it is told to who asks.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// How often it is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// Tells of a restore while it goes on.
pub(super) struct Report<'a> {
    storage: &'a Storage,
    restoring: Restoring,
    reported: Instant,
    logged: Instant,
}

impl<'a> Report<'a> {
    /// Of one from a directory, which has begun now.
    pub(super) fn new(storage: &'a Storage, path: &Path) -> Self {
        let restoring = Restoring { of: longest_file_bytes(path), ..Restoring::default() };
        storage.report_start(restoring);
        let now = Instant::now();
        Self { storage, restoring, reported: now, logged: now }
    }

    /// More bytes have been read; so many series are there now.
    pub(super) fn read(&mut self, bytes: usize, series: usize) {
        self.restoring.bytes += u64::try_from(bytes).unwrap_or_default();
        self.restoring.series = series;
        self.tell();
    }

    /// Tells how far it is, if it is time to.
    pub(super) fn tell(&mut self) {
        if self.reported.elapsed() < REPORT_INTERVAL {
            return;
        }
        self.reported = Instant::now();
        self.storage.report_start(self.restoring);
        if self.logged.elapsed() >= LOG_INTERVAL {
            self.logged = self.reported;
            let Restoring { series, bytes, of } = self.restoring;
            tracing::info!(series, bytes, of, "restoring");
        }
    }
}

/// Bytes of the longest file in a directory. There is one, but for what is left of a copy.
fn longest_file_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let lengths = entries.filter_map(|entry| Some(entry.metadata().ok()?.len()));
    lengths.max().unwrap_or_default()
}
