//! A store that is one file: a copy of all there was, and then what changed, batch by batch.
//!
//! A batch is written by one append, or a few, and one sync; so what is not whole at the end of the file was never
//! committed, and is cut off. What is not whole elsewhere has been damaged since, and nothing is done to it.
//!
//! When the file has grown to several times what is live, a new one is begun beside it with a copy of that, which
//! takes its place by a rename. After a write has failed, nothing that is in the file is relied on: no sync is tried
//! twice, since a system may forget what it could not write. The copy that comes then is made of what is in memory.

mod frame;
mod read;

use std::{
    hash::{BuildHasher, RandomState},
    io::{self, BufReader, Read},
    mem,
};

use super::{Disk, DiskFile, Loaded, Store, StoreError, TakePiece};
use frame::{FRAME_BYTES, Kind, NoHeader, PAYLOAD_BYTES_MAX};
use read::{Next, Order, Reader};

/// Bytes of a log that is not worth a copy, whatever is live.
const COPY_BYTES_MIN: u64 = 16 << 20;

/// A log is copied when it has grown to so many times what its copy had.
const COPY_GROWTH: u64 = 3;

/// Bytes of a copy after which it is synced, so that the end of it holds nothing up for long.
const SYNC_COPY_BYTES: u64 = 8 << 20;

/// Bytes of a read.
const READ_BYTES: usize = 1 << 20;

/// The store.
pub struct Log {
    disk: Box<dyn Disk>,
    /// The one that holds; none before [`Store::load`].
    current: Option<Part>,
    copy: Option<Part>,
    generation: u64,
    /// The last batch.
    batch: u64,
    /// Whether nothing in `current` is relied on any more.
    has_failed: bool,
}

/// A log that is written.
struct Part {
    file: Box<dyn DiskFile>,
    name: String,
    salt: u64,
    bytes: u64,
    /// Bytes of the copy that it begins with.
    copied: u64,
    synced: u64,
}

impl Log {
    /// The store in a directory.
    pub fn new(disk: Box<dyn Disk>) -> Self {
        Self { disk, current: None, copy: None, generation: 0, batch: 0, has_failed: false }
    }

    fn io(&self, action: &'static str, name: &str) -> impl FnOnce(io::Error) -> StoreError {
        let path = self.disk.path(name);
        move |error| StoreError::Io { action, path, error }
    }

    /// Begins a log.
    fn begin(&self, generation: u64) -> Result<Part, StoreError> {
        let name = unfinished(generation);
        let salt = RandomState::new().hash_one(generation);
        let mut file = self.disk.create(&name).map_err(self.io("create", &name))?;
        let header = frame::header(salt);
        file.append(&header).map_err(self.io("write", &name))?;
        let bytes = len(&header);
        Ok(Part { file, name, salt, bytes, copied: 0, synced: 0 })
    }

