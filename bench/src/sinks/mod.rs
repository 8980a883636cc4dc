//! The yardsticks: what the machine itself needs to receive what the server is sent. Each runs as a
//! child of the bench and speaks as the server does: its address and that it is ready, in JSON lines on
//! standard error.

mod http;
mod udp;

use std::net::SocketAddr;

use serde_json::json;

use crate::Result;

/// A yardstick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// Receives datagrams, as many at once as are there.
    UdpBatches,
    /// Receives datagrams one by one.
    UdpSingles,
    /// Answers HTTP requests with `ok`.
    Http,
    /// The same, on a thread for each core.
    HttpThreads,
}

impl Sink {
    pub(crate) const ALL: [Self; 4] =
        [Self::UdpBatches, Self::UdpSingles, Self::Http, Self::HttpThreads];

    /// The argument that makes this program run it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::UdpBatches => "sink-udp",
            Self::UdpSingles => "sink-udp-recv",
            Self::Http => "sink-http",
            Self::HttpThreads => "sink-http-threads",
        }
    }
}

/// Runs until it is killed.
pub(crate) fn run(sink: Sink) -> Result<()> {
    match sink {
        Sink::UdpBatches => udp::receive_batches(),
        Sink::UdpSingles => udp::receive_singles(),
        Sink::Http => http::answer_all(),
        Sink::HttpThreads => http::answer_all_on_threads(),
    }
}

#[expect(clippy::print_stderr, reason = "that is where the bench listens")]
fn tell(line: &serde_json::Value) {
    eprintln!("{line}");
}

fn tell_ready(transport: &str, address: SocketAddr) {
    let address = address.to_string();
    tell(&json!({"message": "listening", "transport": transport, "address": address}));
    tell(&json!({"message": "ready"}));
}
