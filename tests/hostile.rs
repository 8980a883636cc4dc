//! Endurance: what a hostile or broken peer can do, and that everybody else is served meanwhile.

use std::{
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    thread,
};

use crate::support::{BINARY, Client, Server, inc, succeed, wait_for};

/// What the server may hold under each of these attacks. It starts at about 6 MB.
const RESIDENT_BYTES_MAX: u64 = 200 * 1024 * 1024;

/// Pushes and scrapes as a well-behaved client would, and holds the server to its memory.
#[track_caller]
fn assert_served(server: &Server, attack: &str) {
    server.push_ok(inc("well_behaved"));
    assert!(server.scrape().value("well_behaved") >= Some(1.0));
    let resident = server.resident_bytes();
    report(attack, resident);
    assert!(resident < RESIDENT_BYTES_MAX, "{attack}: {resident} bytes");
}

#[expect(clippy::print_stdout, reason = "a figure for people")]
fn report(attack: &str, resident: u64) {
    println!(
        "{attack}: {:.1} MB resident",
        f64::from(u32::try_from(resident >> 10).unwrap_or(u32::MAX)) / 1024.0
    );
}

#[test]
fn ten_thousand_silent_connections() {
    let mut server = Server::start(&[]);
    let mut silent = Vec::new();
    for count in 1..=10_000 {
        silent.push(TcpStream::connect(server.http).expect("the server accepts"));
        if count % 1000 == 0 {
            assert_served(&server, &format!("{count} silent connections"));
        }
    }
    // Those told to go are gone a moment later.
    let page = wait_for("the limit of connections", || {
        let page = server.scrape();
        let open = page.value("pushprom_http_connections");
        open.is_some_and(|open| open <= 1025.0).then_some(page)
    });
    assert!(page.value("pushprom_http_connections_evicted_total") > Some(8900.0));
    assert!(server.is_alive());
}

/// Sends as much of a body of a megabyte as `part` holds, on each of many connections.
fn half_sent_bodies(server: &Server, count: usize, part: &[u8]) -> Vec<Client> {
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    let send = |_| {
        let mut client = Client::connect(server.http);
        client.send(head).expect("it is sent");
        // A body too many is answered, and its connection closed, while it is sent.
        client.send(part).ok();
        client
    };
    (0..count).map(send).collect()
}

#[test]
fn a_thousand_half_sent_bodies() {
    let server = Server::start(&[]);
    let _short = half_sent_bodies(&server, 1000, b"{\"type\":\"coun");
    assert_served(&server, "1000 half-sent bodies of 14 bytes");
    let _long = half_sent_bodies(&server, 1000, &vec![b' '; 900_000]);
    assert_served(&server, "and 1000 of 900 kB");
    assert!(server.scrape().rejected_for("busy", "http") > 500.0);
}

#[test]
fn a_hundred_thousand_random_datagrams() {
    let mut server = Server::start(&[]);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut datagram = vec![0; 1500];
    for sent in 1..=100_000_u32 {
        let length = usize::try_from(random.next() % 1500).expect("it is small");
        for byte in &mut datagram[..length] {
            *byte = random.next().to_le_bytes()[0];
        }
        // A third looks like JSON for a while.
        if let Some(start) = datagram.get_mut(..20).filter(|_| sent % 3 == 0) {
            start.copy_from_slice(br#"{"type":"counter","n"#);
        }
        socket.send_to(&datagram[..length], server.udp).expect("loopback takes datagrams");
        // Kept in step, so that the kernel has no reason to drop any.
        if sent % 100 == 0 {
            server.catch_up();
        }
    }
    let page = server.catch_up();
    let marks = page.value("zz_mark").expect("marks were sent");
    assert_eq!(page.value("pushprom_udp_packets_total"), Some(100_000.0 + marks));
    assert!(page.rejected() >= 99_000.0, "{}", page.rejected());
    assert_eq!(page.value("pushprom_panics_total"), Some(0.0));
    assert_served(&server, "100000 random datagrams");
    assert!(server.is_alive());
}

#[test]
fn a_body_of_a_gigabyte() {
    let server = Server::start(&[]);
    let address = server.http;
    let sender = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("the server accepts");
        let chunk = vec![b' '; 1 << 20];
        let length = 1_u64 << 30;
        write!(stream, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")?;
        (0..1024).try_for_each(|_| stream.write_all(&chunk))
    });
    let refused = sender.join().expect("the sender does not panic").expect_err("it is not taken");
    let expected = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(expected.contains(&refused.kind()), "{refused}");
    // And without a length that gives it away.
    let mut chunked = Client::connect(server.http);
    chunked
        .send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        .expect("it is sent");
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
    let taken = (0..1024).take_while(|_| chunked.send(&chunk).is_ok()).count();
    assert!(taken < 1024, "a gigabyte was taken");
    assert_served(&server, "bodies of 1 GB");
    assert_eq!(server.scrape().rejected_for("too_long", "http"), 2.0);
}

