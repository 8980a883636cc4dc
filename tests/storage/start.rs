//! What is there while the store is being restored, and what there is to say where it cannot be had.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use tempfile::TempDir;

use super::durable;
use crate::support::{BINARY, Client, Reply, Server, inc, wait_for};

/// What a server is started with that keeps its series in a directory.
pub(super) fn flags(store: &Path) -> Vec<String> {
    let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
    let mut flags: Vec<String> = listen.map(str::to_owned).into();
    flags.push("-log.format=json".to_owned());
    flags.push(format!("-storage.path={}", store.display()));
    flags
}

/// Deltas that make so many series.
pub(super) fn series(count: usize) -> String {
    let delta = |n| {
        let pad = "x".repeat(100);
        format!(r#"{{"type":"counter","name":"many","method":"inc","labels":{{"n":"{n}{pad}"}}}}"#)
    };
    (0..count).map(delta).collect()
}

/// A disk that takes three seconds for each read of the store.
#[test]
fn a_long_restore_is_shown_and_loses_no_datagram() {
    let directory = TempDir::new().expect("a directory");
    let mut server = durable(&directory);
    // More than is read at once.
    server.push_ok(series(5000));
    server.push_ok(series(5000).replace("many", "more"));
    server.signal("KILL");
    server.wait();
    let store = directory.path().join("store");
    let mut command = Command::new("strace");
    // The server is the child, and strace is somewhere else.
    command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=read", "-P"]);
    command.arg(store.join("0000000001.log")).args(["-e", "inject=read:delay_enter=3000000"]);
    command.arg(BINARY).args(flags(&store)).args(["-storage.ack=commit", "-web.enable-admin-api"]);
    let server = Server::launch(&mut command);
    server.send(inc("datagram"));
    let ready = || server.request("GET", "/-/ready", None);
    // It looks how much there is first.
    wait_for("the restore to begin", || (ready().text() != "starting\n").then_some(()));
    check_refused(&ready(), "restoring: 0 series so far, 0 of ");
    let healthy = server.request("GET", "/-/healthy", None);
    assert_eq!((healthy.status, &*healthy.text()), (200, "ok"));
    thread::scope(|scope| {
        for (method, path, body) in [
            ("POST", "/", Some(inc("refused"))),
            ("GET", "/metrics", None),
            ("GET", "/api/v1/families", None),
        ] {
            let server = &server;
            scope.spawn(move || {
                let reply = server.request(method, path, body.as_ref().map(String::as_bytes));
                check_refused(&reply, "pushprom is starting, see /-/ready: try again later");
            });
        }
    });
    // The first part has been read, and the second is waited for.
    wait_for("some series", || {
        let text = ready().text();
        (text.starts_with("restoring: ") && !text.starts_with("restoring: 0 ")).then_some(())
    });
    server.wait_until_ready();
    server.wait_for_log("how far it was", |event| {
        event["message"] == "restoring" && event["series"].as_u64() > Some(5000)
    });
    assert_eq!((ready().status, &*ready().text()), (200, "ok"));
    let page = server.catch_up();
    assert_eq!(page.value("datagram"), Some(1.0));
    assert_eq!(page.value("refused"), None);
    assert_eq!(page.value("pushprom_http_refused_total{reason=\"starting\"}"), Some(3.0));
    assert_eq!(page.value("pushprom_series"), Some(10_002.0));
}

#[track_caller]
fn check_refused(reply: &Reply, text: &str) {
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{}", reply.text());
    assert!(reply.text().contains(text), "{}", reply.text());
}

/// Runs a server that cannot start; returns what it says.
pub(super) fn fails(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{command:?}");
    let log = String::from_utf8(output.stderr).expect("it is text");
    let last = log.lines().last().expect("it says something");
    let event: serde_json::Value = serde_json::from_str(last).expect("it logs JSON");
    event["message"].as_str().expect("a message").to_owned()
}

#[test]
fn a_directory_that_cannot_be_had_is_named_with_a_remedy() {
    let directory = TempDir::new().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    fs::write(path("file"), "").expect("it can be written");
    fs::create_dir(path("foreign")).expect("it can be made");
    chown(path("foreign"), Some(65534), Some(65534)).expect("the tests run as root");
    fs::set_permissions(path("foreign"), PermissionsExt::from_mode(0o700)).expect("it is there");
    for (store, want) in [
        ("none/store", ": make the directory that it is to be in"),
        ("file", ": name a directory, not a file"),
        ("foreign", ": let the user of this process write there"),
    ] {
        let store = path(store);
        // Root without what lets it do as it likes.
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", BINARY]).args(flags(&store));
        let said = fails(&mut command);
        let begin = format!("-storage.path: cannot use {}", store.display());
        assert!(said.starts_with(&begin) && said.ends_with(want), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_had_is_named_with_a_remedy() {
    let directory = TempDir::new().expect("a directory");
    drop(durable(&directory));
    let store = directory.path().join("store");
    for (file, action) in [("0000000001.log", "read"), ("lock", "open")] {
        let file = store.join(file);
        chown(&file, Some(65534), Some(65534)).expect("the tests run as root");
        let mut command = Command::new("setpriv");
        let said = fails(command.args(["--bounding-set=-all", BINARY]).args(flags(&store)));
        let want = format!(
            "-storage.path: cannot {action} {}: Permission denied (os error 13): let the user of this process \
             read and write it",
            file.display()
        );
        assert_eq!(said, want);
    }
}

#[test]
fn a_directory_is_one_servers() {
    let directory = TempDir::new().expect("a directory");
    let server = durable(&directory);
    let store = directory.path().join("store");
    let said = fails(Command::new(BINARY).args(flags(&store)));
    let want = format!(
        "-storage.path: {} is in use by another pushprom: end that one, or choose another -storage.path",
        store.display()
    );
    assert_eq!(said, want);
    server.push_ok(inc("m"));
}

/// A fault in the middle ends the start, and nothing is changed.
#[test]
fn a_damaged_store_ends_the_start() {
    let directory = TempDir::new().expect("a directory");
    let mut server = durable(&directory);
    for _ in 0..3 {
        server.push_ok(series(10));
    }
    server.signal("KILL");
    server.wait();
    let store = directory.path().join("store");
    let log = store.join("0000000001.log");
    let mut bytes = fs::read(&log).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, &bytes).expect("it can be written");
    let said = fails(Command::new(BINARY).args(flags(&store)));
    assert!(said.contains("is damaged at byte"), "{said}");
    assert_eq!(fs::read(&log).expect("it is there"), bytes);
}

/// The end can be asked for at any time.
#[test]
fn a_restore_can_be_ended() {
    let directory = TempDir::new().expect("a directory");
    drop(durable(&directory));
    let store = directory.path().join("store");
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=read", "-P"]);
    command.arg(store.join("0000000001.log")).args(["-e", "inject=read:delay_enter=3000000"]);
    let mut server = Server::launch(command.arg(BINARY).args(flags(&store)));
    let reply = Client::connect(server.http).request("GET", "/-/ready", &[], None);
    assert_eq!(reply.expect("an answer").status, 503);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.events().iter().all(|event| event["message"] != "ready"));
}
