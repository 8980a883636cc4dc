//! Requests that two readers may read in two ways. There is one reading: either the request is refused and its
//! connection closed, or it is one push, and what follows it is the next request.

use std::time::Duration;

use crate::support::{Client, Server, inc};

/// What becomes of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Answered with this status, and its connection closed; nothing that it holds is counted.
    Refused(u16),
    /// Its connection is closed without a word.
    Closed,
    /// Refused; since more is sent than is read, the answer may get lost.
    CutOff(u16),
    /// A push of nothing, since no length is given; what follows is no request, and ends the connection.
    NoBody,
    /// One push, which is answered with 200; what follows is not looked at.
    LastPush,
    /// One push; what follows is another request, and answered.
    Push,
}
use Outcome::{Closed, CutOff, LastPush, NoBody, Push, Refused};

/// A push of a delta that nobody should ever count: what a request hides in its body, or behind it.
fn hidden() -> String {
    let body = inc("smuggled");
    format!("POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Sends a shape, in which LEN stands for the length of DELTA, CHUNKED for it as chunks, and HIDDEN for a whole
/// push. Behind it comes another push. Says what is wrong, if anything is.
fn misread(server: &Server, shape: &str, want: Outcome) -> Option<String> {
    let delta = inc("pushed");
    let length = delta.len();
    let chunked = format!("{length:x}\r\n{delta}\r\n0\r\n\r\n");
    let sent = shape
        .replace("CHUNKED", &chunked)
        .replace("HEXLEN", &format!("{length:x}"))
        .replace("LEN", &length.to_string())
        .replace("DELTA", &delta)
        .replace("HIDDEN", &hidden());
    let body = inc("behind");
    let behind =
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let before = server.scrape();
    let mut client = Client::connect(server.http);
    // It may be closed while it is sent.
    client.send(format!("{sent}{behind}").as_bytes()).ok();
    // It may have been closed by now.
    client.close_half().ok();
    let (answers, closed) = client.rest(Duration::from_secs(20));
    assert!(closed, "{shape:?}: neither answered nor closed");
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let statuses: Vec<u16> = answers
        .split("HTTP/1.")
        .skip(1)
        .map(|answer| answer.get(2..5).and_then(|code| code.parse().ok()).unwrap_or_default())
        .collect();
    let page = server.scrape();
    let grown = |counter: &str| {
        page.value(counter).unwrap_or_default() - before.value(counter).unwrap_or_default()
    };
    let got = (&*statuses, grown("pushed"), grown("behind"), grown("smuggled"));
    let want = match want {
        CutOff(_) if statuses.is_empty() => (&[][..], 0.0, 0.0, 0.0),
        Refused(status) | CutOff(status) => (&[status][..], 0.0, 0.0, 0.0),
        Closed => (&[][..], 0.0, 0.0, 0.0),
        NoBody => (&[400, 400][..], 0.0, 0.0, 0.0),
        LastPush => (&[200][..], 1.0, 0.0, 0.0),
        Push => (&[200, 200][..], 1.0, 1.0, 0.0),
    };
    (got != want).then(|| format!("{shape:?}\n  got {got:?}, not {want:?}"))
}

/// Holds a server to a table of shapes.
#[track_caller]
fn check(server: &Server, shapes: &[(String, Outcome)]) {
    let wrong: Vec<String> =
        shapes.iter().filter_map(|(shape, want)| misread(server, shape, *want)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = server.scrape();
    assert_eq!(page.value("smuggled"), None);
    assert_eq!(page.value("pushprom_panics_total"), Some(0.0));
}

/// A push with these headers.
fn with(headers: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}")
}

fn all(shapes: &[(&str, &str, Outcome)]) -> Vec<(String, Outcome)> {
    shapes.iter().map(|(headers, body, want)| (with(headers, body), *want)).collect()
}

#[test]
fn a_length_is_one_number() {
    let server = Server::start(&[]);
    let shapes: &[(&str, &str, Outcome)] = &[
        ("Content-Length: LEN", "DELTA", Push),
        ("Content-Length: LEN\r\nContent-Length: LEN", "DELTA", Push),
        ("Content-Length: LEN, LEN", "DELTA", Refused(400)),
        ("Content-Length: LEN\r\nContent-Length: 0", "DELTA", Refused(400)),
        ("Content-Length: 0\r\nContent-Length: LEN", "DELTA", Refused(400)),
        ("Content-Length: LEN\r\nContent-Length: 5", "DELTAHIDDEN", Refused(400)),
        ("Content-Length: +LEN", "DELTA", Refused(400)),
        ("Content-Length: -1", "DELTA", Refused(400)),
        ("Content-Length: 0xHEXLEN", "DELTA", Refused(400)),
        ("Content-Length: LEN.0", "DELTA", Refused(400)),
        ("Content-Length: 1_0", "DELTA", Refused(400)),
        ("Content-Length: LEN 0", "DELTA", Refused(400)),
        ("Content-Length:", "DELTA", Refused(400)),
        ("Content-Length: 18446744073709551616", "DELTA", Refused(400)),
        ("Content-Length: 36893488147419103232", "DELTA", Refused(400)),
        ("Content-Length: 18446744073709551615", "DELTA", Refused(431)),
        ("Content-Length : LEN", "DELTA", Refused(400)),
        ("Content-Length\t: LEN", "DELTA", Refused(400)),
        (" Content-Length: LEN", "DELTA", Refused(400)),
        ("X: y\r\n Content-Length: LEN", "DELTA", Refused(400)),
        ("X: y\r\n\tTransfer-Encoding: chunked", "CHUNKED", Refused(400)),
        ("Content-Length: LEN\r\n X: folded", "DELTA", Refused(400)),
        ("Content_Length: LEN", "DELTA", NoBody),
        ("Content-Length: \u{b}LEN", "DELTA", Refused(400)),
        ("Content-Length: LEN\0", "DELTA", Refused(400)),
        ("Content-Length\0: LEN", "DELTA", Refused(400)),
    ];
    check(&server, &all(shapes));
}

#[test]
fn a_body_ends_in_one_place() {
    let server = Server::start(&[]);
    let both = "Content-Length: LEN\r\nTransfer-Encoding: chunked";
    let shapes: &[(&str, &str, Outcome)] = &[
        ("Transfer-Encoding: chunked", "CHUNKED", Push),
        ("Transfer-Encoding: Chunked", "CHUNKED", Push),
        // Both: the chunks are what counts (RFC 9112, 6.3), and the connection ends, because somebody else may
        // have counted bytes.
        (both, "CHUNKED", LastPush),
        ("Transfer-Encoding: chunked\r\nContent-Length: LEN", "CHUNKED", LastPush),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", "CHUNKED", LastPush),
        (both, "0\r\n\r\nHIDDEN", Refused(400)),
        ("Transfer-Encoding: identity", "DELTA", Refused(400)),
        ("Transfer-Encoding: chunked, identity", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: identity, chunked", "CHUNKED", Refused(501)),
        ("Transfer-Encoding: gzip, chunked", "CHUNKED", Refused(501)),
        ("Transfer-Encoding: chunked, chunked", "CHUNKED", Refused(501)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "CHUNKED", Refused(501)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "CHUNKED", Refused(501)),
        ("Transfer-Encoding: xchunked", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: chunkedx", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: \"chunked\"", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: chunked;q=1", "CHUNKED", Refused(400)),
        ("Transfer-Encoding: x\r\nContent-Length: LEN", "DELTA", Refused(400)),
        ("Transfer-Encoding:\tchunked", "CHUNKED", Push),
        ("Transfer-Encoding:  chunked ", "CHUNKED", Push),
        ("Transfer-Encoding: \u{b}chunked", "CHUNKED", Refused(400)),
        ("Transfer-Encoding:\r\n chunked", "CHUNKED", Refused(400)),
        ("Transfer-Encoding : chunked", "CHUNKED", Refused(400)),
        (" Transfer-Encoding: chunked", "CHUNKED", Refused(400)),
        ("Transfer-Encoding\r\n: chunked", "CHUNKED", Refused(400)),
        ("X: y\rTransfer-Encoding: chunked", "CHUNKED", Refused(400)),
        ("Transfer_Encoding: chunked", "CHUNKED", NoBody),
        ("Transfer-Encoding:", "DELTA", Refused(400)),
        ("Connection: Content-Length\r\nContent-Length: LEN", "DELTA", Push),
    ];
    check(&server, &all(shapes));
}

#[test]
fn chunks_have_one_size() {
    let server = Server::start(&[]);
    let shapes: &[(&str, Outcome)] = &[
        ("HEXLEN;name=value\r\nDELTA\r\n0\r\n\r\n", Push),
        ("0000HEXLEN\r\nDELTA\r\n0\r\n\r\n", Push),
        ("HEXLEN\r\nDELTA\r\n0\r\nX-Trailer: y\r\n\r\n", Push),
        ("HEXLEN\r\nDELTA\r\n0\r\nContent-Length: 100\r\n\r\n", Push),
        ("HEXLEN\r\nDELTA\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", Push),
        ("HEXLEN\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("HEXLEN\r\nDELTA\n0\r\n\r\n", Refused(400)),
        ("HEXLEN\rDELTA\r\n0\r\n\r\n", Refused(400)),
        ("HEXLEN;a\nb\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("HEXLEN\r\nDELTAxx0\r\n\r\n", Refused(400)),
        ("+HEXLEN\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("-HEXLEN\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("0xHEXLEN\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("g\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        (";x\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        (" HEXLEN\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("ffffffffffffffff\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("10000000000000000\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("100000000000000HEXLEN\r\nDELTA\r\n0\r\n\r\n", Refused(400)),
        ("HEXLEN\r\nDELTA\r\n", Refused(400)),
    ];
    let chunked = |body: &str| with("Transfer-Encoding: chunked", body);
    let shapes = shapes.iter().map(|(body, want)| (chunked(body), *want));
    check(&server, &shapes.collect::<Vec<_>>());
    // What stands behind a size, and behind the last chunk, has an end too.
    let long = "y".repeat(100_000);
    let endless =
        ["1;x=", "0\r\nX: "].map(|start| (chunked(&(start.to_owned() + &long)), CutOff(400)));
    check(&server, &endless);
}

#[test]
fn a_request_begins_in_one_place() {
    let server = Server::start(&[]);
    let rest = "Host: x\r\nContent-Length: LEN\r\n\r\nDELTA";
    let shapes: &[(&str, Outcome)] = &[
        ("POST / HTTP/1.1\r\n", Push),
        ("\r\nPOST / HTTP/1.1\r\n", Push),
        ("POST http://other.example/metrics2 HTTP/1.1\r\n", Push),
        ("POST / HTTP/1.0\r\n", LastPush),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", Refused(400)),
        ("POST / HTTP/1.0\r\nConnection: keep-alive\r\n", Push),
        ("POST / HTTP/1.1\r\nConnection: close\r\n", LastPush),
        ("POST / HTTP/1.1\r\nHost: y\r\n", Refused(400)),
        ("POST /\r\n", Refused(400)),
        ("POST / HTTP/0.9\r\n", Refused(400)),
        ("POST / HTTP/1.2\r\n", Refused(400)),
        ("POST / HTTP/2.0\r\n", Refused(400)),
        ("POST / http/1.1\r\n", Refused(400)),
        ("POST / HTTP/1.1 \r\n", Refused(400)),
        ("POST  / HTTP/1.1\r\n", Refused(400)),
        ("POST\t/ HTTP/1.1\r\n", Refused(400)),
        (" POST / HTTP/1.1\r\n", Refused(400)),
        ("\0POST / HTTP/1.1\r\n", Refused(400)),
        ("POST /\0 HTTP/1.1\r\n", Refused(400)),
        ("POST / HTTP/1.1\rX: y\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\n\rX: y\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\nX\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\n: y\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\nX: a\0b\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\nX(y): z\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\nX: a\x7fb\r\n", Refused(400)),
        ("POST / HTTP/1.1\r\nX: a\x01b\r\n", Refused(400)),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Closed),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{7c}\x03\x03", Refused(400)),
    ];
    let shapes = shapes.iter().map(|(start, want)| (format!("{start}{rest}"), *want));
    check(&server, &shapes.collect::<Vec<_>>());
}

#[test]
fn an_error_is_the_last_answer() {
    let server = Server::start(&["-web.max-body-bytes=1000"]);
    // Whatever of a body is not read is never taken for a request.
    let long = format!("{}HIDDEN", " ".repeat(2000));
    let shapes: &[(&str, &str, Outcome)] = &[
        ("Content-Length: 100000", "HIDDENHIDDEN", Refused(413)),
        ("Transfer-Encoding: chunked", &format!("800\r\n{long}"), Refused(413)),
        ("Content-Encoding: br\r\nContent-Length: LEN", "HIDDEN", Refused(415)),
        ("Expect: wat\r\nContent-Length: LEN", "HIDDEN", Refused(417)),
        ("Host: y\r\nContent-Length: LEN", "HIDDEN", Refused(400)),
        ("Content-Length: LEN\r\nUpgrade: h2c\r\nConnection: Upgrade", "DELTA", Push),
    ];
    check(&server, &all(shapes));
}
