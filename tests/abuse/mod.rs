//! Abuse: each attack runs against a server that others use meanwhile. What it holds at most, and how long the
//! others wait, is measured, printed and bounded.

mod bombs;
mod flood;
mod json;
mod logs;
mod paths;
mod slow;
mod smuggling;
mod witness;

use std::{
    io::{ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
};

use socket2::{Domain, Socket, Type};
use witness::Witness;

use crate::support::Server;

/// A mebibyte.
const MIB: u64 = 1024 * 1024;

/// Runs an attack against a server with more flags. What `attack` returns is held until others have asked for
/// more: connections stay open for as long. The server may not hold more than `mib_max` at any moment.
#[track_caller]
fn withstand<T>(
    name: &str,
    flags: &[&str],
    mib_max: u64,
    attack: impl FnOnce(&Server) -> T,
) -> Server {
    let server = Server::start(flags);
    let witness = Witness::start(server.http);
    let held = attack(&server);
    let report = witness.finish();
    drop(held);
    let peak = server.peak_resident_bytes();
    print(&format!("{name}: {} MiB at most; {report}", peak / MIB));
    report.hold();
    assert!(peak < mib_max * MIB, "{name}: {peak} bytes");
    let page = server.scrape();
    assert_eq!(page.value("pushprom_panics_total"), Some(0.0));
    assert_eq!(page.value(witness::COUNTER), Some(report.pushes), "what others pushed is counted");
    server
}

#[expect(clippy::print_stdout, reason = "a figure for people")]
fn print(line: &str) {
    println!("{line}");
}

/// Connects from an address of this machine, of which all of 127/8 is one.
fn connect_from(from: Ipv4Addr, server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("it is ours");
    socket.connect(&server.into()).expect("the server accepts");
    socket.into()
}

/// A connection that is never waited for.
struct Bare(TcpStream);

impl Bare {
    /// From an address that others do not have, as attackers do not; and that has ports enough, since those
    /// who attack another server have another one.
    fn connect(address: SocketAddr) -> Self {
        let [high, low] = address.port().to_be_bytes();
        let stream = connect_from(Ipv4Addr::new(127, 9, high, low), address);
        stream.set_nonblocking(true).expect("it can be set");
        Self(stream)
    }

    /// Sends what the kernel takes at once; `None` if the server has closed.
    fn send(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.0.write(bytes) {
            Ok(sent) => Some(sent),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
            Err(_) => None,
        }
    }
}

/// Connects `count` times; each connection begins with `first`.
fn connect_all(address: SocketAddr, count: usize, first: &[u8]) -> Vec<Bare> {
    let connect = |_| {
        let mut bare = Bare::connect(address);
        bare.send(first);
        bare
    };
    (0..count).map(connect).collect()
}
