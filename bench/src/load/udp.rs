//! Datagrams from one socket.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    sys::{self, BATCH},
};

/// Datagrams that leave at once when paced. A few times as many fit the smallest socket buffer that
/// kernels give by default.
const BURST: usize = 50;
const _: () = assert!(BURST <= BATCH, "a burst is one call");

/// A socket and what it sends, over and over.
pub(crate) struct Sender {
    socket: UdpSocket,
    /// The deltas, with the first [`BATCH`] of them again at the end, so that each batch is one slice.
    datagrams: Vec<Vec<u8>>,
    deltas: usize,
    next: usize,
}

impl Sender {
    /// A sender of `deltas`, one per datagram, in turn.
    pub(crate) fn connect(address: SocketAddr, deltas: &[Vec<u8>]) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(address)?;
        let datagrams = deltas.iter().chain(deltas.iter().take(BATCH)).cloned().collect();
        Ok(Self { socket, datagrams, deltas: deltas.len(), next: 0 })
    }

    /// Sends `count` datagrams as fast as the kernel takes them.
    pub(crate) fn send_flat_out(&mut self, count: usize) -> Result<()> {
        let mut left = count;
        while left > 0 {
            left -= self.send_some(left.min(BATCH))?;
        }
        Ok(())
    }

    /// Sends for about `duration` at a pace; says how many.
    pub(crate) fn send_paced(&mut self, per_second: u32, duration: Duration) -> Result<usize> {
        let begun = Instant::now();
        let mut sent = 0;
        while begun.elapsed() < duration {
            self.send_flat_out(BURST)?;
            sent += BURST;
            let due =
                Duration::from_secs_f64(crate::numbers::float_len(sent) / f64::from(per_second));
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        Ok(sent)
    }

    fn send_some(&mut self, count: usize) -> Result<usize> {
        let sent = sys::send_batch(&self.socket, &self.datagrams[self.next..self.next + count])?;
        self.next = (self.next + sent) % self.deltas;
        Ok(sent)
    }
}
