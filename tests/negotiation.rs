//! What each scraper gets, from outside: headers as releases of Prometheus send them, and what others send.

use crate::support::{Client, Server, inc};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// `Accept`, and the content type that answers it.
const CASES: &[(&str, &str)] = &[
    // Prometheus 2.0.
    ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
    // 2.26.
    ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT),
    // 2.42.
    (
        "application/openmetrics-text;version=1.0.0,\
         application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        OPEN_METRICS,
    ),
    // 2.42 with native histograms.
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,\
         application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        PROTOBUF,
    ),
    // 2.53.
    (
        "application/openmetrics-text;version=1.0.0;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        OPEN_METRICS,
    ),
    // 2.53 with native histograms.
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,\
         application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        PROTOBUF,
    ),
    // 3.0.
    (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,\
         text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.4,\
         text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2",
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
    ),
    // 3.0 with native histograms.
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.4,\
         text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.3,\
         text/plain;version=0.0.4;escaping=allow-utf-8;q=0.2,*/*;q=0.1",
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
         encoding=delimited; escaping=allow-utf-8",
    ),
    // 3.9.
    (
        "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,\
         text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,\
         */*;q=0.2",
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
    ),
    // 3.9 with native histograms.
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited;q=0.6,\
         application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,\
         */*;q=0.1",
        PROTOBUF,
    ),
    // 3.9 with the new text format alone.
    (
        "text/plain;version=1.0.0;escaping=values;q=0.6,*/*;q=0.5",
        "text/plain; version=1.0.0; charset=utf-8; escaping=values",
    ),
    // curl, a browser, and what nobody has.
    ("*/*", TEXT),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
    ("application/json", TEXT),
];

#[test]
fn every_scraper_gets_the_format_that_it_asks_for() {
    for names in ["legacy", "utf8"] {
        let server = Server::start(&[&format!("-names.validation-scheme={names}")]);
        server.push_ok(inc("m"));
        let mut client = Client::connect(server.http);
        for (accept, want) in CASES {
            for (accept_encoding, coding) in [("identity", None), ("gzip", Some("gzip"))] {
                for method in ["GET", "HEAD"] {
                    let headers = [("Accept", *accept), ("Accept-Encoding", accept_encoding)];
                    let reply =
                        client.request(method, "/metrics", &headers, None).expect("an answer");
                    assert_eq!(reply.status, 200, "{method} {accept}");
                    assert_eq!(reply.header("content-type"), Some(*want), "{method} {accept}");
                    assert_eq!(reply.header("content-encoding"), coding, "{method} {accept}");
                    assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
                }
            }
        }
    }
}

#[test]
fn a_header_may_come_in_several_lines() {
    let server = Server::start(&[]);
    let mut client = Client::connect(server.http);
    let headers = [
        ("Accept", "text/plain;q=0.5"),
        ("Accept-Encoding", "gzip;q=0.5"),
        ("Accept", "application/openmetrics-text"),
        // A line that is no text is passed over.
        ("Accept", "text/plain;x=\u{e9}"),
        ("Accept-Encoding", "zstd;q=0.6"),
    ];
    let reply = client.request("GET", "/metrics", &headers, None).expect("an answer");
    assert_eq!(reply.header("content-type"), Some(OPEN_METRICS));
    assert_eq!(reply.header("content-encoding"), Some("zstd"));
    let reply = client.request("GET", "/metrics", &[], None).expect("an answer");
    assert_eq!(reply.header("content-type"), Some(TEXT));
    assert_eq!(reply.header("content-encoding"), None);
}
