//! What outlives the process: records of all families and series, on disk.
//!
//! [`Store`] is what keeps them; [`log`] is the one we have. [`committer`] writes to it what changed, by one thread,
//! off the way of deltas.

pub mod committer;
pub mod disk;
pub mod log;
mod report;
mod state;
#[cfg(test)]
mod tests;
pub mod tool;

use std::{io, path::Path, time::Instant};

use pushprom_core::{answers::Answers, record::Record, registry::Registry, rules::Rules};
use rustix::io::Errno;

pub use committer::Committer;
pub use disk::{Disk, DiskFile, OsDisk};
use log::Log;
pub use state::{NotCommitted, Progress, Restoring, State, Storage};

use self::report::Report;
use crate::telemetry::StorageFault;

/// Keeps records, in the order in which they were written.
///
/// What [`Store::commit`] has returned from survives a crash and a power cut; what it was in the middle of does
/// whole or not at all. After it has failed, nothing that is kept is relied on, and all it does is fail, until
/// [`Store::finish_copy`] has returned: what is committed to a copy meanwhile is kept with it, and not before.
pub trait Store: Send {
    /// Hands out all records, piece by piece, in their order. Called once, before anything else; changes nothing.
    /// What is damaged is an error.
    fn load(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError>;

    /// Makes ready for what will be written. What was loaded is on disk from then on, and what was never committed is
    /// cut off.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Adds pieces of records as one.
    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError>;

    /// Whether what was committed is kept, and more can be.
    fn is_well(&self) -> bool;

    /// Whether what is kept could do with much less room, as a copy of what is live: so many series and answers. Or is on
    /// disk for sure only as a copy.
    fn wants_copy(&self, live: usize) -> bool;

    /// Begins a copy of everything. What is committed meanwhile goes there too.
    fn begin_copy(&mut self) -> Result<(), StoreError>;

    /// Adds a piece of records of what there is to the copy.
    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError>;

    /// Has the copy take the place of what was kept, on disk. What its pieces lack has been committed since it was
    /// begun. If this or the copy fails, what was kept may be well all the same. `live` as in
    /// [`Store::wants_copy`].
    fn finish_copy(&mut self, live: usize) -> Result<(), StoreError>;

    /// Gives the copy up, if there is one.
    fn abandon_copy(&mut self);

    /// Bytes that it takes.
    fn bytes(&self) -> u64;

    /// Says that nothing more comes, so that the next one to load it knows whether all is there.
    fn close(&mut self) -> Result<(), StoreError>;
}

/// Opens the store in a directory, and restores from it an empty registry, and what was answered; `storage` is told
/// how far that is.
pub fn open(
    path: &Path,
    registry: &Registry,
    answers: &Answers,
    rules: &Rules,
    storage: &Storage,
) -> Result<Box<dyn Store>, StoreError> {
    let disk = OsDisk::open(path.to_owned())?;
    let mut store = Box::new(Log::new(Box::new(disk)));
    restore(&mut *store, path, registry, answers, rules, storage)?;
    Ok(store)
}

/// Restores from a store that is in `path`, and makes it ready.
fn restore(
    store: &mut dyn Store,
    path: &Path,
    registry: &Registry,
    answers: &Answers,
    rules: &Rules,
    storage: &Storage,
) -> Result<(), StoreError> {
    let begun = Instant::now();
    let shown = path.display().to_string();
    let mut report = Report::new(storage, path);
    let mut restore = registry.restore(rules);
    let loaded = store.load(&mut |piece, is_settled| {
        for record in Record::all_in(piece) {
            let record = record.map_err(|error| error.to_string())?;
            if let Record::Answer(answer) = &record {
                answers.restore(answer);
            }
            restore.follow(&record, is_settled).map_err(|error| error.to_string())?;
        }
        report.read(piece.len(), restore.series());
        Ok(restore.series() + answers.keys())
    })?;
    let restored = restore.finish(|_| report.tell()).map_err(|error| StoreError::Damaged {
        path: shown.clone(),
        offset: 0,
        problem: error.to_string(),
    })?;
    store.begin()?;
    let (bytes, unfinished) = (loaded.bytes, loaded.unfinished);
    let (families, series) = (restored.families, restored.series);
    tracing::info!(path = shown, families, series, bytes, unfinished, took = ?begun.elapsed(), "restored");
    Ok(())
}

/// Takes records, and whether all that they are about must be known: see
/// [`pushprom_core::registry::Restore::follow`]. Returns what is live then, as [`Store::wants_copy`] counts it.
pub type TakePiece<'a> = dyn FnMut(&[u8], bool) -> Result<usize, String> + 'a;

/// What has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Bytes up to the end of the last commit.
    pub bytes: u64,
    /// Bytes after that: of one that had not ended.
    pub unfinished: u64,
    /// The number of the last commit.
    pub batch: u64,
    /// Whether it had been closed.
    pub is_closed: bool,
}

