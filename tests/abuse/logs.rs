//! Floods of what the log tells of.

use std::{
    collections::BTreeMap,
    net::{Shutdown, UdpSocket},
};

use super::{connect_all, withstand};
use crate::support::{Client, Server};

/// Lines of one sort in one second, as `daemon/src/log.rs` has it.
const LINES_PER_SECOND_MAX: usize = 10;

/// The lines of each sort that were written within each second of their own clock: their number, and how many
/// they say were left out.
#[track_caller]
fn check_lines(server: &Server) -> usize {
    let mut sorts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let events = server.events();
    for event in &events {
        let second = event["timestamp"].as_str().expect("each has one")[..19].to_owned();
        let message = event["message"].as_str().unwrap_or_default().to_owned();
        *sorts.entry((message, second)).or_default() += 1;
    }
    for (sort, lines) in sorts {
        // The second that a line is counted in begins when the batch came that it is about: one line is written
        // in the next one now and then.
        assert!(lines <= 2 * LINES_PER_SECOND_MAX, "{sort:?}: {lines} lines");
    }
    events.len()
}

#[test]
fn bad_datagrams() {
    let server = withstand("50,000 bad datagrams", &[], 60, |server| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        for sent in 1..=50_000 {
            let long = "\u{1b}[31m\n".repeat(100);
            let bad = if sent % 2 == 0 { "x" } else { &long };
            socket.send_to(bad.as_bytes(), server.udp).expect("loopback takes datagrams");
            if sent % 500 == 0 {
                server.catch_up();
            }
        }
    });
    let page = server.catch_up();
    assert_eq!(page.rejected_for("syntax", "udp"), 50_000.0);
    // Each is told of, or counted as one that is not.
    let lines = check_lines(&server);
    let told = f64::from(u32::try_from(server.refusals()).expect("they are few"));
    let suppressed = page.value("pushprom_log_lines_suppressed_total");
    assert_eq!(suppressed, Some(50_000.0 - told), "{lines} lines");
    let left_out: u64 =
        server.events().iter().filter_map(|event| event["suppressed"].as_u64()).sum();
    let left_out = f64::from(u32::try_from(left_out).expect("they are few"));
    assert!(left_out <= 50_000.0 - told, "{left_out}");
}

#[test]
fn refused_requests() {
    // With -debug what ends a connection is logged too.
    let server = withstand("20,000 refused requests", &["-debug"], 60, |server| {
        let refused: [&[u8]; 4] = [
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.1\r\n\r\n",
            b"\0\x1b[31m\r\nlevel=error msg=forged\r\n\r\n",
        ];
        for _ in 0..50 {
            for request in refused {
                for connection in connect_all(server.http, 100, request) {
                    connection.0.shutdown(Shutdown::Write).ok();
                }
            }
        }
        let mut client = Client::connect(server.http);
        client.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
        client.reply().expect("an answer")
    });
    let lines = check_lines(&server);
    assert!(lines < 2000, "{lines} lines");
    for line in server.log_lines() {
        assert!(!line.contains('\u{1b}') && line.starts_with('{'), "{line}");
    }
}
