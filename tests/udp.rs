//! Datagrams, from outside.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, UdpSocket},
    process::{Command, Stdio},
};

use crate::support::{BINARY, Server, inc, wait_for};

#[test]
fn a_datagram_holds_one_delta_or_many() {
    let server = Server::start(&[]);
    server.send(inc("a"));
    server.send(format!("{}\n{}\n", inc("a"), inc("b")));
    let many = vec![inc("a"); 1000].join(",");
    let longest = format!("[{many}]{}", " ".repeat(65_507 - many.len() - 2));
    assert_eq!(longest.len(), 65_507);
    server.send(longest);
    let page = server.catch_up();
    assert_eq!((page.value("a"), page.value("b")), (Some(1002.0), Some(1.0)));
    assert_eq!(page.value("pushprom_udp_packets_total"), Some(4.0));
}

#[test]
fn what_is_good_in_a_broken_datagram_counts() {
    let server = Server::start(&[]);
    let good = inc("m");
    for broken in ["{", "garbage", "}", ",", "\0"] {
        server.send(format!("{good}{broken}"));
    }
    server.send(format!("[{good},{{\"type\":1}},{good},{}", &good[..9]));
    server.send("");
    let page = server.catch_up();
    assert_eq!(page.value("m"), Some(7.0));
    for (reason, count) in [("syntax", 6.0), ("wrong_type", 1.0), ("empty", 1.0)] {
        assert_eq!(page.rejected_for(reason, "udp"), count, "{reason}");
    }
}

