//! What the kernel knows of our UDP sockets: asked for each page.

use std::{
    net::SocketAddr,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use pushprom_core::{
    model::{Kind, Value, count_as_f64},
    snapshot::FamilySnapshot,
};
use socket2::Socket;

use super::family::{family, series, total};
use crate::datagram;

/// The sockets, by the address they share. They are as many as the configuration says.
#[derive(Default)]
pub(super) struct UdpSockets(Mutex<Vec<Group>>);

struct Group {
    address: SocketAddr,
    receive_buffer_bytes: usize,
    sockets: Vec<Watched>,
}

struct Watched {
    /// Gone when its thread has ended.
    socket: Weak<Socket>,
    dropped: Dropped,
}

/// The kernel's count, which begins anew after `u32::MAX`, as one that does not.
#[derive(Default)]
struct Dropped {
    last: u32,
    total: u64,
}

impl UdpSockets {
    pub(super) fn watch(
        &self,
        address: SocketAddr,
        receive_buffer_bytes: usize,
        sockets: &[Arc<Socket>],
    ) {
        let watch =
            |socket| Watched { socket: Arc::downgrade(socket), dropped: Dropped::default() };
        let sockets = sockets.iter().map(watch).collect();
        self.0.lock().push(Group { address, receive_buffer_bytes, sockets });
    }

    pub(super) fn families(&self) -> [FamilySnapshot; 2] {
        let mut groups = self.0.lock();
        let buffers = groups.iter().map(|group| {
            let bytes = u64::try_from(group.receive_buffer_bytes).unwrap_or(u64::MAX);
            let labels = [("address", &*group.address.to_string())];
            series(&labels, Value::Gauge(count_as_f64(bytes)))
        });
        let buffers = family(
            "pushprom_udp_receive_buffer_bytes",
            "Receive buffer that the kernel granted to each socket of an address.",
            Kind::Gauge,
            buffers,
        );
        let sockets = groups.iter_mut().flat_map(|group| &mut group.sockets);
        let dropped = sockets.map(Watched::dropped).sum::<u64>();
        let dropped = total(
            "pushprom_udp_dropped_total",
            "Datagrams that the kernel dropped, for lack of room or because they were damaged.",
            dropped.into(),
        );
        [buffers, dropped]
    }
}

impl Watched {
    fn dropped(&mut self) -> u64 {
        if let Some(now) = self.socket.upgrade().and_then(|socket| datagram::dropped(&*socket).ok())
        {
            self.dropped.advance(now);
        }
        self.dropped.total
    }
}

impl Dropped {
    fn advance(&mut self, now: u32) {
        self.total += u64::from(now.wrapping_sub(self.last));
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_goes_on_where_the_kernel_begins_anew() {
        let mut dropped = Dropped::default();
        for (now, total) in [
            (0, 0),
            (7, 7),
            (7, 7),
            (u32::MAX, 0xffff_ffff),
            (1, 0x1_0000_0001),
            (8, 0x1_0000_0008),
        ] {
            dropped.advance(now);
            assert_eq!(dropped.total, total, "{now}");
        }
    }
}
