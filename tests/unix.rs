//! Unix sockets, from outside.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixDatagram, UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{BINARY, Client, Server, inc, succeed, wait_for};

/// A folder for sockets, and the paths of two of them.
struct Sockets {
    folder: TempDir,
    http: PathBuf,
    push: PathBuf,
}

impl Sockets {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (http, push) = (folder.path().join("http.sock"), folder.path().join("push.sock"));
        Self { folder, http, push }
    }

    /// A server that listens on both, and on TCP and UDP.
    fn start(&self, flags: &[&str]) -> Server {
        let http = format!("-http-listen-address=127.0.0.1:0,{}", self.http.display());
        let push = format!("-unix-listen-address={}", self.push.display());
        Server::start(&[&[&*http, &*push], flags].concat())
    }

    fn send(&self, datagram: impl AsRef<[u8]>) {
        let socket = UnixDatagram::unbound().expect("a socket");
        let sent = socket.send_to(datagram.as_ref(), &self.push).expect("it waits for room");
        assert_eq!(sent, datagram.as_ref().len());
    }
}

#[test]
fn http_is_the_same_over_a_unix_socket() {
    let sockets = Sockets::new();
    let server = sockets.start(&["-web.max-body-bytes=1000", "-web.body-timeout=200ms"]);
    let mut client = Client::connect_unix(&sockets.http);
    for _ in 0..3 {
        let reply = client.request("POST", "/", &[], Some(inc("m").as_bytes()));
        assert_eq!(reply.expect("an answer").text(), "ok");
    }
    let reply = client.request("GET", "/metrics", &[], None).expect("an answer");
    assert!(reply.text().contains("\nm 3\n"), "{}", reply.text());
    assert!(reply.text().contains("\npushprom_http_connections 1\n"), "{}", reply.text());
    let reply = client.request("POST", "/", &[], Some(&[b' '; 1001]));
    assert_eq!(reply.expect("an answer").status, 413);
    assert!(client.rest(Duration::from_secs(10)).1, "the connection is closed");
    let mut slow = Client::connect_unix(&sockets.http);
    slow.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{").expect("it is sent");
    assert_eq!(slow.reply().expect("an answer").status, 408);
    let mut broken = Client::connect_unix(&sockets.http);
    broken.send(b"garbage\r\n\r\n").expect("it is sent");
    assert_eq!(broken.reply().expect("an answer").status, 400);
    let page = server.scrape();
    assert_eq!(page.value("m"), Some(3.0));
    for reason in ["too_long", "body_timeout"] {
        assert_eq!(page.rejected_for(reason, "http"), 1.0, "{reason}");
    }
}

#[test]
fn a_page_longer_than_any_buffer_comes_over_a_unix_socket() {
    let sockets = Sockets::new();
    let _server = sockets.start(&[]);
    let mut client = Client::connect_unix(&sockets.http);
    for first in (0..10_000).step_by(1000) {
        let delta = |n| {
            let pad = "x".repeat(200);
            format!(r#"{{"type":"gauge","name":"g","method":"set","labels":{{"n":"{n}{pad}"}}}}"#)
        };
        let body: String = (first..first + 1000).map(delta).collect();
        let reply = client.request("POST", "/", &[], Some(body.as_bytes())).expect("an answer");
        assert_eq!(reply.text(), "ok");
    }
    let page = client.request("GET", "/metrics", &[], None).expect("an answer");
    assert_eq!(page.text().lines().filter(|line| line.starts_with("g{")).count(), 10_000);
    let reply = client.request("GET", "/health", &[], None).expect("the same connection");
    assert_eq!(reply.text(), "ok");
}

#[test]
fn common_clients_push_over_unix_sockets() {
    let sockets = Sockets::new();
    let server = sockets.start(&[]);
    let curl = |arguments: &[&str]| {
        succeed(
            Command::new("curl").arg("-sS").arg("--unix-socket").arg(&sockets.http).args(arguments),
        )
    };
    assert_eq!(curl(&["-d", &inc("by_curl"), "http://pushprom/"]), "ok");
    assert!(curl(&["http://pushprom/metrics"]).contains("\nby_curl 1\n"));
    pipe(
        &format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
            inc("by_nc").len(),
            inc("by_nc")
        ),
        Command::new("nc").arg("-U").arg(&sockets.http),
    );
    let local = sockets.folder.path().join("nc.sock");
    pipe(
        &inc("by_nc"),
        Command::new("nc").args(["-uU", "-w1", "-s"]).arg(local).arg(&sockets.push),
    );
    let php = "$socket = stream_socket_client('udg://' . $argv[1]) or exit(1);\
               fwrite($socket, $argv[2]) == strlen($argv[2]) or exit(1);";
    succeed(Command::new("php").args(["-r", php]).arg(&sockets.push).arg(inc("by_php")));
    wait_for("all of them", || {
        let page = server.scrape();
        let counted = ["by_curl", "by_nc", "by_php"].map(|name| page.value(name));
        (counted == [Some(1.0), Some(2.0), Some(1.0)]).then_some(())
    });
}

/// Runs a command to its end with some input.
#[track_caller]
fn pipe(input: &str, command: &mut Command) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("input");
    fs::write(&file, input).expect("it can be written");
    succeed(command.stdin(fs::File::open(file).expect("it is there")).stdout(Stdio::null()));
}

