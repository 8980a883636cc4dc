//! A store that is one file: a copy of all there was, and then what changed, batch by batch.
//!
//! A batch is written by one append, or a few, and one sync; so what is not whole at the end of the file was never
//! committed, and is cut off. What is not whole elsewhere has been damaged since, and nothing is done to it. A log
//! that is closed gets another name: it has to be whole.
//!
//! When the file has grown to several times what is live, a new one is begun beside it with a copy of that, which
//! takes its place by a rename. After a write has failed, nothing that is in the file is relied on: no sync is tried
//! twice, since a system may forget what it could not write. The copy that comes then is made of what is in memory.

mod frame;
mod load;
mod name;
mod read;
mod salvage;

use std::{
    hash::{BuildHasher, RandomState},
    io, mem,
};

use super::{Disk, DiskFile, Loaded, Store, StoreError, TakePiece};
pub(in crate::store) use frame::FRAME_BYTES;
#[cfg(test)]
pub(in crate::store) use frame::HEADER_BYTES;
use frame::{Head, Kind, PAYLOAD_BYTES_MAX, Place};
pub(in crate::store) use load::newest;
use load::{Ended, Found};
use name::{Name, Role};
pub use salvage::Gap;

/// The store.
pub struct Log {
    disk: Box<dyn Disk>,
    sizes: Sizes,
    /// What there was, until it is begun.
    found: Found,
    /// The one that holds; none before [`Store::begin`].
    current: Option<Part>,
    copy: Option<Part>,
    /// Why there is no copy any more.
    copy_failure: Option<StoreError>,
    /// Bytes up to which no copy is tried, after one that failed.
    no_copy_up_to: u64,
    generation: u64,
    /// The last batch.
    batch: u64,
    /// Whether `current` is relied on, and written to.
    is_well: bool,
    /// Whether batches in `current` are of a process that did not end in order. A sync of them may have failed then,
    /// and after that a system takes for written what is not: to read and to sync it proves nothing. A copy does.
    is_doubtful: bool,
}

/// From what size on what is done, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Sizes {
    /// What is longer is cut into several frames.
    pub(in crate::store) payload: usize,
    /// A log that is shorter is not worth a copy, however little is live.
    pub(in crate::store) copy: u64,
    /// A copy is synced each time so much has been added, so that the end of it holds nothing up for long.
    pub(in crate::store) sync: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { payload: PAYLOAD_BYTES_MAX, copy: 1 << 20, sync: 8 << 20 }
    }
}

/// A log is copied when it has grown to so many times what is live.
const COPY_GROWTH: u64 = 3;

/// A log that is written.
struct Part {
    file: Box<dyn DiskFile>,
    name: Name,
    salt: u32,
    bytes: u64,
    /// Frames in it.
    frames: u32,
    /// Bytes of the copy that it begins with.
    copied: u64,
    /// What was live at the end of that.
    live: usize,
    synced: u64,
}

impl Log {
    /// The store in a directory.
    pub fn new(disk: Box<dyn Disk>) -> Self {
        Self::with_sizes(disk, Sizes::default())
    }

    /// The store in a directory, with other sizes: all that they change is how it is laid out.
    pub(in crate::store) fn with_sizes(disk: Box<dyn Disk>, sizes: Sizes) -> Self {
        Self {
            disk,
            sizes,
            found: Found::NotLooked,
            current: None,
            copy: None,
            copy_failure: None,
            no_copy_up_to: 0,
            generation: 0,
            batch: 0,
            is_well: false,
            is_doubtful: false,
        }
    }

    fn io(&self, action: &'static str, name: Name) -> impl FnOnce(io::Error) -> StoreError {
        let path = self.disk.path(&name.to_string());
        move |error| StoreError::Io { action, path, error }
    }

    /// Begins a log that does not hold yet.
    fn create(&self, generation: u64) -> Result<Part, StoreError> {
        let name = Name { generation, role: Role::New };
        let salt = RandomState::new().hash_one(generation);
        let salt = u32::try_from(salt >> 32).unwrap_or_default();
        let file = self.disk.create(&name.to_string()).map_err(self.io("create", name))?;
        let mut part =
            Part { file, name, salt, bytes: 0, frames: 0, copied: 0, live: 0, synced: 0 };
        part.append(&frame::header(salt)).map_err(self.io("write", name))?;
        Ok(part)
    }

    /// Says on disk that the copy which `part` begins with is whole.
    fn seal(&self, part: &mut Part) -> Result<(), StoreError> {
        let head = Head { batch: self.batch, kind: Kind::Copied, place: Place::Whole };
        part.append_frame(head, &[]).map_err(self.io("write", part.name))?;
        part.file.sync().map_err(self.io("sync", part.name))?;
        part.copied = part.bytes;
        Ok(())
    }