    /// Says that the copy which `part` begins with is whole, and gives it the name of one that holds.
    fn establish(&self, mut part: Part, generation: u64) -> Result<Part, StoreError> {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, part.salt, self.batch, Kind::Copied, &[]);
        part.append(&bytes).map_err(self.io("write", &part.name))?;
        part.file.sync().map_err(self.io("sync", &part.name))?;
        let name = finished(generation);
        self.disk.rename(&part.name, &name).map_err(self.io("rename", &part.name))?;
        self.disk.sync_names().map_err(self.io("sync the directory of", &name))?;
        part.name = name;
        part.copied = part.bytes;
        Ok(part)
    }

    /// Removes what is not in use any more. What cannot be removed is tried again at the next start.
    fn remove_others(&self) {
        for name in self.disk.names().unwrap_or_default() {
            let is_ours = generation_of(&name).is_some() || is_unfinished(&name);
            let in_use = [&self.current, &self.copy];
            if is_ours && !in_use.iter().any(|part| part.as_ref().is_some_and(|it| it.name == name))
            {
                self.disk.remove(&name).ok();
            }
        }
    }

    fn write_batch(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        let batch = self.batch + 1;
        let mut gathered = Vec::new();
        for piece in pieces {
            for payload in piece.chunks(PAYLOAD_BYTES_MAX) {
                if gathered.len() + payload.len() > PAYLOAD_BYTES_MAX {
                    self.append(batch, Kind::Part, &gathered)?;
                    gathered.clear();
                }
                gathered.extend_from_slice(payload);
            }
        }
        if gathered.is_empty() {
            return Ok(());
        }
        self.append(batch, Kind::Commit, &gathered)?;
        if let Some(current) = self.current.as_mut().filter(|_| !self.has_failed) {
            let path = self.disk.path(&current.name);
            current.file.sync().map_err(|error| StoreError::Io { action: "sync", path, error })?;
        }
        self.batch = batch;
        Ok(())
    }

    /// Appends a frame to what is written: the log that holds, if it does, and the copy.
    fn append(&mut self, batch: u64, kind: Kind, payload: &[u8]) -> Result<(), StoreError> {
        let current = self.current.as_mut().filter(|_| !self.has_failed);
        for part in [current, self.copy.as_mut()].into_iter().flatten() {
            let mut bytes = Vec::with_capacity(FRAME_BYTES + payload.len());
            frame::write(&mut bytes, part.salt, batch, kind, payload);
            let path = self.disk.path(&part.name);
            let appended = part.append(&bytes);
            appended.map_err(|error| StoreError::Io { action: "write", path, error })?;
        }
        Ok(())
    }

    fn read(
        &self,
        name: &str,
        file: &mut dyn DiskFile,
        take: &mut TakePiece<'_>,
    ) -> Result<Ended, StoreError> {
        let io = |error| StoreError::Io { action: "read", path: self.disk.path(name), error };
        let path = || self.disk.path(name);
        let damaged =
            |offset, problem: String| StoreError::Damaged { path: path(), offset, problem };
        let input = BufReader::with_capacity(READ_BYTES, file.read().map_err(io)?);
        let mut reader = match Reader::new(input).map_err(io)? {
            Ok(reader) => reader,
            Err(NoHeader::Foreign) => {
                return Err(damaged(0, "it is no log of pushprom".to_owned()));
            }
            Err(NoHeader::Version(version)) => {
                let known = frame::VERSION;
                return Err(StoreError::Version { path: path(), version, known });
            }
        };
        let salt = reader.salt();
        let (mut order, mut parts) = (Order::new(), Vec::new());
        let (mut whole, mut copied) = (reader.at(), 0);
        loop {
            let at = reader.at();
            match reader.next().map_err(io)? {
                Next::Frame(head, payload) => {
                    order.admit(head).map_err(|problem| damaged(at, problem.to_owned()))?;
                    let settled = order.is_settled;
                    let mut give =
                        |piece: &[u8]| take(piece, settled).map_err(|problem| damaged(at, problem));
                    match head.kind {
                        Kind::Copy => give(&payload)?,
                        Kind::Part => parts.push(payload),
                        Kind::Commit => {
                            for part in mem::take(&mut parts) {
                                give(&part)?;
                            }
                            give(&payload)?;
                        }
                        Kind::Copied => copied = reader.at(),
                        Kind::Closed => {}
                    }
                    if parts.is_empty() {
                        whole = reader.at();
                    }
                }
                Next::End => break,
                Next::Bad => {
                    let batch = order.batch.unwrap_or(u64::MAX).saturating_add(1);
                    drop(reader);
                    let mut input = file.read().map_err(io)?;
                    io::copy(&mut input.by_ref().take(at + 1), &mut io::sink()).map_err(io)?;
                    let input = BufReader::with_capacity(READ_BYTES, input);
                    if let Some(later) = read::later_batch(input, salt, batch).map_err(io)? {
                        let problem =
                            format!("batch {later} comes after it, and was written later");
                        return Err(damaged(at, problem));
                    }
                    break;
                }
            }
        }
        if !order.is_settled {
            return Err(damaged(whole, "the copy that it begins with is not whole".to_owned()));
        }
        Ok(Ended { salt, whole, copied, batch: order.batch })
    }
}

/// How far a log has come.
struct Ended {
    salt: u64,
    /// Bytes up to the end of the last batch.
    whole: u64,
    copied: u64,
    batch: Option<u64>,
}

