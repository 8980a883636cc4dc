//! Sockets: those of IP as the original opens them, where the wildcard address is that of both versions,
//! and those of unix.

mod passed;
pub mod unix;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

pub use self::passed::{Passed, PassedError, passed};
use self::unix::UnixBindError;
use crate::config::Address;

/// Why an address or a path cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The kernel says so.
    #[error(transparent)]
    Ip(#[from] io::Error),
    /// What is at the path is in the way, or the path itself is.
    #[error(transparent)]
    Unix(#[from] UnixBindError),
}

impl BindError {
    /// Whether somebody else has the address or path.
    pub fn is_in_use(&self) -> bool {
        match self {
            Self::Ip(error) => error.kind() == io::ErrorKind::AddrInUse,
            Self::Unix(UnixBindError::InUse | UnixBindError::NotASocket) => true,
            Self::Unix(
                UnixBindError::NoFolder
                | UnixBindError::Denied
                | UnixBindError::Unknown(_)
                | UnixBindError::Other(_),
            ) => false,
        }
    }
}

/// Opens a socket of `kind` bound to `address`. Where the machine has no IPv6, the wildcard address is
/// that of IPv4.
pub fn bind(address: &Address, kind: Type) -> io::Result<Socket> {
    let bound = bind_to(*address, kind, Sharing::Alone);
    match bound {
        Err(error) if address.dual_stack && error.raw_os_error() == Some(NO_IPV6) => {
            let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.socket.port()));
            bind_to(Address { socket: any, dual_stack: false }, kind, Sharing::Alone)
        }
        bound => bound,
    }
}

/// Opens `count` sockets of `kind` bound to the same address, between which the kernel divides what
/// comes, by sender; `prepare` makes each ready. It fails where any other socket is bound to the address:
/// nobody shares it by mistake.
pub fn bind_group(
    address: &Address,
    kind: Type,
    count: usize,
    prepare: impl Fn(&Socket) -> io::Result<()>,
) -> io::Result<Vec<Socket>> {
    // Alone and ready before it is willing to share. A TCP socket that does not listen yet keeps no other
    // away; and what comes to it in the meantime is not lost, because it stays the first of the group.
    let first = bind(address, kind)?;
    prepare(&first)?;
    if count == 1 {
        return Ok(vec![first]);
    }
    // The kernel lets a socket into a group if all in it are willing.
    first.set_reuse_port(true)?;
    let bound = first.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    let bound = Address { socket: bound, dual_stack: address.dual_stack && bound.is_ipv6() };
    let mut group = vec![first];
    for _ in 1..count {
        let socket = bind_to(bound, kind, Sharing::InGroup)?;
        prepare(&socket)?;
        group.push(socket);
    }
    Ok(group)
}

/// EAFNOSUPPORT of Linux: the kernel was built or started without IPv6.
const NO_IPV6: i32 = 97;

/// Whether a socket has its address to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Alone,
    /// With others of this process.
    InGroup,
}

fn bind_to(address: Address, kind: Type, sharing: Sharing) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address.socket), kind, None)?;
    if address.socket.is_ipv6() {
        socket.set_only_v6(!address.dual_stack)?;
    }
    if kind == Type::STREAM {
        // A restart need not wait for connections of the last run to time out; it does not let two
        // processes share a port.
        socket.set_reuse_address(true)?;
    }
    match sharing {
        Sharing::Alone => {}
        Sharing::InGroup => socket.set_reuse_port(true)?,
    }
    socket.bind(&address.socket.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen_if_it_can(socket: &Socket) -> io::Result<()> {
        if socket.r#type()? == Type::STREAM { socket.listen(1) } else { Ok(()) }
    }

    #[test]
    fn a_group_shares_an_address_that_nobody_else_gets() {
        for kind in [Type::DGRAM, Type::STREAM] {
            let bind =
                |address: &Address, count| bind_group(address, kind, count, listen_if_it_can);
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let any = Address { socket: any, dual_stack: false };
            let group = bind(&any, 3).expect("a free port");
            let addresses: Vec<SocketAddr> = group
                .iter()
                .map(|socket| socket.local_addr().expect("it is bound"))
                .filter_map(|address| address.as_socket())
                .collect();
            assert_eq!(addresses, [addresses[0]; 3]);
            let taken = Address { socket: addresses[0], dual_stack: false };
            for count in [1, 3] {
                let error = bind(&taken, count).expect_err("it is taken");
                assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{kind:?} {count}");
            }
            drop(group);
            let _alone = bind(&taken, 1).expect("it is free again");
            let error = bind(&taken, 3).expect_err("it is taken");
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{kind:?}");
        }
    }

    /// Two servers that start at the same time: one of them has bound its socket, and will listen.
    #[test]
    fn whoever_listens_first_has_the_address() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let any = Address { socket: any, dual_stack: false };
        let late = bind_to(any, Type::STREAM, Sharing::Alone).expect("a free port");
        let taken = late.local_addr().expect("it is bound").as_socket().expect("an address");
        let taken = Address { socket: taken, dual_stack: false };
        let group = bind_group(&taken, Type::STREAM, 2, listen_if_it_can).expect("nobody listens");
        let error = late.listen(1).expect_err("somebody listens");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(group);
    }
}
