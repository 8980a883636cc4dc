//! A disk in memory: it notes what is done to it, fails when it is told to, and knows what a power cut would leave.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::store::{Disk, DiskFile};

/// Bytes that are on disk or are not, as one.
const SECTOR: usize = 512;

/// The disk. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
    /// What it began with.
    image: Image,
    done: Vec<Operation>,
    fault: Option<Fault>,
    has_failed: bool,
}

/// What was done.
#[derive(Clone, Debug)]
enum Operation {
    Create(String, usize),
    Append(usize, Vec<u8>),
    Truncate(usize, usize),
    Sync(usize),
    Rename(String, String),
    Remove(String),
    SyncNames,
}

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// So many operations are done before.
    pub(super) after: usize,
    /// What the system says then: EIO or ENOSPC.
    pub(super) code: i32,
    /// Of an append that fails, so many bytes are written all the same.
    pub(super) short: usize,
    /// Whether it is mended after that.
    pub(super) is_over: bool,
}

/// Numbers that follow from a seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides.max(1)).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % sides).unwrap()
    }
}

impl MemoryDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// How much has been done.
    pub(super) fn done(&self) -> usize {
        self.state().done.len()
    }

    pub(super) fn fail(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// Whether something has gone wrong.
    pub(super) fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// Whether something is to go wrong.
    pub(super) fn is_to_fail(&self) -> bool {
        self.state().fault.is_some()
    }

    pub(super) fn mend(&self) {
        self.state().fault = None;
    }

    /// All files.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(name, &file)| (name.clone(), state.files[file].clone())).collect()
    }

    /// A disk with these files, all of which are on it.
    pub(super) fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut state = State::default();
        for (name, bytes) in files {
            state.names.insert(name, state.files.len());
            state.image.files.push(Content { synced: bytes.clone(), seen: bytes.clone() });
            state.files.push(bytes);
        }
        state.image.names.clone_from(&state.names);
        state.image.seen.clone_from(&state.names);
        Self(Arc::new(Mutex::new(state)))
    }

    /// A disk as it may be found when the power was cut after so many operations.
    pub(super) fn after_power_cut(&self, done: usize, dice: &mut Dice) -> Self {
        let state = self.state();
        let mut image = state.image.clone();
        for operation in &state.done[..done] {
            image.follow(operation);
        }
        Self::with(image.found(dice))
    }

    /// Does something to a file or its name, unless it is to fail.
    fn act(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        if let Some(fault) = state.fault
            && state.done.len() >= fault.after
        {
            state.has_failed = true;
            if fault.is_over {
                state.fault = None;
            }
            if let Operation::Append(file, bytes) = operation {
                let some = bytes[..fault.short.min(bytes.len())].to_vec();
                state.files[file].extend(&some);
                state.done.push(Operation::Append(file, some));
            }
            return Err(io::Error::from_raw_os_error(fault.code));
        }
        match &operation {
            Operation::Create(name, file) => {
                if *file == state.files.len() {
                    state.files.push(Vec::new());
                }
                state.files[*file].clear();
                state.names.insert(name.clone(), *file);
            }
            Operation::Append(file, bytes) => state.files[*file].extend(bytes),
            Operation::Truncate(file, len) => state.files[*file].truncate(*len),
            Operation::Rename(from, to) => {
                let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
                state.names.insert(to.clone(), file);
            }
            Operation::Remove(name) => {
                state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
            }
            Operation::Sync(_) | Operation::SyncNames => {}
        }
        state.done.push(operation);
        Ok(())
    }

    fn file(&self, name: &str) -> io::Result<usize> {
        Ok(*self.state().names.get(name).ok_or(io::ErrorKind::NotFound)?)
    }
}

