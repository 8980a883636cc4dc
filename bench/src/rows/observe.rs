//! `observe_*`: what an observation costs that goes into native buckets, beside one that goes into classic
//! ones.

use super::{
    ROUNDS,
    http::{CONNECTIONS, Load},
    row::{Budget, Row, Unit},
};
use crate::{
    Result,
    arguments::Options,
    http::Connections,
    target::Target,
    workload::{in_batches, observed_deltas},
};

/// Deltas of a body: with many of them it is the observing that costs, and not the body.
const BATCH: usize = 100;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let server = Target::server(&options.server)?;
    let load = |name: &str, fields: &str| Load {
        messages: in_batches(&observed_deltas(name, fields), BATCH),
        more: String::new(),
        deltas_per_message: BATCH,
        connections: Connections::Kept,
        count: CONNECTIONS,
        duration: options.seconds / ROUNDS,
    };
    let classic = load("classic_seconds", "");
    let others = [
        ("observe_native", load("native_seconds", r#","native":true"#)),
        (
            "observe_native_beside",
            load(
                "both_seconds",
                r#","native":true,"buckets":[0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10]"#,
            ),
        ),
    ];
    let mut rows = Vec::new();
    for (workload, other) in &others {
        let (mut costs, mut classic_costs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            costs.push(other.run(&server)?.cpu_seconds_per_delta);
            classic_costs.push(classic.run(&server)?.cpu_seconds_per_delta);
        }
        let row = Row::new(workload, "CPU per observation", Unit::Seconds, costs)
            .beside("classic, 11 buckets", classic_costs);
        rows.push(row.within(Budget::Ratio(1.5)));
    }
    Ok(rows)
}
