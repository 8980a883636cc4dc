//! `http_*`: pushes over HTTP, one outstanding request per connection.

use std::time::{Duration, Instant};

use super::{
    ROUNDS,
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    http::{Connections, push_request_with},
    load::http::Requester,
    numbers::{float, float_len, percentile},
    sinks::Sink,
    target::Target,
    workload::{in_batches, pushed_deltas},
};

pub(super) const CONNECTIONS: usize = 16;

/// Fewer where each request opens one: opening takes the load generator as long as it takes the server,
/// and what waits for it is not latency of the server.
const NEW_CONNECTIONS: usize = 4;

/// Deltas of a large body.
const BATCH: usize = 100;

/// Enough for each series to be there and each connection to be served before anything is measured.
const WARM_UP: Duration = Duration::from_millis(200);

const YARDSTICK: &str = "epoll responder";

/// What is pushed, and how.
pub(super) struct Load {
    pub(super) messages: Vec<Vec<u8>>,
    /// Lines of the header beside those that every request has.
    pub(super) more: String,
    pub(super) deltas_per_message: usize,
    pub(super) connections: Connections,
    /// How many of them there are at a time.
    pub(super) count: usize,
    pub(super) duration: Duration,
}

/// What came of one round against one target.
pub(super) struct Round {
    pub(super) cpu_seconds_per_delta: f64,
    pub(super) requests_per_second: f64,
    /// In nanoseconds, in order of size.
    latencies: Vec<u64>,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let server = Target::server(&options.server)?;
    let sink = Target::sink(Sink::Http)?;
    let threads = Target::sink(Sink::HttpThreads)?;
    let load = |connections, deltas_per_message| {
        let messages = match deltas_per_message {
            1 => pushed_deltas(),
            many => in_batches(&pushed_deltas(), many),
        };
        let count = match connections {
            Connections::Kept => CONNECTIONS,
            Connections::OfOneRequest => NEW_CONNECTIONS,
        };
        let (more, duration) = (String::new(), options.seconds / ROUNDS);
        Load { messages, more, deltas_per_message, connections, count, duration }
    };

    let single = load(Connections::Kept, 1);
    let workload = "http_keep_alive";
    let [of_server, of_sink, of_threads] = single.run_in_turn([&server, &sink, &threads])?;
    let what = "CPU per request";
    let mut rows = vec![
        cpu_row(workload, what, &of_server, YARDSTICK, &of_sink).within(Budget::Ratio(1.3)),
        cpu_row(workload, what, &of_server, "epoll responders, one per core", &of_threads)
            .within(Budget::Ratio(1.3)),
    ];
    rows.extend(latency_rows(workload, &of_server, YARDSTICK, &of_sink));

    let single = load(Connections::OfOneRequest, 1);
    let workload = "http_new_connection";
    let [of_server, of_sink] = single.run_in_turn([&server, &sink])?;
    rows.push(cpu_row(workload, what, &of_server, YARDSTICK, &of_sink));
    rows.extend(latency_rows(workload, &of_server, YARDSTICK, &of_sink));

    let many = load(Connections::Kept, BATCH);
    let workload = "http_bodies_of_100";
    let [of_server, of_sink] = many.run_in_turn([&server, &sink])?;
    let cpu = cpu_row(workload, "CPU per delta", &of_server, YARDSTICK, &of_sink);
    rows.push(cpu.within(Budget::Value(0.5e-6)));
    Ok(rows)
}

pub(super) fn cpu_row(
    workload: &'static str,
    what: &str,
    server: &[Round],
    yardstick: &'static str,
    bare: &[Round],
) -> Row {
    let of = |rounds: &[Round]| {
        rounds.iter().map(|round| round.cpu_seconds_per_delta).collect::<Vec<_>>()
    };
    Row::new(workload, what, Unit::Seconds, of(server)).beside(yardstick, of(bare))
}

pub(super) fn latency_rows(
    workload: &'static str,
    server: &[Round],
    yardstick: &'static str,
    bare: &[Round],
) -> [Row; 3] {
    let row = |(what, per_mille): (&str, usize)| {
        let of = |rounds: &[Round]| -> Vec<f64> {
            rounds
                .iter()
                .map(|round| float(percentile(&round.latencies, per_mille)) / 1e9)
                .collect()
        };
        Row::new(workload, what, Unit::Seconds, of(server)).beside(yardstick, of(bare))
    };
    [("latency p50", 500), ("latency p99", 990), ("latency p99.9", 999)].map(row)
}

impl Load {
    /// Loads the targets in turn, round by round; returns the rounds of each.
    pub(super) fn run_in_turn<const N: usize>(
        &self,
        targets: [&Target; N],
    ) -> Result<[Vec<Round>; N]> {
        let mut rounds = [const { Vec::new() }; N];
        for _ in 0..ROUNDS {
            for (target, rounds) in targets.into_iter().zip(&mut rounds) {
                rounds.push(self.run(target)?);
            }
        }
        Ok(rounds)
    }

    pub(super) fn run(&self, target: &Target) -> Result<Round> {
        let address = target.http()?;
        let request = |body: &Vec<u8>| push_request_with(&self.more, body, self.connections);
        let requests = self.messages.iter().map(request).collect();
        let mut requester = Requester::connect(address, self.connections, self.count, requests)?;
        requester.run(WARM_UP)?;
        let cpu_before = target.cpu_at_rest()?;
        let begun = Instant::now();
        let mut latencies = requester.run(self.duration)?;
        let took = begun.elapsed();
        let cpu = target.cpu_at_rest()?.saturating_sub(cpu_before);
        latencies.sort_unstable();
        let deltas = float_len(latencies.len() * self.deltas_per_message);
        Ok(Round {
            cpu_seconds_per_delta: cpu.as_secs_f64() / deltas,
            requests_per_second: float_len(latencies.len()) / took.as_secs_f64(),
            latencies,
        })
    }
}
