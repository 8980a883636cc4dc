//! The workloads, one module each, and the rows that they make.

mod attack;
mod contention;
mod engines;
mod growth;
mod guarded;
mod hold;
mod http;
mod observe;
mod scrape;
mod start;
mod storage;
mod udp;

mod receiver;
mod row;
mod table;

pub(crate) use row::Row;
pub(crate) use table::{to_json, to_markdown};

use crate::{Result, arguments::Options};

/// Times that each workload runs against each target, in turn: what disturbs one run of the machine's
/// disturbs its neighbours alike, and the median forgets it.
const ROUNDS: u32 = 5;

/// The workloads in groups, by the names that `--only` takes.
pub(crate) const GROUPS: [(&str, Workloads); 11] = [
    ("udp", udp::measure),
    ("growth", growth::measure),
    ("http", http::measure),
    ("guarded", guarded::measure),
    ("observe", observe::measure),
    ("series", measure_series),
    ("contention", contention::measure),
    ("attack", attack::measure),
    ("start", start::measure),
    ("storage", storage::measure),
    ("engines", engines::measure),
];

type Workloads = fn(&Options) -> Result<Vec<Row>>;

/// Runs what is asked for.
#[expect(clippy::print_stderr, reason = "a run takes minutes: people want to see it move")]
pub(crate) fn measure_all(options: &Options) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, measure) in GROUPS {
        if options.only.as_ref().is_none_or(|only| only == name) {
            eprintln!("measuring {name}");
            rows.extend(measure(options)?);
        }
    }
    Ok(rows)
}

fn measure_series(options: &Options) -> Result<Vec<Row>> {
    let mut rows = scrape::measure(options)?;
    rows.extend(hold::measure(options)?);
    Ok(rows)
}
