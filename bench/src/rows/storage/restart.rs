//! `storage_1m_series`: a server that has to begin with what there was, and what that weighs.

use std::{path::Path, process::Command, time::Duration};

use super::{
    super::{
        ROUNDS,
        row::{Budget, Row, Unit},
    },
    Ack, YARDSTICK, bytes_in, directory, start,
};
use crate::{
    Result,
    arguments::Options,
    numbers::{float, float_len},
    target::Target,
    workload::{Held, scattered},
};

const WORKLOAD: &str = "storage_1m_series";

/// From the start of the process until it is ready.
const START_MAX: Budget = Budget::Value(2.0);

pub(super) fn measure(options: &Options) -> Result<Vec<Row>> {
    let series = scattered();
    let lives: Vec<Life> = (0..ROUNDS).map(|_| live(options, &series)).collect::<Result<_>>()?;
    let row = |what: &str, unit, of: fn(&Life) -> f64| {
        Row::new(WORKLOAD, what, unit, lives.iter().map(of))
    };
    let start = |what: &str, of: fn(&Life) -> f64| row(what, Unit::Seconds, of).within(START_MAX);
    let least = lives.iter().map(|_| Held::Counters.least_bytes_per_series());
    let plain = || lives.iter().map(|life| life.plain);
    Ok(vec![
        start("spawn to ready after SIGTERM", |life| life.after_end.as_secs_f64()),
        start("spawn to ready after kill -9", |life| life.after_kill.as_secs_f64()),
        row("disk bytes per series", Unit::Bytes, |life| life.on_disk)
            .beside("labels and values", least),
        row("resident bytes per series", Unit::Bytes, |life| life.pushed)
            .beside(YARDSTICK, plain()),
        row("resident bytes per series, restored", Unit::Bytes, |life| life.restored)
            .beside(YARDSTICK, plain()),
    ])
}

/// What came of a store in one round. Bytes are those for each series.
struct Life {
    /// Resident, of the server without a store.
    plain: f64,
    /// Resident, once all series are pushed and on disk.
    pushed: f64,
    /// Resident after a start.
    restored: f64,
    after_end: Duration,
    after_kill: Duration,
    /// On disk, when no more room is taken than has to be.
    on_disk: f64,
}

fn live(options: &Options, series: &[usize]) -> Result<Life> {
    let per_series = |bytes: u64| float(bytes) / float_len(series.len());
    let resident = |server: &Target| -> Result<f64> {
        server.cpu_at_rest()?;
        Ok(per_series(server.resident_bytes()?))
    };
    let plain = Target::server(&options.server)?;
    plain.hold(Held::Counters, series)?;
    let of_plain = resident(&plain)?;
    drop(plain);

    let directory = directory()?;
    let start = || start(options, directory.path(), Ack::Commit);
    let server = start()?;
    server.hold(Held::Counters, series)?;
    let pushed = resident(&server)?;
    server.end()?;

    let server = start()?;
    let (after_end, restored) = (server.start_took(), resident(&server)?);
    // So that there is more to read than a copy.
    server.hold(Held::Counters, series)?;
    // It gets no chance to do anything about it.
    drop(server);

    let server = start()?;
    let after_kill = server.start_took();
    let held = server.sample("pushprom_series")?;
    if held != u64::try_from(series.len())? {
        return Err(format!("{held} series are there again, of {}", series.len()).into());
    }
    server.end()?;
    compact(options, directory.path())?;
    let on_disk = per_series(bytes_in(directory.path())?);
    Ok(Life { plain: of_plain, pushed, restored, after_end, after_kill, on_disk })
}

fn compact(options: &Options, directory: &Path) -> Result<()> {
    let done =
        Command::new(&options.server).args(["storage", "compact"]).arg(directory).output()?;
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned().into())
    }
}
