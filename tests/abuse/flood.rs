//! Peers that send more than anybody needs.

use std::{
    io::Read,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use socket2::Socket;

use super::{Bare, connect_all, connect_from, withstand};
use crate::support::{Client, Server, inc};

/// An address of this machine for each number.
fn loopback(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x7f01_0000 + number)
}

/// Sends without end until the server closes, or takes nothing more; how much it took.
fn pour(connection: &mut Bare, bytes: &[u8], most: usize) -> usize {
    let mut sent = 0;
    let mut idle = 0;
    while sent < most && idle < 1000 {
        match connection.send(&bytes[sent % bytes.len()..]) {
            Some(0) => {
                idle += 1;
                std::thread::yield_now();
            }
            Some(more) => (sent, idle) = (sent + more, 0),
            None => break,
        }
    }
    sent
}

#[test]
fn header_floods() {
    let start = "POST / HTTP/1.1\r\nHost: x\r\n";
    let many = format!("{start}{}\r\n", "X-A: b\r\n".repeat(10_000));
    let one = format!("{start}X: {}\r\n\r\n", "x".repeat(10_000_000));
    let name = format!("{start}{}", "x".repeat(10_000_000));
    let target = format!("POST /{}", "x".repeat(10_000_000));
    let method = "X".repeat(10_000_000);
    withstand("10 MB of header of five kinds, 20 at once", &[], 100, |server| {
        for flood in [&many, &one, &name, &target, &method] {
            for mut connection in connect_all(server.http, 20, b"") {
                let sent = pour(&mut connection, flood.as_bytes(), flood.len());
                assert!(sent < 8_000_000, "{sent} bytes of header were taken");
            }
            let mut client = Client::connect(server.http);
            client.send(&flood.as_bytes()[..70_000]).ok();
            let status = client.reply().map(|reply| reply.status);
            assert!(matches!(status, Some(400 | 414 | 431)), "{status:?}: {}", &flood[..40]);
        }
    });
}

#[test]
fn headers_held_to_their_limit() {
    let most = format!("POST / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(60_000));
    withstand("2,000 headers of 60 kB without an end", &[], 250, |server| {
        connect_all(server.http, 2000, most.as_bytes())
    });
}

#[test]
fn pipelines_whose_answers_nobody_reads() {
    let body = inc("m");
    let push =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let requests = [
        "GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        push,
        "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ];
    withstand("up to 100 MB of pipelined requests on 20 connections", &[], 150, |server| {
        let mut connections = connect_all(server.http, 20, b"");
        for (connection, request) in connections.iter_mut().zip(requests.iter().cycle()) {
            let pipeline = request.repeat(1_000_000 / request.len());
            pour(connection, pipeline.as_bytes(), 5_000_000);
        }
        connections
    });
}

#[test]
fn pipelined_pushes_are_counted_once_each() {
    let body = inc("piped");
    let push =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = withstand("20,000 pipelined pushes", &[], 100, |server| {
        let mut client = Client::connect(server.http);
        for _ in 0..200 {
            client.send(push.repeat(100).as_bytes()).expect("it is sent");
            for _ in 0..100 {
                assert_eq!(client.reply().expect("an answer").text(), "ok");
            }
        }
    });
    assert_eq!(server.scrape().value("piped"), Some(20_000.0));
}

#[test]
fn connections_that_are_reset_at_once() {
    withstand("20,000 connections reset at once", &[], 100, |server| {
        for sent in 0..20_000 {
            let stream = connect_from(loopback(0), server.http);
            let socket = Socket::from(stream);
            if sent % 2 == 0 {
                socket.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").ok();
            }
            socket.set_linger(Some(Duration::ZERO)).expect("it can be set");
        }
    });
}

#[test]
fn connections_from_everywhere() {
    let server = withstand("5,000 clients by TCP, 20,000 by UDP", &[], 100, |server| {
        for number in 0..5000 {
            let mut stream = connect_from(loopback(number), server.http);
            let body = inc(&format!("of_{number}"));
            let request = format!(
                "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it is sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            assert!(answer.ends_with("ok"), "{answer}");
        }
        datagrams_from_everywhere(server);
    });
    let page = server.catch_up();
    assert!(page.value("from_everywhere") >= Some(20_000.0), "{:?}", page.rejected());
}

fn datagrams_from_everywhere(server: &Server) {
    let datagram = inc("from_everywhere");
    for number in 0..20_000 {
        let socket = UdpSocket::bind((loopback(number), 0)).expect("all of 127/8 is this machine");
        socket.send_to(datagram.as_bytes(), server.udp).expect("loopback takes datagrams");
        // Kept in step, so that the kernel has no reason to drop any.
        if number % 500 == 0 {
            server.catch_up();
        }
    }
}
