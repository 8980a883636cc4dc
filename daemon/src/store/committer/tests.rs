//! What is written belongs together, through failures too.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize},
    task::{Context, Waker},
};

use parking_lot::Mutex;
use pushprom_core::{
    answers::{Answer, Answers},
    intake::{Broken, Intake, Taken, Terms},
    limits::Limits,
    model::{Key, Timestamp},
    policy::Policy,
    record::Record,
    registry::{Registry, SchemaConflicts},
    rules::Rules,
};
use tokio::{task::yield_now, time::timeout};

use super::*;
use crate::{
    ingest::Panicked,
    store::{Loaded, NotCommitted, TakePiece},
    telemetry::Transport,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A store in memory that can be told to fail.
#[derive(Clone, Default)]
struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_full: AtomicBool,
    /// A copy would take less room.
    is_grown: AtomicBool,
    copies_begun: AtomicUsize,
    copies_finished: AtomicUsize,
    records: Mutex<Vec<u8>>,
    copy: Mutex<Option<Vec<u8>>>,
}

impl Store for Memory {
    fn load(&mut self, _: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        for piece in pieces {
            if self.0.is_full.load(Relaxed) {
                return Err(StoreError::Failed);
            }
            self.0.records.lock().extend(&piece);
            self.0.copy.lock().iter_mut().for_each(|copy| copy.extend(&piece));
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_well(&self) -> bool {
        !self.0.is_full.load(Relaxed)
    }

    fn wants_copy(&self, _: usize) -> bool {
        self.0.is_grown.load(Relaxed)
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        self.0.copies_begun.fetch_add(1, Relaxed);
        *self.0.copy.lock() = Some(Vec::new());
        Ok(())
    }

    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        if self.0.is_full.load(Relaxed) {
            return Err(StoreError::Failed);
        }
        self.0.copy.lock().iter_mut().for_each(|copy| copy.extend(piece));
        Ok(())
    }

    fn finish_copy(&mut self, _: usize) -> Result<(), StoreError> {
        self.0.copies_finished.fetch_add(1, Relaxed);
        *self.0.records.lock() = self.0.copy.lock().take().ok_or(StoreError::Failed)?;
        Ok(())
    }

    fn abandon_copy(&mut self) {
        *self.0.copy.lock() = None;
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Memory {
    /// A way in as after a restart.
    fn restored(&self) -> Ingest {
        let (registry, answers) = (registry(), Answers::default());
        let rules = Rules::default();
        let mut restore = registry.restore(&rules);
        for record in Record::all_in(&self.0.records.lock()) {
            let record = record.expect("a record");
            if let Record::Answer(answer) = &record {
                answers.restore(answer);
            }
            restore.follow(&record, false).expect("it goes with those before it");
        }
        restore.finish(|_| ()).expect("a registry");
        Ingest::new(registry, answers, Arc::default())
    }
}

fn registry() -> Registry {
    Registry::journaled(SchemaConflicts::Adopt)
}

/// Counts one in a series of the key's own; what is answered, whether for the first time, and in which epoch.
fn push(ingest: &Ingest, name: &str) -> (Answer, bool, u64) {
    let delta = format!(r#"{{"type":"counter","name":"{name}","method":"inc"}}"#);
    let message = format!("[{delta},1]");
    let (policy, limits, now) = (Policy::default(), Limits::default(), Timestamp(1));
    let key = Key::new(name.into()).expect("a key");
    let terms =
        Terms { source: policy.source(), limits: &limits, broken: Broken::Refuse, key: Some(&key) };
    let (message, mut intake) = (message.as_bytes(), Intake::default());
    match ingest.message(&mut intake, message, Transport::Http, terms, now) {
        Ok(Taken::Anew(outcome)) => {
            let refused = outcome.refused.iter();
            let refused = refused.map(|(at, error)| (*at, error.to_string().into())).collect();
            let answer = Answer { deltas: outcome.deltas, applied: outcome.applied(), refused };
            (answer, true, outcome.epoch)
        }
        Ok(Taken::Again(answered)) => (answered.answer().clone(), false, answered.epoch()),
        Ok(Taken::Refused(error)) => panic!("{error}"),
        Err(Panicked) => panic!("a fault"),
    }
}

/// A store, and who writes to it.
struct Written {
    memory: Memory,
    ingest: Arc<Ingest>,
    storage: Arc<Storage>,
    committer: Committer,
}

impl Written {
    fn start() -> Self {
        let (memory, storage) = (Memory::default(), Arc::<Storage>::default());
        storage.start();
        let ingest = Arc::new(Ingest::new(registry(), Answers::default(), Arc::default()));
        let (store, interval) = (Box::new(memory.clone()), Duration::from_millis(1));
        let committer =
            Committer::spawn(Arc::clone(&ingest), store, Arc::clone(&storage), interval)
                .expect("a thread");
        Self { memory, ingest, storage, committer }
    }

    async fn on_disk(&self, epoch: u64) -> Result<(), NotCommitted> {
        timeout(PATIENCE, self.storage.committed(epoch)).await.expect("it is decided in time")
    }
}

#[tokio::test]
async fn a_key_is_written_with_its_message_through_a_failure() {
    let written = Written::start();
    let Written { memory, ingest, storage, .. } = &written;
    let on_disk = async |epoch| written.on_disk(epoch).await;
    let mut first = Vec::new();
    first.push(("before", push(ingest, "before")));
    assert_eq!(on_disk(first[0].1.2).await, Ok(()));
    memory.0.is_full.store(true, Relaxed);
    first.push(("not_written", push(ingest, "not_written")));
    let epoch = first[1].1.2;
    assert_eq!(on_disk(epoch).await, Err(NotCommitted));
    first.push(("meanwhile", push(ingest, "meanwhile")));
    // Whoever sends it again is told no more than the first time.
    assert_eq!(push(ingest, "not_written"), (first[1].1.0.clone(), false, epoch));
    assert_eq!(on_disk(epoch).await, Err(NotCommitted));
    memory.0.is_full.store(false, Relaxed);
    let is_well = async {
        while !storage.is_well() {
            yield_now().await;
        }
    };
    timeout(PATIENCE, is_well).await.expect("it is tried again in time");
    for (name, (answer, _, epoch)) in &first {
        assert_eq!(push(ingest, name), (answer.clone(), false, *epoch));
        assert_eq!(on_disk(*epoch).await, Ok(()), "{name}");
    }
    first.push(("after", push(ingest, "after")));
    assert_eq!(on_disk(first[3].1.2).await, Ok(()));
    let restored = memory.restored();
    assert_eq!(restored.registry().series_count(), 4);
    for (name, (answer, ..)) in &first {
        assert_eq!(push(&restored, name), (answer.clone(), false, 0), "{name}");
    }
    written.committer.end().await.expect("nothing is left to write");
}

#[test]
fn a_commit_waits_for_as_many_as_had_the_one_before() {
    let ingest = Arc::new(Ingest::new(registry(), Answers::default(), Arc::default()));
    let (storage, hour) = (Arc::<Storage>::default(), Duration::from_hours(1));
    let store = Box::new(Memory::default());
    let mut writer = Writer::new(Arc::clone(&ingest), store, Arc::clone(&storage), hour);
    let (mut wakeful, now) = (Context::from_waker(Waker::noop()), Instant::now());
    // Whoever waits has asked once.
    let mut wait = |name: &str| {
        let (.., epoch) = push(&ingest, name);
        let mut waiting = Box::pin(storage.committed(epoch));
        assert!(waiting.as_mut().poll(&mut wakeful).is_pending());
    };
    assert!(writer.left(now) > GATHER_MAX);
    wait("a");
    assert_eq!(writer.left(now), Duration::ZERO, "nobody else came the last time");
    wait("b");
    writer.write_or_recover();
    wait("c");
    assert_eq!(writer.left(now), GATHER_MAX);
    assert_eq!(writer.left(now + GATHER_MAX), Duration::ZERO, "not for ever");
    wait("d");
    assert_eq!(writer.left(now), Duration::ZERO);
}