    /// Gives a log another name, on disk.
    fn rename(&self, from: Name, role: Role) -> Result<Name, StoreError> {
        let to = Name { role, ..from };
        let renamed = self.disk.rename(&from.to_string(), &to.to_string());
        renamed.map_err(self.io("rename", from))?;
        self.sync_names()?;
        Ok(to)
    }

    fn sync_names(&self) -> Result<(), StoreError> {
        let path = self.disk.path("");
        self.disk.sync_names().map_err(|error| StoreError::Io { action: "sync", path, error })
    }

    /// Removes what is not in use any more. What cannot be removed is tried again at the next start.
    fn remove_others(&self) {
        let used = [&self.current, &self.copy].map(|part| part.as_ref().map(|part| part.name));
        let names = self.disk.names().unwrap_or_default();
        let names = names.iter().filter_map(|name| Name::parse(name));
        for name in names.filter(|name| name.role != Role::Damaged && !used.contains(&Some(*name)))
        {
            self.disk.remove(&name.to_string()).ok();
        }
    }

    fn write_batch(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        let mut cutter = Cutter::new(self.batch + 1, Kind::Batch, self.sizes.payload);
        for piece in pieces {
            cutter.add(&piece, |head, payload| self.append(head, payload))?;
        }
        if cutter.is_empty() {
            return Ok(());
        }
        cutter.end(|head, payload| self.append(head, payload))?;
        if let Some(current) = self.current.as_mut().filter(|_| self.is_well) {
            let path = self.disk.path(&current.name.to_string());
            current.file.sync().map_err(|error| StoreError::Io { action: "sync", path, error })?;
        }
        self.batch += 1;
        Ok(())
    }

    /// Appends a frame to what is written: the log that holds, if it does, and the copy.
    fn append(&mut self, head: Head, payload: &[u8]) -> Result<(), StoreError> {
        if let Some(current) = self.current.as_mut().filter(|_| self.is_well) {
            let appended = current.append_frame(head, payload);
            let name = current.name;
            appended.map_err(self.io("write", name))?;
        }
        let Some(copy) = self.copy.as_mut() else { return Ok(()) };
        let name = copy.name;
        if let Err(error) = copy.append_frame(head, payload) {
            let error = self.io("write", name)(error);
            self.abandon_copy();
            if !self.is_well {
                return Err(error);
            }
            // Whoever makes it is told when they go on with it.
            self.copy_failure = Some(error);
        }
        Ok(())
    }

    /// The copy, which the caller puts back if it is to go on.
    fn take_copy(&mut self) -> Result<Part, StoreError> {
        let failure = self.copy_failure.take();
        self.copy.take().ok_or(failure.unwrap_or(StoreError::Failed))
    }

    /// Gives up a copy with what went wrong.
    fn give_up(&mut self, part: Part, error: StoreError) -> StoreError {
        self.copy = Some(part);
        self.abandon_copy();
        error
    }
}

