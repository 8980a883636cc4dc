//! `kill -9` at random moments, while others push, delete and scrape: what was acknowledged is there, what is sent again
//! counts once, and what was kept can be had.

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

/// Series that are pushed and deleted at the same time: so many that a delete is not over at once.
const FLEETING: usize = 300;

/// What one client has sent so far. It sends one message at a time, each under a key of its own.
#[derive(Default)]
struct Pusher {
    number: usize,
    /// Messages that were acknowledged.
    acknowledged: u64,
    /// How: status and body.
    answers: Vec<(u16, String)>,
    /// Whether the one after these was sent, and what became of it is not known.
    in_flight: bool,
}

impl Pusher {
    /// The message: one, as far as this client's sums are concerned, adds its number to each. Of some the last delta
    /// is refused, so that answers tell messages apart.
    fn message(&self, message: u64) -> String {
        let (pusher, amount) = (self.number, message % 7 + 1);
        let bad = if message.is_multiple_of(3) {
            format!(r#",{{"type":"{message}"}}"#)
        } else {
            String::new()
        };
        format!(
            r#"[
                {{"type":"counter","name":"pushed_total","method":"add","value":{amount},"labels":{{"pusher":"{pusher}"}}}},
                {{"type":"counter","name":"all_total","method":"inc"}},
                {{"type":"counter","name":"fresh_total","method":"inc","labels":{{"message":"{pusher}-{message}"}}}},
                {{"type":"histogram","name":"seconds","method":"observe","value":{amount},"labels":{{"pusher":"{pusher}"}}}}
                {bad}
            ]"#
        )
    }

    /// Sends a message under its key; how it was acknowledged.
    fn send(&self, client: &mut Client, message: u64) -> Option<(u16, String)> {
        let (pusher, body) = (self.number, self.message(message));
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
             Idempotency-Key: \"{pusher}-{message}\"\r\n\r\n{body}",
            body.len()
        );
        let reply = client.send(request.as_bytes()).ok().and_then(|()| client.reply());
        reply.map(|reply| {
            let (status, text) = (reply.status, reply.text());
            if message.is_multiple_of(3) {
                let tells =
                    text.contains(r#""applied":4"#) && text.contains(&format!(r#"\"{message}\""#));
                assert!(status == 400 && tells, "{status} {text}");
            } else {
                assert_eq!((status, &*text), (200, "ok"));
            }
            (status, text)
        })
    }

    /// Sends messages that were acknowledged once more: each is answered as it was.
    #[track_caller]
    fn repeat(&self, client: &mut Client, last: usize) {
        let first = self.answers.len().saturating_sub(last);
        for (message, answer) in (0..).zip(&self.answers).skip(first) {
            assert_eq!(self.send(client, message).as_ref(), Some(answer), "{message}");
        }
    }

    /// What was in flight is acknowledged.
    fn acknowledge(&mut self, answer: (u16, String)) {
        self.answers.push(answer);
        self.acknowledged += 1;
        self.in_flight = false;
    }

    /// Sends one after the other until the server is gone.
    fn push(&mut self, mut client: Client, is_over: &AtomicBool) {
        while !is_over.load(Relaxed) {
            self.in_flight = true;
            let Some(answer) = self.send(&mut client, self.acknowledged) else { return };
            self.acknowledge(answer);
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
        let bucket =
            |le: &str| value(&format!("seconds_bucket{{pusher=\"{}\",le=\"{le}\"}}", self.number));
        assert_eq!(bucket("+Inf").to_bits(), count.to_bits());
        let ones = |messages: u64| exact(messages.div_ceil(7));
        let range = ones(self.acknowledged)..=ones(sent);
        assert!(range.contains(&bucket("1")), "{} is not in {range:?}", bucket("1"));
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
    // Every key, however long ago it was acknowledged.
    for pusher in &pushers {
        pusher.repeat(&mut Client::connect(server.http), usize::MAX);
    }
    let page = server.scrape();
    assert_eq!(page.value("all_total"), Some(exact(all)));
    for pusher in &pushers {
        pusher.check(&page);
    }
}

/// Looks at what a server that has just started holds, sends again what is in doubt, and some of what is not.
fn check(server: &Server, pushers: &mut [Pusher], datagrams: &AtomicU64) {
    let page = server.scrape();
    let received = page.value("datagrams_total").unwrap_or(0.0);
    assert!(received <= exact(datagrams.load(Relaxed)), "{received} datagrams");
    let acknowledged: u64 = pushers.iter().map(|pusher| pusher.acknowledged).sum();
    let in_flight: u64 = pushers.iter().map(|pusher| u64::from(pusher.in_flight)).sum();
    let range = exact(acknowledged)..=exact(acknowledged + in_flight);
    let all = page.value("all_total").unwrap_or(0.0);
    assert!(range.contains(&all), "{all} is not in {range:?}");
    let mut client = Client::connect(server.http);
    for pusher in pushers.iter_mut() {
        pusher.check(&page);
        pusher.repeat(&mut client, REPEATED);
        if pusher.in_flight {
            let answer = pusher.send(&mut client, pusher.acknowledged).expect("an answer");
            pusher.acknowledge(answer);
        }
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
        // Nobody knows what becomes of these: that they are pushed and deleted at once is to harm nothing.
        let fleeting = fleeting();
        let messages = [("/", &*fleeting.concat()), (DELETE, "")];
        for (path, body) in messages {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut client = Client::connect(server.http);
            scope.spawn(move || {
                while client.send(request.as_bytes()).ok().and_then(|()| client.reply()).is_some() {
                }
            });
        }
        let is_over = &is_over;
        scope.spawn(move || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            for delta in fleeting.iter().cycle().take_while(|_| !is_over.load(Relaxed)) {
                socket.send_to(delta.as_bytes(), udp).ok();
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

/// Deletes [`fleeting`] series.
const DELETE: &str = "/api/v1/admin/series/delete?match[]=fleeting_total";

/// Deltas to a family of its own.
fn fleeting() -> Vec<String> {
    let delta = |n| {
        format!(
            r#"{{"type":"counter","name":"fleeting_total","method":"inc","labels":{{"n":"{n}"}}}}"#
        )
    };
    (0..FLEETING).map(delta).collect()
}
