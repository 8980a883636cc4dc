//! Sockets that systemd passes. A script plays its part: it binds them, and keeps them while the server is
//! away.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, UdpSocket},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{BINARY, Client, PATIENCE, Server, inc, read, succeed, wait_for};

/// Binds what its first argument names, by their letters: TCP, a unix stream, UDP, unix datagrams; capitals are
/// for all addresses rather than loopback. Says the ports; then starts the server, which gets them from file descriptor 3 on, for each line that it reads, when
/// the one before has ended.
const SYSTEMD: &str = r#"
import os, socket, sys
SO_RCVBUFFORCE = 33
kinds, folder, command = sys.argv[1], sys.argv[2], sys.argv[3:]
def bound(kind):
    family = socket.AF_UNIX if kind in "sd" else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM if kind in "tTs" else socket.SOCK_DGRAM)
    address = ("127.0.0.1" if kind in "tu" else "0.0.0.0", 0)
    one.bind(os.path.join(folder, kind) if kind in "sd" else address)
    if kind in "tTs": one.listen(100)
    if kind == "u": one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    return one
sockets = [bound(kind) for kind in kinds]
ports = [one.getsockname()[1] for kind, one in zip(kinds, sockets) if kind in "tu"]
with open(os.path.join(folder, "ports.new"), "w") as file: file.write(" ".join(map(str, ports)))
os.rename(os.path.join(folder, "ports.new"), os.path.join(folder, "ports"))
high = [os.dup2(one.fileno(), 50 + place) for place, one in enumerate(sockets)]
while True:
    child = os.fork()
    if child == 0:
        for place, fd in enumerate(high): os.dup2(fd, 3 + place)
        os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = str(len(high)), str(os.getpid())
        os.execvp(command[0], command)
    with open(os.path.join(folder, "pid.new"), "w") as file: file.write(str(child))
    os.rename(os.path.join(folder, "pid.new"), os.path.join(folder, "pid"))
    os.waitpid(child, 0)
    os.unlink(os.path.join(folder, "pid"))
    if not sys.stdin.readline(): break
"#;

