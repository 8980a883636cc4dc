//! A turn: what one message does to the registry, as a whole in one epoch.

use parking_lot::MutexGuard;

use super::{Applied, Known, Pass, Registry, Rejected};
use crate::{
    model::{Change, Delta, Timestamp},
    policy::Source,
};

/// While it is there, all that is applied by it falls into one epoch.
pub struct Turn<'a> {
    registry: &'a Registry,
    _pass: Option<MutexGuard<'a, ()>>,
}

impl Registry {
    /// The present epoch: what has been done by now falls into it, or into one before; 0 if nobody keeps a copy
    /// now.
    pub fn epoch(&self) -> u64 {
        self.journal.epoch()
    }

    /// Begins a message on the thread whose pass it is. A thread that holds one waits for itself with another.
    pub fn turn<'a>(&'a self, pass: &'a Pass) -> Turn<'a> {
        Turn { registry: self, _pass: self.journal.enter(pass) }
    }
}

impl Turn<'_> {
    /// Applies one delta, whole or not at all. `now` is the birth of the series if it is new.
    pub fn apply(
        &self,
        delta: &Delta<'_>,
        source: Source<'_>,
        now: Timestamp,
    ) -> Result<Applied, Rejected> {
        self.registry.apply_in_turn(delta, source, now)
    }

    /// Applies a change to the series of a delta seen before, as if that delta had come at `now` with this
    /// change and without an exemplar. `None` if that takes another look at the whole delta.
    pub fn apply_known(&self, known: &Known, change: &Change, now: Timestamp) -> Option<Applied> {
        self.registry.apply_known_in_turn(known, change, now)
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        self.registry
    }

    /// The epoch that this falls into; 0 if nobody keeps a copy now.
    pub fn epoch(&self) -> u64 {
        self.registry.epoch()
    }
}
