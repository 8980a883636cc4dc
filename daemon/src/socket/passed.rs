//! Sockets that systemd has bound and passes to us, and keeps open while we are away: what clients send in
//! the meantime waits in the kernel.

use std::io;

use listenfd::ListenFd;
use socket2::Socket;

/// What was passed.
#[derive(Debug, Default)]
pub struct Passed {
    /// Those that listen for connections, TCP or unix; one at least.
    pub streams: Vec<Socket>,
    /// UDP sockets.
    pub udp: Vec<Socket>,
    /// Unix sockets for datagrams.
    pub unix: Vec<Socket>,
}

/// Why nothing can be done with what was passed.
#[derive(Debug, thiserror::Error)]
pub enum PassedError {
    /// There is nothing.
    #[error(
        "no sockets were passed (LISTEN_FDS and LISTEN_PID): start by a .socket unit, or leave out the flag"
    )]
    Nothing,
    /// There is nothing to serve HTTP at.
    #[error("no listening stream was passed: add ListenStream= to the .socket unit")]
    NoStream,
    /// Something else was passed.
    #[error(
        "the file descriptor {0} is none of a listening stream (with Accept=no) or a datagram socket: \
         see the .socket unit"
    )]
    Other(usize),
    /// The kernel says so.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The first of the file descriptors that are passed.
const FIRST: usize = 3;

/// Takes what was passed to this process. A second time there is nothing.
pub fn passed() -> Result<Passed, PassedError> {
    let mut found = ListenFd::from_env();
    if found.len() == 0 {
        return Err(PassedError::Nothing);
    }
    let mut passed = Passed::default();
    for place in 0..found.len() {
        if let Ok(Some(socket)) = found.take_tcp_listener(place) {
            passed.streams.push(listening(socket.into(), place)?);
        } else if let Ok(Some(socket)) = found.take_unix_listener(place) {
            passed.streams.push(listening(socket.into(), place)?);
        } else if let Ok(Some(socket)) = found.take_udp_socket(place) {
            passed.udp.push(socket.into());
        } else if let Ok(Some(socket)) = found.take_unix_datagram(place) {
            passed.unix.push(socket.into());
        } else {
            return Err(PassedError::Other(FIRST + place));
        }
    }
    if passed.streams.is_empty() { Err(PassedError::NoStream) } else { Ok(passed) }
}

/// A stream that listens. With `Accept=yes` systemd passes a connection.
fn listening(socket: Socket, place: usize) -> Result<Socket, PassedError> {
    if socket.is_listener()? { Ok(socket) } else { Err(PassedError::Other(FIRST + place)) }
}
