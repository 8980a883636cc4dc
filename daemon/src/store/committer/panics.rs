//! A fault of ours in the thread that writes leaves nobody waiting.

use pushprom_core::{
    answers::Answers,
    registry::{Registry, SchemaConflicts},
};
use tokio::time::timeout;

use super::*;
use crate::store::{Loaded, NotCommitted, TakePiece};

const PATIENCE: Duration = Duration::from_secs(20);

/// A store with a fault in it.
struct Faulty;

impl Store for Faulty {
    fn load(&mut self, _: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        Ok(Loaded::default())
    }

    fn commit(&mut self, _: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        panic!("on purpose");
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_well(&self) -> bool {
        true
    }

    fn wants_copy(&self, _: usize) -> bool {
        false
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn copy(&mut self, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn finish_copy(&mut self, _: usize) -> Result<(), StoreError> {
        Ok(())
    }

    fn abandon_copy(&mut self) {}

    fn bytes(&self) -> u64 {
        0
    }

    fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_is_a_failure_for_good() {
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    let ingest = Arc::new(Ingest::new(registry, Answers::default(), Arc::default()));
    let storage: Arc<Storage> = Arc::default();
    storage.start();
    let (held, interval) = (Arc::clone(&storage), Duration::from_hours(1));
    let committer = Committer::spawn(Arc::clone(&ingest), Box::new(Faulty), held, interval);
    let told = timeout(PATIENCE, storage.committed(1)).await.expect("it is told in time");
    assert_eq!(told, Err(NotCommitted));
    let State::Failed(error) = storage.progress().state else { panic!("it has failed") };
    assert!(error.ends_with(&StoreError::Panicked.to_string()), "{error}");
    let ended = committer.expect("a thread").end();
    let ended = timeout(PATIENCE, ended).await.expect("it ends in time");
    assert!(matches!(ended, Err(StoreError::Panicked)), "{ended:?}");
}
