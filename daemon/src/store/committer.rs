//! The one thread that writes to the store.

mod backoff;

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use self::backoff::Backoff;
use super::{Progress, State, Storage, Store, StoreError};
use crate::{ingest::Ingest, notify, telemetry::Telemetry};

/// How long a commit that somebody waits for is put off, until as many wait as for the one before: many who push again
/// as soon as they are answered share one commit then, and one alone waits for nobody.
const GATHER_MAX: Duration = Duration::from_millis(1);

/// Writes what changed.
pub struct Committer {
    is_to_end: Arc<AtomicBool>,
    thread: Thread,
    ended: oneshot::Receiver<Result<(), StoreError>>,
}

/// What the thread does, a step at a time.
pub(super) struct Writer {
    ingest: Arc<Ingest>,
    store: Box<dyn Store>,
    storage: Arc<Storage>,
    interval: Duration,
    is_to_end: Arc<AtomicBool>,
    progress: Progress,
    /// When the last commit began.
    begun: Instant,
    /// Since when somebody waits, while it may be worth while to wait for more.
    gathering_since: Option<Instant>,
    /// Until what has failed is tried again.
    recovery: Backoff,
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
        ingest.telemetry().record_stored(store.bytes());
        let waiting = Arc::clone(&storage);
        let mut writer = Writer::new(ingest, store, storage, interval);
        let is_to_end = Arc::clone(&writer.is_to_end);
        let (tell, ended) = oneshot::channel();
        let run = move || {
            // Unwind safety: nothing is done with the store after a panic.
            let written = panic::catch_unwind(AssertUnwindSafe(|| writer.run()));
            // Who waits may have gone.
            tell.send(written.unwrap_or_else(|_| writer.give_up())).ok();
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(run)?;
        waiting.set_writer(thread.thread().clone());
        Ok(Self { is_to_end, thread: thread.thread().clone(), ended })
    }

    /// Writes what is left, and ends. What changes meanwhile may be lost.
    pub async fn end(self) -> Result<(), StoreError> {
        self.is_to_end.store(true, Relaxed);
        self.thread.unpark();
        self.ended.await.unwrap_or(Err(StoreError::Panicked))
    }
}

impl Writer {
    /// One that has written nothing yet: see [`Committer::spawn`].
    pub(super) fn new(
        ingest: Arc<Ingest>,
        store: Box<dyn Store>,
        storage: Arc<Storage>,
        interval: Duration,
    ) -> Self {
        Self {
            ingest,
            store,
            storage,
            interval,
            is_to_end: Arc::default(),
            progress: Progress { committed: 0, state: State::Ready },
            begun: Instant::now(),
            gathering_since: None,
            recovery: Backoff::default(),
        }
    }

    fn run(&mut self) -> Result<(), StoreError> {
        while !self.is_to_end.load(Relaxed) {
            let left = self.left(Instant::now());
            if !left.is_zero() {
                thread::park_timeout(left);
                continue;
            }
            self.write_or_recover();
            self.copy_if_wanted();
            self.storage.set_idle();
        }
        self.end()
    }

    /// How long it is until there is something to write.
    fn left(&mut self, now: Instant) -> Duration {
        if self.has_failed() {
            return self.recovery.left();
        }
        let left = self.interval.saturating_sub(now.saturating_duration_since(self.begun));
        match self.storage.waiting() {
            0 => left,
            waiting if waiting >= self.storage.enough() => Duration::ZERO,
            _ => {
                let since = *self.gathering_since.get_or_insert(now);
                left.min(GATHER_MAX.saturating_sub(now.saturating_duration_since(since)))
            }
        }
    }

    /// Writes what changed, or all there is if that has failed before; reports how it went.
    pub(super) fn write_or_recover(&mut self) {
        self.begun = Instant::now();
        self.gathering_since = None;
        let written = if self.has_failed() { self.recover() } else { self.commit() };
        if let Err(error) = written {
            self.fail(&error);
        }
    }

