//! What a store writes: what changed in an epoch, or all there is.

use std::{borrow::Cow, iter, sync::Arc};

use super::{Pass, Registry};

/// Series whose records are made in one go.
const SERIES_PER_PIECE: usize = 1024;

/// An epoch that has ended. What changed in it has to be captured before the next one does.
#[must_use = "what changed in it is forgotten otherwise"]
pub struct Cut<'a> {
    registry: &'a Registry,
    epoch: u64,
}

impl Registry {
    /// A pass for a thread that applies messages, until it is dropped.
    pub fn pass(&self) -> Arc<Pass> {
        self.journal.pass()
    }

    /// Ends the present epoch, when no message is in the middle of being applied. `also` is done at that
    /// instant. The one thread that writes to the store calls this.
    pub fn cut<T>(&self, also: impl FnOnce() -> T) -> (Cut<'_>, T) {
        let (epoch, also) = self.journal.cut(|_| also());
        (Cut { registry: self, epoch }, also)
    }

    /// Notes no changes from now on: they cannot be written.
    pub fn suspend_journal(&self) {
        self.journal.suspend();
    }

    /// Notes changes again. What has changed meanwhile is in [`Self::all_records`] alone.
    pub fn resume_journal(&self) {
        self.journal.resume();
    }

    /// Series that have changed since the last cut; all, if nobody notes which.
    pub fn unsaved_series(&self) -> usize {
        self.journal.noted().unwrap_or_else(|| self.series_count())
    }

    /// Makes records of all families and series, piece by piece: those of each as they are then. With what
    /// [`Self::cut`] captures afterwards they lead to the state at that cut. Ends early with what `take` fails with.
    pub fn all_records<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut bytes = Vec::new();
        let families = self.all_families();
        for family in &families {
            family.capture_into(&mut bytes);
        }
        take(&bytes)?;
        for family in families {
            // Looked at apart from the lock: a page would wait.
            let sorted = family.settled();
            let (index, all) = (Arc::clone(sorted.index()), sorted.series().to_vec());
            drop(sorted);
            let mut labels = index.labels();
            let mut born = index.born().iter();
            for piece in all.chunks(SERIES_PER_PIECE) {
                bytes.clear();
                for series in piece {
                    let (Some(labels), Some(&born)) = (labels.next(), born.next()) else { break };
                    // One that goes later than this is in what the next cut captures.
                    if !series.is_gone() {
                        let held: Vec<(Cow<'_, str>, Cow<'_, str>)> = labels.iter().collect();
                        let held = held.iter().map(|(name, value)| (&**name, &**value));
                        series.birth_into(held, born, &mut bytes);
                        series.capture_into(&mut bytes);
                    }
                }
                take(&bytes)?;
            }
        }
        Ok(())
    }
}

impl Cut<'_> {
    /// The number of the epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What changed in it, in records, piece by piece.
    pub fn records(self) -> impl Iterator<Item = Vec<u8>> {
        let journal = &self.registry.journal;
        let [families, gone] = journal.capture_families();
        let pieces = iter::once(families).chain(journal.capture_series()).chain(iter::once(gone));
        pieces.filter(|piece| !piece.is_empty())
    }
}
