//! Bytes to deltas: one module per protocol, each a pure function of a message and the limits.
//!
//! A decoder returns what it understood beside what it did not ([`Message`]); it panics on nothing,
//! allocates in proportion to the message, and borrows from it what it can.

pub mod json;

use crate::model::Delta;

/// A decoded message: the deltas it held, in order, each by itself good or bad, and what broke it off,
/// if anything did.
///
/// Whether the good deltas of a broken message count is for the transport to say: a datagram applies
/// them, an HTTP body does not, since its sender is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a, E, B> {
    /// One entry per delta that could be told apart.
    pub deltas: Vec<Result<Delta<'a>, E>>,
    /// Why the rest of the message could not be read.
    pub broken: Option<B>,
}
