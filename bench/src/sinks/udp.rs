//! Datagrams, received and forgotten.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use serde_json::json;

use super::{tell, tell_ready};
use crate::{
    Result,
    sys::{self, ReceiveBatch},
};

/// How long no datagram comes before the sink tells how many did.
const QUIET: Duration = Duration::from_millis(100);

/// What the kernel is asked to hold meanwhile: what the server asks for too.
const RECEIVE_BUFFER_BYTES: i32 = 16 * 1024 * 1024;

/// Room for any datagram, as the server has it.
const BUFFER_BYTES: usize = 65_536;

/// Receives with `recvmmsg`.
pub(super) fn receive_batches() -> Result<()> {
    let mut room = ReceiveBatch::new();
    receive_all(|socket| room.receive(socket))
}

/// Receives with `recv`.
pub(super) fn receive_singles() -> Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    receive_all(|socket| socket.recv(&mut buffer).map(|_| 1))
}

fn receive_all(mut receive: impl FnMut(&UdpSocket) -> io::Result<usize>) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    sys::ask_for_receive_buffer(&socket, RECEIVE_BUFFER_BYTES)?;
    socket.set_read_timeout(Some(QUIET))?;
    tell_ready("udp", socket.local_addr()?);
    let (mut datagrams, mut told) = (0, 0);
    loop {
        match receive(&socket) {
            Ok(count) => datagrams += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if told < datagrams {
                    tell(&json!({"message": "received", "datagrams": datagrams}));
                    told = datagrams;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
