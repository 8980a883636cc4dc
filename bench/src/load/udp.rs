//! Datagrams from one socket.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    numbers::float,
    sys::{self, BATCH},
};

/// Datagrams that leave at once when paced. A few times as many fit the smallest socket buffer that
/// kernels give by default.
const BURST: usize = 50;
const _: () = assert!(BURST <= BATCH, "a burst is one call");

/// How to send.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// So many datagrams a second, for so long.
    Paced(u32, Duration),
    /// So many datagrams, as fast as the kernel takes them.
    FlatOut(u64),
}

/// A socket and what it sends, over and over.
pub(crate) struct Sender {
    socket: UdpSocket,
    /// The datagrams, with the first [`BATCH`] of them again at the end, so that each batch is one slice.
    datagrams: Vec<Vec<u8>>,
    /// How many they are, those at the end not counted.
    distinct: usize,
    next: usize,
}

impl Sender {
    /// A sender of `datagrams`, in turn.
    pub(crate) fn connect(address: SocketAddr, mut datagrams: Vec<Vec<u8>>) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(address)?;
        let distinct = datagrams.len();
        if distinct == 0 {
            return Err("there is nothing to send".into());
        }
        for place in 0..BATCH {
            datagrams.push(datagrams[place].clone());
        }
        Ok(Self { socket, datagrams, distinct, next: 0 })
    }

    /// Sends; says how many datagrams.
    pub(crate) fn send(&mut self, way: Way) -> Result<u64> {
        match way {
            Way::Paced(per_second, duration) => self.send_paced(per_second, duration),
            Way::FlatOut(count) => {
                self.send_flat_out(count)?;
                Ok(count)
            }
        }
    }

    fn send_flat_out(&mut self, count: u64) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let room = usize::try_from(left).map_or(BATCH, |left| left.min(BATCH));
            left -= self.send_some(room)?;
        }
        Ok(())
    }

    fn send_paced(&mut self, per_second: u32, duration: Duration) -> Result<u64> {
        let burst = u64::try_from(BURST)?;
        let begun = Instant::now();
        let mut sent = 0;
        while begun.elapsed() < duration {
            self.send_flat_out(burst)?;
            sent += burst;
            let due = Duration::from_secs_f64(float(sent) / f64::from(per_second));
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        Ok(sent)
    }

    fn send_some(&mut self, count: usize) -> Result<u64> {
        let sent = sys::send_batch(&self.socket, &self.datagrams[self.next..self.next + count])?;
        self.next = (self.next + sent) % self.distinct;
        Ok(u64::try_from(sent)?)
    }
}