#[test]
fn datagrams_over_a_unix_socket_are_counted_apart() {
    let sockets = Sockets::new();
    let server = sockets.start(&[]);
    let good = inc("m");
    for _ in 0..100 {
        sockets.send(&good);
    }
    sockets.send(format!("{good}garbage"));
    sockets.send("");
    // The longest that UDP could carry, and longer ones, which are not cut and then read.
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    sockets.send(padded(65_527));
    sockets.send(padded(65_528));
    sockets.send(padded(100_000));
    sockets.send(&good);
    let page = wait_for("the last one", || {
        let page = server.scrape();
        (page.value("m") == Some(103.0)).then_some(page)
    });
    assert_eq!(page.value("pushprom_unix_packets_total"), Some(106.0));
    assert_eq!(page.value("pushprom_udp_packets_total"), Some(0.0));
    for (reason, count) in [("syntax", 1.0), ("empty", 1.0), ("truncated", 2.0), ("too_long", 0.0)]
    {
        assert_eq!(page.rejected_for(reason, "unix"), count, "{reason}");
    }
    let applied = "pushprom_deltas_applied_total{kind=\"counter\",transport=\"unix\"}";
    assert_eq!(page.value(applied), Some(103.0));
    let event = server.wait_for_log("a long one", |event| event["reason"] == "truncated");
    assert_eq!((&event["transport"], &event["peer"]), (&"unix".into(), &"unnamed".into()));
    let error = event["error"].as_str().expect("a text");
    assert!(error.contains("65528 bytes") && error.contains("65527"), "{error}");
}

#[test]
fn files_have_their_mode_and_go_at_the_end() {
    for (flags, mode) in [(&[][..], 0o660), (&["-unix.mode=0602"][..], 0o602)] {
        let sockets = Sockets::new();
        let mut server = sockets.start(flags);
        for path in [&sockets.http, &sockets.push] {
            let there = fs::metadata(path).expect("it is there");
            assert!(there.file_type().is_socket());
            assert_eq!(there.permissions().mode() & 0o777, mode);
        }
        sockets.send(inc("m"));
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
        assert!(!sockets.http.exists() && !sockets.push.exists());
    }
}

#[test]
fn what_a_killed_server_left_is_replaced() {
    let sockets = Sockets::new();
    drop(sockets.start(&[]));
    assert!(sockets.http.exists() && sockets.push.exists());
    let mut first = sockets.start(&[]);
    sockets.send(inc("m"));
    wait_for("a datagram", || (first.scrape().value("m") == Some(1.0)).then_some(()));
    // Somebody makes room for another server, which the first leaves alone at its end.
    for path in [&sockets.http, &sockets.push] {
        fs::remove_file(path).expect("it is there");
    }
    let second = sockets.start(&[]);
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    sockets.send(inc("m"));
    wait_for("a datagram", || (second.scrape().value("m") == Some(1.0)).then_some(()));
    let reply = Client::connect_unix(&sockets.http).request("GET", "/health", &[], None);
    assert_eq!(reply.expect("an answer").text(), "ok");
}

/// Starts a server that has to fail, and looks for a text in its log.
#[track_caller]
fn check_refused(command: &mut Command, flag: &str, path: &Path, want: &str) {
    let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
    let listen = listen.into_iter().filter(|other| !other.starts_with(flag));
    let output = command.args(listen).arg(flag).arg(path).output().expect("the binary runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(want) && log.contains(flag.trim_start_matches('-')), "{log}");
}

#[test]
fn a_path_that_cannot_be_had_stops_the_start() {
    let sockets = Sockets::new();
    let server = sockets.start(&[]);
    let file = sockets.folder.path().join("file");
    fs::write(&file, "precious").expect("it can be written");
    let stranger = sockets.folder.path().join("stranger");
    let _stranger = UnixListener::bind(&stranger).expect("a socket");
    for flag in ["-http-listen-address", "-unix-listen-address"] {
        let check = |path: &Path, want: &str| {
            check_refused(&mut Command::new(BINARY), flag, path, want);
        };
        let taken = "another process listens there already; see -";
        check(&sockets.http, taken);
        check(&sockets.push, taken);
        check(&stranger, taken);
        check(&file, "what is there is no socket");
        check(sockets.folder.path(), "what is there is no socket");
        let missing = sockets.folder.path().join("no/such.sock");
        let output = Command::new(BINARY).arg(flag).arg(&missing).output().expect("it runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(
            log.contains(&format!("on {}: its folder is not there", missing.display())),
            "{log}"
        );
        let endless = sockets.folder.path().join("x".repeat(108));
        check(&endless, "more than the 107 of a unix socket's path");
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "precious");
    assert!(UnixStream::connect(&stranger).is_ok(), "its socket is untouched");
    sockets.send(inc("m"));
    wait_for("a datagram", || (server.scrape().value("m") == Some(1.0)).then_some(()));
}

#[test]
fn a_folder_that_nobody_may_write_to_stops_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("it can be made");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    // Where anybody may run it.
    let binary = folder.path().join("pushprom");
    fs::copy(BINARY, &binary).expect("it can be copied");
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(binary);
    nobody.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
    let output = nobody.arg("-unix-listen-address").arg(inside.join("s")).output();
    let output = output.expect("it runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("permission denied: let pushprom write to its folder"), "{log}");
}
