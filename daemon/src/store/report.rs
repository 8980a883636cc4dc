//! How far a start has come, for those who wait for it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use super::{Restoring, Storage, log};

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
        let restoring = Restoring { of: log_bytes(path), ..Restoring::default() };
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

/// Bytes of the log in a directory that will be read; none where there is none, or it cannot be looked at.
fn log_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let newest = log::newest(names.iter().map(String::as_str));
    newest.and_then(|name| fs::metadata(path.join(name)).ok()).map_or(0, |log| log.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_log_that_is_read() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(log_bytes(directory.path()), 0);
        for (name, bytes) in [
            ("0000000001.damaged", 500),
            ("0000000002.closed", 300),
            ("0000000003.log", 20),
            ("0000000004.new", 400),
            ("else", 600),
        ] {
            fs::write(directory.path().join(name), vec![0; bytes]).unwrap();
        }
        assert_eq!(log_bytes(directory.path()), 20);
    }
}