impl Disk for MemoryDisk {
    fn path(&self, name: &str) -> String {
        format!("/memory/{name}")
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let file = self.file(name)?;
        Ok(Box::new(Cursor::new(self.state().files[file].clone())))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.file(name).unwrap_or(self.state().files.len());
        self.act(Operation::Create(name.to_owned(), file))?;
        Ok(Box::new(MemoryFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(MemoryFile { disk: self.clone(), file: self.file(name)? }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.act(Operation::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.act(Operation::Remove(name.to_owned()))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.act(Operation::SyncNames)
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    file: usize,
}

impl DiskFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.act(Operation::Append(self.file, bytes.to_vec()))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.act(Operation::Sync(self.file))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.disk.act(Operation::Truncate(self.file, usize::try_from(len).unwrap()))
    }
}

/// What is on disk, and what may be.
#[derive(Clone, Default)]
struct Image {
    names: BTreeMap<String, usize>,
    /// What happened to names since they were synced; each may be on disk or not.
    pending: Vec<Edit>,
    /// Names as the process sees them.
    seen: BTreeMap<String, usize>,
    files: Vec<Content>,
}

#[derive(Clone)]
struct Edit {
    removed: Option<String>,
    added: Option<(String, usize)>,
}

#[derive(Clone, Default)]
struct Content {
    synced: Vec<u8>,
    /// As the process sees it.
    seen: Vec<u8>,
}

impl Image {
    fn follow(&mut self, operation: &Operation) {
        match operation {
            Operation::Create(name, file) => {
                self.files.resize(self.files.len().max(file + 1), Content::default());
                self.files[*file].seen.clear();
                self.edit(None, Some((name.clone(), *file)));
            }
            Operation::Append(file, bytes) => self.files[*file].seen.extend(bytes),
            Operation::Truncate(file, len) => self.files[*file].seen.truncate(*len),
            Operation::Sync(file) => {
                let content = &mut self.files[*file];
                content.synced.clone_from(&content.seen);
            }
            Operation::Rename(from, to) => {
                let added = Some((to.clone(), self.seen[from]));
                self.edit(Some(from.clone()), added);
            }
            Operation::Remove(name) => self.edit(Some(name.clone()), None),
            Operation::SyncNames => {
                self.names.clone_from(&self.seen);
                self.pending.clear();
            }
        }
    }

    fn edit(&mut self, removed: Option<String>, added: Option<(String, usize)>) {
        let edit = Edit { removed, added };
        edit.apply_to(&mut self.seen);
        self.pending.push(edit);
    }

    fn found(mut self, dice: &mut Dice) -> BTreeMap<String, Vec<u8>> {
        // Often all or nothing of it: these are the likeliest cuts.
        let all = dice.roll(4);
        for edit in &self.pending {
            if all == 0 || all > 1 && dice.roll(2) == 0 {
                edit.apply_to(&mut self.names);
            }
        }
        let names = self.names.into_iter();
        names.map(|(name, file)| (name, self.files[file].found(dice))).collect()
    }
}

impl Edit {
    fn apply_to(&self, names: &mut BTreeMap<String, usize>) {
        if let Some(name) = &self.removed {
            names.remove(name);
        }
        if let Some((name, file)) = &self.added {
            names.insert(name.clone(), *file);
        }
    }
}

impl Content {
    /// Its length is what it was or has become, or lies between; each sector is what it was or has become; what was
    /// never written in it is zeros, or what another file left there.
    fn found(&self, dice: &mut Dice) -> Vec<u8> {
        let (old, new) = (&self.synced, &self.seen);
        let (least, most) = (old.len().min(new.len()), old.len().max(new.len()));
        let len = match dice.roll(4) {
            0 => old.len(),
            1 => new.len(),
            _ => least + dice.roll(most - least + 1),
        };
        let garbage = u8::try_from(dice.roll(2) * dice.roll(256)).unwrap();
        let mut found = vec![garbage; len];
        let chance = dice.roll(4);
        for (sector, bytes) in found.chunks_mut(SECTOR).enumerate() {
            let at = sector * SECTOR;
            let is_new = match chance {
                0 => true,
                1 => false,
                _ => dice.roll(2) == 0,
            };
            for (place, byte) in bytes.iter_mut().enumerate() {
                let (was, is) = (old.get(at + place), new.get(at + place));
                let source = if is_new { is.or(was) } else { was };
                *byte = source.copied().unwrap_or(*byte);
            }
        }
        found
    }
}
