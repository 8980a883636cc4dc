//! What any store does.

use std::{
    iter,
    sync::{Arc, Mutex},
};

use super::{
    disk::MemoryDisk,
    driver::{SIZES, State, load, piece},
};
use crate::store::{Loaded, OsDisk, Store, StoreError, TakePiece, log::Log};

/// Opens a store that is there, again and again.
type Open<'a> = &'a dyn Fn() -> Box<dyn Store>;

/// The simplest of all: pieces in memory.
#[derive(Default)]
struct Plain {
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    copy: Option<Vec<Vec<u8>>>,
    is_begun: bool,
}

impl Store for Plain {
    fn load(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        for piece in &*self.kept.lock().unwrap() {
            take(piece, false).unwrap();
        }
        Ok(Loaded::default())
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.is_begun = true;
        Ok(())
    }

    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        for piece in pieces.filter(|_| self.is_begun) {
            self.copy.iter_mut().for_each(|copy| copy.push(piece.clone()));
            self.kept.lock().unwrap().push(piece);
        }
        if self.is_begun { Ok(()) } else { Err(StoreError::Failed) }
    }

    fn is_well(&self) -> bool {
        self.is_begun
    }

    fn wants_copy(&self, _: usize) -> bool {
        false
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        self.copy = Some(Vec::new());
        Ok(())
    }

    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.copy.as_mut().ok_or(StoreError::Failed)?.push(piece.to_vec());
        Ok(())
    }

    fn finish_copy(&mut self, _: usize) -> Result<(), StoreError> {
        *self.kept.lock().unwrap() = self.copy.take().ok_or(StoreError::Failed)?;
        Ok(())
    }

    fn abandon_copy(&mut self) {
        self.copy = None;
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.is_begun = false;
        Ok(())
    }
}

