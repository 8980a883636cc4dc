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

    /// Returns when an epoch is on disk. What fell into none came while nothing could be written, or has been read
    /// from the store: it is on disk if all is well.
    pub async fn committed(&self, epoch: u64) -> Result<(), NotCommitted> {
        let mut progress = self.progress.subscribe();
        let is_on_disk = |it: &Progress| match epoch {
            0 => it.failure.is_none(),
            epoch => it.committed >= epoch,
        };
        let is_decided = |it: &Progress| is_on_disk(it) || it.failure.is_some();
        if !is_decided(&progress.borrow_and_update()) {
            self.ask();
        }
        let decided = progress.wait_for(is_decided).await.map_err(|_| NotCommitted)?;
        if is_on_disk(&decided) { Ok(()) } else { Err(NotCommitted) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fell_into_no_epoch_is_on_disk_while_all_is_well() {
        let storage = Storage::default();
        assert_eq!(storage.committed(0).await, Ok(()));
        storage.report(Progress { committed: 7, failure: Some("full".to_owned()) });
        assert_eq!(storage.committed(0).await, Err(NotCommitted));
        assert_eq!(storage.committed(7).await, Ok(()));
        assert_eq!(storage.committed(8).await, Err(NotCommitted));
        storage.report(Progress { committed: 9, failure: None });
        assert_eq!(storage.committed(0).await, Ok(()));
    }
}