/// A script that runs the server. Both end when this is dropped.
struct Systemd {
    folder: TempDir,
    script: std::process::Child,
    input: Option<ChildStdin>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Systemd {
    fn start(kinds: &str, flags: &[&str]) -> Self {
        Self::start_as(kinds, &[BINARY], flags)
    }

    /// Starts the server by another command.
    fn start_as(kinds: &str, binary: &[&str], flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("python3");
        command.args(["-c", SYSTEMD, kinds]).arg(folder.path()).args(binary).args(flags);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut script = command.spawn().expect("python3 is installed");
        let errors = BufReader::new(script.stderr.take().expect("it is piped"));
        let input = script.stdin.take();
        Self { folder, script, input, errors }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ports(&self) -> Vec<SocketAddr> {
        let ports = wait_for("the ports", || fs::read_to_string(self.path("ports")).ok());
        let port = |port: &str| SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
        ports.split_whitespace().map(port).collect()
    }

    fn pid(&self) -> Option<String> {
        fs::read_to_string(self.path("pid")).ok()
    }

    /// Ends the server, and waits for that.
    fn stop(&self) {
        let pid = wait_for("the server", || self.pid());
        Command::new("kill").arg(pid).status().expect("kill is there");
        wait_for("its end", || self.pid().is_none().then_some(()));
    }

    fn start_again(&mut self) {
        let input = self.input.as_mut().expect("it is piped");
        input.write_all(b"\n").expect("the script reads");
    }

    /// The first line of the log that has this in it.
    fn line_with(&mut self, wanted: &str) -> String {
        self.lines_to(wanted).pop().expect("it is the last one")
    }

    /// The log down to that line.
    fn lines_to(&mut self, wanted: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.contains(wanted)) {
            let mut line = String::new();
            let count = self.errors.read_line(&mut line).expect("it is text");
            assert!(count > 0, "{wanted:?} is not in {lines:?}");
            lines.push(line);
        }
        lines
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        self.input = None;
        if let Some(pid) = self.pid() {
            Command::new("kill").args(["-s", "KILL", &pid]).stderr(Stdio::null()).status().ok();
        }
        self.script.wait().ok();
    }
}

fn metrics(address: SocketAddr) -> String {
    let reply = Client::connect(address).request("GET", "/metrics", &[], None);
    reply.expect("an answer").text()
}

/// While the server is away, the kernel keeps what comes to sockets that stay open.
#[test]
fn nothing_is_lost_while_the_server_is_away() {
    let mut systemd = Systemd::start("tsud", &["-web.systemd-socket"]);
    let [tcp, udp] = systemd.ports()[..] else { panic!("two ports") };
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let unix = UnixDatagram::unbound().expect("a socket");
    systemd.line_with("message=ready");
    // Twice: once while it serves, and once while it is away.
    for is_away in [false, true] {
        if is_away {
            systemd.stop();
        }
        let mut over_tcp = Client::connect(tcp);
        let mut over_unix = Client::connect_unix(&systemd.path("s"));
        let push = |body: &str| {
            format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        over_tcp.send(push(&inc("over_tcp")).as_bytes()).expect("the kernel takes it");
        over_unix.send(push(&inc("over_unix_stream")).as_bytes()).expect("the kernel takes it");
        sender.send_to(inc("over_udp").as_bytes(), udp).expect("the kernel takes it");
        unix.send_to(inc("over_unix").as_bytes(), systemd.path("d")).expect("the kernel takes it");
        if is_away {
            systemd.start_again();
        }
        for client in [&mut over_tcp, &mut over_unix] {
            assert_eq!(client.reply().expect("an answer").text(), "ok");
        }
        for name in ["over_tcp", "over_unix_stream", "over_udp", "over_unix"] {
            wait_for(name, || metrics(tcp).contains(&format!("\n{name} 1\n")).then_some(()));
        }
    }
}

#[test]
fn what_is_passed_has_to_be_of_use() {
    for (kinds, flag, want) in [
        ("", "-web.systemd-socket", "no sockets were passed"),
        ("u", "-web.systemd-socket", "no listening stream was passed"),
    ] {
        let mut systemd = Systemd::start(kinds, &[flag]);
        systemd.line_with(want);
    }
}

/// Flags do not say where sockets listen that were passed.
#[test]
fn open_access_is_warned_of_by_the_sockets_that_there_are() {
    for (kinds, flags, warnings) in [
        ("T", &["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"][..], 1),
        ("tU", &["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"], 1),
        ("t", &["-udp-listen-address=127.0.0.1:0"], 0),
        ("tsud", &[], 0),
    ] {
        let mut systemd = Systemd::start(kinds, &[flags, &["-web.systemd-socket"]].concat());
        let lines = systemd.lines_to("message=ready");
        let warned = lines.iter().filter(|line| line.contains("may push and scrape")).count();
        assert_eq!(warned, warnings, "{kinds} {flags:?}: {lines:?}");
    }
}

/// systemd may grant more than a process without capabilities gets.
#[test]
fn the_receive_buffer_of_a_passed_socket_is_kept() {
    let setpriv = ["setpriv", "--bounding-set=-all", BINARY];
    let mut systemd = Systemd::start_as("tu", &setpriv, &["-web.systemd-socket"]);
    let line = systemd.line_with("transport=udp");
    let granted = format!("receive_buffer_bytes={}", 64 << 20);
    assert!(line.contains(&granted), "{line}");
}

/// systemd's own tool passes sockets in the same way.
#[test]
fn the_tool_of_systemd_is_understood() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("http.sock");
    let mut command = Command::new("systemd-socket-activate");
    command.arg("-l").arg(&path).arg(BINARY).arg("-web.systemd-socket");
    command.args(["-udp-listen-address=127.0.0.1:0", "-log.format=json"]);
    let mut server = command.stderr(Stdio::null()).spawn().expect("it is installed");
    let text = wait_for("an answer", || scrape(&path));
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    assert!(text.contains("pushprom_build_info{"), "{text}");
}

fn scrape(path: &Path) -> Option<String> {
    if !path.exists() {
        return None;
    }
    let reply = Client::connect_unix(path).request("GET", "/metrics", &[], None)?;
    Some(reply.text())
}

/// Without the flag nobody is surprised by what is in the environment.
#[test]
fn sockets_are_taken_on_demand() {
    let mut command = Command::new(BINARY);
    command.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
    command.args(["-log.format=json"]).env("LISTEN_FDS", "3").env_remove("LISTEN_PID");
    let server = Server::run(&mut command);
    server.push_ok(inc("m"));
}

/// What is counted is what was sent, however often the server restarts meanwhile.
#[test]
fn restarts_under_load_lose_no_datagram() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let path = format!("-storage.path={}", store.path().join("store").display());
    let mut systemd = Systemd::start("tsud", &["-web.systemd-socket", &path]);
    let [tcp, udp] = systemd.ports()[..] else { panic!("two ports") };
    let (over_unix, is_over) = (systemd.path("d"), AtomicBool::new(false));
    let (sender, unix) = (UdpSocket::bind("127.0.0.1:0"), UnixDatagram::unbound());
    let (sender, unix) = (sender.expect("a free port"), unix.expect("a socket"));
    // As fast as the kernel can keep all of it while nobody reads.
    let until_over = |send: &dyn Fn() -> usize| {
        let sent = (1_u32..)
            .inspect(|_| assert!(send() > 0))
            .inspect(|_| thread::sleep(DATAGRAM_INTERVAL));
        sent.take_while(|_| !is_over.load(Relaxed)).last().unwrap_or_default() + 1
    };
    let (by_udp, by_unix) = thread::scope(|scope| {
        let by_udp = scope.spawn(|| {
            let delta = inc("by_udp");
            until_over(&|| sender.send_to(delta.as_bytes(), udp).expect("the kernel has room"))
        });
        let by_unix = scope.spawn(|| {
            let delta = inc("by_unix");
            until_over(&|| unix.send_to(delta.as_bytes(), &over_unix).expect("it waits for room"))
        });
        for round in 0..5 {
            systemd.line_with("message=ready");
            let page = wait_for("a page", || page_with(tcp, "by_udp"));
            assert!(page.contains("\npushprom_storage_healthy 1\n"), "{round}: {page}");
            systemd.stop();
            systemd.start_again();
        }
        is_over.store(true, Relaxed);
        (by_udp.join().expect("it sends"), by_unix.join().expect("it sends"))
    });
    let want = [format!("\nby_udp {by_udp}\n"), format!("\nby_unix {by_unix}\n")];
    wait_for("all of it", || {
        let page = metrics(tcp);
        want.iter().all(|line| page.contains(line)).then_some(())
    });
}

