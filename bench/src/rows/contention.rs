//! `push_while_scraped`: what a push waits for while pages of many series are made without a pause.

use super::{
    ROUNDS,
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    load::{paced, scrapes::Scrapes},
    numbers::{float, percentile},
    target::Target,
    workload::{Held, pushed_deltas, scattered},
};

/// Each round takes as long twice: with scrapes and without. Several pages have to fit in.
const STRETCH: u32 = 2;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let server = Target::server(&options.server)?;
    server.hold(Held::Counters, &scattered())?;
    // The new series are put in order by the first page.
    server.client()?.get("/metrics")?;
    let deltas = pushed_deltas();
    let push = || paced::push(server.http()?, &deltas, options.seconds * STRETCH / ROUNDS);
    push()?;
    let (mut quiet, mut loud, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        server.cpu_at_rest()?;
        quiet.push(push()?);
        let scrapes = Scrapes::start(server.http()?);
        let latencies = push();
        pages.push(float(scrapes.stop()?));
        loud.push(latencies?);
    }
    let workload = "push_while_scraped";
    let row = |what: &str, per_mille| {
        let of = |rounds: &[Vec<u64>]| -> Vec<f64> {
            rounds.iter().map(|round| float(percentile(round, per_mille)) / 1e9).collect()
        };
        Row::new(workload, what, Unit::Seconds, of(&loud)).beside("no scrapes", of(&quiet))
    };
    Ok(vec![
        row("latency p50", 500),
        row("latency p99", 990).within(Budget::Ratio(2.0)),
        row("latency p99.9", 999),
        Row::new(workload, "pages of 1,000,000 series meanwhile", Unit::Count, pages),
    ])
}
