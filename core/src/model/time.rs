//! Time as an argument.

/// Milliseconds since the Unix epoch. The daemon reads the clock; this crate never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The instant so many milliseconds before this one.
    #[must_use]
    pub const fn before(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }
}
