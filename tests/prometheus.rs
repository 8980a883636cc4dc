//! A real Prometheus, and its `promtool`, both from Debian.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::support::{Client, Prometheus, Server, inc, promtool, succeed, wait_for};

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

/// `promtool check metrics` knows the text format alone. What it can make of `OpenMetrics` is blocks of a
/// database, for which each sample needs a time.
#[test]
fn promtool_makes_blocks_of_openmetrics() {
    let server = Server::start(&["-openmetrics.created"]);
    server.push_ok(
        r#"[
        {"type":"counter","name":"visits_total","help":"\"Visits\".","method":"add","value":2,"labels":{"path":"\"\\\n"},"exemplar":{"labels":{"trace_id":"8f3a"}}},
        {"type":"counter","name":"plain","help":"Plain.","method":"inc"},
        {"type":"gauge","name":"visits","help":"A gauge.","method":"set","value":-0.5},
        {"type":"histogram","name":"took_seconds","help":"Time.","method":"observe","value":[0.1,7],"exemplar":{"labels":{"trace_id":"8f3a"},"value":0.1}},
        {"type":"histogram","name":"cold_celsius","help":"Cold.","method":"observe","value":-7,"native":true},
        {"type":"summary","name":"size_bytes","help":"Size.","method":"observe","value":7,"objectives":{"0.5":0.1}}
        ]"#,
    );
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0")];
    let reply = Client::connect(server.http).request("GET", "/metrics", &accept, None);
    let page = reply.expect("an answer").text();
    let timed = page.lines().map(|line| match line.split_once(" # {") {
        _ if line.starts_with('#') => format!("{line}\n"),
        Some((sample, exemplar)) => format!("{sample} 1700000000 # {{{exemplar}\n"),
        None => format!("{line} 1700000000\n"),
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, blocks) = (folder.path().join("page"), folder.path().join("blocks"));
    fs::write(&file, timed.collect::<String>()).expect("the file can be written");
    let mut promtool = Command::new("promtool");
    promtool.args(["tsdb", "create-blocks-from", "openmetrics"]).args([&file, &blocks]);
    succeed(&mut promtool);
    // A database has a log too, and is not read without one.
    fs::create_dir(blocks.join("wal")).expect("a folder can be made");
    let dump = succeed(Command::new("promtool").args(["tsdb", "dump"]).arg(&blocks));
    for sample in [
        r#"{__name__="visits_total", path="\"\\\n"} 2 1700000000000"#,
        r#"{__name__="plain"} 1 1700000000000"#,
        r#"{__name__="took_seconds_bucket", le="0.1"} 1 1700000000000"#,
        r#"{__name__="cold_celsius_sum"} -7 1700000000000"#,
        r#"{__name__="size_bytes_count"} 1 1700000000000"#,
    ] {
        assert!(dump.lines().any(|line| line == sample), "{sample} in {dump}");
    }
}
