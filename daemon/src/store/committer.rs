//! The one thread that writes to the store.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Progress, Storage, Store, StoreError};
use crate::ingest::Ingest;

/// How long after a failure it is tried again for the first time; then twice as long each time.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// How long after a failure it is tried again at most.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Writes what changed.
pub struct Committer {
    storage: Arc<Storage>,
    is_to_end: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), StoreError>>,
}

struct Writer {
    ingest: Arc<Ingest>,
    store: Box<dyn Store>,
    storage: Arc<Storage>,
    interval: Duration,
    is_to_end: Arc<AtomicBool>,
    progress: Progress,
    /// When the last commit began.
    begun: Instant,
    retry: Duration,
}

impl Committer {
    /// Starts the thread. `store` has been loaded, and the registry of `ingest` restored from it. What changes is
    /// written `interval` after the last commit began, or at once if an acknowledgement waits for it.
    pub fn spawn(
        ingest: Arc<Ingest>,
        store: Box<dyn Store>,
        storage: Arc<Storage>,
        interval: Duration,
    ) -> io::Result<Self> {
        let is_to_end = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            ingest,
            store,
            storage: Arc::clone(&storage),
            interval,
            is_to_end: Arc::clone(&is_to_end),
            progress: Progress::default(),
            begun: Instant::now(),
            retry: RETRY_MIN,
        };
        let run = move || writer.run();
        let thread = thread::Builder::new().name("store".to_owned()).spawn(run)?;
        storage.set_writer(thread.thread().clone());
        Ok(Self { storage, is_to_end, thread })
    }

    /// Writes what is left, and ends. Nothing may change any more.
    pub fn end(self) -> Result<(), StoreError> {
        self.is_to_end.store(true, Relaxed);
        self.thread.thread().unpark();
        drop(self.storage);
        self.thread.join().unwrap_or(Err(StoreError::Failed))
    }
}

impl Writer {
    fn run(mut self) -> Result<(), StoreError> {
        while !self.is_to_end.load(Relaxed) {
            let wait = match self.progress.failure {
                None => self.interval,
                Some(_) => self.retry,
            };
            let left = wait.saturating_sub(self.begun.elapsed());
            let is_wanted = self.progress.failure.is_none() && self.storage.take_wanted();
            if !left.is_zero() && !is_wanted {
                thread::park_timeout(left);
                continue;
            }
            self.begun = Instant::now();
            let written = match self.progress.failure {
                None => self.commit().and_then(|()| self.copy_if_wanted()),
                Some(_) => self.recover(),
            };
            if let Err(error) = written {
                self.fail(&error);
            }
        }
        if self.progress.failure.is_none() {
            self.commit()?;
        }
        self.store.close()
    }

    /// Writes what changed, and reports it.
    fn commit(&mut self) -> Result<(), StoreError> {
        self.progress.committed = self.write()?;
        self.storage.report(self.progress.clone());
        Ok(())
    }

    /// Writes what changed, with the keys of the messages that changed it; returns the epoch.
    fn write(&mut self) -> Result<u64, StoreError> {
        let (registry, answers) = (self.ingest.registry(), self.ingest.answers());
        let (cut, noted) = registry.cut(|| answers.take_noted());
        let epoch = cut.epoch();
        self.store.commit(&mut cut.records().chain(noted.records()))?;
        Ok(epoch)
    }

    fn copy_if_wanted(&mut self) -> Result<(), StoreError> {
        if !self.store.wants_copy() {
            return Ok(());
        }
        match self.store.begin_copy().and_then(|()| self.copy()) {
            // What there is goes on: there may be no room for both.
            Err(error) if self.store.is_well() => {
                self.store.abandon_copy();
                tracing::warn!(%error, "cannot write -storage.path anew in less room: it goes on growing");
                Ok(())
            }
            copied => copied,
        }
    }

    /// Copies all there is, and commits meanwhile what has to be.
    fn copy(&mut self) -> Result<(), StoreError> {
        let ingest = Arc::clone(&self.ingest);
        // Before anything is committed beside the copy: so they are read back in their order.
        for piece in ingest.answers().all().records() {
            self.store.copy(&piece)?;
        }
        ingest.registry().all_records(|piece| {
            self.store.copy(piece)?;
            let is_due = self.begun.elapsed() >= self.interval || self.storage.take_wanted();
            if is_due && self.progress.failure.is_none() {
                self.begun = Instant::now();
                self.commit()?;
            }
            Ok(())
        })?;
        let committed = self.write()?;
        self.store.finish_copy()?;
        self.progress = Progress { committed, failure: None };
        self.storage.report(self.progress.clone());
        Ok(())
    }

    /// Nothing in the files is relied on from now on, and nothing is noted for them.
    fn fail(&mut self, error: &StoreError) {
        self.store.abandon_copy();
        match self.progress.failure {
            None => {
                self.retry = RETRY_MIN;
                tracing::error!(%error, "cannot write to -storage.path: what changes is in memory alone");
            }
            Some(_) => self.retry = (self.retry * 2).min(RETRY_MAX),
        }
        self.progress.failure = Some(error.to_string());
        // Known before anything falls into no epoch: that would be taken for what is on disk.
        self.storage.report(self.progress.clone());
        self.ingest.registry().suspend_journal();
    }

    /// Writes all there is anew.
    fn recover(&mut self) -> Result<(), StoreError> {
        self.store.begin_copy()?;
        self.ingest.registry().resume_journal();
        self.copy()?;
        tracing::info!("-storage.path can be written to again: all is on disk");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
