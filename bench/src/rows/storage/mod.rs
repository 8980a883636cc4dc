//! `storage_*`: what it costs to keep series on disk, beside the server that has them in memory alone.

mod disk;
mod push;
mod restart;

use std::{fs, io, path::Path};

use tempfile::TempDir;

use super::row::Row;
use crate::{Result, arguments::Options, machine, target::Target};

const YARDSTICK: &str = "pushprom in memory";

/// File systems on which nothing is written to a disk.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut rows = push::measure(options)?;
    rows.extend(disk::measure(options)?);
    rows.extend(restart::measure(options)?);
    Ok(rows)
}

/// When a push is answered.
#[derive(Clone, Copy)]
enum Ack {
    Memory,
    Commit,
}

/// Starts a server that keeps its series in a directory.
fn start(options: &Options, directory: &Path, ack: Ack) -> Result<Target> {
    let ack = match ack {
        Ack::Memory => "-storage.ack=memory",
        Ack::Commit => "-storage.ack=commit",
    };
    let path = format!("-storage.path={}", directory.display());
    Target::server_with(&options.server, &[&path, ack])
}

/// A directory for a store, on a disk.
pub(super) fn directory() -> Result<TempDir> {
    let directory = tempfile::tempdir()?;
    let file_system = machine::file_system(directory.path())?;
    if IN_MEMORY.contains(&&*file_system) {
        let path = directory.path().display();
        return Err(
            format!("{path} is on {file_system}: name a directory on a disk in TMPDIR").into()
        );
    }
    Ok(directory)
}

/// Bytes of the files in it.
pub(super) fn bytes_in(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
