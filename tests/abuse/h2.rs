//! Peers that speak HTTP/2 as nobody should.

use std::{
    io::{self, Write},
    iter,
};

use socket2::SockRef;
use tempfile::NamedTempFile;

use super::{Secure, attacker, fill, print, withstand_tls};
use crate::support::{
    Site,
    h2::{
        Answers, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, PRIORITY,
        RST_STREAM, SETTINGS, WINDOW_UPDATE, field, frame, remembered, request,
    },
    inc, wait_for,
};

/// The setting of the window of each stream.
const INITIAL_WINDOW_SIZE: u16 = 4;

/// Bytes of a frame, if nothing is said of it (RFC 9113, 6.5.2).
const FRAME_BYTES_MAX: usize = 16_384;

/// Connections of one flood.
const CONNECTIONS_MAX: usize = 300;

fn begin(server: &Secure, settings: &[(u16, u32)]) -> Frames {
    let begun = Frames::begin(attacker(server.http), &server.config, settings);
    begun.expect("the server shakes hands")
}

/// Sends parts over and over, `bytes` in all; a connection that was closed, or takes nothing more, is followed by
/// another. A part is that of a stream, which begins with 1 on each connection. How many connections it took.
fn flood(
    server: &Secure,
    bytes: usize,
    answers: Answers,
    mut part: impl FnMut(u32) -> Vec<u8>,
) -> usize {
    let (mut connections, mut sent) = (0, 0);
    while sent < bytes && connections < CONNECTIONS_MAX {
        let mut connection = begin(server, &[]);
        connection.be_impatient();
        connections += 1;
        for stream in (1..).step_by(2) {
            let part = part(stream);
            if sent >= bytes || !connection.pour(&part, answers) {
                break;
            }
            sent += part.len();
        }
    }
    print(&format!("{} MB on {connections} connections:", sent / 1_000_000));
    connections
}

/// Requests that are begun and broken off at once (CVE-2023-44487).
#[test]
fn rapid_resets() {
    let reset = |stream| frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    for (name, method, path, flags) in [
        ("pushes", "POST", "/", END_HEADERS),
        ("scrapes", "GET", "/metrics", END_HEADERS | END_STREAM),
    ] {
        let head = request(method, path);
        withstand_tls(&format!("up to 20 MB of {name} reset at once"), &[], 100, |server| {
            flood(server, 20_000_000, Answers::Taken, |stream| {
                [frame(HEADERS, flags, stream, &head), reset(stream)].concat()
            });
        });
    }
}

/// Resets that the server is brought to (CVE-2025-8671): each request is broken by a frame that is wrong.
#[test]
fn resets_by_the_server() {
    let head = request("POST", "/");
    let nothing = 0_u32.to_be_bytes();
    withstand_tls("up to 20 MB of requests that make the server reset", &[], 100, |server| {
        flood(server, 20_000_000, Answers::Taken, |stream| {
            let begun = frame(HEADERS, END_HEADERS, stream, &head);
            [begun, frame(WINDOW_UPDATE, 0, stream, &nothing)].concat()
        });
    });
}

/// A header without an end (CVE-2024-27316).
#[test]
fn headers_without_an_end() {
    let long = field("a", &"x".repeat(16_000));
    let short = field("a", "b");
    for (name, more) in [("of nothing", vec![]), ("of 4 bytes", short), ("of 16 kB", long)] {
        let (begun, more) =
            (frame(HEADERS, 0, 1, &request("GET", "/metrics")), frame(CONTINUATION, 0, 1, &more));
        withstand_tls(&format!("up to 20 MB of continuations {name}"), &[], 100, |server| {
            let connections = flood(server, 20_000_000, Answers::Taken, |stream| {
                if stream == 1 { begun.clone() } else { more.clone() }
            });
            assert!(connections > 1, "a header without an end was taken");
        });
    }
}

