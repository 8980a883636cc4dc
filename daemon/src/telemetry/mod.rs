//! What the daemon knows of itself: counters in arrays indexed by closed enums, and the families that
//! show them. `docs/metrics.md` describes each; a test compares it with a real scrape.

mod families;
mod family;
mod label;
mod process;
mod rejections;
mod storage;
mod udp;

use std::{
    array,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

pub use label::{
    ApiCode, Code, DatagramTransport, HandshakeFailure, Method, Reason, Refused, Removal,
    ScrapeCode, StorageFault, Transport,
};
use pushprom_core::{
    atomic::{AtomicBuckets, AtomicObservations},
    intake::Tally,
    model::{Bounds, Kind, Layout, Observations, Readings, Timestamp},
};
pub use rejections::Rejection;
use socket2::Socket;

use self::{rejections::Rejections, storage::Storage, udp::UdpSockets};
use crate::clock;

/// All our own counters.
pub struct Telemetry {
    started: Timestamp,
    packets: [Counter; DatagramTransport::ALL.len()],
    http_requests: Counter,
    /// By code, then method.
    requests: [[Counter; Method::ALL.len()]; Code::ALL.len()],
    request_durations: [AtomicBuckets; Method::ALL.len()],
    scrapes: [Counter; ScrapeCode::ALL.len()],
    scrapes_abandoned: Counter,
    scrapes_in_flight: Gauge,
    scrape_durations: AtomicObservations,
    received_bytes: [Counter; Transport::ALL.len()],
    /// By transport, then kind.
    applied: [[Counter; Kind::ALL.len()]; Transport::ALL.len()],
    /// By transport, then reason.
    rejected: [[Counter; Reason::ALL.len()]; Transport::ALL.len()],
    repeated: [Counter; Transport::ALL.len()],
    series_created: Counter,
    help_replaced: Counter,
    layout_ignored: Counter,
    overflowed: Counter,
    dropped: Counter,
    expired: Counter,
    receive_errors: [Counter; DatagramTransport::ALL.len()],
    udp_sockets: UdpSockets,
    connections_accepted: Counter,
    connections_evicted: Counter,
    connections_open: Gauge,
    accept_errors: Counter,
    malformed_requests: Counter,
    refused: [Counter; Refused::ALL.len()],
    handshake_failures: [Counter; HandshakeFailure::ALL.len()],
    web_config: WebConfig,
    log_lines_suppressed: Counter,
    panics: Counter,
    rejections: Rejections,
    api_requests: [Counter; ApiCode::ALL.len()],
    removed: [Counter; Removal::ALL.len()],
    reloads: Reloads,
    storage: Storage,
}

/// How the last reload of the configuration went.
#[derive(Default)]
struct Reloads {
    is_failed: AtomicBool,
    /// Milliseconds of the clock at the last that went well.
    succeeded: AtomicU64,
}

/// How reading the file of `-web.config.file` went.
#[derive(Default)]
struct WebConfig {
    is_used: AtomicBool,
    failed_last: AtomicBool,
    /// In milliseconds.
    succeeded_at: AtomicU64,
}

/// A number that grows.
#[derive(Default)]
struct Counter(AtomicU64);

impl Counter {
    fn inc(&self) {
        self.add(1);
    }

    fn add(&self, by: u64) {
        // A write costs even where it adds nothing.
        if by > 0 {
            self.0.fetch_add(by, Relaxed);
        }
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many of something there are now.
#[derive(Default)]
struct Gauge(AtomicU64);

/// One of what a gauge counts; it is gone when this is dropped.
pub struct Held<'a>(&'a Gauge);

impl Gauge {
    fn hold(&self) -> Held<'_> {
        self.0.fetch_add(1, Relaxed);
        Held(self)
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            started: clock::now(),
            packets: array::from_fn(|_| Counter::default()),
            http_requests: Counter::default(),
            requests: array::from_fn(|_| array::from_fn(|_| Counter::default())),
            request_durations: array::from_fn(|_| AtomicBuckets::new(&Layout::default())),
            scrapes: array::from_fn(|_| Counter::default()),
            scrapes_abandoned: Counter::default(),
            scrapes_in_flight: Gauge::default(),
            scrape_durations: AtomicObservations::default(),
            received_bytes: array::from_fn(|_| Counter::default()),
            applied: array::from_fn(|_| array::from_fn(|_| Counter::default())),
            rejected: array::from_fn(|_| array::from_fn(|_| Counter::default())),
            repeated: array::from_fn(|_| Counter::default()),
            series_created: Counter::default(),
            help_replaced: Counter::default(),
            layout_ignored: Counter::default(),
            overflowed: Counter::default(),
            dropped: Counter::default(),
            expired: Counter::default(),
            receive_errors: array::from_fn(|_| Counter::default()),
            udp_sockets: UdpSockets::default(),
            connections_accepted: Counter::default(),
            connections_evicted: Counter::default(),
            connections_open: Gauge::default(),
            accept_errors: Counter::default(),
            malformed_requests: Counter::default(),
            refused: array::from_fn(|_| Counter::default()),
            handshake_failures: array::from_fn(|_| Counter::default()),
            web_config: WebConfig::default(),
            log_lines_suppressed: Counter::default(),
            panics: Counter::default(),
            reloads: Reloads::default(),
            storage: Storage::default(),
            rejections: Rejections::default(),
            api_requests: array::from_fn(|_| Counter::default()),
            removed: array::from_fn(|_| Counter::default()),
        }
    }
}

