//! `storage_*_series_written`: what goes to the disk for each series that changes.

use super::{
    super::row::{Row, Unit},
    Ack, directory, start,
};
use crate::{
    Result,
    arguments::Options,
    client::Client,
    numbers::float,
    target::Target,
    workload::{HELD_SERIES_MAX, Held, held_bodies, scattered},
};

/// Series that one commit changes.
const CHANGED: usize = 1000;

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    [("storage_1k_series_written", CHANGED), ("storage_300k_series_written", 300_000)]
        .map(|(workload, series)| measure_written(options, workload, series))
        .into_iter()
        .collect()
}

/// Each body is one commit, since the next one comes when it is on disk, and changes so many series.
fn measure_written(options: &Options, workload: &'static str, series: usize) -> Result<Row> {
    const _: () = assert!(HELD_SERIES_MAX.is_multiple_of(CHANGED), "every body is as long");
    let directory = directory()?;
    let server = start(options, directory.path(), Ack::Commit)?;
    let numbers = &scattered()[..series];
    let bodies: Vec<Vec<u8>> = held_bodies(Held::Counters, numbers).collect();
    let mut bodies = bodies.iter().cycle();
    let mut client = server.client()?;
    push_until_copied(&server, &mut client, &mut bodies)?;
    let before = written(&server)?;
    let pushed = push_until_copied(&server, &mut client, &mut bodies)?;
    let after = written(&server)?;
    let changed = float(pushed) * float(CHANGED.try_into()?);
    let [to_disk, records] = [0, 1].map(|which| float(after[which] - before[which]) / changed);
    let what = "bytes written per changed series";
    Ok(Row::new(workload, what, Unit::Bytes, [to_disk]).beside("records", [records]))
}

/// Bytes written to the disk, and those of them that are records.
fn written(server: &Target) -> Result<[u64; 2]> {
    let records = server.sample("pushprom_storage_written_bytes_total")?;
    Ok([server.written_bytes()?, records])
}

/// Pushes until the log has been written anew once more; says how many bodies.
fn push_until_copied<'a>(
    server: &Target,
    client: &mut Client,
    bodies: &mut impl Iterator<Item = &'a Vec<u8>>,
) -> Result<u64> {
    /// Bodies between two looks, which cost the server a page.
    const BETWEEN_LOOKS: usize = 100;
    let copies = || server.sample("pushprom_storage_copies_total");
    let (before, mut pushed) = (copies()?, 0);
    while copies()? == before {
        for body in bodies.by_ref().take(BETWEEN_LOOKS) {
            client.push(body)?;
            pushed += 1;
        }
    }
    Ok(pushed)
}