/// Frames that have to be answered, or at least looked at, and that say nothing.
#[test]
fn frames_that_say_nothing() {
    let head = frame(HEADERS, END_HEADERS, 1, &request("POST", "/"));
    let settings = [0, 4, 0, 0, 255, 255].repeat(100);
    for (name, begun, frame) in [
        ("pings", vec![], frame(PING, 0, 0, b"pushprom")),
        ("settings", vec![], frame(SETTINGS, 0, 0, &[])),
        ("settings, 100 in a frame", vec![], frame(SETTINGS, 0, 0, &settings)),
        ("priorities", vec![], frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 9])),
        ("windows", vec![], frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("data of nothing", head.clone(), frame(DATA, 0, 1, &[])),
        ("data that is padding", head, frame(DATA, 8, 1, &[0xff; 256])),
        ("frames of no known kind", vec![], frame(0xee, 0, 0, &[0; 100])),
    ] {
        for (answers, said) in [(Answers::Taken, "taken"), (Answers::Left, "left")] {
            withstand_tls(&format!("10 MB of {name}, answers {said}"), &[], 100, |server| {
                flood(server, 10_000_000, answers, |stream| {
                    let is_first = stream == 1 && !begun.is_empty();
                    if is_first { begun.clone() } else { frame.repeat(10) }
                })
            });
        }
    }
}

/// A table of fields that is filled once, and named over and over: a byte stands for four thousand.
#[test]
fn fields_that_unpack_to_more_than_they_are() {
    let start = [request("GET", "/-/ready"), remembered("a", &"x".repeat(4000))].concat();
    // The newest entry of the table (RFC 7541, 2.3.3).
    let bomb = [start, vec![0xbe; 12_000]].concat();
    withstand_tls("20 MB of headers that unpack to 57 GB", &[], 100, |server| {
        flood(server, 20_000_000, Answers::Taken, |stream| {
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &bomb)
        });
    });
    // The table may be as large as the server says, which is 4,096 bytes if it says nothing.
    let larger = [vec![0x3f, 0xe1, 0xff, 0xff, 0x07], request("GET", "/-/ready")].concat();
    withstand_tls("a table of 16 MB of fields, 200 times", &[], 100, |server| {
        for _ in 0..200 {
            let mut connection = begin(server, &[(1, u32::MAX)]);
            let sent = connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &larger));
            assert!(sent.is_err() || ends_without_an_answer(&mut connection), "it was taken");
        }
    });
}

/// Whether a connection ends, and no request on it is answered with 200.
fn ends_without_an_answer(connection: &mut Frames) -> bool {
    while let Some((kind, _, _, payload)) = connection.receive() {
        // `:status: 200` is in the table from the start.
        if kind == HEADERS && payload.first() == Some(&0x88) {
            return false;
        }
    }
    true
}

#[test]
fn more_streams_than_there_may_be() {
    let head = request("POST", "/");
    withstand_tls("up to 20 MB of requests that are begun and left", &[], 100, |server| {
        flood(server, 20_000_000, Answers::Taken, |stream| {
            frame(HEADERS, END_HEADERS, stream, &head)
        });
    });
}

/// As many as there may be, on as many connections as there may be, whatever becomes of them.
#[test]
fn half_sent_bodies() {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(b"access: {anonymous: {rights: [push, scrape]}}").expect("it can be written");
    let access = format!("-config.file={}", file.path().display());
    // A target and a header that are far longer than what may be held of a body.
    let long = "x".repeat(20_000);
    let (delete, admin) = ("/api/v1/admin/series/delete", "-web.enable-admin-api");
    let head_of = |path: &str, fields: &[(&str, &str)]| {
        let fields = fields.iter().flat_map(|(name, value)| field(name, value));
        [request("POST", path), fields.collect()].concat()
    };
    let bearer = format!("Bearer {long}");
    for (name, flag, head, bytes, mib_max) in [
        ("bodies", "-debug=false", request("POST", "/"), 16_000, 250),
        (
            "bodies that are refused",
            &access,
            head_of(&format!("/{long}"), &[("authorization", &bearer)]),
            16_000,
            400,
        ),
        ("forms", admin, head_of(delete, &[("content-type", &long)]), 16_000, 400),
        ("forms of a byte", admin, head_of(&format!("{delete}?match[]={long}"), &[]), 1, 400),
    ] {
        let name = format!("half-sent {name}, 32 each on 1,000 connections");
        let body = vec![b' '; bytes];
        withstand_tls(&name, &[flag], mib_max, |server| {
            (0..1000).map(|_| half_sent(server, &head, &body)).collect::<Vec<_>>()
        });
    }
}

