//! UDP sockets, as the flags ask for them.

use std::{io, net::SocketAddr, sync::Arc};

use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Domain, Socket, Type};

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
    let sockets = socket::bind_group(address, Type::DGRAM, config.udp_sockets, |_| Ok(()))?;
    let asked = config.udp_receive_buffer_bytes;
    let mut granted = usize::MAX;
    for socket in &sockets {
        granted = granted.min(ask_for_buffer(socket, asked)?);
    }
    prepare(sockets, granted, asked)
}

/// Takes a socket that somebody else has bound. The kernel divides nothing between several of it.
pub fn adopt(socket: Socket, config: &Config) -> io::Result<Bound> {
    // Those who receive wait for datagrams.
    socket.set_nonblocking(false)?;
    let asked = config.udp_receive_buffer_bytes;
    // Who has bound it may have had more for it than we can: `ReceiveBuffer=` is not bound by net.core.rmem_max.
    let ours = ask_for_buffer(&Socket::new(Domain::IPV4, Type::DGRAM, None)?, asked)?;
    let theirs = granted_buffer(&socket)?;
    let granted = if ours > theirs { ask_for_buffer(&socket, asked)? } else { theirs };
    prepare(vec![socket], granted, asked)
}

fn prepare(sockets: Vec<Socket>, receive_buffer_bytes: usize, asked: usize) -> io::Result<Bound> {
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
    granted_buffer(socket)
}

/// The receive buffer that a socket has, in the unit in which it is asked for.
fn granted_buffer(socket: &Socket) -> io::Result<usize> {
    // Linux sets aside twice what it was asked for, since it charges its own book-keeping to the buffer,
    // and reports that.
    Ok(socket.recv_buffer_size()? / 2)
}
