//! `hold_*`: what series weigh.

use std::time::Instant;

use super::{
    ROUNDS,
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    numbers::{float, float_len},
    target::Target,
    workload::{Held, scattered},
};

/// Series of the smaller workloads.
const FEW: usize = 100_000;

/// Pages made before a server is weighed again. Allocators show by the second what they keep of a page.
const PAGES: usize = 3;

/// At a million series; below, what a process has anyway weighs more.
const BYTES_MAX: Budget = Budget::Value(250.0);

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let many = scattered();
    let few = &many[..FEW];
    let mut rows = Vec::new();
    for (workload, held, series, budget) in [
        ("hold_100k_series", Held::Counters, few, Budget::None),
        ("hold_1m_series", Held::Counters, &many, BYTES_MAX),
        ("hold_100k_histograms", Held::Histograms, few, Budget::None),
    ] {
        let weights: Vec<Weight> =
            (0..ROUNDS).map(|_| weigh(options, held, series)).collect::<Result<_>>()?;
        let row = |what: &str, of: fn(&Weight) -> f64| {
            let yardstick = weights.iter().map(|_| held.least_bytes_per_series());
            Row::new(workload, what, Unit::Bytes, weights.iter().map(of))
                .beside("labels and values", yardstick)
                .within(budget)
        };
        let first_page = weights.iter().map(|weight| weight.first_page_seconds);
        rows.extend([
            row("resident bytes per series", |weight| weight.pushed),
            row("resident bytes per series after scrapes", |weight| weight.scraped),
            Row::new(workload, "time of the first page", Unit::Seconds, first_page),
        ]);
    }
    Ok(rows)
}

/// What a server weighs.
struct Weight {
    /// Resident bytes for each series that was pushed.
    pushed: f64,
    /// The same once pages have been made.
    scraped: f64,
    /// The first page is the one that may have to put new series in order.
    first_page_seconds: f64,
}

/// Weighs a server that has just been started, so that nothing has left its traces in the allocator.
fn weigh(options: &Options, held: Held, series: &[usize]) -> Result<Weight> {
    let server = Target::server(&options.server)?;
    let empty = server.resident_bytes()?;
    let bytes_per_series = || -> Result<f64> {
        // What is given back in the background has been given back once the server rests.
        server.cpu_at_rest()?;
        Ok(float(server.resident_bytes()?.saturating_sub(empty)) / float_len(series.len()))
    };
    server.hold(held, series)?;
    let pushed = bytes_per_series()?;
    let mut client = server.client()?;
    let begun = Instant::now();
    client.get("/metrics")?;
    let first_page_seconds = begun.elapsed().as_secs_f64();
    for _ in 1..PAGES {
        client.get("/metrics")?;
    }
    let scraped = bytes_per_series()?;
    Ok(Weight { pushed, scraped, first_page_seconds })
}
