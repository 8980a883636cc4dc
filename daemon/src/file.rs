//! Files that an operator names.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Opens a file for reading. What is none could keep us waiting for ever: of a pipe there might never be an end, nor
/// a beginning.
pub fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path)
}
