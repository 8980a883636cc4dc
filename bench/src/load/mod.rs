//! What sends deltas and asks for pages, as fast as it is told to or as it can.

pub(crate) mod http;
pub(crate) mod paced;
pub(crate) mod scrapes;
pub(crate) mod udp;