/// The time between two datagrams of a steady stream.
const DATAGRAM_INTERVAL: Duration = Duration::from_micros(200);

fn page_with(address: SocketAddr, name: &str) -> Option<String> {
    Some(metrics(address)).filter(|page| page.contains(&format!("\n{name} ")))
}

#[test]
fn the_service_manager_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let manager = UnixDatagram::bind(path("notify")).expect("a socket");
    manager.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    let told = || {
        let mut news = [0; 1000];
        let count = manager.recv(&mut news).expect("it is told in time");
        String::from_utf8(news[..count].to_vec()).expect("it is text")
    };
    fs::write(path("pushprom.yml"), "log:\n  level: debug\n").expect("it can be written");
    let mut command = Command::new(BINARY);
    command.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
    command.args(["-log.format=json"]).env("NOTIFY_SOCKET", path("notify"));
    command.arg(format!("-config.file={}", path("pushprom.yml").display()));
    command.arg(format!("-storage.path={}", path("store").display()));
    let mut server = Server::run(&mut command);
    let want = "STATUS=starting\nEXTEND_TIMEOUT_USEC=60000000\n";
    assert_eq!(told(), want);
    assert_eq!(told(), "READY=1\nSTATUS=ready\n");
    server.signal("HUP");
    let reloading = told();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(told(), "READY=1\n");
    server.signal("TERM");
    assert_eq!(told(), "STOPPING=1\nSTATUS=shutting down\n");
    assert!(server.wait().success());
}

/// The units that are shipped are such, and start what there is.
#[test]
fn the_units_are_valid() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service =
        read("deploy/systemd/pushprom.service").replace("/usr/local/bin/pushprom", BINARY);
    let units = [
        ("pushprom.service", service),
        ("pushprom.socket", read("deploy/systemd/pushprom.socket")),
    ];
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=no"]);
    for (name, text) in units {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        command.arg(path);
    }
    succeed(&mut command);
}
