//! The file of `-config.file`: a key for each flag, named by it, and sections for what flags cannot say.

mod access;
mod rules;
mod values;

use std::{
    fmt,
    io::{self, Read},
    path::Path,
};

use pushprom_core::{limits::NameScheme, rules::Rule};

use self::values::Contents;
use super::{
    Principals,
    yaml::{self, Place, Problem},
};
use crate::file;

/// Bytes of a file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What it gives for each flag, in the order of `FLAGS`.
    pub(super) given: Vec<Option<(String, Option<Place>)>>,
    rules: Vec<rules::Entry>,
    access: Option<access::Section>,
    /// It as a whole, without its secrets.
    pub(super) shown: String,
}

/// Why a file cannot be followed: one line, with the place in the file where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    path: String,
    place: Option<Place>,
    problem: String,
}

/// Reads a file.
pub(super) fn load(path: &Path) -> Result<File, FileError> {
    let text = read(path).map_err(|problem| FileError::new(path, Problem::at(None, problem)))?;
    parse(&text).map_err(|problem| FileError::new(path, problem))
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<File, Problem> {
    let Contents { given, rules, access, .. } = Contents::read(text)?;
    Ok(File { given, rules, access, shown: yaml::without_secrets(text)? })
}

impl File {
    /// Its rules, in their order.
    pub(super) fn rules(&self, names: NameScheme) -> Result<Vec<Rule>, Problem> {
        rules::compile(&self.rules, names)
    }

    /// Who may do what, if it says so. Paths are looked for in `folder`, that of the file.
    pub(super) fn principals(
        &self,
        folder: &Path,
        names: NameScheme,
    ) -> Result<Option<Principals>, Problem> {
        self.access.as_ref().map(|section| section.principals(folder, names)).transpose()
    }
}

fn read(path: &Path) -> Result<String, String> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let length = file::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok((length as u64 <= FILE_BYTES_MAX).then_some(bytes))
    };
    let bytes = read().map_err(|error| format!("cannot be read: {error}"))?;
    let bytes = bytes.ok_or_else(|| {
        format!("is longer than the limit of {FILE_BYTES_MAX} bytes: is it the right file?")
    })?;
    String::from_utf8(bytes).map_err(|_| "is no UTF-8".to_owned())
}

impl FileError {
    /// A problem of a file.
    pub(super) fn new(path: &Path, problem: Problem) -> Self {
        let Problem { place, text } = problem;
        Self { path: path.display().to_string(), place, problem: text }
    }
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(place) = self.place {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

#[cfg(test)]
mod tests;
