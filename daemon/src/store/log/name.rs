//! The names of files.

use std::fmt;

/// Digits of a generation.
const DIGITS: usize = 10;

/// A file of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Each log that takes the place of another has the next one.
    pub(super) generation: u64,
    /// What the file is.
    pub(super) role: Role,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A log that does not hold yet.
    New,
    /// A log that was damaged, and has been put aside.
    Damaged,
    /// A log to which nothing more was to come: it ends as it says.
    Closed,
    /// A log that is written.
    Open,
}

const ROLES: [(&str, Role); 4] =
    [("new", Role::New), ("damaged", Role::Damaged), ("closed", Role::Closed), ("log", Role::Open)];

impl Name {
    /// A name, if it is one of ours.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (digits, word) = name.split_once('.')?;
        let is_number = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let generation = digits.parse().ok().filter(|_| is_number)?;
        let (_, role) = ROLES.iter().find(|(known, _)| *known == word)?;
        Some(Self { generation, role: *role })
    }

    /// Whether it is a log that holds.
    pub(super) fn holds(self) -> bool {
        matches!(self.role, Role::Closed | Role::Open)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = ROLES.iter().find(|(_, role)| *role == self.role).map_or("", |(word, _)| word);
        write!(formatter, "{:0DIGITS$}.{word}", self.generation)
    }
}
