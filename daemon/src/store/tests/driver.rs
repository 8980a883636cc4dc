//! Writes to a log as the committer does, and knows what may be found in it at any time.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::disk::MemoryDisk;
use crate::store::{
    Loaded, Store, StoreError,
    log::{Log, Sizes},
};

/// What is kept, here: numbers by number, of which 0 is none.
pub(super) type State = BTreeMap<u64, u64>;

/// Every commit sets this one to another number.
const COUNTER: u64 = 0;

/// Small ones, so that a few numbers need several frames, and a few commits a copy.
pub(super) const SIZES: Sizes = Sizes { payload: 48, copy: 1500, sync: 400 };

/// What happens to a store.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Commit(Vec<(u8, u8)>),
    /// A copy, and what is committed between its pieces.
    Copy(Vec<Vec<(u8, u8)>>),
    Close,
    Kill,
}

pub(super) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    // As many as fill several sectors, now and then.
    let changes = || {
        let change = || (1_u8..24, 0_u8..4);
        prop_oneof![
            9 => proptest::collection::vec(change(), 0..6),
            1 => proptest::collection::vec(change(), 60..90),
        ]
    };
    let step = prop_oneof![
        8 => changes().prop_map(Step::Commit),
        2 => proptest::collection::vec(changes(), 0..4).prop_map(Step::Copy),
        1 => Just(Step::Close),
        1 => Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..most)
}

pub(super) fn piece(numbers: impl IntoIterator<Item = (u64, u64)>) -> Vec<u8> {
    let numbers = numbers.into_iter();
    numbers.flat_map(|(key, value)| [key, value].map(u64::to_le_bytes)).flatten().collect()
}

/// Reads a store to the end.
pub(super) fn load(store: &mut dyn Store) -> Result<(State, Loaded), StoreError> {
    let mut state = State::new();
    let loaded = store.load(&mut |piece, _| {
        let (numbers, rest) = piece.as_chunks::<16>();
        if !rest.is_empty() {
            return Err("a number is cut".to_owned());
        }
        for number in numbers {
            let (key, value) = number.split_at(8);
            let [key, value] =
                [key, value].map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
            match value {
                0 => state.remove(&key),
                value => state.insert(key, value),
            };
        }
        Ok(state.len())
    })?;
    Ok((state, loaded))
}

/// Who writes.
pub(super) struct Driver {
    pub(super) disk: MemoryDisk,
    store: Log,
    /// What should be kept.
    memory: State,
    commits: u64,
    /// How much had been done on the disk when a state was about to be kept, or was.
    history: Vec<(usize, Told, State)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Begun,
    Done,
}

impl Driver {
    /// On a disk, with what is there already.
    pub(super) fn new(disk: MemoryDisk) -> Self {
        let store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        let history = vec![(0, Told::Done, State::new())];
        Self { disk, store, memory: State::new(), commits: 0, history }
    }

    /// On an empty disk, after all of these.
    pub(super) fn after_all(steps: &[Step]) -> Self {
        let mut driver = Self::new(MemoryDisk::default());
        driver.open().unwrap();
        for step in steps {
            driver.run(step).unwrap();
        }
        driver
    }

    /// On a disk on which all may be found that may be there when no more had been done by `before` than that.
    pub(super) fn after(before: &Self, done: usize, disk: MemoryDisk) -> Self {
        let possible = before.possible(done).into_iter().cloned();
        let history = possible.map(|state| (0, Told::Begun, state)).collect();
        Self { history, commits: before.commits, ..Self::new(disk) }
    }

    /// What may be found on the disk when no more had been done than that.
    pub(super) fn possible(&self, done: usize) -> Vec<&State> {
        let mut possible = Vec::new();
        for (_, told, state) in self.history.iter().take_while(|(at, ..)| *at <= done) {
            if *told == Told::Done {
                possible.clear();
            }
            possible.push(state);
        }
        possible
    }

    /// Opens the store anew; what is found has to be possible.
    pub(super) fn open(&mut self) -> Result<(), StoreError> {
        self.store = Log::with_sizes(Box::new(self.disk.clone()), SIZES);
        let (found, _) = load(&mut self.store)?;
        assert!(self.possible(self.disk.done()).contains(&&found), "{found:?} was found");
        self.memory.clone_from(&found);
        self.store.begin()?;
        // Whoever asks from now on is told.
        self.tell(Told::Done);
        Ok(())
    }

    pub(super) fn run(&mut self, step: &Step) -> Result<(), StoreError> {
        match step {
            Step::Commit(changes) => self.commit(changes)?,
            Step::Copy(between) => self.copy(between)?,
            Step::Kill => return self.open(),
            Step::Close => {
                self.store.close()?;
                return self.open();
            }
        }
        if self.store.wants_copy(self.memory.len()) { self.copy(&[]) } else { Ok(()) }
    }

    fn commit(&mut self, changes: &[(u8, u8)]) -> Result<(), StoreError> {
        self.write(changes)?;
        self.tell(Told::Done);
        Ok(())
    }

    fn write(&mut self, changes: &[(u8, u8)]) -> Result<(), StoreError> {
        self.commits += 1;
        let changes = changes.iter().map(|&(key, value)| (key.into(), value.into()));
        let changes: Vec<(u64, u64)> = changes.chain([(COUNTER, self.commits)]).collect();
        for &(key, value) in &changes {
            match value {
                0 => self.memory.remove(&key),
                value => self.memory.insert(key, value),
            };
        }
        self.tell(Told::Begun);
        self.store.commit(&mut changes.chunks(2).map(|some| piece(some.iter().copied())))
    }

    fn tell(&mut self, told: Told) {
        self.history.push((self.disk.done(), told, self.memory.clone()));
    }

    /// As the committer does: what fails leaves a store that is well as it was.
    fn copy(&mut self, between: &[Vec<(u8, u8)>]) -> Result<(), StoreError> {
        match self.copy_all(between) {
            Err(_) if self.store.is_well() => {
                self.store.abandon_copy();
                Ok(())
            }
            other => other,
        }
    }

    fn copy_all(&mut self, between: &[Vec<(u8, u8)>]) -> Result<(), StoreError> {
        self.store.begin_copy()?;
        let mut between = between.iter();
        let keys: Vec<u64> = self.memory.keys().copied().collect();
        for keys in keys.chunks(5) {
            let some = keys.iter().filter_map(|key| Some((*key, *self.memory.get(key)?)));
            self.store.copy(&piece(some.collect::<Vec<_>>()))?;
            if let Some(changes) = between.next() {
                self.commit(changes)?;
            }
        }
        self.write(&[])?;
        self.store.finish_copy(self.memory.len())?;
        self.tell(Told::Done);
        Ok(())
    }

    /// After a failure: nothing is written but a copy of all there is.
    pub(super) fn recover(&mut self) -> Result<(), StoreError> {
        if !self.store.is_well() {
            let refused = self.store.commit(&mut [piece([(1, 1)])].into_iter());
            assert!(matches!(refused, Err(StoreError::Failed)), "{refused:?}");
            assert!(matches!(self.store.close(), Err(StoreError::Failed)));
        }
        self.copy_all(&[])
    }
}
