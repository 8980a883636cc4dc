//! Declarations: series that are there before anything happens to them, as files list them.

use std::{
    io::{self, Read},
    path::Path,
};

use pushprom_core::{
    limits::Limits,
    model::{Delta, Quoted, Timestamp},
    policy::Policy,
    registry::{Registry, Rejected},
    wire::json::{self, DeltaError, MessageError},
};

use crate::file;

/// Bytes of a file of declarations.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why the declarations of a file cannot be followed. Deltas are counted from 0.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It is no message.
    #[error("{0}")]
    Broken(#[from] MessageError),
    /// One of its deltas is none.
    #[error("delta {index}: {error}")]
    Delta {
        /// Its place.
        index: usize,
        /// What is wrong.
        error: DeltaError,
    },
    /// One of its deltas changes a value.
    #[error("delta {index}, of {name}, changes a value: use the method declare")]
    Change {
        /// Its place.
        index: usize,
        /// Its name.
        name: Quoted,
    },
    /// One of its deltas does not go with those before it.
    #[error("delta {index}: {error}")]
    Rejected {
        /// Its place.
        index: usize,
        /// What is wrong.
        error: Rejected,
    },
}

/// Declares what a file lists: a message as clients send it, of deltas that change nothing. Returns how many.
pub fn declare(
    path: &Path,
    registry: &Registry,
    policy: &Policy,
    limits: &Limits,
    now: Timestamp,
) -> Result<usize, DeclareError> {
    let mut message = Vec::new();
    // One byte more tells a file that is too long.
    let bytes_max = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    file::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut message)?;
    let limits = Limits { message_bytes: FILE_BYTES_MAX, ..*limits };
    let decoded = json::decode(&message, &limits);
    if let Some(broken) = decoded.broken {
        return Err(broken.into());
    }
    let deltas: Vec<Delta<'_>> = decoded
        .deltas
        .into_iter()
        .enumerate()
        .map(|(index, delta)| delta.map_err(|error| DeclareError::Delta { index, error }))
        .collect::<Result<_, _>>()?;
    for (index, delta) in deltas.iter().enumerate() {
        if !delta.change().is_none() || delta.exemplar().is_some() {
            return Err(DeclareError::Change { index, name: Quoted::new(delta.name()) });
        }
    }
    for (index, delta) in deltas.iter().enumerate() {
        let applied = registry.apply(delta, policy.source(), now);
        applied.map_err(|error| DeclareError::Rejected { index, error })?;
    }
    Ok(deltas.len())
}