impl Store for Log {
    fn load(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        let names = self.disk.names().map_err(self.io("list", ""))?;
        let newest = names.iter().filter_map(|name| Some((generation_of(name)?, name))).max();
        let Some((generation, name)) = newest else {
            let part = self.begin(1)?;
            self.generation = 1;
            self.current = Some(self.establish(part, 1)?);
            return Ok(Loaded::default());
        };
        let mut file = self.disk.open(name).map_err(self.io("open", name))?;
        let bytes = file.bytes().map_err(self.io("look at", name))?;
        let Ended { salt, whole, copied, batch } = self.read(name, &mut *file, take)?;
        if whole < bytes {
            file.truncate(whole).map_err(self.io("cut", name))?;
            file.sync().map_err(self.io("sync", name))?;
        }
        let name = name.clone();
        self.current = Some(Part { file, name, salt, bytes: whole, copied, synced: whole });
        self.generation = generation;
        self.batch = batch.unwrap_or_default();
        self.remove_others();
        Ok(Loaded { bytes: whole, unfinished: bytes - whole })
    }

    fn commit(&mut self, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        if self.has_failed && self.copy.is_none() {
            return Err(StoreError::Failed);
        }
        let written = self.write_batch(pieces);
        if written.is_err() {
            self.has_failed = true;
            self.abandon_copy();
        }
        written
    }

    fn wants_copy(&self) -> bool {
        let of = |part: &Part| (part.bytes, part.copied.saturating_mul(COPY_GROWTH));
        let (bytes, enough) = self.current.as_ref().map_or((0, 0), of);
        self.has_failed || bytes > enough.max(COPY_BYTES_MIN)
    }

    fn begin_copy(&mut self) -> Result<(), StoreError> {
        self.copy = Some(self.begin(self.generation + 1)?);
        Ok(())
    }

    fn copy(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        let batch = self.batch;
        let Some(part) = self.copy.as_mut() else { return Err(StoreError::Failed) };
        let path = self.disk.path(&part.name);
        for payload in piece.chunks(PAYLOAD_BYTES_MAX) {
            let mut bytes = Vec::with_capacity(FRAME_BYTES + payload.len());
            frame::write(&mut bytes, part.salt, batch, Kind::Copy, payload);
            let mut written = part.append(&bytes);
            if part.bytes - part.synced > SYNC_COPY_BYTES {
                written = written.and_then(|()| part.file.sync());
                part.synced = part.bytes;
            }
            if let Err(error) = written {
                self.abandon_copy();
                return Err(StoreError::Io { action: "write", path, error });
            }
        }
        Ok(())
    }

    fn finish_copy(&mut self) -> Result<(), StoreError> {
        let Some(part) = self.copy.take() else { return Err(StoreError::Failed) };
        self.generation += 1;
        // If it fails, nobody knows which of both is the one that holds: neither is written to again.
        self.has_failed = true;
        self.current = Some(self.establish(part, self.generation)?);
        self.has_failed = false;
        self.remove_others();
        Ok(())
    }

    fn abandon_copy(&mut self) {
        if let Some(part) = self.copy.take() {
            self.disk.remove(&part.name).ok();
        }
    }

    fn bytes(&self) -> u64 {
        [&self.current, &self.copy].into_iter().flatten().map(|part| part.bytes).sum()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.abandon_copy();
        if self.has_failed {
            return Err(StoreError::Failed);
        }
        self.append(self.batch + 1, Kind::Closed, &[])?;
        let Some(current) = self.current.as_mut() else { return Ok(()) };
        let path = self.disk.path(&current.name);
        current.file.sync().map_err(|error| StoreError::Io { action: "sync", path, error })
    }
}

impl Part {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)?;
        self.bytes += len(bytes);
        Ok(())
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The name of a log that holds.
fn finished(generation: u64) -> String {
    format!("{generation:010}.log")
}

/// The name of one that does not yet.
fn unfinished(generation: u64) -> String {
    format!("{generation:010}.new")
}

fn generation_of(name: &str) -> Option<u64> {
    name.strip_suffix(".log")?.parse().ok()
}

fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(".new").is_some_and(|number| number.parse::<u64>().is_ok())
}
