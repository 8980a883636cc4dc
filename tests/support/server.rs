//! A running server.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, UdpSocket},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde_json::Value;

use super::{Client, Page, Reply, inc, wait_for};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pushprom");

/// A server on free ports of 127.0.0.1; killed when dropped. If the test fails, its log is printed.
pub(crate) struct Server {
    child: Child,
    /// Ends with the last line of the log.
    reader: JoinHandle<()>,
    log: Arc<Mutex<Vec<String>>>,
    pub(crate) http: SocketAddr,
    pub(crate) udp: SocketAddr,
    marks: AtomicU32,
}

impl Server {
    /// Starts the binary with more flags and waits until it is ready.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
        let mut command = Command::new(BINARY);
        command.args(listen).args(["-log.format=json"]).args(flags);
        Self::run(&mut command)
    }

    /// Runs a command that ends up in a server that logs JSON to standard error, and waits until it is ready.
    pub(crate) fn run(command: &mut Command) -> Self {
        let server = Self::launch(command);
        server.wait_until_ready();
        server
    }

    /// Waits until all is served.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        self.wait_for_log("ready", |event| event["message"] == "ready");
    }

    /// The same, which is waited for until it listens.
    pub(crate) fn launch(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let sink = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().expect("no holder panics").push(line);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let marks = AtomicU32::new(0);
        let mut server = Self { child, reader, log, http: nowhere, udp: nowhere, marks };
        // HTTP comes first.
        server.wait_for_log("a port for datagrams", |event| event["transport"] == "udp");
        let first = |transport| *server.listening(transport).first().expect("it listens");
        (server.http, server.udp) = (first("http"), first("udp"));
        server
    }

    /// The addresses it listens on, in the order of its flag.
    pub(crate) fn listening(&self, transport: &str) -> Vec<SocketAddr> {
        let events = self.events().into_iter();
        events
            .filter(|event| event["message"] == "listening" && event["transport"] == transport)
            .filter_map(|event| event["address"].as_str()?.parse().ok())
            .collect()
    }

    /// Waits for an event in the log.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("{what} in the log {:?}", self.log_lines()), || {
            self.events().into_iter().find(|event| wanted(event))
        })
    }

    /// The events logged so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).ok();
        self.log_lines().iter().filter_map(parse).collect()
    }

    /// Refused datagrams that the log tells of so far.
    pub(crate) fn refusals(&self) -> usize {
        self.events().iter().filter(|event| event["message"] == "delta refused").count()
    }

    /// The lines logged so far.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.log.lock().expect("no holder panics").clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        super::succeed(Command::new("kill").args(["-s", name, &pid]));
    }

    /// Waits for the end of the process, and of its log.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = || self.child.try_wait().expect("it is our child");
        let status = wait_for("the server to end", status);
        wait_for("its log to end", || self.reader.is_finished().then_some(()));
        status
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// One request on a connection of its own.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&[u8]>) -> Reply {
        let mut client = Client::connect(self.http);
        client.request(method, path, &[("Connection", "close")], body).expect("an answer")
    }

    /// Pushes a message over HTTP.
    pub(crate) fn push(&self, message: impl AsRef<[u8]>) -> Reply {
        self.request("POST", "/", Some(message.as_ref()))
    }

    /// Pushes a message that has to be taken.
    #[track_caller]
    pub(crate) fn push_ok(&self, message: impl AsRef<[u8]>) {
        let reply = self.push(message);
        assert_eq!((reply.status, &*reply.text()), (200, "ok"));
    }

    /// Sends a datagram.
    pub(crate) fn send(&self, datagram: impl AsRef<[u8]>) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let sent = socket.send_to(datagram.as_ref(), self.udp).expect("loopback takes datagrams");
        assert_eq!(sent, datagram.as_ref().len());
    }

    /// Waits until every datagram sent so far has been taken in.
    #[track_caller]
    pub(crate) fn catch_up(&self) -> Page {
        let marks = f64::from(self.marks.fetch_add(1, Ordering::Relaxed) + 1);
        self.send(inc("zz_mark"));
        wait_for("the datagrams sent", || {
            let page = self.scrape();
            (page.value("zz_mark") >= Some(marks)).then_some(page)
        })
    }

    /// The page of this instant.
    #[track_caller]
    pub(crate) fn scrape(&self) -> Page {
        let reply = self.request("GET", "/metrics", None);
        assert_eq!(reply.status, 200, "{}", reply.text());
        Page(String::from_utf8(reply.body).expect("a page is UTF-8"))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most that was ever resident, in bytes.
    pub(crate) fn peak_resident_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process is alive");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is what some tests are about.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            let lines = self.log_lines();
            let tail = &lines[lines.len().saturating_sub(50)..];
            #[expect(clippy::print_stderr, reason = "the log of a failed test")]
            {
                eprintln!("log of the server:\n{}", tail.join("\n"));
            }
        }
    }
}
