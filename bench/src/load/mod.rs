//! What sends deltas, as fast as it is told to or as it can.

pub(crate) mod http;
pub(crate) mod udp;
