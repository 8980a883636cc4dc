//! Abuse: each attack runs against a server that others use meanwhile. What it holds at most, and how long the
//! others wait, is measured, printed and bounded.

mod bombs;
mod flood;
mod h2;
mod json;
mod logs;
mod paths;
mod slow;
mod smuggling;
mod witness;

use std::{
    io::{ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::ClientConfig;
use socket2::{Domain, Socket, Type};
use witness::Witness;

use crate::support::{Client, Page, Server, Site, wait_for};

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
    let address = server.http;
    let connect = move || Client::connect(address);
    watch(name, mib_max, &server, connect, || attack(&server));
    server
}

/// The same over TLS.
#[track_caller]
fn withstand_tls<T>(name: &str, flags: &[&str], mib_max: u64, attack: impl FnOnce(&Secure) -> T) {
    let site = Site::new();
    let secure = Secure::start(&site, flags);
    let (address, config) = (secure.http, Arc::clone(&secure.config));
    let connect = move || Client::connect_tls(address, Arc::clone(&config));
    watch(name, mib_max, &secure.server, connect, || attack(&secure));
}

/// Pushes so many gauges of some 200 bytes each, for long pages.
fn fill(series: u32, push: impl Fn(&str)) {
    let all: Vec<u32> = (0..series).collect();
    for some in all.chunks(2500) {
        let delta = |n| {
            let pad = "x".repeat(150);
            format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{"n":"{n}{pad}"}}}}"#)
        };
        let deltas: Vec<String> = some.iter().map(delta).collect();
        push(&deltas.join("\n"));
    }
}

#[track_caller]
fn watch<T>(
    name: &str,
    mib_max: u64,
    server: &Server,
    connect: impl Fn() -> Client + Clone + Send + 'static,
    attack: impl FnOnce() -> T,
) {
    let witness = Witness::start(connect.clone());
    let held = attack();
    let report = witness.finish();
    drop(held);
    let peak = server.peak_resident_bytes();
    print(&format!("{name}: {} MiB at most; {report}", peak / MIB));
    report.hold();
    assert!(peak < mib_max * MIB, "{name}: {peak} bytes");
    let page = page(&connect);
    assert_eq!(page.value("pushprom_panics_total"), Some(0.0));
    assert_eq!(page.value(witness::COUNTER), Some(report.pushes), "what others pushed is counted");
}

/// The page, when there is a place to ask for it.
#[track_caller]
fn page(connect: &impl Fn() -> Client) -> Page {
    let reply = wait_for("a page", || {
        let close = [("Connection", "close")];
        let reply = connect().request("GET", "/metrics", &close, None).expect("an answer");
        (reply.status == 200).then_some(reply)
    });
    Page(reply.text())
}

/// A server with TLS, and what its clients trust.
struct Secure {
    server: Server,
    http: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Secure {
    fn start(site: &Site, flags: &[&str]) -> Self {
        let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
        let server = site.start(tls, flags);
        Self { http: server.http, server, config: site.client_config() }
    }

    fn connect(&self) -> Client {
        Client::connect_tls(self.http, Arc::clone(&self.config))
    }

    fn page(&self) -> Page {
        page(&|| self.connect())
    }

    #[track_caller]
    fn push_ok(&self, message: &str) {
        let reply = self.connect().request("POST", "/", &[], Some(message.as_bytes()));
        assert_eq!(reply.expect("an answer").text(), "ok");
    }
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

/// A connection from an address that others do not have, as attackers do not; and that has ports enough, since
/// those who attack another server have another one.
fn attacker(server: SocketAddr) -> TcpStream {
    let [high, low] = server.port().to_be_bytes();
    connect_from(Ipv4Addr::new(127, 9, high, low), server)
}

/// A connection that is never waited for.
struct Bare(TcpStream);

impl Bare {
    fn connect(address: SocketAddr) -> Self {
        let stream = attacker(address);
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
