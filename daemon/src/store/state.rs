//! What the rest of the process knows of the store.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::Thread,
};

use tokio::sync::watch;

/// How far the store has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last epoch that is on disk with all before it.
    pub committed: u64,
    /// What keeps it from going on, if something does.
    pub failure: Option<String>,
}

/// A store that is being written to, as others see it.
pub struct Storage {
    progress: watch::Sender<Progress>,
    /// The thread that writes.
    writer: OnceLock<Thread>,
    is_wanted: AtomicBool,
}

/// What was applied may be lost: it could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCommitted;

impl Default for Storage {
    fn default() -> Self {
        let progress = watch::Sender::new(Progress::default());
        Self { progress, writer: OnceLock::new(), is_wanted: AtomicBool::new(false) }
    }
}

impl Storage {
    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Whether it is being written to, and nothing has failed.
    pub fn is_well(&self) -> bool {
        self.progress.borrow().failure.is_none()
    }

    /// Returns when an epoch is on disk.
    pub async fn committed(&self, epoch: u64) -> Result<(), NotCommitted> {
        let mut progress = self.progress.subscribe();
        let is_decided = |it: &Progress| it.committed >= epoch || it.failure.is_some();
        if !is_decided(&progress.borrow_and_update()) {
            self.ask();
        }
        let decided = progress.wait_for(is_decided).await.map_err(|_| NotCommitted)?;
        if decided.committed >= epoch { Ok(()) } else { Err(NotCommitted) }
    }

    /// Has a commit begin without waiting for the next one that is due.
    fn ask(&self) {
        if !self.is_wanted.swap(true, Relaxed)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    pub(super) fn set_writer(&self, writer: Thread) {
        self.writer.set(writer).ok();
    }

    /// Whether a commit was asked for since this was.
    pub(super) fn take_wanted(&self) -> bool {
        self.is_wanted.swap(false, Relaxed)
    }

    pub(super) fn report(&self, progress: Progress) {
        self.progress.send_replace(progress);
    }
}
