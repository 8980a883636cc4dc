//! The instruction counts that the micro-benchmarks (`bench/benches/micro.rs`) leave.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Result, about,
    numbers::{float, whole_with_commas},
};

/// The workloads that have to be there, and what is one operation of each.
const WORKLOADS: [(&str, &str); 10] = [
    ("decode_one", "a message of one delta"),
    ("decode_batch", "a delta in a message of 100"),
    ("apply_one_series", "a delta to the only series"),
    ("apply_100k_series", "a delta to one of 100,000 series"),
    ("apply_100k_stored_series", "the first delta after a commit to one of 100,000 series"),
    ("commit_100k_stored_series", "a changed series in a commit, as a record"),
    ("observe_classic", "an observation in one of 12 buckets"),
    ("observe_native", "an observation in exponential buckets"),
    ("snapshot_10k_series", "a series of 10,000"),
    ("encode_10k_series", "a series of 10,000"),
];

/// What one operation of a workload takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    workload: &'static str,
    operation: &'static str,
    instructions: f64,
}

/// Reads a file with one summary of a benchmark a line, as the runner writes them.
pub(crate) fn read(path: &Path) -> Result<Vec<Count>> {
    let summaries = fs::read_to_string(path).map_err(about(path))?;
    Ok(parse(&summaries).map_err(about(path))?)
}

fn parse(summaries: &str) -> Result<Vec<Count>> {
    let summaries: Vec<Value> =
        summaries.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    let count = |(workload, operation)| {
        let summary = summaries.iter().find(|summary| summary["function_name"] == workload);
        let instructions = summary.and_then(instructions_per_operation);
        match instructions.filter(|instructions| *instructions > 0.0) {
            Some(instructions) => Ok(Count { workload, operation, instructions }),
            None => Err(format!("no instructions were counted for {workload}").into()),
        }
    };
    WORKLOADS.into_iter().map(count).collect()
}

fn instructions_per_operation(summary: &Value) -> Option<f64> {
    let operations: u32 = summary["id"].as_str()?.strip_prefix('x')?.parse().ok()?;
    let metrics = &summary["profiles"][0]["data"]["total"]["metrics"];
    let instructions = metrics["Ir"]["values"]["new"].as_u64()?;
    Some(float(instructions) / f64::from(operations))
}

/// The counts as a Markdown table.
pub(crate) fn to_markdown(counts: &[Count]) -> String {
    let mut table =
        "| what | instructions per operation | operation |\n|---|---:|---|\n".to_owned();
    for Count { workload, operation, instructions } in counts {
        let instructions = whole_with_commas(*instructions);
        table.push_str(&format!("| {workload} | {instructions} | {operation} |\n"));
    }
    table
}

/// The counts as JSON.
pub(crate) fn to_json(counts: &[Count]) -> Value {
    let one = |count: &Count| {
        json!({
            "workload": count.workload,
            "operation": count.operation,
            "instructions": count.instructions,
        })
    };
    counts.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summaries(instructions: u64) -> String {
        let line = |workload| {
            let metrics = json!({"Ir": {"values": {"new": instructions, "old": 1}}});
            let data = json!({"data": {"total": {"metrics": metrics}}});
            json!({"function_name": workload, "id": "x100", "profiles": [data]}).to_string()
        };
        WORKLOADS.map(|(workload, _)| line(workload)).join("\n")
    }

    #[test]
    fn counts_are_divided_by_their_operations() {
        let counts = parse(&summaries(250_050)).unwrap();
        let table = to_markdown(&counts);
        let first = table.lines().nth(2).unwrap();
        assert_eq!(first, "| decode_one | 2,501 | a message of one delta |");
        assert_eq!(counts.len(), WORKLOADS.len());
    }

    #[test]
    fn every_workload_has_to_have_run() {
        let all = summaries(1);
        let (but_last, _) = all.rsplit_once('\n').unwrap();
        for bad in ["", "{}", "x", but_last, &summaries(0)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
