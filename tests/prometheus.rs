//! A real Prometheus, and its `promtool`, both from Debian.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::support::{Prometheus, Server, inc, promtool, wait_for};

#[test]
fn a_real_prometheus_gets_the_totals() {
    let server = Server::start(&[]);
    let prometheus = Prometheus::scraping(&[server.http], &[]);
    let enough = AtomicBool::new(false);
    let pushed = thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let mut pushed = 0_u32;
            while !enough.load(Ordering::Relaxed) {
                pushed += 1;
                server.send(inc("over_udp"));
                server.push_ok(format!(
                    "[{},{{\"type\":\"histogram\",\"name\":\"took\",\"help\":\"h\",\
                     \"method\":\"observe\",\"value\":2,\"labels\":{{\"path\":\"a\\\\\\\"b\"}}}}]",
                    inc("over_http")
                ));
            }
            pushed
        });
        // Two scrapes fall into the time of the pushes.
        let seen = |more_than| {
            wait_for("a total on its way", || {
                prometheus.query("over_http").filter(|total| *total > more_than)
            })
        };
        seen(seen(0.0));
        enough.store(true, Ordering::Relaxed);
        f64::from(pusher.join().expect("the pusher does not fail"))
    });
    server.catch_up();
    for (expression, total) in [
        ("over_udp", pushed),
        ("over_http", pushed),
        ("sum(took_count)", pushed),
        ("sum(took_sum)", 2.0 * pushed),
        ("pushprom_deltas_applied_total{kind=\"histogram\",transport=\"http\"}", pushed),
    ] {
        wait_for(&format!("{expression} = {total}"), || {
            (prometheus.query(expression) == Some(total)).then_some(())
        });
    }
    assert_eq!(prometheus.query("up"), Some(1.0));
}

#[test]
fn promtool_accepts_the_page() {
    let server = Server::start(&[]);
    server.push_ok(
        r#"[
        {"type":"counter","name":"visits_total","help":"Visits.","method":"add","value":1e300},
        {"type":"counter","name":"visits_total","help":"Visits.","method":"inc","labels":{"path":"\"\\\n\u0000"}},
        {"type":"gauge","name":"depth","help":"A \\ depth\nof queues.","method":"set","value":-0.5},
        {"type":"histogram","name":"took_seconds","help":"Time.","method":"observe","value":0.1},
        {"type":"summary","name":"size_bytes","help":"Size.","method":"observe","value":7,"labels":{"kind":"1"}}
        ]"#,
    );
    let page = server.scrape();
    let said = promtool(&page);
    assert_eq!(said, "", "{}", page.0);
}
