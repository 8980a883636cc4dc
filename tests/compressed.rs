//! Compressed bodies, from outside.

use std::{
    fs,
    io::{self, Read, Write},
    process::Command,
};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use crate::support::{Client, Reply, Server, inc, succeed};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("memory takes it")
}

fn push(server: &Server, coding: &str, body: &[u8]) -> Reply {
    let mut client = Client::connect(server.http);
    let headers = [("Content-Encoding", coding), ("Connection", "close")];
    client.request("POST", "/", &headers, Some(body)).expect("an answer")
}

#[test]
fn a_message_may_be_compressed() {
    let server = Server::start(&[]);
    let message = vec![inc("m"); 100].join("\n");
    let plain = message.as_bytes();
    for (coding, body) in [
        ("gzip", gzip(plain)),
        ("X-GZIP", [gzip(&plain[..99]), gzip(&plain[99..])].concat()),
        ("deflate", zlib(plain)),
        ("zstd", zstd(plain)),
        ("identity", plain.to_vec()),
        // The original did not look at the header.
        ("gzip", plain.to_vec()),
    ] {
        assert_eq!(push(&server, coding, &body).text(), "ok", "{coding}");
    }
    assert_eq!(server.scrape().value("m"), Some(600.0));
    // What is wrong with a delta is said as always.
    let reply = push(&server, "gzip", &gzip(br#"{"type":"wat"}"#));
    assert!(reply.status == 400 && reply.text().starts_with("type \"wat\""), "{}", reply.text());
}

#[test]
fn curl_pushes_what_gzip_made() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("message");
    fs::write(&file, inc("m")).expect("it can be written");
    succeed(Command::new("gzip").arg(&file));
    let answer = succeed(
        Command::new("curl")
            .args(["-sS", "-H", "Content-Encoding: gzip", "--data-binary"])
            .arg(format!("@{}.gz", file.display()))
            .arg(format!("http://{}/", server.http)),
    );
    assert_eq!(answer, "ok");
    assert_eq!(server.scrape().value("m"), Some(1.0));
}

#[test]
fn a_coding_that_is_none_of_ours_is_refused() {
    let server = Server::start(&[]);
    for coding in ["br", "compress", "gzip, gzip", "gzip;q=1", "*"] {
        let reply = push(&server, coding, inc("m").as_bytes());
        assert_eq!(reply.status, 415, "{coding}");
        assert_eq!(reply.header("accept-encoding"), Some("gzip, deflate, zstd"));
        assert_eq!(
            reply.text(),
            "the Content-Encoding is none of ours: use one of gzip, deflate, zstd, or none\n"
        );
    }
    let page = server.scrape();
    assert_eq!(page.rejected_for("content_encoding", "http"), 5.0);
    assert_eq!(page.value("requests_total{code=\"415\",method=\"post\"}"), Some(5.0));
    assert_eq!(page.value("m"), None);
}

#[test]
fn a_broken_body_is_refused_whole() {
    let server = Server::start(&[]);
    let message = inc("m");
    let plain = message.as_bytes();
    let mut refused = 0.0;
    for (coding, packed) in [("gzip", gzip(plain)), ("deflate", zlib(plain)), ("zstd", zstd(plain))]
    {
        let half = packed[..packed.len() - 1].to_vec();
        let garbage = [&packed, &b"garbage"[..]].concat();
        for body in [half, garbage, b"garbage".to_vec()] {
            let reply = push(&server, coding, &body);
            let want = format!(
                "the body is not {coding} from its beginning to its end: pack it again, whole, or \
                 leave out Content-Encoding\n"
            );
            assert_eq!((reply.status, &*reply.text()), (400, &*want));
            refused += 1.0;
        }
    }
    let page = server.scrape();
    assert_eq!(page.rejected_for("corrupt_body", "http"), refused);
    assert_eq!((page.rejected(), page.value("m")), (refused, None));
}

#[test]
fn a_small_body_cannot_unpack_to_a_large_one() {
    let server = Server::start(&["-web.max-body-bytes=100000"]);
    let fits = format!("{}{}", inc("m"), " ".repeat(100_000 - inc("m").len()));
    let resident = server.resident_bytes();
    // A hundred megabytes of spaces.
    let spaces = || io::repeat(b' ').take(100 << 20);
    let mut gzipped = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut spaces(), &mut gzipped).expect("memory takes it");
    let gzipped = gzipped.finish().expect("memory takes it");
    let zstded = zstd::encode_all(spaces(), 19).expect("memory takes it");
    for (coding, whole, bomb) in [
        ("gzip", gzip(fits.as_bytes()), &gzipped[..99_000]),
        ("zstd", zstd(fits.as_bytes()), &zstded[..]),
    ] {
        assert_eq!(push(&server, coding, &whole).text(), "ok", "{coding}");
        for _ in 0..20 {
            let reply = push(&server, coding, bomb);
            assert_eq!(reply.status, 413, "{coding}: {}", reply.text());
            let text = reply.text();
            let want = "unpacked, the body is longer than the limit of 100000 bytes";
            assert!(text.starts_with(want) && text.contains("-web.max-body-bytes"), "{text}");
        }
    }
    let page = server.scrape();
    assert_eq!((page.rejected_for("too_long", "http"), page.value("m")), (40.0, Some(2.0)));
    let grown = server.resident_bytes().saturating_sub(resident);
    assert!(grown < 20 << 20, "{grown} bytes");
}
