//! What deltas come to that are relabeled, by what they were pushed as: rules are followed once for each series
//! that is pushed, and not for each delta. Of what is too many nothing is known: there may be room the next time.

use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::{SHARDS, fingerprint::Fingerprint, series::Series, shard_of};

/// Aliases of one shard beside one for each series: where as many are known, all of them are forgotten. Where rules
/// drop labels there may be more of them than series, without end, and they are in no limit of bytes. With so many,
/// and 512 series, a table of 4,096 slots of 25 bytes is full.
const ALIASES_PER_SHARD: usize = 3072;

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

    /// Notes what has been found out, while there are so many series.
    pub(super) fn put(&self, pushed: Fingerprint, alias: Alias, series: usize) {
        let Some(aliases) = self.0.get(shard_of(pushed)) else { return };
        let mut aliases = aliases.write();
        if let Ok(known) = aliases.find_entry(pushed.low, |(known, _)| *known == pushed) {
            known.remove();
        }
        if aliases.len() >= ALIASES_PER_SHARD + series / SHARDS {
            *aliases = HashTable::new();
        }
        aliases.insert_unique(pushed.low, (pushed, alias), |(known, _)| known.low);
    }

    /// Forgets those of series that are gone.
    pub(super) fn forget_gone(&self) {
        for aliases in &self.0 {
            let mut aliases = aliases.write();
            aliases.retain(|(_, alias)| match alias {
                Alias::Of(series) => !series.is_gone(),
                Alias::Dropped => true,
            });
            aliases.shrink_to_fit(|(known, _)| known.low);
        }
    }

    /// Aliases that there is memory for.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.0.iter().map(|shard| shard.read().capacity()).sum()
    }

    /// Forgets all of them: the rules are others.
    pub(super) fn forget_all(&self) {
        for aliases in &self.0 {
            *aliases.write() = HashTable::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Labels, registry::fingerprint::Fingerprinter};

    #[test]
    fn there_are_as_many_as_series_and_a_few() {
        let fingerprinter = Fingerprinter::new();
        for (series, most) in [(0, 196_608), (128_000, 324_608)] {
            let aliases = Aliases::new();
            let held = || aliases.0.iter().map(|shard| shard.read().len()).sum::<usize>();
            let pushed = |n: usize| fingerprinter.of(&n.to_string(), &Labels::default());
            let enough = most / 2;
            for n in 0..most * 3 / 2 {
                aliases.put(pushed(n), Alias::Dropped, series);
                assert!(n != enough || held() == enough + 1, "{series}: none is forgotten early");
            }
            let slots = aliases.slots();
            assert!(held() <= most && slots <= 2 * most, "{series}: {} in {slots}", held());
            aliases.forget_all();
            assert_eq!((held(), aliases.slots()), (0, 0));
        }
    }
}
