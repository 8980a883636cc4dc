//! What outlives the process.

mod faults;
mod kill;
mod start;

use tempfile::TempDir;

use self::start::series;
use crate::support::{Server, wait_for};

/// A server that answers when what was pushed is on disk.
fn durable(directory: &TempDir) -> Server {
    let path = format!("-storage.path={}", directory.path().join("store").display());
    let more = ["-storage.ack=commit", "-openmetrics.created", "-web.enable-admin-api"];
    Server::start(&[&[&*path][..], &more].concat())
}

const DELTAS: &str = r#"[
    {"type":"counter","name":"c_total","help":"h","method":"add","value":2.5,"labels":{"a":"b"}},
    {"type":"counter","name":"zero_total","method":"declare"},
    {"type":"gauge","name":"g","method":"set","value":-1},
    {"type":"histogram","name":"h","method":"observe","value":0.3,"exemplar":{"labels":{"trace_id":"x"}}},
    {"type":"histogram","name":"n","method":"observe","value":7,"native":{}},
    {"type":"summary","name":"s","method":"observe","value":4,"objectives":{"0.5":0.05}}
]"#;

/// What clients pushed, in the format that shows births.
fn page(server: &Server) -> String {
    let accept = [("Accept", "application/openmetrics-text; version=1.0.0")];
    let mut client = crate::support::Client::connect(server.http);
    let page = client.request("GET", "/metrics", &accept, None).expect("an answer").text();
    let is_own = |line: &&str| {
        line.contains("pushprom_") || line.contains("process_") || line.contains("request")
    };
    page.lines().filter(|line| !is_own(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let directory = TempDir::new().expect("a directory");
    let mut server = durable(&directory);
    server.push_ok(DELTAS);
    let before = page(&server);
    server.signal("KILL");
    server.wait();
    let mut server = durable(&directory);
    assert_eq!(page(&server), before);
    server.push_ok(DELTAS);
    let before = page(&server);
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(page(&durable(&directory)), before);
}

#[test]
fn what_a_crash_has_left_is_written_anew() {
    let directory = TempDir::new().expect("a directory");
    let mut server = durable(&directory);
    server.push_ok(DELTAS);
    server.signal("KILL");
    server.wait();
    let mut server = durable(&directory);
    let before = page(&server);
    wait_for("a copy", || {
        (server.scrape().value("pushprom_storage_copies_total") == Some(1.0)).then_some(())
    });
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(directory.path().join("store/0000000002.closed").exists());
    assert_eq!(page(&durable(&directory)), before);
}

/// As often as it takes to fall between two commits.
#[test]
fn what_was_deleted_stays_deleted() {
    let directory = TempDir::new().expect("a directory");
    let mut server = durable(&directory);
    for _ in 0..5 {
        server.push_ok(DELTAS);
        let reply = server.request("POST", "/api/v1/admin/wipe", None);
        assert_eq!(reply.status, 200, "{}", reply.text());
        server.signal("KILL");
        server.wait();
        server = durable(&directory);
        assert_eq!(page(&server), "# EOF");
    }
}

#[test]
fn what_is_gone_takes_no_room() {
    let directory = TempDir::new().expect("a directory");
    let server = durable(&directory);
    for family in 0..4 {
        server.push_ok(series(5000).replace("many", &format!("many{family}")));
    }
    let bytes = || server.scrape().value("pushprom_storage_bytes");
    assert!(bytes() > Some(2e6), "{:?}", bytes());
    let reply = server.request("POST", "/api/v1/admin/wipe", None);
    assert_eq!(reply.status, 200, "{}", reply.text());
    wait_for("a smaller store", || (bytes() < Some(1e3)).then_some(()));
}
