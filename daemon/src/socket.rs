//! Sockets as the original opens them: the wildcard address is that of both IP versions.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

use crate::config::Address;

/// Opens a socket of `kind` bound to `address`. Where the machine has no IPv6, the wildcard address is
/// that of IPv4.
pub fn bind(address: &Address, kind: Type) -> io::Result<Socket> {
    let bound = bind_to(address.socket, address.dual_stack, kind);
    match bound {
        Err(error) if address.dual_stack && error.raw_os_error() == Some(NO_IPV6) => {
            let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.socket.port()));
            bind_to(any, false, kind)
        }
        bound => bound,
    }
}

/// EAFNOSUPPORT of Linux: the kernel was built or started without IPv6.
const NO_IPV6: i32 = 97;

fn bind_to(address: SocketAddr, dual_stack: bool, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual_stack)?;
    }
    if kind == Type::STREAM {
        // A restart need not wait for connections of the last run to time out; it does not let two
        // processes share a port.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}
