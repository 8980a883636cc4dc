//! When a request that changes something may be answered.

use std::sync::Arc;

use tokio::time::timeout;

use crate::store::{NotCommitted, Storage};

/// What has to be on disk before it is acknowledged; nothing, if that is not asked for.
#[derive(Clone)]
pub(super) struct Acks(Option<Arc<Storage>>);

impl Acks {
    /// Acknowledges what is in memory.
    pub(super) fn of_memory() -> Self {
        Self(None)
    }

    /// Acknowledges what is on disk.
    pub(super) fn of_commits(storage: &Arc<Storage>) -> Self {
        Self(Some(Arc::clone(storage)))
    }

    /// Whether what is done now could be acknowledged. If not it is better not done.
    pub(super) fn can_be_had(&self) -> bool {
        self.0.as_ref().is_none_or(|storage| storage.is_well())
    }

    /// Returns when what fell into an epoch and all before may be acknowledged, or the disk takes too long.
    pub(super) async fn wait_for(&self, epoch: u64) -> Result<(), NotCommitted> {
        match &self.0 {
            None => Ok(()),
            Some(storage) => {
                let committed = timeout(storage.patience(), storage.committed(epoch)).await;
                committed.unwrap_or(Err(NotCommitted))
            }
        }
    }
}
