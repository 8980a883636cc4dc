//! Datagrams, from outside.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, UdpSocket},
    process::{Command, Stdio},
};

use crate::support::{BINARY, Server, inc};

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
    crate::support::wait_for("three datagrams", || {
        (server.scrape().value("m") == Some(3.0)).then_some(())
    });
}
