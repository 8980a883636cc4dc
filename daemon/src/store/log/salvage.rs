//! What can be read of a log that is damaged.

use std::{cmp::Reverse, io};

use super::{
    Log,
    frame::{self, NoHeader, Place},
    name::Role,
    read::{Headless, Next, Reader},
};
use crate::store::StoreError;

/// Bytes that cannot be read as what they were, or that nothing can be made of without others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

impl Log {
    /// Hands out all that can be read of the newest log but so many, or of those that were put aside when no other is
    /// left. Returns where it is and what is lost; `None` if there are no more. A piece may end too early.
    pub fn salvage(
        &mut self,
        newer: usize,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<(String, Vec<Gap>)>, StoreError> {
        let mut logs = self.names()?;
        logs.retain(|name| name.role != Role::New);
        // What is written comes after all of them.
        self.generation = logs.iter().map(|name| name.generation).max().unwrap_or_default();
        if logs.iter().any(|name| name.holds()) {
            logs.retain(|name| name.holds());
        }
        logs.sort_unstable_by_key(|name| Reverse(*name));
        let Some(name) = logs.into_iter().nth(newer) else { return Ok(None) };
        let path = self.disk.path(&name.to_string());
        let io = |error: io::Error| StoreError::Io { action: "read", path: path.clone(), error };
        let input = self.disk.read(&name.to_string()).map_err(io)?;
        let mut gaps = Gaps::default();
        let mut reader = match Reader::new(input).map_err(io)? {
            Ok(reader) => reader,
            Err(Headless { problem: NoHeader::Version(version), .. }) => {
                return Err(StoreError::Version { path, version, known: frame::VERSION });
            }
            Err(headless) => match headless.read_on().map_err(io)? {
                Ok(reader) => {
                    gaps.add(0, reader.at());
                    reader
                }
                Err(bytes) => {
                    gaps.add(0, bytes);
                    return Ok(Some((path, gaps.0)));
                }
            },
        };
        // What has been read of a piece whose end has not come.
        let mut parts: Option<Vec<u8>> = None;
        loop {
            let at = reader.at();
            match reader.next().map_err(io)? {
                Next::Frame(head, payload) => {
                    match (head.place, parts.as_mut()) {
                        (Place::Whole | Place::First, _) => {
                            take(&parts.take().unwrap_or_default());
                            parts = Some(payload.to_vec());
                        }
                        (Place::Middle | Place::Last, Some(parts)) => {
                            parts.extend_from_slice(payload);
                        }
                        // Where a record begins in it is unknown.
                        (Place::Middle | Place::Last, None) => gaps.add(at, reader.at()),
                    }
                    if matches!(head.place, Place::Whole | Place::Last) {
                        take(&parts.take().unwrap_or_default());
                    }
                }
                Next::End => break,
                Next::Bad => {
                    take(&parts.take().unwrap_or_default());
                    reader.seek().map_err(io)?;
                    gaps.add(at, reader.at());
                }
            }
        }
        take(&parts.take().unwrap_or_default());
        Ok(Some((path, gaps.0)))
    }

    /// Puts aside the logs that hold, under other names; returns these. Whatever takes their place is ready by then.
    /// The newest goes first: an older one may be what is being saved.
    pub fn set_aside(&self) -> Result<Vec<String>, StoreError> {
        let (mut aside, mut logs) = (Vec::new(), self.names()?);
        logs.sort_unstable_by_key(|name| Reverse(*name));
        for name in logs.into_iter().filter(|name| name.holds()) {
            let to = self.rename(name, Role::Damaged)?;
            aside.push(self.disk.path(&to.to_string()));
        }
        Ok(aside)
    }
}

#[derive(Default)]
struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds what lies between; gaps that touch are one.
    fn add(&mut self, from: u64, to: u64) {
        match self.0.last_mut().filter(|last| last.offset + last.bytes == from) {
            Some(last) => last.bytes += to - from,
            None => self.0.push(Gap { offset: from, bytes: to - from }),
        }
    }
}