/// Why a store cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory is not there, or cannot be had.
    #[error("cannot use {path}: {error}{}", said_of(.error, &REMEDIES).unwrap_or_default())]
    NoDirectory {
        /// The directory.
        path: String,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
    /// The system does not let it.
    #[error("cannot {action} {path}: {error}{}", said_of(.error, &FILE_REMEDIES).unwrap_or_default())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: String,
        /// Why it failed.
        #[source]
        error: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another pushprom: end that one, or choose another -storage.path")]
    InUse {
        /// The directory.
        path: String,
    },
    /// What is there cannot be what was written.
    #[error(
        "{path} is damaged at byte {offset}: {problem}; it has been left as it is, see \
         pushprom storage repair"
    )]
    Damaged {
        /// The file.
        path: String,
        /// Where.
        offset: u64,
        /// In what way.
        problem: String,
    },
    /// What it follows is not there.
    #[error(
        "{path} is left of a store whose log is gone: put the log back, see pushprom storage repair, \
         or take another directory"
    )]
    Missing {
        /// The file that is left.
        path: String,
    },
    /// It is of a release that this one does not know.
    #[error(
        "{path} has version {version} of the format; this release reads {known}: use a newer one"
    )]
    Version {
        /// The file.
        path: String,
        /// The version it says.
        version: u32,
        /// The one we know.
        known: u32,
    },
    /// An earlier failure has not been mended.
    #[error("an earlier write failed")]
    Failed,
    /// The end has come, and what was begun can be done without.
    #[error("the end came first")]
    Ending,
    /// A fault of ours ended the thread that writes. It has been counted and logged.
    #[error("a fault of pushprom ended the writing, see its log: report it, and restart")]
    Panicked,
}

impl StoreError {
    /// What sort of a fault it is.
    pub fn fault(&self) -> StorageFault {
        match self {
            Self::NoDirectory { error, .. } | Self::Io { error, .. } => {
                said_of(error, &FAULTS).unwrap_or(StorageFault::Other)
            }
            Self::InUse { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::Version { .. }
            | Self::Failed
            | Self::Ending
            | Self::Panicked => StorageFault::Other,
        }
    }
}

/// What sort of a fault an error of the system is; others are [`StorageFault::Other`].
const FAULTS: [(Errno, StorageFault); 5] = [
    (Errno::NOSPC, StorageFault::Full),
    (Errno::DQUOT, StorageFault::Full),
    (Errno::FBIG, StorageFault::Full),
    (Errno::ROFS, StorageFault::ReadOnly),
    (Errno::IO, StorageFault::Io),
];

/// What to do about a directory that cannot be had.
const REMEDIES: [(Errno, &str); 7] = [
    (Errno::NOENT, ": make the directory that it is to be in"),
    (Errno::NOTDIR, ": name a directory, not a file"),
    (Errno::ACCESS, ": let the user of this process write there"),
    (Errno::PERM, ": let the user of this process write there"),
    (Errno::ROFS, ": mount it for writing, or choose another -storage.path"),
    (Errno::NOSPC, ": make room there"),
    (Errno::DQUOT, ": make room there"),
];

/// What to do about a file that cannot be had.
const FILE_REMEDIES: [(Errno, &str); 2] = [
    (Errno::ACCESS, ": let the user of this process read and write it"),
    (Errno::PERM, ": let the user of this process read and write it"),
];

/// What a table says of an error.
fn said_of<T: Copy>(error: &io::Error, table: &[(Errno, T)]) -> Option<T> {
    let code = error.raw_os_error()?;
    table.iter().find(|(errno, _)| errno.raw_os_error() == code).map(|(_, said)| *said)
}
