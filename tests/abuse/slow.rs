//! Peers that take their time, or all of it.

use std::io::Read;

use super::{Bare, connect_all, fill, withstand};
use crate::support::{Page, Server, inc, wait_for};

/// Sends `bytes` one at a time, in turn on all connections; a connection that was closed is opened anew, and
/// begins with `first`.
fn drip(server: &Server, connections: &mut [Bare], first: &[u8], bytes: &[u8]) {
    for byte in bytes {
        for connection in &mut *connections {
            if connection.send(&[*byte]).is_none() {
                *connection = Bare::connect(server.http);
                connection.send(first);
            }
        }
    }
}

#[test]
fn slow_headers() {
    let server = withstand("2,000 headers a byte at a time", &[], 100, |server| {
        let mut connections = connect_all(server.http, 2000, b"P");
        drip(server, &mut connections, b"P", b"OST / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        drip(server, &mut connections, b"P", &[b'x'; 30]);
        connections
    });
    assert!(server.scrape().value("pushprom_http_connections_evicted_total") > Some(900.0));
}

#[test]
fn slow_bodies() {
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{";
    let server = withstand("2,000 bodies a byte at a time", &[], 100, |server| {
        let mut connections = connect_all(server.http, 2000, head);
        drip(server, &mut connections, head, &[b' '; 60]);
        connections
    });
    assert!(server.scrape().rejected_for("connection_closed", "http") > 900.0);
}

#[test]
fn slow_chunks() {
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    withstand("500 bodies in chunks of a byte", &[], 100, |server| {
        let mut connections = connect_all(server.http, 500, head);
        drip(server, &mut connections, head, &b"1\r\n \r\n".repeat(40));
        connections
    });
}

#[test]
fn half_requests() {
    let halves: &[&[u8]] = &[
        b"",
        b"POST",
        b"POST / HTTP/1.1",
        b"POST / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nHost",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"type\"",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    ];
    // Half of them stay, half of them end there.
    let server = withstand("5,500 halves of requests", &[], 100, |server| {
        let stay: Vec<_> =
            halves.iter().flat_map(|half| connect_all(server.http, 250, half)).collect();
        for half in halves {
            drop(connect_all(server.http, 250, half));
        }
        stay
    });
    assert_eq!(server.scrape().value("m"), None);
}

#[test]
fn idle_connections_that_were_in_use() {
    let body = inc("m");
    let request =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = withstand("3,000 connections that ask once", &[], 100, |server| {
        connect_all(server.http, 3000, request.as_bytes())
    });
    wait_for("what they pushed", || {
        // Whoever has to make room before it is read was not answered.
        (server.scrape().value("m") > Some(1000.0)).then_some(())
    });
}

#[test]
fn slow_readers() {
    // A page of some 20 MB, and the time that nobody needs who reads it.
    let flags = ["-web.write-timeout=2s", "-web.header-timeout=2s"];
    withstand("100 readers of 20 MB, 4 kB at a time", &flags, 700, |server| {
        fill(100_000, |deltas| server.push_ok(deltas));
        let mut readers =
            connect_all(server.http, 100, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        // They are let go, though they never stop reading.
        let mut buffer = vec![0; 4096];
        wait_for("slow readers to be let go", || {
            readers.retain_mut(|reader| match reader.0.read(&mut buffer) {
                Ok(0) => false,
                Ok(_) => true,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            });
            // What the kernel holds for them they may still read.
            let reply = server.request("GET", "/metrics", None);
            let open = Page(reply.text()).value("pushprom_http_connections");
            open.is_some_and(|open| open <= 4.0).then_some(())
        });
    });
}