#[test]
fn nobody_forges_or_floods_the_log() {
    let server = Server::start(&[]);
    let forged = r#"a\n{\"level\":\"ERROR\",\"message\":\"forged\"}"#;
    server.send(format!(r#"{{"type":"{forged}"}}"#));
    for _ in 0..2000 {
        server.send("x");
    }
    let page = server.catch_up();
    assert_eq!(page.rejected_for("syntax", "udp"), 2000.0);
    let refusals = server.refusals();
    assert!((1..1000).contains(&refusals), "{refusals} lines");
    let suppressed = page.value("pushprom_log_lines_suppressed_total");
    assert!(suppressed > Some(1000.0), "{suppressed:?}");
    for line in server.log_lines() {
        let event: serde_json::Value = serde_json::from_str(&line).expect("a line is an event");
        assert_ne!(event["message"], "forged");
    }
}

#[test]
fn nobody_forges_a_line_of_logfmt() {
    let output = {
        let mut command = Command::new(BINARY);
        command.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut lines: Vec<String> = Vec::new();
        let mut read_to = |wanted: &str| loop {
            let line = log.next().expect("a line").expect("UTF-8");
            lines.push(line.clone());
            if line.contains(wanted) {
                return line;
            }
        };
        let line = read_to("transport=udp");
        let address = line.split("address=").nth(1).expect("an address");
        let address = address.split(' ').next().expect("an address").to_owned();
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let forged = r#"{"type":"a\nlevel=error msg=forged \" x=\u001b[31m"}"#;
        socket.send_to(forged.as_bytes(), &address).expect("it is sent");
        socket.send_to(b"\xff\x1b[31m", &address).expect("it is sent");
        read_to("unknown_type");
        read_to("reason=syntax");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        lines
    };
    for line in output {
        assert!(line.starts_with("ts="), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn several_addresses_and_both_ip_versions() {
    let server = Server::start(&["-udp-listen-address=127.0.0.1:0,:0"]);
    let listening = server.listening("udp");
    let [one, any] = listening[..] else { panic!("two addresses: {listening:?}") };
    let v4 = SocketAddr::from(([127, 0, 0, 1], any.port()));
    let v6: SocketAddr = format!("[::1]:{}", any.port()).parse().expect("an address");
    for address in [one, v4, v6] {
        let local = if address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(local).expect("a free port");
        socket.send_to(inc("m").as_bytes(), address).expect("it is sent");
    }
    wait_for("three datagrams", || (server.scrape().value("m") == Some(3.0)).then_some(()));
}

/// Twice as many as the kernel holds here, and more: each is applied, refused, or counted as dropped.
#[test]
fn every_datagram_of_a_flood_is_accounted_for() {
    const SENT: u32 = 200_000;
    let server = Server::start(&["-udp.receive-buffer-bytes=1", "-udp.sockets=2"]);
    let senders = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("a free port"));
    let (good, bad) = (inc("m"), "no delta");
    for sent in 0..SENT {
        let datagram = if sent % 10 == 0 { bad } else { &good };
        let sender = &senders[usize::try_from(sent % 2).expect("it is small")];
        sender.send_to(datagram.as_bytes(), server.udp).expect("loopback takes datagrams");
    }
    let page = wait_for("every datagram", || {
        let page = server.scrape();
        let dropped = page.value("pushprom_udp_dropped_total").expect("it is counted");
        let applied = page.value("m").unwrap_or(0.0);
        let accounted = applied + page.rejected_for("syntax", "udp") + dropped;
        assert!(accounted <= f64::from(SENT), "{accounted}");
        (accounted == f64::from(SENT)).then_some(page)
    });
    let dropped = page.value("pushprom_udp_dropped_total").expect("it is counted");
    assert!(dropped > 0.0 && page.value("m") > Some(0.0), "{dropped} dropped");
    let packets = page.value("pushprom_udp_packets_total");
    assert_eq!(packets, Some(f64::from(SENT) - dropped));
}

#[test]
fn the_receive_buffer_is_asked_for_and_shown() {
    let shown = |server: &Server| {
        let address = server.udp.to_string();
        let sample = format!("pushprom_udp_receive_buffer_bytes{{address={address:?}}}");
        let bytes = server.scrape().value(&sample).expect("it is on the page");
        let logged = server.wait_for_log("it", |event| event["transport"] == "udp");
        assert_eq!(logged["receive_buffer_bytes"].as_f64(), Some(bytes));
        bytes
    };
    let warned = |server: &Server| {
        server.events().into_iter().find(|event| event["remedy"].is_string()).map(|event| {
            let text = |key: &str| event[key].to_string();
            [text("level"), text("remedy"), text("asked")]
        })
    };
    let small = Server::start(&["-udp.receive-buffer-bytes=100000"]);
    assert_eq!((shown(&small), warned(&small)), (100_000.0, None));
    // Whoever may not go beyond net.core.rmem_max is told to raise it.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_admin", BINARY, "-http-listen-address=127.0.0.1:0"]);
    command.args(["-udp-listen-address=127.0.0.1:0", "-log.format=json"]);
    let bounded = Server::run(command.arg("-udp.receive-buffer-bytes=1000000000"));
    assert!(shown(&bounded) < 500_000_000.0);
    let remedy = "\"sysctl -w net.core.rmem_max=1000000000\"".to_owned();
    assert_eq!(warned(&bounded), Some(["\"WARN\"".to_owned(), remedy, "1000000000".to_owned()]));
}

#[test]
fn several_sockets_share_an_address_that_nobody_else_gets() {
    let server = Server::start(&["-udp.sockets=3"]);
    assert_eq!(server.listening("udp"), [server.udp]);
    // The kernel chooses by sender: of thirty, not all come to the same socket.
    for _ in 0..30 {
        server.send(inc("m"));
    }
    wait_for("thirty datagrams", || (server.scrape().value("m") == Some(30.0)).then_some(()));
    for flags in [vec![], vec!["-udp.sockets=3"]] {
        let taken = format!("-udp-listen-address={}", server.udp);
        let output = Command::new(BINARY)
            .args(["-http-listen-address=127.0.0.1:0", &taken])
            .args(flags)
            .output()
            .expect("the binary runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains("see -udp-listen-address"), "{log}");
    }
}
