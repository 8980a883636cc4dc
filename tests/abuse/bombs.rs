//! Bodies that unpack to more than they are.

use std::{
    io::{self, Read, Write},
    thread,
};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};

use super::withstand;
use crate::support::{Client, Server, inc};

fn gzip(mut text: impl Read) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut text, &mut encoder).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn deflate(mut text: impl Read) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut text, &mut encoder).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(text: impl Read) -> Vec<u8> {
    zstd::encode_all(text, 19).expect("memory takes it")
}

/// A hundred megabytes of nothing.
fn spaces() -> impl Read {
    io::repeat(b' ').take(100 << 20)
}

/// A frame whose window is 2 GiB, that begins and does not end.
fn wide_window() -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.window_log(30).expect("zstd can do that");
    encoder.write_all(b"text").and_then(|()| encoder.flush()).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// As often as it fits into the greatest body.
fn full(part: &[u8]) -> Vec<u8> {
    part.repeat((1 << 20) / part.len())
}

/// A name, a coding, a body, and the status that answers it.
type Bomb = (&'static str, &'static str, Vec<u8>, u16);

fn bombs() -> Vec<Bomb> {
    let nested = gzip(&*gzip(&*gzip(spaces())));
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0][..], &[]].concat();
    // A raw block of nothing, as often as one likes: a frame without an end to what it holds.
    let blocks = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x58][..], &full(&[0, 0, 0])[..1_000_000]].concat();
    // 128 KiB of one byte in each four bytes.
    let runs =
        [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x58][..], &full(&[2, 0, 16, b' '])[..400_000]].concat();
    vec![
        ("spaces", "gzip", gzip(spaces()), 413),
        ("spaces", "deflate", deflate(spaces()), 413),
        ("spaces", "zstd", zstd(spaces()), 413),
        ("runs", "zstd", runs, 413),
        ("members of a megabyte", "gzip", full(&gzip(spaces().take(1 << 20))), 413),
        ("frames of a megabyte", "zstd", full(&zstd(spaces().take(1 << 20))), 413),
        // Unpacked once, it is no message.
        ("gzip in gzip in gzip", "gzip", nested, 400),
        ("members of nothing", "gzip", full(&gzip(&b""[..])), 400),
        ("frames of nothing", "zstd", full(&zstd(&b""[..])), 400),
        ("frames to be skipped", "zstd", full(&skipped), 400),
        ("blocks of nothing", "zstd", blocks, 400),
        ("a window of 1 GiB", "zstd", wide_window(), 400),
        ("half of it", "gzip", gzip(inc("m").as_bytes())[..30].to_vec(), 400),
        ("half of it", "deflate", deflate(inc("m").as_bytes())[..30].to_vec(), 400),
        ("half of it", "zstd", zstd(inc("m").as_bytes())[..30].to_vec(), 400),
    ]
}

fn push(server: &Server, coding: &str, body: &[u8]) -> u16 {
    let mut client = Client::connect(server.http);
    let headers = [("Content-Encoding", coding), ("Connection", "close")];
    client.request("POST", "/", &headers, Some(body)).expect("an answer").status
}

#[test]
fn bombs_of_all_kinds() {
    let bombs = bombs();
    for (name, coding, body, status) in &bombs {
        let attack = format!("{coding}: {name}, {} kB, 20 times", body.len() / 1000);
        withstand(&attack, &[], 60, |server| {
            for _ in 0..20 {
                assert_eq!(push(server, coding, body), *status, "{coding}: {name}");
            }
        });
    }
}

#[test]
fn bombs_on_many_connections_at_once() {
    let bombs = bombs();
    withstand("all of these on 64 connections, 10 times", &[], 150, |server| {
        thread::scope(|scope| {
            for thread in 0..64 {
                let bombs = &bombs;
                scope.spawn(move || {
                    for round in 0..10 {
                        let (_, coding, body, status) = &bombs[(thread + round) % bombs.len()];
                        // So many large bodies at once may be too many.
                        let got = push(server, coding, body);
                        assert!(got == *status || got == 503, "{coding}: {got}");
                    }
                });
            }
        });
    });
}

/// Each bit of a packed push that is turned over leaves a refusal, or the same push: gzip has bytes that say
/// nothing of what is packed.
#[test]
fn corrupt_streams() {
    withstand("every bit of three packed bodies turned over", &[], 60, |server| {
        let text = inc("m");
        for (coding, packed) in
            [("gzip", gzip(text.as_bytes())), ("deflate", deflate(text.as_bytes()))]
        {
            let mut client = Client::connect(server.http);
            for bit in 0..8 * packed.len() {
                let mut body = packed.clone();
                body[bit / 8] ^= 1 << (bit % 8);
                let headers = [("Content-Encoding", coding)];
                let reply = client.request("POST", "/", &headers, Some(&body)).expect("an answer");
                assert!(matches!(reply.status, 200 | 400), "{coding}: {}", reply.text());
            }
        }
    });
}
