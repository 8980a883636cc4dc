//! The room that series take: bytes of all, and series of each client.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use crate::policy::Client;

/// Bytes that families and series take, as estimated from the most that each may grow to.
#[derive(Default)]
pub(super) struct Ledger(AtomicUsize);

impl Ledger {
    /// Bytes taken now.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Takes bytes, unless they would be more than `max` then; says whether it did.
    pub(super) fn take(&self, bytes: usize, max: usize) -> bool {
        let take = |held: usize| held.checked_add(bytes).filter(|held| *held <= max);
        self.0.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Gives bytes back.
    pub(super) fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Relaxed);
    }
}

/// Clients that hold series while there is a limit for them: as many as there are series at most.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<Key, Arc<Holding>>>);

/// A client, kept.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(u128),
    Unix,
    Principal(Box<str>),
    User(Box<str>),
}

/// The series that a client began.
pub(super) struct Holding {
    key: Key,
    series: AtomicUsize,
}

impl Clients {
    /// Series that a client holds.
    pub(super) fn series_of(&self, client: Client<'_>) -> usize {
        let holdings = self.0.lock();
        let holding = Key::of(client).and_then(|key| holdings.get(&key).map(Arc::clone));
        holding.map_or(0, |holding| holding.series.load(Relaxed))
    }

    /// Notes one series more of a client. `None` for one in the name of nobody.
    pub(super) fn take(&self, client: Client<'_>) -> Option<Arc<Holding>> {
        let key = Key::of(client)?;
        let mut holdings = self.0.lock();
        let new = || Arc::new(Holding { key: key.clone(), series: AtomicUsize::new(0) });
        let holding = holdings.entry(key.clone()).or_insert_with(new);
        holding.series.fetch_add(1, Relaxed);
        Some(Arc::clone(holding))
    }

    /// One series of a holding is gone. A holding of none is forgotten.
    pub(super) fn give_back(&self, holding: &Holding) {
        let mut holdings = self.0.lock();
        if holding.series.fetch_sub(1, Relaxed) == 1 {
            holdings.remove(&holding.key);
        }
    }

    /// Clients that hold series.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }
}

impl Holding {
    /// Whose it is.
    pub(super) fn client(&self) -> Client<'_> {
        match &self.key {
            Key::Address(address) => Client::Address(*address),
            Key::Principal(name) => Client::Principal(name),
            Key::Unix => Client::Unix,
            Key::User(name) => Client::User(name),
        }
    }
}

impl Key {
    fn of(client: Client<'_>) -> Option<Self> {
        match client {
            Client::Unnamed => None,
            Client::Address(address) => Some(Self::Address(address)),
            Client::Unix => Some(Self::Unix),
            Client::Principal(name) => Some(Self::Principal(name.into())),
            Client::User(name) => Some(Self::User(name.into())),
        }
    }
}
