//! Series that are there from the start, and those that show their first value late.

use std::{fs, process::Command};

use serde_json::json;

use crate::support::{BINARY, Server, inc, wait_for};

/// A file of declarations.
fn declarations(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("declare.json");
    fs::write(&path, text).expect("the file can be written");
    let flag = format!("-declare.file={}", path.display());
    (folder, flag)
}

#[test]
fn a_file_declares_series() {
    let (_folder, flag) = declarations(
        r#"[{"type":"counter","name":"orders_total","help":"Orders.","method":"declare","labels":{"shop":"a"}},
            {"type":"histogram","name":"took_seconds","help":"Time.","method":"declare","buckets":[1,2]}]
           {"type":"gauge","name":"depth","method":"declare"}"#,
    );
    let server = Server::start(&[&flag]);
    let page = server.scrape().0;
    for line in [
        "# HELP orders_total Orders.",
        "orders_total{shop=\"a\"} 0",
        "took_seconds_bucket{le=\"2\"} 0",
        "took_seconds_count 0",
        "depth 0",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} in {page}");
    }
    // A client can do the same, and it changes nothing that is there.
    let observe =
        json!({"type": "histogram", "name": "took_seconds", "method": "observe", "value": 2});
    server.push_ok(observe.to_string());
    server.push_ok(
        r#"{"type":"histogram","name":"took_seconds","method":"declare","buckets":[1,2]}"#,
    );
    assert_eq!(server.scrape().value("took_seconds_bucket{le=\"2\"}"), Some(1.0));
}

#[test]
fn a_bad_declaration_ends_the_start() {
    for (text, problem) in [
        ("[", "not JSON at byte 1: the message ends inside a value"),
        ("", "the message holds no delta: send a JSON object with type, name, help, method"),
        (&*inc("m"), "delta 0, of \\\"m\\\", changes a value: use the method declare"),
        (
            r#"{"type":"counter","name":"m","method":"declare"}{"type":"gauge","name":"m","method":"declare"}"#,
            "delta 1: \\\"m\\\" is a counter, not a gauge: use another name or the type it has",
        ),
        (r#"[{"type":"counter"}]"#, "delta 0: metric name \\\"\\\" is invalid"),
    ] {
        let (_folder, flag) = declarations(text);
        let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
        let output = Command::new(BINARY).args(listen).arg(&flag).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{text}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains(problem) && said.contains("see -declare.file"),
            "{problem} in {said}"
        );
    }
    let output = Command::new(BINARY)
        .args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"])
        .arg("-declare.file=/nowhere/at/all")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("/nowhere/at/all") && output.status.code() == Some(1), "{said}");
}

#[test]
fn a_new_series_shows_zero_first() {
    let server = Server::start(&["-counter.first-scrape-zero=3s"]);
    server.push_ok(inc("m"));
    server.push_ok(r#"{"type":"gauge","name":"g","method":"set","value":2}"#);
    server.push_ok(r#"{"type":"histogram","name":"h","method":"observe","value":2}"#);
    // Two scrapers: each sees the zero, and gauges as they are.
    for _ in 0..2 {
        let page = server.scrape();
        let shown = [page.value("m"), page.value("g"), page.value("h_count")];
        assert_eq!(shown, [Some(0.0), Some(2.0), Some(0.0)]);
    }
    server.push_ok(inc("m"));
    wait_for("all that was added", || (server.scrape().value("m") == Some(2.0)).then_some(()));
    // It never goes back.
    server.push_ok(inc("m"));
    assert_eq!(server.scrape().value("m"), Some(3.0));
    // Off, it is as in the original.
    let server = Server::start(&[]);
    server.push_ok(inc("m"));
    assert_eq!(server.scrape().value("m"), Some(1.0));
}

#[test]
fn rules_decide_how_families_are_kept() {
    let server = Server::start(&[
        "-histogram.native=job_.*=classic .*=instead",
        "-summary.objectives=0.5:0.05",
        "-summary.max-age=1h",
    ]);
    for name in ["job_seconds", "took_seconds"] {
        let observe = json!({"type": "histogram", "name": name, "method": "observe", "value": 2});
        server.push_ok(observe.to_string());
    }
    let values: Vec<u32> = (1..=99).collect();
    let observe = json!({"type": "summary", "name": "size", "method": "observe", "value": values});
    server.push_ok(observe.to_string());
    let page = server.scrape();
    assert_eq!(page.value("job_seconds_bucket{le=\"2.5\"}"), Some(1.0));
    assert_eq!(page.value("took_seconds_bucket{le=\"2.5\"}"), None);
    assert_eq!(page.value("took_seconds_bucket{le=\"+Inf\"}"), Some(1.0));
    let median = page.value("size{quantile=\"0.5\"}").expect("it has one");
    assert!((median / 50.0 - 1.0).abs() < 0.011, "{median}");
    assert_eq!(page.value("size_sum"), Some(4950.0));
}
