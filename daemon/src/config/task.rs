//! `pushprom storage`: what is done with a store while no server has it.

use std::{ffi::OsString, path::PathBuf};

use super::UsageError;

/// What is done with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// All of it is read, and nothing changed.
    Check,
    /// What can be read takes the place of what is damaged.
    Repair,
    /// It is written out as lines of JSON.
    Export,
    /// It is made from lines of JSON.
    Import,
    /// It is written anew, without what no longer holds.
    Compact,
}

/// The first argument that asks for one of them.
pub(super) const STORAGE: &str = "storage";

/// Each by its word, with a line of help.
pub(super) const TASKS: &[(&str, Task, &str)] = &[
    (
        "check",
        Task::Check,
        "Read all that is in -storage.path, change nothing, and say what is there.",
    ),
    (
        "repair",
        Task::Repair,
        "Write what can be read anew, keep the damaged file, and say what is lost.",
    ),
    ("export", Task::Export, "Write what is there to standard output, as lines of JSON."),
    (
        "import",
        Task::Import,
        "Make a store of such lines from standard input, where there is none.",
    ),
    ("compact", Task::Compact, "Write what is there anew in as little room as it takes."),
];

/// The task and the directory.
pub(super) fn parse(
    mut arguments: impl Iterator<Item = OsString>,
) -> Result<(Task, PathBuf), UsageError> {
    let word = arguments.next().unwrap_or_default();
    let task = TASKS.iter().find(|(known, ..)| word == *known).map(|(_, task, _)| *task);
    match (task, arguments.next(), arguments.next()) {
        (Some(task), Some(path), None) => Ok((task, path.into())),
        (Some(_) | None, Some(_) | None, _) => Err(UsageError::Storage),
    }
}
