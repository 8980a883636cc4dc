//! `http_keep_alive`: one delta per request, one outstanding request per connection.

use std::time::Duration;

use super::{Bare, Budget, ROUNDS, Row, Unit};
use crate::{
    Result,
    arguments::Options,
    load::http::Requester,
    numbers::{float, float_len, median, percentile},
    sinks::Sink,
    target::Target,
    workload::pushed_deltas,
};

const CONNECTIONS: usize = 16;

/// Enough for each series to be there and each connection to be served before anything is measured.
const WARM_UP: Duration = Duration::from_millis(200);

const YARDSTICK: &str = "epoll responder";

/// What came of all rounds against one target.
#[derive(Default)]
struct Rounds {
    cpu_seconds_per_request: Vec<f64>,
    /// In nanoseconds.
    latencies: Vec<u64>,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let server = Target::server(&options.server)?;
    let sink = Target::sink(Sink::Http)?;
    let (mut of_server, mut of_sink) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        of_server.run(&server, options.seconds / ROUNDS)?;
        of_sink.run(&sink, options.seconds / ROUNDS)?;
    }
    of_server.latencies.sort_unstable();
    of_sink.latencies.sort_unstable();
    let row = |what: &str, of: &dyn Fn(&Rounds) -> f64, budget| Row {
        workload: "http_keep_alive",
        what: what.to_owned(),
        unit: Unit::Seconds,
        pushprom: of(&of_server),
        bare: Some(Bare { value: of(&of_sink), yardstick: YARDSTICK }),
        budget,
    };
    let cpu = |rounds: &Rounds| median(rounds.cpu_seconds_per_request.iter().copied());
    let latency =
        |percent| move |rounds: &Rounds| float(percentile(&rounds.latencies, percent)) / 1e9;
    Ok(vec![
        row("CPU per request", &cpu, Budget::Ratio(1.3)),
        row("latency p50", &latency(50), Budget::None),
        row("latency p99", &latency(99), Budget::None),
    ])
}

impl Rounds {
    fn run(&mut self, target: &Target, duration: Duration) -> Result<()> {
        let mut requester = Requester::connect(target.http()?, CONNECTIONS, &pushed_deltas())?;
        requester.run(WARM_UP)?;
        let cpu_before = target.cpu_at_rest()?;
        let latencies = requester.run(duration)?;
        let cpu = target.cpu_at_rest()?.saturating_sub(cpu_before);
        self.cpu_seconds_per_request.push(cpu.as_secs_f64() / float_len(latencies.len()));
        self.latencies.extend(latencies);
        Ok(())
    }
}
