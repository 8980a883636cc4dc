//! The log that holds, found among the files and read; nothing is changed.

use std::io;

use super::{
    Log,
    frame::{self, Kind, NoHeader, Place},
    name::{Name, Role},
    read::{Next, Order, Reader},
};
use crate::store::{Loaded, StoreError, TakePiece};

/// What there was.
pub(super) enum Found {
    /// Nobody has looked yet, or what there was cannot be gone on with.
    NotLooked,
    /// No log.
    Nothing,
    /// A log.
    Log(Ended),
}

/// How far a log has come.
pub(super) struct Ended {
    pub(super) name: Name,
    pub(super) salt: u32,
    /// Bytes up to the end of the last batch.
    pub(super) whole: u64,
    /// Frames up to there.
    pub(super) frames: u32,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// Bytes of the copy that it begins with.
    pub(super) copied: u64,
    /// What was live at the end of that.
    pub(super) live: usize,
}

/// The name of the log that holds, among those of files.
pub(in crate::store) fn newest<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    newest_of(names.filter_map(Name::parse)).map(|name| name.to_string())
}

fn newest_of(names: impl Iterator<Item = Name>) -> Option<Name> {
    names.filter(|name| name.holds()).max()
}

impl Log {
    /// Reads the newest log. An older one that is still there lacks what was committed since.
    pub(super) fn look(&mut self, take: &mut TakePiece<'_>) -> Result<Loaded, StoreError> {
        let Some(name) = self.newest()? else {
            self.found = Found::Nothing;
            return Ok(Loaded::default());
        };
        let (ended, order) = self.read(name, take)?;
        self.generation = name.generation;
        self.batch = order.batch.unwrap_or_default();
        let loaded = Loaded {
            bytes: ended.whole,
            unfinished: ended.bytes - ended.whole,
            batch: self.batch,
            is_closed: name.role == Role::Closed,
        };
        self.found = Found::Log(ended);
        Ok(loaded)
    }

    /// Whether there is nothing, and was nothing.
    pub fn is_nothing(&self) -> Result<bool, StoreError> {
        match self.newest() {
            Ok(newest) => Ok(newest.is_none()),
            Err(StoreError::Missing { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The log that holds; none if there never was one.
    fn newest(&self) -> Result<Option<Name>, StoreError> {
        let names = self.names()?;
        let newest = newest_of(names.iter().copied());
        if newest.is_none() {
            // What is left of the first start of all, or of an import, may be there. Anything else has come after a
            // log.
            let left = names.iter().filter(|name| name.generation > 1 || name.role != Role::New);
            if let Some(left) = left.max() {
                return Err(StoreError::Missing { path: self.disk.path(&left.to_string()) });
            }
        }
        Ok(newest)
    }

    /// Files of ours.
    pub(super) fn names(&self) -> Result<Vec<Name>, StoreError> {
        let names = self.disk.names();
        let path = || self.disk.path("");
        let names =
            names.map_err(|error| StoreError::Io { action: "list", path: path(), error })?;
        Ok(names.iter().filter_map(|name| Name::parse(name)).collect())
    }

    fn read(&self, name: Name, take: &mut TakePiece<'_>) -> Result<(Ended, Order), StoreError> {
        let path = || self.disk.path(&name.to_string());
        let io = |error: io::Error| StoreError::Io { action: "read", path: path(), error };
        let damaged = |offset, problem: &str| {
            let problem = problem.to_owned();
            StoreError::Damaged { path: path(), offset, problem }
        };
        let input = self.disk.read(&name.to_string()).map_err(io)?;
        let mut reader = match Reader::new(input).map_err(io)? {
            Ok(reader) => reader,
            Err(headless) => {
                return Err(match headless.problem {
                    NoHeader::Foreign => damaged(0, "it does not begin as a log does"),
                    NoHeader::Version(version) => {
                        let known = frame::VERSION;
                        StoreError::Version { path: path(), version, known }
                    }
                });
            }
        };
        let (mut order, mut parts, mut live_now) = (Order::default(), Vec::new(), 0);
        let (mut whole, mut frames, mut copied, mut live) = (reader.at(), 0, 0, 0);
        loop {
            let at = reader.at();
            let (head, payload) = match reader.next().map_err(io)? {
                Next::Frame(head, payload) => (head, payload),
                Next::End => break,
                Next::Bad => {
                    // Of the batch that was being written a part may be on disk without those before it, but not
                    // its beginning; and what comes after it was written when all of it was.
                    let torn = order.batch.map(|batch| batch + 1);
                    while let Some(head) = reader.seek().map_err(io)? {
                        let begins = matches!(head.place, Place::Whole | Place::First);
                        if Some(head.batch) != torn || begins {
                            let problem = "what was written after it is whole";
                            return Err(damaged(at, problem));
                        }
                        reader.next().map_err(io)?;
                    }
                    break;
                }
            };
            order.admit(head).map_err(|problem| damaged(at, problem))?;
            match (head.kind, head.place) {
                (Kind::Copy | Kind::Batch, Place::Whole) => {
                    let taken = take(payload, order.is_settled);
                    live_now = taken.map_err(|problem| damaged(at, &problem))?;
                }
                (Kind::Copy | Kind::Batch, Place::Last) => {
                    parts.extend_from_slice(payload);
                    let taken = take(&parts, order.is_settled);
                    live_now = taken.map_err(|problem| damaged(whole, &problem))?;
                    parts = Vec::new();
                }
                (_, Place::First | Place::Middle) => {
                    parts.extend_from_slice(payload);
                    continue;
                }
                (Kind::Copied, _) => (copied, live) = (reader.at(), live_now),
                (Kind::Closed, _) => {}
            }
            (whole, frames) = (reader.at(), reader.number());
        }
        if !order.is_settled {
            return Err(damaged(whole, "the copy that it begins with is not whole"));
        }
        let bytes = reader.at();
        if name.role == Role::Closed && (whole < bytes || !order.is_closed) {
            return Err(damaged(whole, "it was closed, and its end is missing"));
        }
        Ok((Ended { name, salt: reader.salt(), whole, frames, bytes, copied, live }, order))
    }
}
