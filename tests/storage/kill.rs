//! `kill -9` at random moments, while others push and scrape: what was acknowledged is there, and what is sent again
//! counts once.

use std::{
    env,
    net::UdpSocket,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::durable;
use crate::support::{Client, Page, Server, inc};

/// Times that the server is killed. `PUSHPROM_KILLS` asks for more.
const KILLS: u64 = 20;

/// Clients that push over HTTP.
const PUSHERS: usize = 4;

/// Messages whose keys are sent once more after each restart, though they were acknowledged.
const REPEATED: usize = 20;

/// What one client has sent so far. It sends one message at a time, each under a key of its own.
#[derive(Default)]
struct Pusher {
    number: usize,
    /// Messages that were acknowledged.
    acknowledged: u64,
    /// Whether the one after these was sent, and what became of it is not known.
    in_flight: bool,
}

impl Pusher {
    /// The message: one, as far as this client's sums are concerned, adds its number to each.
    fn message(&self, message: u64) -> String {
        let (pusher, amount) = (self.number, message % 7 + 1);
        format!(
            r#"[
                {{"type":"counter","name":"pushed_total","method":"add","value":{amount},"labels":{{"pusher":"{pusher}"}}}},
                {{"type":"counter","name":"all_total","method":"inc"}},
                {{"type":"counter","name":"fresh_total","method":"inc","labels":{{"message":"{pusher}-{message}"}}}},
                {{"type":"histogram","name":"seconds","method":"observe","value":{amount},"labels":{{"pusher":"{pusher}"}}}}
            ]"#
        )
    }

    /// Sends a message under its key; whether it was acknowledged.
    fn send(&self, client: &mut Client, message: u64) -> bool {
        let (pusher, body) = (self.number, self.message(message));
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
             Idempotency-Key: \"{pusher}-{message}\"\r\n\r\n{body}",
            body.len()
        );
        let reply = client.send(request.as_bytes()).ok().and_then(|()| client.reply());
        reply.is_some_and(|reply| {
            assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
            true
        })
    }

    /// Sends one after the other until the server is gone.
    fn push(&mut self, mut client: Client, is_over: &AtomicBool) {
        while !is_over.load(Relaxed) {
            self.in_flight = true;
            if !self.send(&mut client, self.acknowledged) {
                return;
            }
            self.in_flight = false;
            self.acknowledged += 1;
        }
    }

    /// The sum of so many messages.
    fn sum(messages: u64) -> u64 {
        (0..messages).map(|message| message % 7 + 1).sum()
    }

    /// What the page shows lies between what was acknowledged and what was sent.
    #[track_caller]
    fn check(&self, page: &Page) {
        let sent = self.acknowledged + u64::from(self.in_flight);
        let value = |sample: &str| page.value(sample).unwrap_or(0.0);
        let label = format!("{{pusher=\"{}\"}}", self.number);
        let pushed = value(&format!("pushed_total{label}"));
        let range = exact(Self::sum(self.acknowledged))..=exact(Self::sum(sent));
        assert!(range.contains(&pushed), "{pushed} is not in {range:?}");
        let count = value(&format!("seconds_count{label}"));
        let range = exact(self.acknowledged)..=exact(sent);
        assert!(range.contains(&count), "{count} observations are not in {range:?}");
        let sum = value(&format!("seconds_sum{label}"));
        assert_eq!(pushed.to_bits(), sum.to_bits(), "a message is there whole or not at all");
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53")]
fn exact(number: u64) -> f64 {
    number as f64
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_counts_twice() {
    let kills = env::var("PUSHPROM_KILLS").ok().and_then(|kills| kills.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let directory = TempDir::new().expect("a directory");
    let mut pushers: Vec<Pusher> =
        (0..PUSHERS).map(|number| Pusher { number, ..Pusher::default() }).collect();
    let datagrams = AtomicU64::new(0);
    // Which moments are tried follows from this alone.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut server = durable(&directory);
        check(&server, &mut pushers, &datagrams);
        run_until_killed(
            &mut server,
            &mut pushers,
            &datagrams,
            Duration::from_micros(random % 60_000),
        );
        assert!(!server.wait().success(), "kill {kill}");
    }
    let server = durable(&directory);
    check(&server, &mut pushers, &datagrams);
    let all: u64 = pushers.iter().map(|pusher| pusher.acknowledged).sum();
    assert!(all > kills, "{all} messages were acknowledged");
    assert_eq!(server.scrape().value("all_total"), Some(exact(all)));
}

/// Looks at what a server that has just started holds, sends again what is in doubt, and some of what is not.
fn check(server: &Server, pushers: &mut [Pusher], datagrams: &AtomicU64) {
    let page = server.scrape();
    let received = page.value("datagrams_total").unwrap_or(0.0);
    assert!(received <= exact(datagrams.load(Relaxed)), "{received} datagrams");
    let mut client = Client::connect(server.http);
    for pusher in pushers.iter_mut() {
        pusher.check(&page);
        let first = pusher.acknowledged.saturating_sub(u64::try_from(REPEATED).unwrap_or_default());
        for message in first..pusher.acknowledged + u64::from(pusher.in_flight) {
            assert!(pusher.send(&mut client, message));
        }
        pusher.acknowledged += u64::from(pusher.in_flight);
        pusher.in_flight = false;
    }
    let page = server.scrape();
    for pusher in pushers.iter() {
        pusher.check(&page);
    }
    let all: u64 = pushers.iter().map(|pusher| pusher.acknowledged).sum();
    assert_eq!(page.value("all_total").unwrap_or(0.0).to_bits(), exact(all).to_bits());
}

fn run_until_killed(
    server: &mut Server,
    pushers: &mut [Pusher],
    datagrams: &AtomicU64,
    after: Duration,
) {
    let is_over = AtomicBool::new(false);
    let udp = server.udp;
    thread::scope(|scope| {
        for pusher in &mut *pushers {
            let (client, is_over) = (Client::connect(server.http), &is_over);
            scope.spawn(move || pusher.push(client, is_over));
        }
        let mut scraper = Client::connect(server.http);
        scope.spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            while !is_over.load(Relaxed) {
                datagrams.fetch_add(1, Relaxed);
                socket.send_to(inc("datagrams_total").as_bytes(), udp).ok();
            }
        });
        scope.spawn(move || {
            let page = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
            while scraper.send(page).ok().and_then(|()| scraper.reply()).is_some() {}
        });
        // A moment, not a condition: which one is the point of the test.
        let begun = Instant::now();
        while begun.elapsed() < after {
            thread::yield_now();
        }
        server.signal("KILL");
        server.wait();
        is_over.store(true, Relaxed);
    });
}
