//! A message with a key counts once, however often it comes.

use std::{
    net::UdpSocket,
    os::unix::net::UnixDatagram,
    path::Path,
    sync::{Arc, Barrier},
    thread,
};

use tempfile::TempDir;

use crate::support::{Client, Page, Reply, Server, inc, wait_for};

const BAD: &str = r#"{"type":"x"}"#;

/// Pushes a message with a header `Idempotency-Key`.
fn push(server: &Server, key: &str, message: &str) -> Reply {
    let mut client = Client::connect(server.http);
    let headers = [("Idempotency-Key", key), ("Connection", "close")];
    client.request("POST", "/", &headers, Some(message.as_bytes())).expect("an answer")
}

/// Pushes it; the status and the body.
fn answer(server: &Server, key: &str, message: &str) -> (u16, String) {
    let reply = push(server, key, message);
    (reply.status, reply.text())
}

fn envelope(id: &str, deltas: &[&str]) -> String {
    format!(r#"{{"id":"{id}","deltas":[{}]}}"#, deltas.join(","))
}

fn repeated(page: &Page, transport: &str) -> Option<f64> {
    page.value(&format!("pushprom_deltas_repeated_total{{transport={transport:?}}}"))
}

fn ok() -> (u16, String) {
    (200, "ok".to_owned())
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let server = Server::start(&[]);
    let (one, partly) = (inc("m"), format!("[{},{BAD},{}]", inc("m"), inc("m")));
    for _ in 0..3 {
        assert_eq!(answer(&server, "\"one\"", &one), ok());
    }
    let first = push(&server, "two", &partly);
    assert_eq!(first.status, 400);
    assert!(first.text().contains(r#""applied":2"#), "{}", first.text());
    let again = push(&server, "\"two\"", &partly);
    assert_eq!(
        (again.status, &again.body),
        (first.status, &first.body),
        "quoted or bare is one key"
    );
    assert_eq!(again.header("content-type"), first.header("content-type"));
    // What was refused as a whole is looked at anew.
    for _ in 0..2 {
        assert_eq!(answer(&server, "three", BAD).0, 400);
    }
    assert_eq!(answer(&server, "three", &one), ok());
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(4.0));
    assert_eq!(repeated(&page, "http"), Some(4.0));
    assert_eq!(page.rejected_for("unknown_type", "http"), 3.0);
    assert_eq!(page.value("pushprom_idempotency_keys"), Some(3.0));
}

#[test]
fn a_key_in_the_way_is_refused() {
    let server = Server::start(&[]);
    assert_eq!(answer(&server, "k", &inc("m")), ok());
    let reused = "idempotency key \"k\" has come with another message: send that one again, or this one \
                  with a new key\n";
    assert_eq!(answer(&server, "k", &inc("n")), (422, reused.to_owned()));
    let differs = "the header says the idempotency key \"k\", the envelope \"e\": send one of them, or \
                   the same\n";
    assert_eq!(answer(&server, "k", &envelope("e", &[&inc("m")])), (400, differs.to_owned()));
    let invalid = |key: &str| {
        let (status, text) = answer(&server, key, &inc("m"));
        assert!(text.contains("1 to 255") || text.contains("limit is 255"), "{text}");
        assert_eq!(status, 400, "{text}");
    };
    for key in ["", "\"\"", "a b", "\u{e4}", &"k".repeat(256)] {
        invalid(key);
    }
    let mut client = Client::connect(server.http);
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")];
    let reply = client.request("POST", "/", &twice, Some(inc("m").as_bytes())).expect("an answer");
    assert_eq!(reply.status, 400);
    // The connection goes on: the body was read.
    let reply = client.request("POST", "/", &[], Some(inc("m").as_bytes())).expect("an answer");
    assert_eq!(reply.status, 200);
    let page = server.scrape();
    assert_eq!((page.value("m"), page.value("n")), (Some(2.0), None));
    assert_eq!(page.rejected_for("key_reused", "http"), 1.0);
    assert_eq!(page.rejected_for("idempotency_key", "http"), 7.0);
    assert_eq!(page.value(r#"requests_total{code="422",method="post"}"#), Some(1.0));
}

#[test]
fn an_envelope_counts_once_over_every_transport() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("push.sock");
    let server = Server::start(&[&format!("-unix-listen-address={}", path.display())]);
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let by_udp = |message: &str| {
        udp.send_to(message.as_bytes(), server.udp).expect("loopback takes datagrams");
    };
    let by_unix = |message: &str| send_unix(&path, message);
    let message = envelope("a", &[&inc("m"), &inc("m"), BAD]);
    for _ in 0..3 {
        by_udp(&message);
    }
    server.catch_up();
    by_unix(&message);
    by_unix(&envelope("b", &[&inc("m")]));
    by_unix(&envelope("b", &[&inc("m")]));
    wait_for("the datagrams", || (repeated(&server.scrape(), "unix") == Some(3.0)).then_some(()));
    let reply = server.push(&message);
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains(r#""applied":2"#), "{}", reply.text());
    by_udp(&envelope("a", &[&inc("n")]));
    by_udp(&message[..message.len() - 1]);
    by_udp(&format!("{message}{}", inc("n")));
    by_udp(r#"{"id":"a b","deltas":[]}"#);
    let page = server.catch_up();
    assert_eq!((page.value("m"), page.value("n")), (Some(3.0), None));
    assert_eq!((repeated(&page, "udp"), repeated(&page, "http")), (Some(4.0), Some(2.0)));
    for reason in ["key_reused", "syntax", "envelope", "idempotency_key", "unknown_type"] {
        assert_eq!(page.rejected_for(reason, "udp"), 1.0, "{reason}");
    }
}

fn send_unix(path: &Path, message: &str) {
    let socket = UnixDatagram::unbound().expect("a socket");
    socket.send_to(message.as_bytes(), path).expect("it waits for room");
}

#[test]
fn equal_requests_at_once_count_once() {
    const CLIENTS: usize = 8;
    let server = Arc::new(Server::start(&[]));
    let at_once = Arc::new(Barrier::new(CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (server, at_once) = (Arc::clone(&server), Arc::clone(&at_once));
            thread::spawn(move || {
                for round in 0..50 {
                    let message = format!("[{}]", vec![inc("m"); 20].join(","));
                    at_once.wait();
                    assert_eq!(answer(&server, &format!("round-{round}"), &message), ok());
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("all are answered");
    }
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(1000.0));
    assert_eq!(repeated(&page, "http"), Some(7000.0));
}

#[test]
fn the_oldest_key_goes_when_there_are_too_many_or_its_time_is_over() {
    let server = Server::start(&["-idempotency.max-keys=2"]);
    for key in ["a", "b", "c", "c", "b", "a"] {
        assert_eq!(answer(&server, key, &inc("m")), ok());
    }
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(4.0), "a was forgotten, and then b");
    assert_eq!(page.value("pushprom_idempotency_keys"), Some(2.0));
    assert_eq!(page.value("pushprom_idempotency_keys_evicted_total"), Some(2.0));
    let server = Server::start(&["-idempotency.window=1ms"]);
    assert_eq!(answer(&server, "a", &inc("m")), ok());
    wait_for("the end of the window", || {
        assert_eq!(answer(&server, "a", &inc("m")), ok());
        (server.scrape().value("m") >= Some(3.0)).then_some(())
    });
    wait_for("keys to leave memory", || {
        (server.scrape().value("pushprom_idempotency_keys") == Some(0.0)).then_some(())
    });
    assert_eq!(server.scrape().value("pushprom_idempotency_keys_evicted_total"), Some(0.0));
}

#[test]
fn principals_have_keys_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("pushprom.yml");
    // The tokens are "one" and "two".
    let text = "access:\n  principals:\n    - name: first\n      \
                token_sha256: 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\n      \
                rights: [push]\n    - name: second\n      \
                token_sha256: 3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3\n      \
                rights: [push]\n  anonymous:\n    rights: [push, scrape]\n";
    std::fs::write(&file, text).expect("it can be written");
    let server = Server::start(&[&format!("-config.file={}", file.display())]);
    let push = |token: Option<&str>, message: &str| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Idempotency-Key", "k"), ("Connection", "close")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let mut client = Client::connect(server.http);
        client.request("POST", "/", &headers, Some(message.as_bytes())).expect("an answer").status
    };
    for _ in 0..2 {
        assert_eq!(push(Some("one"), &inc("m")), 200);
        assert_eq!(push(Some("two"), &inc("n")), 200);
        assert_eq!(push(None, &inc("o")), 200);
        assert_eq!(push(Some("three"), &inc("p")), 401);
    }
    assert_eq!(push(Some("one"), &inc("n")), 422);
    let page = server.scrape();
    assert_eq!(
        ["m", "n", "o", "p"].map(|name| page.value(name)),
        [Some(1.0), Some(1.0), Some(1.0), None]
    );
}

/// A server that keeps what was pushed.
fn durable(directory: &TempDir, flag: &str) -> Server {
    let path = format!("-storage.path={}", directory.path().join("store").display());
    Server::start(&[&path, flag])
}

#[test]
fn keys_outlive_the_process_with_what_they_stand_for() {
    let directory = TempDir::new().expect("a directory");
    let partly = format!("[{},{BAD}]", inc("m"));
    let mut server = durable(&directory, "-storage.ack=commit");
    let first = push(&server, "partly", &partly);
    assert_eq!(first.status, 400);
    for key in 0..100 {
        assert_eq!(answer(&server, &key.to_string(), &inc("m")), ok());
    }
    server.signal("KILL");
    server.wait();
    let mut server = durable(&directory, "-storage.ack=commit");
    for key in 0..100 {
        assert_eq!(answer(&server, &key.to_string(), &inc("m")), ok());
    }
    let again = push(&server, "partly", &partly);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(answer(&server, "0", &inc("n")).0, 422);
    assert_eq!(server.scrape().value("m"), Some(101.0));
    server.signal("TERM");
    assert!(server.wait().success());
    let server = durable(&directory, "-storage.ack=memory");
    assert_eq!(answer(&server, "99", &inc("m")), ok());
    assert_eq!(server.scrape().value("m"), Some(101.0));
    assert_eq!(server.scrape().value("pushprom_idempotency_keys"), Some(101.0));
}

/// Whatever was lost with the process was lost with its key, so that trying again makes up for it.
#[test]
fn trying_all_again_after_kill_9_ends_at_the_sum() {
    const CLIENTS: usize = 4;
    let directory = TempDir::new().expect("a directory");
    let often = "-storage.commit-interval=1ms";
    let mut server = durable(&directory, often);
    let address = server.http;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            thread::spawn(move || {
                let mut connection = Client::connect(address);
                for number in 0.. {
                    let message = inc("m");
                    let request = format!(
                        "POST / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {client}-{number}\r\n\
                         Content-Length: {}\r\n\r\n{message}",
                        message.len()
                    );
                    // Which of the last ones came through nobody knows.
                    if connection.send(request.as_bytes()).is_err() || connection.reply().is_none()
                    {
                        return number + 1;
                    }
                }
                unreachable!("the server is killed")
            })
        })
        .collect();
    wait_for("pushes that are under way", || {
        (server.scrape().value("m") > Some(500.0)).then_some(())
    });
    server.signal("KILL");
    server.wait();
    let sent: Vec<u32> = clients.into_iter().map(|it| it.join().expect("it ends")).collect();
    let server = durable(&directory, often);
    for (client, &sent) in sent.iter().enumerate() {
        for number in 0..sent {
            assert_eq!(answer(&server, &format!("{client}-{number}"), &inc("m")), ok());
        }
    }
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(f64::from(sent.iter().sum::<u32>())));
    assert!(repeated(&page, "http") > Some(0.0), "some had been stored");
}
