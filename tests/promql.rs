//! What a real Prometheus answers from each format is what was pushed.

use std::net::SocketAddr;

use serde_json::json;

use crate::support::{Prometheus, Server, asking_for, inc, wait_for};

/// Makes Prometheus ask for protobuf, and keep native histograms.
const NATIVE: &str = "--enable-feature=native-histograms";

/// Waits until a query gives `want`.
#[track_caller]
fn check(prometheus: &Prometheus, expression: &str, want: f64) {
    wait_for(&format!("{expression} = {want}"), || {
        prometheus.query(expression).filter(|got| got.total_cmp(&want).is_eq())
    });
}

#[test]
fn each_format_gives_the_same_answers() {
    let server = Server::start(&[]);
    server.push_ok(
        json!([
            {"type": "counter", "name": "orders_total", "method": "add", "value": 2.5, "labels": {"a": "\\\"\n"}},
            {"type": "counter", "name": "plain", "method": "add", "value": 7},
            {"type": "gauge", "name": "depth", "method": "set", "value": -0.5},
            {"type": "histogram", "name": "took_seconds", "method": "observe", "value": [0.1, 2, 30], "buckets": [1, 10]},
            {"type": "summary", "name": "size_bytes", "method": "observe", "value": [1, 2, 3], "objectives": {"0.5": 0.01}},
            {"type": "histogram", "name": "both_seconds", "method": "observe", "value": [0.1, 2, 30, -4], "buckets": [1, 10], "native": true},
        ])
        .to_string(),
    );
    let text = asking_for("text/plain;version=0.0.4", server.http);
    let formats: [(&str, SocketAddr, &[&str], &str); 3] = [
        ("text", text, &[], "counter"),
        // What Prometheus asks for by itself.
        ("OpenMetrics", server.http, &[], "unknown"),
        ("protobuf", server.http, &[NATIVE], "counter"),
    ];
    for (format, target, flags, type_of_plain) in formats {
        let prometheus = Prometheus::scraping(&[target], flags);
        for (expression, want) in [
            (r#"orders_total{a="\\\"\n"}"#, 2.5),
            ("plain", 7.0),
            ("depth", -0.5),
            (r#"sum(took_seconds_bucket{le=~"10|10.0"})"#, 2.0),
            (r#"took_seconds_bucket{le="+Inf"}"#, 3.0),
            ("took_seconds_sum", 32.1),
            ("took_seconds_count", 3.0),
            ("size_bytes_sum", 6.0),
            ("size_bytes_count", 3.0),
        ] {
            check(&prometheus, expression, want);
        }
        let median = prometheus.query(r#"size_bytes{quantile="0.5"}"#).expect("it is there");
        assert!((median / 2.0 - 1.0).abs() < 0.011, "{median} in {format}");
        // Types tell which format it was.
        wait_for("a type", || prometheus.type_of("plain").filter(|kind| kind == type_of_plain));
        match flags {
            [] => check(&prometheus, r#"both_seconds_bucket{le="+Inf"}"#, 4.0),
            _ => {
                check(&prometheus, "histogram_count(both_seconds)", 4.0);
                check(&prometheus, "histogram_sum(both_seconds)", 28.1);
                check(&prometheus, "round(histogram_fraction(-5, 0, both_seconds) * 100)", 25.0);
            }
        }
        assert_eq!(prometheus.query("up"), Some(1.0), "{format}");
    }
}

#[test]
fn a_first_increment_counts_where_a_zero_was_shown_first() {
    let with = Server::start(&["-counter.first-scrape-zero=2s"]);
    let without = Server::start(&[]);
    let prometheus = Prometheus::scraping(&[with.http, without.http], &[]);
    check(&prometheus, "sum(up)", 2.0);
    for server in [&with, &without] {
        server.push_ok(inc("born_at_one_total"));
        server.push_ok(r#"{"type":"histogram","name":"took","method":"observe","value":2}"#);
    }
    let of = |server: &Server, query: &str| {
        query.replace("{}", &format!("{{instance=\"{}\"}}", server.http))
    };
    for server in [&with, &without] {
        check(&prometheus, &of(server, "born_at_one_total{}"), 1.0);
        // Some more scrapes, so that there is a rate of something.
        check(&prometheus, &of(server, "count_over_time(born_at_one_total{}[1m]) > bool 12"), 1.0);
    }
    for family in ["born_at_one_total", "took_count", "took_sum / 2"] {
        let (name, rest) = family.split_once(' ').unwrap_or((family, ""));
        let increase = format!("increase({name}{{}}[1m]) {rest}");
        let shown = prometheus.query(&of(&with, &increase)).expect("it is known");
        // Prometheus extrapolates from the samples to the window: here by half an interval and less.
        assert!((0.999..1.2).contains(&shown), "{increase} = {shown} with a zero");
        let lost = prometheus.query(&of(&without, &increase)).expect("it is known");
        assert!(lost.abs() < f64::EPSILON, "{increase} = {lost} without");
    }
    // Both know the total.
    assert_eq!(prometheus.query("sum(born_at_one_total)"), Some(2.0));
}

/// Numbers that look random and are the same each time (Knuth's MMIX generator), each in 0 to 1.
fn numbers() -> impl Iterator<Item = f64> {
    let mut state = 42_u64;
    std::iter::from_fn(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((f64::from(u32::try_from(state >> 32).expect("32 bits")) + 0.5) / 4_294_967_296.0)
    })
}

/// Numbers with a normal distribution (Box and Muller).
fn normal(count: usize) -> impl Iterator<Item = f64> {
    let mut numbers = numbers();
    let next = move || Some((numbers.next()?, numbers.next()?));
    std::iter::from_fn(next)
        .map(|(a, b)| (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos())
        .take(count)
}

#[test]
fn quantiles_of_native_histograms_are_as_near_as_stated() {
    const COUNT: usize = 20_000;
    let log_normal: Vec<f64> = normal(COUNT).map(|n| (n * 1.5 - 2.0).exp()).collect();
    let bimodal: Vec<f64> = normal(COUNT)
        .zip(numbers())
        .map(|(n, side)| if side < 0.8 { 0.02 + 0.002 * n } else { 3.0 + 0.4 * n })
        .map(f64::abs)
        .collect();
    let server = Server::start(&["-histogram.native=instead"]);
    for (name, values) in [("log_normal", &log_normal), ("bimodal", &bimodal)] {
        for some in values.chunks(1000) {
            let observe =
                json!({"type": "histogram", "name": name, "method": "observe", "value": some});
            server.push_ok(observe.to_string());
        }
    }
    let prometheus = Prometheus::scraping(&[server.http], &[NATIVE]);
    for (name, mut values) in [("log_normal", log_normal), ("bimodal", bimodal)] {
        check(&prometheus, &format!("histogram_count({name})"), f64::from(20_000_u32));
        values.sort_by(f64::total_cmp);
        for (part, place) in [(0.01, 199), (0.1, 1999), (0.5, 9999), (0.9, 17_999), (0.99, 19_799)]
        {
            let got = prometheus.query(&format!("histogram_quantile({part}, {name})"));
            let (got, exact) = (got.expect("it is known"), values[place]);
            // Schema 3: both are in a bucket whose bounds are a factor of 2^(1/8) apart.
            let error = (got / exact - 1.0).abs();
            assert!(error <= 0.0906, "{part} of {name}: {got} for {exact}, off by {error}");
        }
    }
}

#[test]
fn protobuf_says_when_a_series_began_instead_of_showing_zero() {
    let server = Server::start(&["-counter.first-scrape-zero=1h"]);
    server.push_ok(inc("born_at_one_total"));
    assert_eq!(server.scrape().value("born_at_one_total"), Some(0.0));
    let prometheus = Prometheus::scraping(&[server.http], &[NATIVE]);
    check(&prometheus, "born_at_one_total", 1.0);
}
