//! What deltas come to that are relabeled, by what they were pushed as: rules are followed once for each series
//! that is pushed, and not for each delta.

use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::{SHARDS, fingerprint::Fingerprint, series::Series, shard_of};

/// Aliases of one shard: where as many are known, all of them are forgotten. There may be more of them than
/// series, without end, where rules drop labels.
const ALIASES_PER_SHARD_MAX: usize = 1 << 15;

/// A memory of what rules made of deltas.
pub(super) struct Aliases(Box<[RwLock<Shard>]>);

type Shard = HashTable<(Fingerprint, Alias)>;

/// What a pushed series comes to.
#[derive(Clone)]
pub(super) enum Alias {
    /// A series.
    Of(Arc<Series>),
    /// Nothing: a rule drops it.
    Dropped,
}

impl Aliases {
    /// None yet.
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| RwLock::default()).collect())
    }

    /// What has been found out.
    pub(super) fn find(&self, pushed: Fingerprint) -> Option<Alias> {
        let aliases = self.0.get(shard_of(pushed))?.read();
        aliases.find(pushed.low, |(known, _)| *known == pushed).map(|(_, alias)| alias.clone())
    }

    /// Notes what has been found out.
    pub(super) fn put(&self, pushed: Fingerprint, alias: Alias) {
        let Some(aliases) = self.0.get(shard_of(pushed)) else { return };
        let mut aliases = aliases.write();
        if let Ok(known) = aliases.find_entry(pushed.low, |(known, _)| *known == pushed) {
            known.remove();
        }
        if aliases.len() >= ALIASES_PER_SHARD_MAX {
            *aliases = HashTable::new();
        }
        aliases.insert_unique(pushed.low, (pushed, alias), |(known, _)| known.low);
    }

    /// Forgets those of series that are gone.
    pub(super) fn forget_gone(&self) {
        for aliases in &self.0 {
            aliases.write().retain(|(_, alias)| match alias {
                Alias::Of(series) => !series.is_gone(),
                Alias::Dropped => true,
            });
        }
    }

    /// Forgets all of them: the rules are others.
    pub(super) fn forget_all(&self) {
        for aliases in &self.0 {
            *aliases.write() = HashTable::new();
        }
    }
}
