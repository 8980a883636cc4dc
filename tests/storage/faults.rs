//! Disks that fail while the server runs, and come back.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use tempfile::TempDir;

use super::start::{fails, flags, series};
use crate::support::{BINARY, Client, Reply, Server, inc, succeed, wait_for};

/// A file system in memory, in a mount namespace that ends with this: no other process sees it.
struct Mount {
    folder: TempDir,
    /// Keeps the namespace while it waits for the end of its input.
    holder: Child,
    _input: ChildStdin,
}

impl Mount {
    fn new(options: &str) -> Self {
        let folder = TempDir::new().expect("a directory");
        let mut command = Command::new("unshare");
        let script = r#"mount -t tmpfs -o "$1" none "$2" && echo mounted && exec cat"#;
        command.args(["-m", "sh", "-c", script, "sh", options]).arg(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().expect("unshare is installed");
        let mut said = String::new();
        let output = holder.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut said).expect("it is text");
        assert_eq!(said, "mounted\n", "the tests run as root");
        let input = holder.stdin.take().expect("it is piped");
        Self { folder, holder, _input: input }
    }

    /// A command that sees it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &self.holder.id().to_string(), program]);
        command
    }

    fn remount(&self, options: &str) {
        let mut command = self.command("mount");
        succeed(command.args(["-o", &format!("remount,{options}")]).arg(self.folder.path()));
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn server(&self, ack: &str) -> Server {
        let mut command = self.command(BINARY);
        command.args(flags(&self.store())).args([&format!("-storage.ack={ack}"), ADMIN]);
        Server::run(&mut command)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

fn ready(server: &Server) -> Reply {
    server.request("GET", "/-/ready", None)
}

#[track_caller]
fn wait_until_well(server: &Server) {
    wait_for("the store to be well again", || (ready(server).status == 200).then_some(()));
}

/// What is logged of failures and recoveries, in turn.
fn told(server: &Server) -> Vec<String> {
    let events = server.events().into_iter();
    let messages = events.filter_map(|event| Some(event["message"].as_str()?.to_owned()));
    let is_told = |it: &String| it.starts_with("cannot write to -storage.path") || it == RECOVERED;
    messages.filter(is_told).collect()
}

/// Series can be deleted.
const ADMIN: &str = "-web.enable-admin-api";

const RECOVERED: &str = "-storage.path can be written to again: all is on disk";

/// Pushes to a disk until it is full; returns what was acknowledged of `acked`, and whether the last was refused.
fn fill(server: &Server) -> (f64, bool) {
    let mut acked = 0.0;
    loop {
        let reply = server.push(format!("{}{}", inc("acked"), series(2000)));
        match reply.status {
            200 => acked += 1.0,
            status => {
                assert_eq!((status, reply.header("retry-after")), (503, Some("1")));
                return (acked, true);
            }
        }
        if ready(server).status == 503 {
            return (acked, false);
        }
    }
}

#[test]
fn a_full_disk_refuses_pushes_that_are_to_be_on_it() {
    let mount = Mount::new("size=1m");
    let mut server = mount.server("commit");
    let repeat = || push_with_key(&server, &inc("once"));
    assert_eq!(repeat().status, 200);
    let (acked, was_refused) = fill(&server);
    assert!(was_refused && acked > 0.0, "{acked}");
    let reply = ready(&server);
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    let text = reply.text();
    assert!(text.contains("memory alone: cannot ") && text.contains("No space left"), "{text}");
    // Nothing is applied any more, and pages and rights are as ever.
    let before = server.scrape();
    assert_eq!(server.push(inc("acked")).status, 503);
    let page = server.scrape();
    assert_eq!(page.value("acked"), before.value("acked"));
    let refused = "pushprom_deltas_rejected_total{reason=\"not_stored\",transport=\"http\"}";
    assert_eq!(page.value(refused), Some(before.value(refused).expect("it is there") + 1.0));
    assert_eq!(page.value("pushprom_storage_healthy"), Some(0.0));
    assert!(page.value("pushprom_storage_errors_total{kind=\"full\"}") >= Some(1.0));
    assert_eq!(page.value("pushprom_storage_unsaved_series"), page.value("pushprom_series"));
    // Not even what was acknowledged before, and nothing is deleted.
    let delete = || server.request("POST", "/api/v1/admin/series/delete?match[]=once", None);
    for reply in [repeat(), delete()] {
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    }
    assert_eq!(server.scrape().value("once"), Some(1.0));
    mount.remount("size=64m");
    wait_until_well(&server);
    assert_eq!(repeat().status, 200);
    assert_eq!(server.scrape().value("once"), Some(1.0));
    assert_eq!(delete().status, 200);
    server.push_ok(inc("acked"));
    let page = server.scrape();
    assert_eq!(page.value("pushprom_storage_healthy"), Some(1.0));
    let shown = page.value("acked");
    assert_eq!(told(&server).len(), 2, "{:?}", told(&server));
    assert_eq!(told(&server)[1], RECOVERED);
    server.signal("KILL");
    server.wait();
    let server = mount.server("commit");
    // What was acknowledged is there; of what was not, what a page had shown is.
    assert!(shown > Some(acked), "{shown:?} {acked}");
    let page = server.scrape();
    assert_eq!(page.value("acked"), shown);
    assert_eq!(page.value("once"), None);
}

/// Pushes a message with a key that is always the same.
fn push_with_key(server: &Server, message: &str) -> Reply {
    let headers = [("Idempotency-Key", "key"), ("Connection", "close")];
    let reply =
        Client::connect(server.http).request("POST", "/", &headers, Some(message.as_bytes()));
    reply.expect("an answer")
}

#[test]
fn a_full_disk_keeps_nobody_from_pushing_to_memory() {
    let mount = Mount::new("size=1m");
    let mut server = mount.server("memory");
    let (acked, was_refused) = fill(&server);
    assert!(!was_refused, "{acked}");
    server.push_ok(inc("acked"));
    let page = server.scrape();
    assert_eq!(page.value("acked"), Some(acked + 1.0));
    assert_eq!(page.value("pushprom_storage_healthy"), Some(0.0));
    mount.remount("size=64m");
    wait_until_well(&server);
    assert_eq!(told(&server).len(), 2, "{:?}", told(&server));
    server.signal("KILL");
    server.wait();
    let mut server = mount.server("memory");
    assert_eq!(server.scrape().value("acked"), Some(acked + 1.0));
    server.signal("TERM");
    assert!(server.wait().success());
}

/// The end says what is lost, and only if it is.
#[test]
fn the_end_tries_once_more() {
    for (is_mended, code) in [(true, 0), (false, 1)] {
        let mount = Mount::new("size=1m");
        let mut server = mount.server("memory");
        let (acked, _) = fill(&server);
        if is_mended {
            mount.remount("size=64m");
        }
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(code));
        let lost = server.events().iter().any(|event| {
            let message = event["message"].as_str().unwrap_or_default();
            message.starts_with("what changed last is not on disk, and lost: cannot ")
        });
        assert_eq!(lost, !is_mended);
        if is_mended {
            assert_eq!(mount.server("memory").scrape().value("acked"), Some(acked));
        }
    }
}

/// Who waits for a commit when the end comes is answered, unless the disk takes longer than the end may.
#[test]
fn the_end_waits_for_a_slow_disk_but_not_for_ever() {
    for (delay_microseconds, timeout, code) in [(500_000, "20s", 0), (5_000_000, "300ms", 1)] {
        let directory = TempDir::new().expect("a directory");
        let store = directory.path().join("store");
        let fault = format!("fdatasync:delay_enter={delay_microseconds}:when=2+");
        let mut server = failing(&store, &fault, &format!("-shutdown.timeout={timeout}"));
        server.push_ok(inc("m"));
        let mut client = Client::connect(server.http);
        let delta = inc("m");
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", delta.len());
        client.send(format!("{head}{delta}").as_bytes()).expect("it is sent");
        wait_for("it to be applied", || (server.scrape().value("m") == Some(2.0)).then_some(()));
        server.signal("TERM");
        let reply = client.reply().map(|reply| reply.text());
        assert_eq!(reply.as_deref(), (code == 0).then_some("ok"));
        assert_eq!(server.wait().code(), Some(code));
        let said = |text: &str| {
            let events = server.events();
            events.iter().any(|event| event["message"].as_str().is_some_and(|it| it.contains(text)))
        };
        assert_eq!(said("what changed last may be lost"), code != 0);
        assert_eq!(said("stopped"), code == 0);
    }
}

/// A server whose pushes wait for its disk, of which the first log fails from one system call on, by strace; later
/// ones do not.
fn failing(store: &Path, fault: &str, flag: &str) -> Server {
    let mut command = Command::new("strace");
    // The server is the child, and strace is somewhere else.
    command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write,fdatasync"]);
    command.arg("-P").arg(store.join("0000000001.new"));
    command.arg("-P").arg(store.join("0000000001.log"));
    command.args(["-e", &format!("inject={fault}"), BINARY]).args(flags(store));
    Server::run(command.args(["-storage.ack=commit", flag]))
}

/// What a push was told that fell into a failure is never `ok`, and nothing else is lost or counted twice.
#[test]
fn a_failing_disk_is_left_for_a_new_file() {
    for (fault, kind) in [
        ("fdatasync:error=EIO:when=3+", "io"),
        ("write:error=EIO:when=4+", "io"),
        ("write:error=EROFS:when=4+", "read_only"),
        ("write:error=EDQUOT:when=4+", "full"),
        ("fdatasync:error=EINVAL:when=3+", "other"),
    ] {
        let directory = TempDir::new().expect("a directory");
        let store = directory.path().join("store");
        let mut server = failing(&store, fault, "-storage.commit-interval=50ms");
        let (mut sent, mut acked, mut refused) = (0.0, 0.0, 0);
        while acked < 20.0 {
            match server.push(inc("m")).status {
                200 => acked += 1.0,
                status => {
                    assert_eq!(status, 503, "{fault}");
                    refused += 1;
                    wait_until_well(&server);
                }
            }
            sent += 1.0;
        }
        assert_eq!(refused, 1, "{fault}");
        let page = server.scrape();
        let errors = format!("pushprom_storage_errors_total{{kind=\"{kind}\"}}");
        assert_eq!(page.value(&errors), Some(1.0), "{fault}");
        assert_eq!(page.value("m"), Some(sent), "{fault}");
        assert_eq!(told(&server).len(), 2, "{fault}: {:?}", told(&server));
        server.signal("KILL");
        server.wait();
        let server = Server::run(Command::new(BINARY).args(flags(&store)));
        assert_eq!(server.scrape().value("m"), Some(sent), "{fault}");
    }
}

#[test]
fn a_file_system_that_can_only_be_read_is_named() {
    let mount = Mount::new("size=1m");
    mount.remount("ro");
    let said = fails(mount.command(BINARY).args(flags(&mount.store())));
    let want = format!(
        "-storage.path: cannot use {}: Read-only file system (os error 30): mount it for writing, or \
         choose another -storage.path",
        mount.store().display()
    );
    assert_eq!(said, want);
}

/// A write that takes longer than it may counts as failing until it has ended.
#[test]
fn nobody_waits_for_a_disk_that_hangs() {
    let directory = TempDir::new().expect("a directory");
    let store = directory.path().join("store");
    let mut server =
        failing(&store, "fdatasync:delay_enter=3000000:when=2", "-storage.write-timeout=500ms");
    server.push_ok(inc("m"));
    for _ in 0..2 {
        let reply = server.push(inc("m"));
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, Some("1")),
            "{}",
            reply.text()
        );
    }
    let reply = ready(&server);
    assert_eq!(reply.status, 503);
    assert!(
        reply.text().contains("a write to -storage.path has not ended for "),
        "{}",
        reply.text()
    );
    let page = server.scrape();
    // One was applied before anybody knew.
    assert_eq!(page.value("m"), Some(2.0));
    assert_eq!(page.value("pushprom_storage_healthy"), Some(0.0));
    wait_until_well(&server);
    server.push_ok(inc("m"));
    assert_eq!(server.scrape().value("pushprom_storage_healthy"), Some(1.0));
    server.signal("KILL");
    server.wait();
    let server = Server::run(Command::new(BINARY).args(flags(&store)));
    assert_eq!(server.scrape().value("m"), Some(3.0));
}

/// A file may be as large as the process is let make one.
#[test]
fn a_limit_of_the_size_of_files_is_a_full_disk() {
    let directory = TempDir::new().expect("a directory");
    let store = directory.path().join("store");
    let mut command = Command::new("prlimit");
    command.args(["--fsize=200000:200000000", BINARY]).args(flags(&store));
    let server = Server::run(command.arg("-storage.ack=commit"));
    let (_, was_refused) = fill(&server);
    assert!(was_refused);
    let page = server.scrape();
    assert!(page.value("pushprom_storage_errors_total{kind=\"full\"}") >= Some(1.0));
    let process = server.pid().to_string();
    succeed(Command::new("prlimit").args(["--fsize=200000000", "--pid", &process]));
    wait_until_well(&server);
    server.push_ok(inc("acked"));
}