/// The header of a request, in as many frames as it takes, of which the first has more flags.
fn begin_request(stream: u32, head: &[u8], more: u8) -> Vec<u8> {
    let mut parts = head.chunks(FRAME_BYTES_MAX).peekable();
    let mut kinds = iter::once(HEADERS).chain(iter::repeat(CONTINUATION));
    let mut frames = Vec::new();
    while let (Some(part), Some(kind)) = (parts.next(), kinds.next()) {
        let ends = if parts.peek().is_none() { END_HEADERS } else { 0 };
        let more = if kind == HEADERS { more } else { 0 };
        frames.extend(frame(kind, more | ends, stream, part));
    }
    frames
}

/// A connection with 32 requests, of each of which all but the end of a body is sent that needs no leave.
fn half_sent(server: &Secure, head: &[u8], body: &[u8]) -> Frames {
    let mut connection = begin(server, &[]);
    // What the server has left to take of all bodies (RFC 9113, 6.9.2).
    let mut window = 65_535;
    for stream in (1..64).step_by(2) {
        while window < body.len() {
            let Some((kind, _, on, payload)) = connection.receive() else { return connection };
            if (kind, on) == (WINDOW_UPDATE, 0) {
                let more: [u8; 4] = payload.try_into().expect("it is a number");
                window += usize::try_from(u32::from_be_bytes(more)).expect("it is small");
            }
        }
        window -= body.len();
        let begun = begin_request(stream, head, 0);
        if connection.send(&[begun, frame(DATA, 0, stream, body)].concat()).is_err() {
            break;
        }
    }
    connection
}

/// Answers that repeat what was asked, to clients that do not read them.
#[test]
fn answers_that_are_as_long_as_questions() {
    let path = format!("//{}", "x".repeat(60_000));
    for (name, method, path) in
        [("paths", "GET", &*path), ("methods", &path[2..], "/api/v1/status/flags")]
    {
        let head = request(method, path);
        let asked = (0..32).flat_map(|n| begin_request(2 * n + 1, &head, END_STREAM));
        let asked: Vec<u8> = asked.collect();
        let name = format!("{name} of 60 kB, 32 each on 500 connections, answers left");
        withstand_tls(&name, &[], 250, |server| {
            let connect = |_| {
                let socket = attacker(server.http);
                SockRef::from(&socket).set_recv_buffer_size(4096).expect("it can be set");
                let begun = Frames::begin(socket, &server.config, &[]);
                let mut connection = begun.expect("the server shakes hands");
                // It may be closed while it is sent.
                connection.send(&asked).ok();
                connection
            };
            (0..500).map(connect).collect::<Vec<_>>()
        });
    }
}

/// Scrapes whose clients have no room for a page, or for a byte of it now and then.
#[test]
fn windows_of_nothing() {
    let flags = ["-web.write-timeout=2s", "-web.header-timeout=2s"];
    let head = request("GET", "/metrics");
    withstand_tls("32 scrapes each on 50 connections, a byte at a time", &flags, 400, |server| {
        fill(20_000, |deltas| server.push_ok(deltas));
        let connect = |_| {
            let mut connection = begin(server, &[(INITIAL_WINDOW_SIZE, 0)]);
            for stream in 0..32 {
                let scrape = frame(HEADERS, END_HEADERS | END_STREAM, 2 * stream + 1, &head);
                if connection.send(&scrape).is_err() {
                    break;
                }
            }
            connection.be_impatient();
            connection
        };
        let mut connections: Vec<Frames> = (0..50).map(connect).collect();
        let byte: Vec<u8> =
            (0..32).flat_map(|n| frame(WINDOW_UPDATE, 0, 2 * n + 1, &[0, 0, 0, 1])).collect();
        // They are let go, though each takes a byte all the time.
        wait_for("slow readers to be let go", || {
            connections.retain_mut(|connection| match connection.send(&byte) {
                Ok(()) => true,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            });
            connections.is_empty().then_some(())
        });
    });
}

