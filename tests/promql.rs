//! What a real Prometheus answers from each format is what was pushed.

use crate::support::{Prometheus, Server, inc, wait_for};

/// Waits until a query gives `want`.
#[track_caller]
fn check(prometheus: &Prometheus, expression: &str, want: f64) {
    wait_for(&format!("{expression} = {want}"), || {
        prometheus.query(expression).filter(|got| got.total_cmp(&want).is_eq())
    });
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