/// Every store that there is, empty, with what opens it.
fn every(check: fn(Open<'_>)) {
    let kept = Arc::default();
    check(&|| Box::new(Plain { kept: Arc::clone(&kept), ..Plain::default() }));
    for sizes in [SIZES, crate::store::log::Sizes::default()] {
        let disk = MemoryDisk::default();
        check(&|| Box::new(Log::with_sizes(Box::new(disk.clone()), sizes)));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        check(&|| {
            let disk = OsDisk::open(path.clone()).expect("the one before is gone");
            Box::new(Log::with_sizes(Box::new(disk), sizes))
        });
    }
}

#[track_caller]
fn begun(open: Open<'_>, expected: &[(u64, u64)]) -> Box<dyn Store> {
    let mut store = open();
    let (found, _) = load(&mut *store).unwrap();
    assert_eq!(found, expected.iter().copied().collect::<State>());
    store.begin().unwrap();
    store
}

fn commit(store: &mut dyn Store, pieces: &[&[(u64, u64)]]) {
    let mut pieces = pieces.iter().map(|numbers| piece(numbers.iter().copied()));
    store.commit(&mut pieces).unwrap();
}

#[test]
fn what_is_committed_is_kept_in_its_order() {
    every(|open| {
        let mut store = begun(open, &[]);
        commit(&mut *store, &[&[(1, 1), (2, 2)], &[(1, 3)]]);
        commit(&mut *store, &[&[(2, 0), (3, 3)]]);
        drop(store);
        let mut store = begun(open, &[(1, 3), (3, 3)]);
        commit(&mut *store, &[&[(4, 4)]]);
        store.close().unwrap();
        drop(store);
        begun(open, &[(1, 3), (3, 3), (4, 4)]);
    });
}

#[test]
fn nothing_can_be_committed_before_it_is_begun_or_after_it_is_closed() {
    every(|open| {
        let refuses = |store: &mut dyn Store| {
            assert!(!store.is_well());
            let refused = store.commit(&mut iter::once(piece([(9, 9)])));
            assert!(matches!(refused, Err(StoreError::Failed)));
        };
        let mut store = open();
        refuses(&mut *store);
        drop(store);
        let mut store = begun(open, &[]);
        assert!(store.is_well());
        store.close().unwrap();
        refuses(&mut *store);
        drop(store);
        begun(open, &[]);
    });
}

#[test]
fn nothing_is_kept_of_nothing() {
    every(|open| {
        let mut store = begun(open, &[]);
        let before = store.bytes();
        commit(&mut *store, &[]);
        commit(&mut *store, &[&[]]);
        assert_eq!(store.bytes(), before);
    });
}

#[test]
fn a_copy_takes_the_place_of_what_was_kept() {
    every(|open| {
        let mut store = begun(open, &[]);
        for value in 1..100 {
            commit(&mut *store, &[&[(1, value), (2, value)]]);
        }
        let before = store.bytes();
        store.begin_copy().unwrap();
        store.copy(&piece([(1, 99)])).unwrap();
        // What is committed meanwhile is in the copy too, whatever its pieces say.
        commit(&mut *store, &[&[(1, 100), (3, 3)]]);
        store.copy(&piece([(2, 99)])).unwrap();
        store.finish_copy(3).unwrap();
        assert!(before == 0 || store.bytes() < before);
        commit(&mut *store, &[&[(4, 4)]]);
        drop(store);
        begun(open, &[(1, 100), (2, 99), (3, 3), (4, 4)]);
    });
}

#[test]
fn a_copy_that_is_given_up_changes_nothing() {
    every(|open| {
        let mut store = begun(open, &[]);
        commit(&mut *store, &[&[(1, 1)]]);
        store.begin_copy().unwrap();
        store.copy(&piece([(7, 7)])).unwrap();
        commit(&mut *store, &[&[(2, 2)]]);
        store.abandon_copy();
        assert!(store.copy(&piece([(7, 7)])).is_err());
        assert!(store.finish_copy(1).is_err());
        commit(&mut *store, &[&[(3, 3)]]);
        store.begin_copy().unwrap();
        store.copy(&piece([(7, 7)])).unwrap();
        drop(store);
        begun(open, &[(1, 1), (2, 2), (3, 3)]);
    });
}

#[test]
fn pieces_of_any_size_come_back() {
    every(|open| {
        let mut store = begun(open, &[]);
        let many: Vec<(u64, u64)> = (1..400_000).map(|key| (key, key)).collect();
        commit(&mut *store, &[&many[..7], &many[7..]]);
        drop(store);
        let mut store = begun(open, &many);
        store.begin_copy().unwrap();
        store.copy(&piece(many.iter().copied())).unwrap();
        store.finish_copy(many.len()).unwrap();
        drop(store);
        begun(open, &many);
    });
}

/// Only a copy is on disk for sure after a process that may have failed to sync.
#[test]
fn a_log_with_batches_that_was_not_closed_is_to_be_written_anew() {
    let disk = MemoryDisk::default();
    let begun = |expected: bool| {
        let mut store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        load(&mut store).unwrap();
        store.begin().unwrap();
        assert_eq!(store.wants_copy(2), expected);
        store
    };
    drop(begun(false));
    let mut store = begun(false);
    commit(&mut store, &[&[(1, 1)]]);
    assert!(!store.wants_copy(2));
    store.close().unwrap();
    let mut store = begun(false);
    commit(&mut store, &[&[(2, 2)]]);
    drop(store);
    // An end before that leaves it to the next start.
    begun(true).close().unwrap();
    let mut store = begun(true);
    store.begin_copy().unwrap();
    store.copy(&piece([(1, 1)])).unwrap();
    commit(&mut store, &[&[(2, 2)]]);
    assert!(store.wants_copy(2));
    store.finish_copy(2).unwrap();
    assert!(!store.wants_copy(2));
    drop(store);
    begun(false).close().unwrap();
    drop(begun(false));
}

#[test]
fn a_log_is_written_anew_when_it_has_grown() {
    let mut store = Log::with_sizes(Box::new(MemoryDisk::default()), SIZES);
    load(&mut store).unwrap();
    store.begin().unwrap();
    let mut most = 0;
    for value in 1..1000 {
        commit(&mut store, &[&[(1, value)]]);
        if store.wants_copy(1) {
            store.begin_copy().unwrap();
            store.copy(&piece([(1, value)])).unwrap();
            store.finish_copy(1).unwrap();
            assert!(!store.wants_copy(1));
        }
        most = most.max(store.bytes());
    }
    assert!(most < SIZES.copy + 100, "{most} bytes");
}

#[test]
fn a_log_is_written_anew_when_little_of_it_is_live() {
    let disk = MemoryDisk::default();
    let open = || Box::new(Log::with_sizes(Box::new(disk.clone()), SIZES)) as Box<dyn Store>;
    let many: Vec<(u64, u64)> = (1..=1000).map(|key| (key, key)).collect();
    let mut store = begun(&open, &[]);
    commit(&mut *store, &[&many]);
    assert!(store.wants_copy(many.len()), "what has come since the last copy is live");
    store.begin_copy().unwrap();
    store.copy(&piece(many.iter().copied())).unwrap();
    store.finish_copy(many.len()).unwrap();
    let live: Vec<(u64, u64)> = many.iter().copied().filter(|(key, _)| key % 4 == 0).collect();
    let gone: Vec<(u64, u64)> =
        many.iter().filter(|(key, _)| key % 4 != 0).map(|(key, _)| (*key, 0)).collect();
    let wants = |store: &dyn Store| [5000, 1000, 400, 250, 0].map(|live| store.wants_copy(live));
    assert_eq!(wants(&*store), [false, false, false, true, true]);
    commit(&mut *store, &[&gone]);
    assert_eq!(wants(&*store), [false, false, true, true, true]);
    store.close().unwrap();
    drop(store);
    let mut store = begun(&open, &live);
    assert_eq!(wants(&*store), [false, false, true, true, true]);
    store.begin_copy().unwrap();
    store.copy(&piece(live.iter().copied())).unwrap();
    store.finish_copy(live.len()).unwrap();
    assert!(store.bytes() < 2 * 16 * 250 + SIZES.copy, "{} bytes", store.bytes());
    assert!(!store.wants_copy(live.len()));
}
