//! Life and death, from outside.

use std::{
    net::{TcpStream, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Client, Server, inc, wait_for};

#[test]
fn an_idle_server_stops_within_two_seconds() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        server.push_ok(inc("m"));
        let idle = Client::connect(server.http);
        let begun = Instant::now();
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "SIG{signal}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        server.wait_for_log("its signal", |event| event["signal"] == format!("SIG{signal}"));
        server.wait_for_log("its end", |event| event["message"] == "stopped");
        assert!(idle.rest(Duration::from_secs(5)).1, "an idle connection is closed");
    }
}

#[test]
fn neither_datagrams_nor_half_a_header_hold_up_the_end() {
    let mut server = Server::start(&[]);
    let mut client = Client::connect(server.http);
    client.send(b"POST / HTT").expect("it is sent");
    server.push_ok(inc("m"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (socket, udp) = (UdpSocket::bind("127.0.0.1:0").expect("a free port"), server.udp);
        let stop = &stop;
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                // Refused once the server is gone.
                socket.send_to(inc("m").as_bytes(), udp).ok();
            }
        });
        server.catch_up();
        server.signal("TERM");
        let status = server.wait();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(status.code(), Some(0));
    });
}

/// Sends the head of a push and half of its body.
fn half_a_push(server: &Server) -> (Client, String) {
    let delta = inc("m");
    let (first, second) = delta.split_at(delta.len() / 2);
    let mut client = Client::connect(server.http);
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", delta.len());
    client.send(format!("{head}{first}").as_bytes()).expect("it is sent");
    wait_for("the push to begin", || {
        let page = server.scrape();
        (page.value("pushprom_http_requests_total") == Some(1.0)).then_some(())
    });
    (client, second.to_owned())
}

#[test]
fn a_request_in_flight_is_finished() {
    let mut server = Server::start(&[]);
    let (mut client, rest) = half_a_push(&server);
    server.signal("TERM");
    wait_for("the port to close", || TcpStream::connect(server.http).err());
    client.send(rest.as_bytes()).expect("it is sent");
    let reply = client.reply().expect("an answer");
    assert_eq!((reply.status, &*reply.text()), (200, "ok"));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_page_on_its_way_is_taken_to_its_end() {
    let mut server = Server::start(&[]);
    for first in (0..40_000).step_by(2000) {
        let delta = |n| {
            let pad = "x".repeat(150);
            format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{"n":"{n}{pad}"}}}}"#)
        };
        server.push_ok((first..first + 2000).map(delta).collect::<String>());
    }
    let mut scraper = Client::connect(server.http);
    scraper.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
    wait_for("the page to be made", || {
        let made = "promhttp_metric_handler_requests_total{code=\"200\"}";
        (server.scrape().value(made) >= Some(2.0)).then_some(())
    });
    server.signal("TERM");
    wait_for("the port to close", || TcpStream::connect(server.http).err());
    let page = scraper.reply().expect("a page");
    assert!(page.body.len() > 6_000_000 && page.body.ends_with(b"\n"), "{}", page.body.len());
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_request_that_does_not_end_is_cut_off() {
    let mut server = Server::start(&["-shutdown.timeout=300ms"]);
    let (client, _) = half_a_push(&server);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(1));
    server.wait_for_log("the reason", |event| {
        event["message"].as_str().is_some_and(|text| text.contains("cut off after"))
    });
    assert!(client.rest(Duration::from_secs(5)).1);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&["-shutdown.timeout=1h", "-web.body-timeout=1h"]);
    let (_client, _) = half_a_push(&server);
    server.signal("TERM");
    server.wait_for_log("the first signal", |event| event["message"] == "shutting down");
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(1));
}
