//! UDP sockets, as the flags ask for them.

use std::{io, net::SocketAddr, sync::Arc};

use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Socket, Type};

use crate::{
    config::{Address, Config},
    datagram, socket,
};

/// An address, bound. Nothing is received yet.
pub struct Bound {
    /// Where.
    pub address: SocketAddr,
    /// Its sockets, one for each thread.
    pub sockets: Vec<Arc<Socket>>,
    /// What the kernel granted to each of them, in the unit it was asked for.
    pub receive_buffer_bytes: usize,
}

/// Binds an address, with as many sockets and as large buffers as `config` says.
pub fn bind(address: &Address, config: &Config) -> io::Result<Bound> {
    prepare(socket::bind_group(address, Type::DGRAM, config.udp_sockets, |_| Ok(()))?, config)
}

/// Takes a socket that somebody else has bound. The kernel divides nothing between several of it.
pub fn adopt(socket: Socket, config: &Config) -> io::Result<Bound> {
    // Those who receive wait for datagrams.
    socket.set_nonblocking(false)?;
    prepare(vec![socket], config)
}

fn prepare(sockets: Vec<Socket>, config: &Config) -> io::Result<Bound> {
    let asked = config.udp_receive_buffer_bytes;
    let mut receive_buffer_bytes = usize::MAX;
    for socket in &sockets {
        receive_buffer_bytes = receive_buffer_bytes.min(ask_for_buffer(socket, asked)?);
    }
    if receive_buffer_bytes < asked / 2 {
        let remedy = format!("sysctl -w net.core.rmem_max={asked}");
        tracing::warn!(
            asked,
            granted = receive_buffer_bytes,
            remedy,
            "the kernel grants a much smaller receive buffer than -udp.receive-buffer-bytes asks for: \
             bursts may be lost"
        );
    }
    if let Some(error) = sockets.first().and_then(|socket| datagram::dropped(socket).err()) {
        tracing::warn!(%error, "the kernel does not say how many datagrams it drops");
    }
    let address = sockets.first().map(Socket::local_addr).transpose()?;
    let address = address.and_then(|address| address.as_socket());
    let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(Bound {
        address,
        sockets: sockets.into_iter().map(Arc::new).collect(),
        receive_buffer_bytes,
    })
}

/// Asks for a receive buffer; says what was granted, in the same unit.
fn ask_for_buffer(socket: &Socket, bytes: usize) -> io::Result<usize> {
    // Root, or who has CAP_NET_ADMIN, is not bound by net.core.rmem_max.
    if set_socket_recv_buffer_size_force(socket, bytes).is_err() {
        socket.set_recv_buffer_size(bytes)?;
    }
    // Linux sets aside twice what it was asked for, since it charges its own book-keeping to the buffer,
    // and reports that.
    Ok(socket.recv_buffer_size()? / 2)
}
