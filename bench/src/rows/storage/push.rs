//! `storage_memory_*` and `storage_commit_*`: pushes to a server that keeps what they change.

use super::{
    super::{
        ROUNDS,
        http::{Load, Round, cpu_row, latency_rows},
        row::{Budget, Row, Unit},
    },
    Ack, YARDSTICK, directory, start,
};
use crate::{
    Result,
    arguments::Options,
    http::Connections,
    target::Target,
    workload::{in_batches, pushed_deltas},
};

/// Deltas of a large body.
const BATCH: usize = 100;

/// Where no push waits for the disk.
const MEMORY: Budget = Budget::RatioAtLeast(0.95);

/// Where each push waits for it, and many do so together.
const COMMIT: Budget = Budget::RatioAtLeast(0.6);

/// Three times the default of `-storage.commit-interval`.
const COMMIT_P99: Budget = Budget::Value(0.3);

/// A workload by how many connections there are and how many deltas in a body: by its name with each sort of
/// acknowledgement, and what the second of them may come to.
const LOADS: [(usize, usize, [&str; 2], [Budget; 2]); 4] = [
    (1, 1, ["storage_memory_1", "storage_commit_1"], [Budget::None; 2]),
    (16, 1, ["storage_memory_16", "storage_commit_16"], [Budget::None; 2]),
    (64, 1, ["storage_memory_64", "storage_commit_64"], [COMMIT, COMMIT_P99]),
    (
        16,
        BATCH,
        ["storage_memory_bodies_of_100", "storage_commit_bodies_of_100"],
        [Budget::None; 2],
    ),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let directories = [directory()?, directory()?];
    let [of_memory, of_commit] = &directories;
    let plain = Target::server(&options.server)?;
    let memory = start(options, of_memory.path(), Ack::Memory)?;
    let commit = start(options, of_commit.path(), Ack::Commit)?;
    let mut rows = Vec::new();
    for (count, deltas_per_message, [with_memory, with_commit], [of_rate, of_p99]) in LOADS {
        let load = Load {
            messages: match deltas_per_message {
                1 => pushed_deltas(),
                many => in_batches(&pushed_deltas(), many),
            },
            more: String::new(),
            deltas_per_message,
            connections: Connections::Kept,
            count,
            duration: options.seconds / ROUNDS,
        };
        let [plain, memory, commit] = load.run_in_turn([&plain, &memory, &commit])?;
        rows.extend(rows_of(with_memory, &memory, &plain, [MEMORY, Budget::None]));
        rows.extend(rows_of(with_commit, &commit, &plain, [of_rate, of_p99]));
    }
    Ok(rows)
}

fn rows_of(
    workload: &'static str,
    stored: &[Round],
    plain: &[Round],
    [of_rate, of_p99]: [Budget; 2],
) -> [Row; 4] {
    let rate =
        |rounds: &[Round]| rounds.iter().map(|round| round.requests_per_second).collect::<Vec<_>>();
    let [p50, p99, _] = latency_rows(workload, stored, YARDSTICK, plain);
    [
        Row::new(workload, "requests", Unit::Rate, rate(stored))
            .beside(YARDSTICK, rate(plain))
            .within(of_rate),
        cpu_row(workload, "CPU per delta", stored, YARDSTICK, plain),
        p50,
        p99.within(of_p99),
    ]
}
