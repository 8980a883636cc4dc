//! HTTP, from outside.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use crate::support::{Client, Page, Server, inc, wait_for};

#[track_caller]
fn check(server: &Server, line: &str, status: u16, allow: Option<&str>) {
    let (method, path) = line.split_once(' ').expect("METHOD path");
    let reply = server.request(method, path, None);
    assert_eq!((reply.status, reply.header("allow")), (status, allow), "{line}: {}", reply.text());
}

#[test]
fn every_path_has_its_methods() {
    let server = Server::start(&[]);
    check(&server, "GET /metrics", 200, None);
    check(&server, "HEAD /metrics", 200, None);
    check(&server, "POST /metrics", 405, Some("GET, HEAD"));
    check(&server, "GET /health", 200, None);
    check(&server, "POST /health", 200, None);
    check(&server, "GET /-/healthy", 200, None);
    check(&server, "HEAD /-/ready", 200, None);
    check(&server, "PUT /-/ready", 405, Some("GET, HEAD"));
    check(&server, "GET /", 405, Some("POST"));
    check(&server, "DELETE /any/path", 405, Some("POST"));
    check(&server, "POST //x", 301, None);
    check(&server, "POST /", 400, None);
    let reply = server.request("GET", "/metrics", None);
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(content_type));
}

