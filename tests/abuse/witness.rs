//! What others notice of an attack.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::support::{Client, inc, wait_for};

/// The counter that the well-behaved push to.
pub(super) const COUNTER: &str = "well_behaved";

/// What a well-behaved request may take under attack, on a machine whose few cores the attack takes up too:
/// half of them, all but one in a hundred, and all. A SYN that finds a queue full is sent again after
/// one second, and then after two more.
const USUAL_MAX: Duration = Duration::from_millis(100);
const SLOW_MAX: Duration = Duration::from_secs(2);
const SLOWEST_MAX: Duration = Duration::from_secs(8);

/// Between two rounds: somebody who asks, not a further flood.
const PACE: Duration = Duration::from_millis(3);

/// Rounds that follow an attack, while what it left is still there.
const ROUNDS_AFTER: u32 = 20;

/// Pushes and scrapes until it is told to end, as scripts and Prometheus do.
pub(super) struct Witness {
    stop: mpsc::Sender<()>,
    rounds: Arc<AtomicU32>,
    thread: JoinHandle<Report>,
}

/// What it saw.
#[derive(Default)]
pub(super) struct Report {
    /// Pushes that were answered.
    pub(super) pushes: f64,
    /// Of all requests that were answered.
    latencies: Vec<Duration>,
    /// Requests on a connection of their own that were closed without an answer.
    lost: usize,
    /// Answers that said to try again.
    put_off: usize,
}

impl Witness {
    /// Asks on connections that `connect` makes.
    pub(super) fn start(connect: impl Fn() -> Client + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let rounds = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&rounds);
        let thread = thread::spawn(move || {
            let mut report = Report::default();
            let mut kept = connect();
            while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                report.round(&connect, &mut kept);
                count.fetch_add(1, Ordering::Relaxed);
            }
            report
        });
        Self { stop, rounds, thread }
    }

    /// Goes on for some rounds and ends.
    #[track_caller]
    pub(super) fn finish(self) -> Report {
        let last = self.rounds.load(Ordering::Relaxed) + ROUNDS_AFTER;
        wait_for("others to be served", || {
            let done = self.rounds.load(Ordering::Relaxed) >= last || self.thread.is_finished();
            done.then_some(())
        });
        // It may have failed, which it says below.
        self.stop.send(()).ok();
        self.thread.join().expect("every request is answered")
    }
}

impl Report {
    /// A push and a scrape on connections of their own, and a push on one that is kept.
    fn round(&mut self, connect: &impl Fn() -> Client, kept: &mut Client) {
        let body = inc(COUNTER);
        let push = ("POST", "/", Some(body.as_bytes()));
        self.pushes += f64::from(u8::from(self.ask(connect, push)));
        self.ask(connect, ("GET", "/metrics", None));
        let begun = Instant::now();
        let close: &[(&str, &str)] = &[];
        // At the limit of connections it may have made room for another; then a client connects again.
        match kept.request(push.0, push.1, close, push.2) {
            Some(reply) => {
                assert_eq!(reply.status, 200, "{}", reply.text());
                self.latencies.push(begun.elapsed());
                self.pushes += 1.0;
            }
            None => *kept = connect(),
        }
    }

    fn ask(&mut self, connect: &impl Fn() -> Client, request: (&str, &str, Option<&[u8]>)) -> bool {
        let (method, path, body) = request;
        let begun = Instant::now();
        let close = [("Connection", "close")];
        loop {
            let Some(reply) = connect().request(method, path, &close, body) else {
                self.lost += 1;
                return false;
            };
            if reply.status == 503 && reply.header("retry-after").is_some() {
                // All places of scrapes are taken. To ask again is part of how long it takes.
                self.put_off += 1;
                continue;
            }
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.latencies.push(begun.elapsed());
            return true;
        }
    }

    /// The latency that a share of all requests kept.
    fn within(&self, percent: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// Everybody was answered, and in time.
    #[track_caller]
    pub(super) fn hold(&self) {
        assert_eq!(self.lost, 0, "requests without an answer, of {}", self.latencies.len());
        assert!(self.within(50) < USUAL_MAX, "{self}");
        assert!(self.within(99) < SLOW_MAX, "{self}");
        assert!(self.within(100) < SLOWEST_MAX, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, [half, slow, slowest]) =
            (self.latencies.len(), [50, 99, 100].map(|percent| self.within(percent)));
        write!(
            f,
            "{requests} requests, half in {half:.1?}, 99% in {slow:.1?}, all in {slowest:.1?}"
        )?;
        let put_off = self.put_off;
        if put_off == 0 { Ok(()) } else { write!(f, ", {put_off} of them put off") }
    }
}