impl Store for Log {
    fn load(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        self.look(take)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        let part = match mem::replace(&mut self.found, Found::NotLooked) {
            Found::NotLooked => return Err(StoreError::Failed),
            Found::Nothing => {
                self.generation = 1;
                let mut part = self.create(1)?;
                self.seal(&mut part)?;
                part.name = self.rename(part.name, Role::Open)?;
                part
            }
            Found::Log(log) => {
                let name = Name { role: Role::Open, ..log.name };
                if log.name == name {
                    // Whoever gave it that name may have been cut off before it was on disk.
                    self.sync_names()?;
                } else {
                    self.rename(log.name, Role::Open)?;
                }
                let file = self.disk.open(&name.to_string()).map_err(self.io("open", name))?;
                let Ended { salt, whole: bytes, frames, copied, live, .. } = log;
                let mut part =
                    Part { file, name, salt, bytes, frames, copied, live, synced: bytes };
                if log.whole < log.bytes {
                    part.file.truncate(log.whole).map_err(self.io("cut", name))?;
                }
                self.is_doubtful = log.name.role == Role::Open && log.whole > log.copied;
                // What has been read may have been written by a process that ended before it was on disk.
                part.file.sync().map_err(self.io("sync", name))?;
                part
            }
        };
        self.current = Some(part);
        self.is_well = true;
        self.remove_others();
        Ok(())
    }

    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        if !self.is_well && self.copy.is_none() {
            return Err(StoreError::Failed);
        }
        let written = self.write_batch(pieces);
        if written.is_err() {
            self.is_well = false;
            self.abandon_copy();
        }
        written
    }

    fn is_well(&self) -> bool {
        self.is_well
    }

    fn wants_copy(&self, live: usize) -> bool {
        let least = self.sizes.copy.max(self.no_copy_up_to);
        let grown =
            |part: &Part| part.bytes > least.max(part.live_bytes(live).saturating_mul(COPY_GROWTH));
        let doubtful = |part: &Part| self.is_doubtful && part.bytes > self.no_copy_up_to;
        self.current.as_ref().is_some_and(|part| grown(part) || doubtful(part))
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        self.abandon_copy();
        self.copy_failure = None;
        let begun = self.create(self.generation + 1);
        if begun.is_err() {
            self.put_off_copy();
        }
        self.copy = Some(begun?);
        Ok(())
    }

    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        let mut part = self.take_copy()?;
        let mut cutter = Cutter::new(self.batch, Kind::Copy, self.sizes.payload);
        let written = cutter.add(piece, |head, payload| part.append_frame(head, payload));
        let written = written.and_then(|()| {
            if !cutter.is_empty() {
                cutter.end(|head, payload| part.append_frame(head, payload))?;
            }
            if part.bytes - part.synced > self.sizes.sync {
                part.file.sync()?;
                part.synced = part.bytes;
            }
            Ok(())
        });
        if let Err(error) = written {
            let error = self.io("write", part.name)(error);
            return Err(self.give_up(part, error));
        }
        self.copy = Some(part);
        Ok(())
    }

    fn finish_copy(&mut self, live: usize) -> Result<(), StoreError> {
        let mut part = self.take_copy()?;
        part.live = live;
        if let Err(error) = self.seal(&mut part) {
            return Err(self.give_up(part, error));
        }
        // If it fails from here on, nobody knows which of both is the one that holds: neither is written to again.
        self.is_well = false;
        self.generation += 1;
        part.name = self.rename(part.name, Role::Open)?;
        self.current = Some(part);
        self.is_well = true;
        self.is_doubtful = false;
        self.no_copy_up_to = 0;
        self.remove_others();
        Ok(())
    }

    fn abandon_copy(&mut self) {
        if let Some(part) = self.copy.take() {
            self.disk.remove(&part.name.to_string()).ok();
            self.put_off_copy();
        }
    }

    fn bytes(&self) -> u64 {
        [&self.current, &self.copy].into_iter().flatten().map(|part| part.bytes).sum()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.abandon_copy();
        if !self.is_well {
            return Err(StoreError::Failed);
        }
        self.is_well = false;
        let Some(part) = self.current.as_mut() else { return Err(StoreError::Failed) };
        let head = Head { batch: self.batch + 1, kind: Kind::Closed, place: Place::Whole };
        let appended = part.append_frame(head, &[]).and_then(|()| part.file.sync());
        let name = part.name;
        appended.map_err(self.io("close", name))?;
        if self.is_doubtful {
            // Under its name the next start doubts it too.
            return Ok(());
        }
        self.rename(name, Role::Closed).map(|_| ())
    }
}

impl Log {
    /// No copy is tried until there is much more to gain by one.
    fn put_off_copy(&mut self) {
        let bytes = self.current.as_ref().map_or(0, |part| part.bytes);
        self.no_copy_up_to = bytes + self.sizes.copy;
    }
}

impl Part {
    /// Bytes of a copy of what is live now, at least: each takes about as much as it did in the last one. What has come
    /// since is left out, since nobody knows how much that takes before it has been copied.
    fn live_bytes(&self, live: usize) -> u64 {
        let [left, all] = [live.min(self.live), self.live.max(1)]
            .map(|number| u64::try_from(number).unwrap_or(u64::MAX));
        self.copied.saturating_mul(left) / all
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)?;
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn append_frame(&mut self, head: Head, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(FRAME_BYTES + payload.len());
        frame::write(&mut bytes, self.salt, self.frames, head, payload);
        self.frames = self.frames.wrapping_add(1);
        self.append(&bytes)
    }
}

/// Cuts what is written as one into payloads.
struct Cutter {
    batch: u64,
    kind: Kind,
    most: usize,
    gathered: Vec<u8>,
    has_begun: bool,
}

impl Cutter {
    fn new(batch: u64, kind: Kind, most: usize) -> Self {
        Self { batch, kind, most, gathered: Vec::new(), has_begun: false }
    }

    /// Whether there is nothing to write.
    fn is_empty(&self) -> bool {
        self.gathered.is_empty()
    }

    /// Adds bytes; gives out a payload as soon as it is clear that another one comes after it.
    fn add<E>(
        &mut self,
        mut bytes: &[u8],
        mut give: impl FnMut(Head, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if self.gathered.len() == self.most {
                let place = if self.has_begun { Place::Middle } else { Place::First };
                give(self.head(place), &self.gathered)?;
                self.gathered.clear();
                self.has_begun = true;
            }
            let room = self.most - self.gathered.len();
            let (head, rest) = bytes.split_at(room.min(bytes.len()));
            self.gathered.extend_from_slice(head);
            bytes = rest;
        }
        Ok(())
    }

    /// Gives out the last payload.
    fn end<E>(self, mut give: impl FnMut(Head, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let place = if self.has_begun { Place::Last } else { Place::Whole };
        give(self.head(place), &self.gathered)
    }

    fn head(&self, place: Place) -> Head {
        Head { batch: self.batch, kind: self.kind, place }
    }
}