#[test]
fn scrapers_that_do_not_read() {
    let server = Server::start(&["-web.write-timeout=2s"]);
    // A page of some 20 MB, which no socket buffer holds.
    for first in (0..100_000).step_by(2500) {
        let delta = |n| {
            let pad = "x".repeat(150);
            format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{"n":"{n}{pad}"}}}}"#)
        };
        let deltas: Vec<String> = (first..first + 2500).map(delta).collect();
        server.push_ok(deltas.join("\n"));
    }
    let mut scrapers = Vec::new();
    for _ in 0..20 {
        for _ in 0..10 {
            let mut scraper = Client::connect(server.http);
            scraper.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
            scrapers.push(scraper);
        }
        // A scraper that reads gets its page at any time.
        assert!(server.scrape().0.len() > 10_000_000);
    }
    let resident = server.resident_bytes();
    report("200 scrapers that do not read 20 pages of 20 MB", resident);
    assert!(resident < 1024 * 1024 * 1024, "{resident} bytes");
    // They are let go, and what they held with them.
    wait_for("their connections to be closed", || {
        let open = server.scrape().value("pushprom_http_connections");
        open.is_some_and(|open| open <= 2.0).then_some(())
    });
}

#[test]
fn nobody_reads_the_log() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    // As much as a pipe holds on Linux: the first line of the log finds it full.
    writer.write_all(&vec![b'\n'; 65536]).expect("the pipe takes that much");
    let (http, udp) = (free_address(), free_address());
    let server = Command::new(BINARY)
        .args([format!("-http-listen-address={http}"), format!("-udp-listen-address={udp}")])
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn();
    let mut server = Killed(server.expect("the binary runs"));
    wait_for("the server", || TcpStream::connect(http).ok());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    for datagram in ["no delta", &inc("m")] {
        socket.send_to(datagram.as_bytes(), udp).expect("it is sent");
    }
    wait_for("the datagram behind one that is complained about", || {
        let reply = Client::connect(http).request("GET", "/metrics", &[], None)?;
        reply.text().contains("\nm 1\n").then_some(())
    });
    succeed(Command::new("kill").arg(server.0.id().to_string()));
    let status = wait_for("its end", || server.0.try_wait().expect("it is our child"));
    assert!(status.success(), "{status}");
    drop(reader);
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

#[test]
fn many_pushers_and_scrapers_lose_nothing() {
    let server = Server::start(&[]);
    let address = server.http;
    let pushers: Vec<_> = (0..8)
        .map(|pusher| {
            thread::spawn(move || {
                let mut client = Client::connect(address);
                for n in 0..500 {
                    let body = format!(
                        "[{},{{\"type\":\"histogram\",\"name\":\"h\",\"method\":\"observe\",\
                         \"value\":{n},\"buckets\":[100],\"labels\":{{\"p\":\"{pusher}\"}}}},\
                         {{\"type\":\"histogram\",\"name\":\"same\",\"method\":\"observe\",\
                         \"value\":3}},\
                         {{\"type\":\"gauge\",\"name\":\"g\",\"method\":\"add\",\"value\":0.5}}]",
                        inc("m")
                    );
                    let reply = client.request("POST", "/", &[], Some(body.as_bytes()));
                    assert_eq!(reply.expect("an answer").text(), "ok");
                }
            })
        })
        .collect();
    while !pushers.iter().all(thread::JoinHandle::is_finished) {
        let page = server.scrape();
        let count = page.value("same_count").unwrap_or(0.0);
        let sum = page.value("same_sum").unwrap_or(0.0);
        // Under heavy fire at most what the eight clients have in flight is apart.
        assert!((sum - 3.0 * count).abs() <= 3.0 * 8.0, "{count} observations make {sum}");
    }
    for pusher in pushers {
        pusher.join().expect("no pusher fails");
    }
    let page = server.scrape();
    assert_eq!((page.value("m"), page.value("g")), (Some(4000.0), Some(2000.0)));
    for pusher in 0..8 {
        assert_eq!(page.value(&format!("h_count{{p=\"{pusher}\"}}")), Some(500.0));
        assert_eq!(page.value(&format!("h_sum{{p=\"{pusher}\"}}")), Some(124_750.0));
        assert_eq!(page.value(&format!("h_bucket{{p=\"{pusher}\",le=\"100\"}}")), Some(101.0));
    }
}

/// xorshift64*: the same bytes each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}
