//! The workloads, one module each, and the rows that they make.

mod http;
mod series;
mod start;
mod table;
mod udp;

pub(crate) use table::{replace_table, to_json, to_markdown};

use crate::{Result, arguments::Options};

/// Times that each timed workload runs against each target, in turn: what disturbs one run of the
/// machine's disturbs its neighbours alike, and the median forgets it.
const ROUNDS: u32 = 5;

/// One number beside its yardstick.
pub(crate) struct Row {
    /// The workload that was run.
    workload: &'static str,
    /// What was measured of it.
    what: String,
    unit: Unit,
    pushprom: f64,
    bare: Option<Bare>,
    budget: Budget,
}

/// What the machine itself needs for the same.
struct Bare {
    value: f64,
    yardstick: &'static str,
}

/// What a number counts.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Bytes,
    Datagrams,
}

/// What a number may be.
#[derive(Clone, Copy)]
enum Budget {
    /// There is none: the number is there to explain another.
    None,
    /// At most this, in the unit of the row.
    Value(f64),
    /// At most this many times the yardstick.
    Ratio(f64),
}

/// The workloads in groups, by the names that `--only` takes.
pub(crate) const GROUPS: [(&str, Workloads); 4] = [
    ("udp", udp::measure),
    ("http", http::measure),
    ("series", series::measure),
    ("start", start::measure),
];

type Workloads = fn(&Options) -> Result<Vec<Row>>;

/// Runs what is asked for.
#[expect(clippy::print_stderr, reason = "a run takes a minute: people want to see it move")]
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