    /// Writes what is left, and closes the store.
    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        // What could not be written so far gets a last chance; what could needs no copy any more.
        if self.has_failed() {
            self.recover()?;
        } else {
            self.commit()?;
        }
        self.store.close()
    }

    fn has_failed(&self) -> bool {
        self.progress.state != State::Ready
    }

    /// Series and answers that there are.
    fn live(&self) -> usize {
        self.ingest.registry().series_count() + self.ingest.answers().keys()
    }

    fn telemetry(&self) -> &Telemetry {
        self.ingest.telemetry()
    }

    /// Writes what changed, and reports it.
    fn commit(&mut self) -> Result<(), StoreError> {
        let committed = self.write()?;
        self.report(Progress { committed, state: State::Ready });
        Ok(())
    }

    /// Writes what changed, with the keys of the messages that changed it; returns the epoch.
    fn write(&mut self) -> Result<u64, StoreError> {
        let begun = Instant::now();
        self.storage.set_busy();
        self.storage.take_waiting();
        let (registry, answers) = (self.ingest.registry(), self.ingest.answers());
        let (cut, noted) = registry.cut(|| answers.take_noted());
        let epoch = cut.epoch();
        let mut bytes = 0;
        let pieces = cut.records().chain(noted.records());
        let mut pieces = pieces.inspect(|piece| bytes += length(piece));
        self.store.commit(&mut pieces)?;
        drop(pieces);
        if bytes > 0 {
            self.telemetry().record_commit(bytes, begun.elapsed());
        }
        Ok(epoch)
    }

    /// Writes all there is anew, if that takes much less room; reports how it went.
    pub(super) fn copy_if_wanted(&mut self) {
        if self.has_failed() || !self.store.wants_copy(self.live()) {
            return;
        }
        match self.store.begin_copy().and_then(|()| self.copy()) {
            Err(StoreError::Ending) => self.store.abandon_copy(),
            // What there is goes on: there may be no room for both.
            Err(error) if self.store.is_well() => {
                self.store.abandon_copy();
                self.telemetry().record_storage_fault(error.fault());
                tracing::warn!(%error, "cannot write -storage.path anew in less room: it goes on growing");
            }
            Err(error) => self.fail(&error),
            Ok(()) => {}
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
            self.storage.set_busy();
            self.store.copy(piece)?;
            self.telemetry().record_copied_bytes(length(piece));
            let is_due = self.begun.elapsed() >= self.interval || self.storage.waiting() > 0;
            if self.is_to_end.load(Relaxed) && !self.has_failed() {
                return Err(StoreError::Ending);
            }
            if is_due && !self.has_failed() {
                self.begun = Instant::now();
                self.commit()?;
            }
            Ok(())
        })?;
        let committed = self.write()?;
        self.storage.set_busy();
        self.store.finish_copy(self.live())?;
        self.telemetry().record_copy();
        self.report(Progress { committed, state: State::Ready });
        Ok(())
    }

    fn report(&mut self, progress: Progress) {
        if progress.state == State::Ready {
            self.telemetry().record_stored(self.store.bytes());
        }
        self.progress = progress;
        self.storage.report(self.progress.clone());
    }

    /// Nothing in the files is relied on from now on, and nothing is noted for them.
    fn fail(&mut self, error: &StoreError) {
        self.store.abandon_copy();
        if self.recovery.fail() {
            tracing::error!(%error, "cannot write to -storage.path: what changes is in memory alone");
        }
        self.suspend(error);
    }

    /// Whoever waits for what was applied is told that it may be lost.
    fn suspend(&mut self, error: &StoreError) {
        self.telemetry().record_storage_fault(error.fault());
        let failure = format!("what changes is in memory alone: {error}");
        notify::status(&failure);
        self.report(Progress { state: State::Failed(failure), ..self.progress });
        // After that is known: what falls into no epoch would be taken for what is on disk.
        self.ingest.registry().suspend_journal();
    }

    /// After a panic nobody knows what the store was in the middle of: it is left as it is.
    fn give_up(&mut self) -> Result<(), StoreError> {
        let error = StoreError::Panicked;
        self.suspend(&error);
        Err(error)
    }

    /// Writes all there is anew.
    fn recover(&mut self) -> Result<(), StoreError> {
        self.store.begin_copy()?;
        self.ingest.registry().resume_journal();
        self.copy()?;
        self.recovery.end();
        notify::status("ready");
        tracing::info!("-storage.path can be written to again: all is on disk");
        Ok(())
    }
}

fn length(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod panics;
#[cfg(test)]
mod tests;