#[test]
fn requests_come_in_many_shapes() {
    let server = Server::start(&[]);
    let delta = inc("m");
    let length = delta.len();
    let chunked =
        format!("5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &delta[..5], length - 5, &delta[5..]);
    let shapes = [
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{delta}"),
        format!("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        format!(
            "POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n\r\n{delta}"
        ),
    ];
    let mut client = Client::connect(server.http);
    for shape in &shapes {
        client.send(shape.as_bytes()).expect("it is sent");
        let reply = client.reply().expect("an answer");
        assert_eq!((reply.status, &*reply.text()), (200, "ok"), "{shape}");
    }
    // Pipelined: all at once, on the same connection.
    client.send(shapes.concat().as_bytes()).expect("it is sent");
    for _ in &shapes {
        assert_eq!(client.reply().expect("an answer").text(), "ok");
    }
    // The body waits for leave.
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    client.send(head.as_bytes()).expect("it is sent");
    assert_eq!(client.reply().expect("leave").status, 100);
    client.send(delta.as_bytes()).expect("it is sent");
    assert_eq!(client.reply().expect("an answer").text(), "ok");
    // HTTP/1.0 closes by itself.
    let mut old = Client::connect(server.http);
    let request = format!("POST / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{delta}");
    old.send(request.as_bytes()).expect("it is sent");
    assert_eq!(old.reply().expect("an answer").text(), "ok");
    assert!(old.rest(Duration::from_secs(5)).1, "the connection is closed");
    assert_eq!(server.scrape().value("m"), Some(8.0));
}

#[test]
fn a_client_may_close_its_half_after_the_request() {
    let server = Server::start(&[]);
    let delta = inc("m");
    let mut stream = TcpStream::connect(server.http).expect("the server accepts");
    write!(stream, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{delta}", delta.len())
        .expect("it is sent");
    stream.shutdown(Shutdown::Write).expect("half of it closes");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
}

#[test]
fn a_batch_is_answered_delta_by_delta() {
    let server = Server::start(&[]);
    server.push_ok(format!("[{},{}]", inc("a"), inc("b")));
    server.push_ok(format!("{}\n{}\n", inc("a"), inc("b")));
    let reply = server.push(format!("[{},{{\"type\":\"wat\"}},{}]", inc("a"), inc("pushprom_x")));
    assert_eq!(reply.status, 400);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(answer["applied"], 1);
    assert_eq!(answer["rejected"][0]["index"], 1);
    assert_eq!(answer["rejected"][1]["index"], 2);
    let error = "type \"wat\" is unknown; use counter, gauge, histogram or summary";
    assert_eq!(answer["rejected"][0]["error"], error);
    // What cannot be read as a whole is not applied at all.
    let reply = server.push(format!("{}{{", inc("a")));
    assert_eq!(reply.status, 400);
    assert_eq!(reply.text(), "not JSON at byte 56: the message ends inside a value\n");
    let page = server.scrape();
    assert_eq!((page.value("a"), page.value("b")), (Some(3.0), Some(2.0)));
    let applied = "pushprom_deltas_applied_total{kind=\"counter\",transport=\"http\"}";
    assert_eq!(page.value(applied), Some(5.0));
    for (reason, count) in [("unknown_type", 1.0), ("reserved_name", 1.0), ("syntax", 1.0)] {
        assert_eq!(page.rejected_for(reason, "http"), count, "{reason}");
    }
}

#[test]
fn an_error_names_the_value_the_limit_and_the_remedy() {
    let server = Server::start(&["-series.limit=2"]);
    let refused = |message: &str, want: &str| {
        let page = server.scrape();
        let (rejected, families) = (page.rejected(), page.value("pushprom_families"));
        let reply = server.push(message);
        assert_eq!((reply.status, &*reply.text()), (400, &*format!("{want}\n")));
        let page = server.scrape();
        assert_eq!((page.rejected(), page.value("pushprom_families")), (rejected + 1.0, families));
    };
    server.push_ok(inc("a"));
    server.push_ok(r#"{"type":"gauge","name":"g","method":"set","value":1}"#);
    refused(
        &inc("b"),
        "\"b\" would be one series more than the limit of 2: use labels of fewer values or raise \
         -series.limit",
    );
    refused(
        r#"{"type":"counter","name":"g","method":"inc"}"#,
        "\"g\" is a gauge, not a counter: use another name or the type it has",
    );
    refused(
        r#"{"type":"counter","name":"a","method":"add","value":-1}"#,
        "a counter cannot go down by -1.0; add amounts of 0 or more, or use a gauge",
    );
    refused(
        r#"{"type":"histogram","name":"h","method":"observe","labels":{"le":"1"}}"#,
        "a histogram cannot have a label le: the exposition writes that label; rename yours",
    );
    refused(
        &format!(r#"{{"type":"counter","name":"x","method":"a\nb{}"}}"#, "y".repeat(80)),
        &format!(
            "method \"a\\nb{}...\" is unknown for a counter; use inc, add or declare",
            "y".repeat(61)
        ),
    );
    assert_eq!(server.scrape().value("pushprom_series"), Some(2.0));
}

#[test]
fn schema_changes_are_adopted() {
    let server = Server::start(&[]);
    let with = |help: &str, labels: &str| {
        format!(
            r#"{{"type":"counter","name":"m","help":"{help}","method":"inc","labels":{labels}}}"#
        )
    };
    server.push_ok(with("old", "{}"));
    server.push_ok(with("new", r#"{"a":"1"}"#));
    server.push_ok(with("new", "[]"));
    let page = server.scrape().0;
    let want = "# HELP m new\n# TYPE m counter\nm 2\nm{a=\"1\"} 1\n";
    assert!(page.contains(want), "{page}");
}

#[test]
fn bodies_and_headers_are_limited() {
    let server = Server::start(&["-web.max-body-bytes=1000"]);
    let over = vec![b' '; 1001];
    let reply = server.push(&over);
    assert_eq!((reply.status, reply.header("connection")), (413, Some("close")));
    assert!(reply.text().contains("the limit of 1000 bytes"), "{}", reply.text());
    let mut client = Client::connect(server.http);
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n";
    client.send(head.as_bytes()).expect("it is sent");
    client.send(&over).expect("it is sent");
    assert_eq!(client.reply().expect("an answer").status, 413);
    let mut client = Client::connect(server.http);
    let pad = "x".repeat(300_000);
    client.send(format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {pad}\r\n\r\n").as_bytes()).ok();
    assert_eq!(client.reply().expect("an answer").status, 431);
    assert_eq!(server.scrape().rejected_for("too_long", "http"), 2.0);
}

#[test]
fn slow_clients_are_cut_off() {
    let server = Server::start(&["-web.header-timeout=200ms", "-web.body-timeout=200ms"]);
    let silent = Client::connect(server.http);
    let mut half_a_header = Client::connect(server.http);
    half_a_header.send(b"POST / HTT").expect("it is sent");
    let mut half_a_body = Client::connect(server.http);
    half_a_body.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").expect("sent");
    assert!(silent.rest(Duration::from_secs(10)).1, "a silent connection is closed");
    assert!(half_a_header.rest(Duration::from_secs(10)).1, "half a header is not waited for");
    assert_eq!(half_a_body.reply().expect("an answer").status, 408);
    assert!(half_a_body.rest(Duration::from_secs(10)).1, "the connection is closed");
    let mut broken_off = Client::connect(server.http);
    broken_off.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").expect("sent");
    drop(broken_off);
    wait_for("the refusals", || {
        let page = server.scrape();
        let counted = |reason| page.rejected_for(reason, "http");
        (counted("body_timeout") == 1.0 && counted("body_aborted") == 1.0).then_some(())
    });
}

#[test]
fn at_the_limit_a_new_connection_takes_the_place_of_an_idle_one() {
    let server = Server::start(&["-web.max-connections=3"]);
    let mut in_use = Client::connect(server.http);
    let mut request = |method: &str, path: &str, body: &str| {
        let reply = in_use.request(method, path, &[], Some(body.as_bytes()));
        reply.expect("the connection in use stays open").text()
    };
    let idle: Vec<Client> = (0..20)
        .map(|count| {
            assert_eq!(request("POST", "/", &inc("m")), "ok");
            let client = Client::connect(server.http);
            // In use means between any two others: it is accepted, and has taken its place, by the next
            // push.
            wait_for("its place", || {
                let page = Page(request("GET", "/metrics", ""));
                let accepted = page.value("pushprom_http_connections_total")?;
                let open = page.value("pushprom_http_connections")?;
                (accepted == f64::from(count + 2) && open <= 3.0).then_some(())
            });
            client
        })
        .collect();
    assert_eq!(request("POST", "/", &inc("m")), "ok");
    let closed = idle.into_iter().map(|client| client.rest(Duration::from_millis(500)).1);
    assert!(closed.filter(|closed| *closed).count() >= 18, "idle ones make room");
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(21.0));
    assert!(page.value("pushprom_http_connections_evicted_total") >= Some(18.0));
}

#[test]
fn a_body_that_makes_room_for_others_is_counted() {
    let server = Server::start(&["-web.max-connections=2", "-web.body-timeout=1h"]);
    let mut half_a_body = Client::connect(server.http);
    half_a_body.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").expect("sent");
    // Before its header is read there is nothing to count.
    wait_for("its header", || {
        (server.scrape().value("pushprom_http_requests_total") >= Some(1.0)).then_some(())
    });
    let mut idle = Vec::new();
    wait_for("its place to be taken", || {
        idle.push(Client::connect(server.http));
        // With so few places, who looks may have to make room too.
        let page = Page(Client::connect(server.http).request("GET", "/metrics", &[], None)?.text());
        (page.rejected_for("connection_closed", "http") == 1.0).then_some(())
    });
    assert!(half_a_body.rest(Duration::from_secs(10)).1, "it is closed");
}

#[test]
fn more_labels_than_a_series_may_have_are_refused() {
    let server = Server::start(&[]);
    let labels: Vec<String> = (0..60_000).rev().map(|n| format!("\"l{n:05}\":\"\"")).collect();
    let labels = labels.join(",");
    let delta = format!(r#"{{"type":"counter","name":"m","method":"inc","labels":{{{labels}}}}}"#);
    let reply = server.push(delta);
    let want = "more than 64 labels, which is the limit: use fewer\n";
    assert_eq!((reply.status, &*reply.text()), (400, want));
}

#[test]
fn several_addresses_and_both_ip_versions() {
    let addresses = "-http-listen-address=localhost:0,[::1]:0,:0";
    let server = Server::start(&[addresses]);
    let listening = server.listening("http");
    // The harness asks for one of its own first; the last flag wins, as in Go.
    let [v4, v6, any] = listening[..] else { panic!("three addresses: {listening:?}") };
    assert!(v4.is_ipv4() && v6.is_ipv6() && any.ip().is_unspecified());
    let any =
        [SocketAddr::from(([127, 0, 0, 1], any.port())), SocketAddr::new(v6.ip(), any.port())];
    for address in [v4, v6].into_iter().chain(any) {
        let mut client = Client::connect(address);
        let reply = client.request("GET", "/-/ready", &[], None).expect("an answer");
        assert_eq!(reply.text(), "ok", "{address}");
    }
}

/// The sockets that the kernel divides connections between, by its own list of those that listen.
#[test]
fn every_serving_thread_accepts_for_itself() {
    let server = Server::start(&[]);
    let port = format!(":{:04X} ", server.http.port());
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("the list");
    let listening =
        |line: &&str| line.split_whitespace().nth(3) == Some("0A") && line.contains(&port);
    let threads = std::thread::available_parallelism().expect("it is known").get();
    assert_eq!(sockets.lines().filter(listening).count(), threads, "{sockets}");
    // Whichever of them gets it, a connection is served.
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(server.http)).collect();
    for client in &mut clients {
        let reply = client.request("POST", "/", &[], Some(inc("m").as_bytes()));
        assert_eq!(reply.expect("an answer").text(), "ok");
    }
    assert_eq!(server.scrape().value("m"), Some(20.0));
}
