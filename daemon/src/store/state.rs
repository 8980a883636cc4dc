//! What the rest of the process knows of the store.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread::Thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::notify;

/// How far the store has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last epoch that is on disk with all before it.
    pub committed: u64,
    /// What can be expected of it now.
    pub state: State,
}

/// What can be expected of the store; of one that is in memory alone too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// What there was is not there yet as a whole.
    Starting(Restoring),
    /// What changes is written, if that is asked for.
    Ready,
    /// What changes cannot be written, for this reason. It is tried again.
    Failed(String),
}

/// How much has been restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restoring {
    /// Series so far.
    pub series: usize,
    /// Bytes read so far.
    pub bytes: u64,
    /// Bytes that there are to read.
    pub of: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::Starting(Restoring::default())
    }
}

impl fmt::Display for Restoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { series, bytes, of } = self;
        match of {
            0 => f.write_str("starting"),
            of => write!(f, "restoring: {series} series so far, {bytes} of {of} bytes"),
        }
    }
}

/// A store, as others see it.
pub struct Storage {
    progress: watch::Sender<Progress>,
    /// Whether [`State::Starting`] is over: what each request asks.
    has_started: AtomicBool,
    /// The thread that writes.
    writer: OnceLock<Thread>,
    /// How many wait for a commit that has not begun.
    waiting: AtomicUsize,
    /// How many of them the thread that writes is to be woken by.
    enough: AtomicUsize,
    /// Since when it has been at what it does now, if it does not wait for something to do.
    busy_since: Mutex<Option<Instant>>,
    /// How long that may take before it counts as hanging.
    patience: Duration,
}

/// What was applied may be lost: it could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCommitted;

/// The epoch of what nobody notes, because it cannot be written.
const UNNOTED: u64 = 0;

impl Default for Storage {
    /// One that is waited for without end.
    fn default() -> Self {
        Self::new(Duration::MAX)
    }
}

impl Storage {
    /// One to which a write may take as long as `patience`.
    pub fn new(patience: Duration) -> Self {
        Self {
            progress: watch::Sender::new(Progress::default()),
            has_started: AtomicBool::new(false),
            writer: OnceLock::new(),
            waiting: AtomicUsize::new(0),
            enough: AtomicUsize::new(1),
            busy_since: Mutex::new(None),
            patience,
        }
    }

    /// How long a write may take before it counts as hanging.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Whether it is being written to, and nothing has failed or hangs.
    pub fn is_well(&self) -> bool {
        self.progress.borrow().state == State::Ready && self.hangs_for().is_none()
    }

    /// For how long a write has been under way, if that is too long.
    pub fn hangs_for(&self) -> Option<Duration> {
        let since = *self.busy_since.lock();
        since.map(|since| since.elapsed()).filter(|busy| *busy >= self.patience)
    }

    /// Whether what there was is there.
    pub fn has_started(&self) -> bool {
        self.has_started.load(Acquire)
    }

    /// Returns when what there was is there.
    pub async fn started(&self) {
        let has_started = |it: &Progress| !matches!(it.state, State::Starting(_));
        // The sender is our own: it is there.
        self.progress.subscribe().wait_for(has_started).await.ok();
    }

    /// Says that what there was is there.
    pub fn start(&self) {
        self.has_started.store(true, Release);
        self.report(Progress { state: State::Ready, ..self.progress() });
    }

    /// Says how far the start has come.
    pub fn report_start(&self, restoring: Restoring) {
        notify::starting(&restoring);
        self.report(Progress { state: State::Starting(restoring), ..self.progress() });
    }

    /// Returns when an epoch is on disk. What fell into none came while nothing could be written, or has been read
    /// from the store: it is on disk if all is well.
    pub async fn committed(&self, epoch: u64) -> Result<(), NotCommitted> {
        let mut progress = self.progress.subscribe();
        let is_on_disk = |it: &Progress| match epoch {
            UNNOTED => it.state == State::Ready,
            epoch => it.committed >= epoch,
        };
        let is_decided = |it: &Progress| is_on_disk(it) || matches!(it.state, State::Failed(_));
        if !is_decided(&progress.borrow_and_update()) {
            self.ask();
        }
        let decided = progress.wait_for(is_decided).await.map_err(|_| NotCommitted)?;
        if is_on_disk(&decided) { Ok(()) } else { Err(NotCommitted) }
    }

    /// Has a commit begin without waiting for the next one that is due.
    fn ask(&self) {
        let waiting = self.waiting.fetch_add(1, Relaxed) + 1;
        if (waiting == 1 || waiting == self.enough.load(Relaxed))
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    pub(super) fn set_writer(&self, writer: Thread) {
        self.writer.set(writer).ok();
    }

    /// How many wait for a commit that has not begun.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// How many make a commit worth while: as many as waited for the one before.
    pub(super) fn enough(&self) -> usize {
        self.enough.load(Relaxed)
    }

    /// A commit begins for all who wait.
    pub(super) fn take_waiting(&self) {
        let waiting = self.waiting.swap(0, Relaxed);
        self.enough.store(waiting.max(1), Relaxed);
    }

    /// The thread that writes begins something that the disk has to do, or goes on with the next such thing.
    pub(super) fn set_busy(&self) {
        *self.busy_since.lock() = Some(Instant::now());
    }

    /// It waits for something to do.
    pub(super) fn set_idle(&self) {
        *self.busy_since.lock() = None;
    }

    pub(super) fn report(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fell_into_no_epoch_is_on_disk_while_all_is_well() {
        let storage = Storage::default();
        storage.start();
        assert_eq!(storage.committed(0).await, Ok(()));
        storage.report(Progress { committed: 7, state: State::Failed("full".to_owned()) });
        assert_eq!(storage.committed(0).await, Err(NotCommitted));
        assert_eq!(storage.committed(7).await, Ok(()));
        assert_eq!(storage.committed(8).await, Err(NotCommitted));
        storage.report(Progress { committed: 9, state: State::Ready });
        assert_eq!(storage.committed(0).await, Ok(()));
    }

    #[test]
    fn a_write_that_hangs_is_no_good() {
        let storage = Storage::new(Duration::ZERO);
        storage.start();
        assert!(storage.is_well());
        storage.set_busy();
        assert!(storage.hangs_for().is_some() && !storage.is_well());
        storage.set_idle();
        assert!(storage.hangs_for().is_none() && storage.is_well());
    }
}
