//! Time as an argument.

/// Milliseconds since the Unix epoch. The daemon reads the clock; this crate never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);
