//! Scrapes, from outside: codings, too many of them, and those that nobody waits for.

use std::io::Read;

use crate::support::{Client, Server, inc, wait_for};

const OK: &str = "promhttp_metric_handler_requests_total{code=\"200\"}";
const UNAVAILABLE: &str = "promhttp_metric_handler_requests_total{code=\"503\"}";
const ABANDONED: &str = "pushprom_scrapes_abandoned_total";
const IN_FLIGHT: &str = "promhttp_metric_handler_requests_in_flight";

/// A scrape whose page takes its time to pack.
const GZIP_SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";

/// A server with a page of some ten megabytes.
fn start_full(flags: &[&str]) -> Server {
    let server = Server::start(flags);
    for first in (0..60_000).step_by(3000) {
        let delta = |n| {
            let pad = "x".repeat(120);
            format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{"n":"{n}{pad}"}}}}"#)
        };
        server.push_ok((first..first + 3000).map(delta).collect::<String>());
    }
    server
}

#[test]
fn a_page_is_compressed_for_those_who_ask() {
    let server = Server::start(&[]);
    server.push_ok(inc("m"));
    let mut client = Client::connect(server.http);
    for (accept, want) in [
        ("gzip", Some("gzip")),
        ("zstd", Some("zstd")),
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("gzip;q=1.0, zstd;q=0.9", Some("gzip")),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=0", None),
        ("*", None),
    ] {
        let headers = [("Accept-Encoding", accept)];
        let reply = client.request("GET", "/metrics", &headers, None).expect("an answer");
        assert_eq!(reply.header("content-encoding"), want, "{accept}");
        assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
        let mut page = String::new();
        let unpacked = match want {
            Some("gzip") => flate2::read::GzDecoder::new(&*reply.body).read_to_string(&mut page),
            Some(_) => zstd::Decoder::new(&*reply.body)
                .and_then(|mut decoder| decoder.read_to_string(&mut page)),
            None => (&*reply.body).read_to_string(&mut page),
        };
        unpacked.expect("it is what the header says");
        assert!(page.contains("\nm 1\n"), "{accept}: {page}");
    }
}

#[test]
fn a_scrape_too_many_is_told_to_come_again() {
    let server = start_full(&["-web.max-scrapes=2"]);
    let mut sent = 0.0;
    let mut refused = 0.0;
    wait_for("a scrape too many", || {
        let mut scrapers: Vec<Client> = (0..10).map(|_| Client::connect(server.http)).collect();
        for scraper in &mut scrapers {
            scraper.send(GZIP_SCRAPE).expect("it is sent");
        }
        for mut scraper in scrapers {
            let reply = scraper.reply().expect("an answer");
            sent += 1.0;
            if reply.status == 503 {
                refused += 1.0;
                assert_eq!(reply.header("retry-after"), Some("1"));
                assert!(reply.text().contains("raise -web.max-scrapes"), "{}", reply.text());
                // The connection is as good as before.
                let health = scraper.request("GET", "/health", &[], None).expect("an answer");
                assert_eq!(health.text(), "ok");
            } else {
                assert_eq!(reply.status, 200);
            }
        }
        (refused > 0.0).then_some(())
    });
    let page = server.scrape();
    assert_eq!((page.value(UNAVAILABLE), page.value(OK)), (Some(refused), Some(sent - refused)));
}

#[test]
fn a_scrape_that_nobody_waits_for_is_dropped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("http.sock");
    let both = format!("-http-listen-address=127.0.0.1:0,{}", path.display());
    let server = start_full(&[&both]);
    let mut sent = 0.0;
    let mut scrapes = 0.0;
    let connect: [&dyn Fn() -> Client; 2] =
        [&|| Client::connect(server.http), &|| Client::connect_unix(&path)];
    for connect in connect {
        let before = server.scrape().value(ABANDONED).expect("it is counted");
        scrapes += 1.0;
        wait_for("scrapes to be dropped", || {
            for _ in 0..10 {
                connect().send(GZIP_SCRAPE).expect("it is sent");
                sent += 1.0;
            }
            let abandoned = server.scrape().value(ABANDONED).expect("it is counted");
            scrapes += 1.0;
            (abandoned >= before + 10.0).then_some(())
        });
    }
    // None is counted twice, and none stays.
    wait_for("all to be over", || {
        let page = server.scrape();
        let over = page.value(ABANDONED)? + page.value(OK)?;
        scrapes += 1.0;
        (over == sent + scrapes - 1.0 && page.value(IN_FLIGHT) == Some(1.0)).then_some(())
    });
    // Who has closed only one half is told; others on the same server get their pages all the same.
    wait_for("an answer to half a connection", || {
        let mut half = connect[0]();
        half.send(GZIP_SCRAPE).expect("it is sent");
        half.close_half().expect("half of it closes");
        let reply = half.reply().expect("an answer");
        (reply.status == 400).then(|| {
            let want =
                "the connection was closed before the page was made: keep both halves open\n";
            assert_eq!(reply.text(), want);
        })
    });
    // Who sends more while it waits gets more.
    let mut eager = connect[0]();
    for _ in 0..3 {
        eager.send(GZIP_SCRAPE).expect("it is sent");
    }
    for _ in 0..3 {
        assert_eq!(eager.reply().expect("an answer").status, 200);
    }
    // A push is answered.
    let mut half = connect[0]();
    let delta = inc("m");
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", delta.len());
    half.send(format!("{head}{delta}").as_bytes()).expect("it is sent");
    half.close_half().expect("half of it closes");
    assert_eq!(half.reply().expect("an answer").text(), "ok");
    assert_eq!(server.scrape().value("m"), Some(1.0));
}