impl Telemetry {
    /// When all this began.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// The API answered.
    pub fn record_api_request(&self, code: ApiCode) {
        self.api_requests[code as usize].inc();
    }

    /// So many series were removed.
    pub fn record_removed(&self, removal: Removal, series: usize) {
        self.removed[removal as usize].add(u64::try_from(series).unwrap_or(u64::MAX));
    }

    /// Looks at UDP sockets from now on, for as long as they are open.
    pub fn watch_udp(
        &self,
        address: SocketAddr,
        receive_buffer_bytes: usize,
        sockets: &[Arc<Socket>],
    ) {
        self.udp_sockets.watch(address, receive_buffer_bytes, sockets);
    }

    /// Datagrams came, whatever is in them.
    pub fn record_datagrams(&self, transport: DatagramTransport, count: usize, bytes: usize) {
        self.packets[transport as usize].add(u64::try_from(count).unwrap_or(u64::MAX));
        self.record_bytes(transport.into(), bytes);
    }

    /// Receiving from a socket failed.
    pub fn record_receive_error(&self, transport: DatagramTransport) {
        self.receive_errors[transport as usize].inc();
    }

    /// A POST to the push handler came, whatever is in it.
    pub fn record_push(&self) {
        self.http_requests.inc();
    }

    /// A message's bytes are in.
    pub fn record_bytes(&self, transport: Transport, bytes: usize) {
        self.received_bytes[transport as usize].add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Deltas were applied.
    pub fn record_tally(&self, transport: Transport, tally: &Tally) {
        for (counter, &count) in self.applied[transport as usize].iter().zip(&tally.applied) {
            counter.add(count);
        }
        self.series_created.add(tally.created);
        self.help_replaced.add(tally.help_replaced);
        self.layout_ignored.add(tally.layout_ignored);
        self.overflowed.add(tally.overflowed);
        self.dropped.add(tally.dropped);
    }

    /// Deltas came again, by the key of their message.
    pub fn record_repeated(&self, transport: Transport, deltas: u64) {
        self.repeated[transport as usize].add(deltas);
    }

    /// Series expired.
    pub fn record_expired(&self, series: usize) {
        self.expired.add(u64::try_from(series).unwrap_or(u64::MAX));
    }

    /// A delta, or a message that could not be taken apart, was refused.
    pub fn record_rejected(&self, transport: Transport, reason: Reason) {
        self.rejected[transport as usize][reason as usize].inc();
    }

    /// The push handler answered.
    pub fn record_request(&self, method: Method, code: Code, took: Duration) {
        self.requests[code as usize][method as usize].inc();
        let reading = Readings::one(took.as_secs_f64());
        self.request_durations[method as usize].observe(&reading, &Bounds::default());
    }

    /// A scrape has begun; it ends when this is dropped.
    pub fn scrape_in_flight(&self) -> Held<'_> {
        self.scrapes_in_flight.hold()
    }

    /// A scrape got its page after this long.
    pub fn record_scrape(&self, took: Duration) {
        self.scrapes[ScrapeCode::Ok as usize].inc();
        self.scrape_durations.add(Observations::one(took.as_secs_f64()));
    }

    /// A scrape got no page.
    pub fn record_failed_scrape(&self, code: ScrapeCode) {
        self.scrapes[code as usize].inc();
    }

    /// The client of a scrape closed the connection before there was a page.
    pub fn record_abandoned_scrape(&self) {
        self.scrapes_abandoned.inc();
    }

    /// A connection is open; it ends when this is dropped.
    pub fn connection(&self) -> Held<'_> {
        self.connections_accepted.inc();
        self.connections_open.hold()
    }

    /// A connection was closed to make room for others.
    pub fn record_eviction(&self) {
        self.connections_evicted.inc();
    }

    /// Accepting a connection failed.
    pub fn record_accept_error(&self) {
        self.accept_errors.inc();
    }

    /// A log line was not written.
    pub fn record_suppressed_line(&self) {
        self.log_lines_suppressed.inc();
    }

    /// A fault of ours was caught.
    pub fn record_panic(&self) {
        self.panics.inc();
    }

    /// A request was not let in.
    pub fn record_refused(&self, why: Refused) {
        self.refused[why as usize].inc();
    }

    /// A TLS handshake failed.
    pub fn record_handshake_failure(&self, why: HandshakeFailure) {
        self.handshake_failures[why as usize].inc();
    }

    /// The file of `-web.config.file`, or one that it names, was read, and what it says is in force.
    pub fn record_web_config(&self) {
        self.web_config.is_used.store(true, Relaxed);
        self.web_config.failed_last.store(false, Relaxed);
        self.web_config.succeeded_at.store(clock::now().0, Relaxed);
    }

    /// One of these was read, and is invalid.
    pub fn record_invalid_web_config(&self) {
        self.web_config.failed_last.store(true, Relaxed);
    }

    /// The configuration was read, and is in force since then.
    pub fn record_reload(&self, now: Timestamp) {
        self.reloads.succeeded.store(now.0, Relaxed);
        self.reloads.is_failed.store(false, Relaxed);
    }

    /// When the configuration in force was read, and whether a later one could not be followed.
    pub fn last_reload(&self) -> (Timestamp, bool) {
        let at = Timestamp(self.reloads.succeeded.load(Relaxed));
        (at, self.reloads.is_failed.load(Relaxed))
    }

    /// The configuration was read, and cannot be followed.
    pub fn record_failed_reload(&self) {
        self.reloads.is_failed.store(true, Relaxed);
    }

    /// Something came over HTTP that is no request.
    pub fn record_malformed_request(&self) {
        self.malformed_requests.inc();
    }
}