/// What is no request in HTTP/2, though it would be one of HTTP/1.1, or would become one on the way.
#[test]
fn shapes_of_requests() {
    let site = Site::new();
    let server = Secure::start(&site, &[]);
    let delta = inc("smuggled");
    let length = delta.len();
    let (exact, short, long) =
        (length.to_string(), (length - 1).to_string(), (length + 1).to_string());
    let ends = END_HEADERS;
    let post = |more: &[(&str, &str)]| {
        let more = more.iter().flat_map(|(name, value)| field(name, value));
        [request("POST", "/"), more.collect()].concat()
    };
    let raw = |fields: &[(&str, &str)]| -> Vec<u8> {
        fields.iter().flat_map(|(name, value)| field(name, value)).collect()
    };
    let plain = raw(&[(":method", "POST"), (":scheme", "https"), (":path", "/")]);
    let shapes = [
        ("a length", post(&[("content-length", &exact)]), true),
        ("no length", post(&[]), true),
        ("a length too short", post(&[("content-length", &short)]), false),
        ("a length too long", post(&[("content-length", &long)]), false),
        ("two lengths", post(&[("content-length", &exact), ("content-length", "0")]), false),
        ("a signed length", post(&[("content-length", &format!("+{length}"))]), false),
        ("chunked", post(&[("transfer-encoding", "chunked")]), false),
        ("a connection", post(&[("connection", "close")]), false),
        ("an upgrade", post(&[("upgrade", "h2c")]), false),
        ("a name in capitals", post(&[("Content-Length", &exact)]), false),
        ("a line feed in a value", post(&[("x", "y\r\ncontent-length: 0")]), false),
        ("a NUL in a value", post(&[("x", "y\0")]), false),
        ("a line feed in a name", post(&[("x\r\ny", "z")]), false),
        ("a colon in a name", post(&[("x:y", "z")]), false),
        ("two paths", post(&[(":path", "/metrics")]), false),
        ("an unknown pseudo-field", post(&[(":smuggled", "/")]), false),
        (
            "a path with a space",
            raw(&[(":method", "POST"), (":scheme", "https"), (":path", "/ HTTP/1.1\r\nHost: x")]),
            false,
        ),
        (
            "a method with a space",
            raw(&[(":method", "POST /x"), (":scheme", "https"), (":path", "/")]),
            false,
        ),
        ("no path", raw(&[(":method", "POST"), (":scheme", "https")]), false),
        ("no method", raw(&[(":scheme", "https"), (":path", "/")]), false),
        ("pseudo-fields last", [field("x", "y"), plain].concat(), false),
    ];
    let mut pushed = 0.0;
    for (name, head, counts) in shapes {
        let mut connection = begin(&server, &[]);
        let push = [
            frame(HEADERS, ends, 1, &head),
            frame(DATA, END_STREAM, 1, delta.as_bytes()),
            frame(HEADERS, END_HEADERS | END_STREAM, 3, &request("GET", "/-/ready")),
        ];
        // It may be closed while it is sent.
        connection.send(&push.concat()).ok();
        // What becomes of the request: an answer, a reset, or the end of the connection.
        while let Some((kind, flags, stream, _)) = connection.receive() {
            if stream == 1 && (kind == RST_STREAM || flags & END_STREAM != 0) {
                break;
            }
        }
        pushed += f64::from(u8::from(counts));
        let counted = server.page().value("smuggled").unwrap_or_default();
        assert_eq!(counted, pushed, "{name}");
    }
}
