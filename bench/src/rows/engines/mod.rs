//! `engines_*`: our log beside an engine that could stand in its place, with the same records.

mod records;

use std::{
    iter,
    path::Path,
    process,
    time::{Duration, Instant},
};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use pushprom::store::{OsDisk, Store, log::Log};
use pushprom_core::record::Record;

use self::records::{Keyed, all, changes};
use super::{
    ROUNDS,
    row::{Row, Unit},
    storage::{bytes_in, directory},
};
use crate::{
    Result,
    arguments::Options,
    machine,
    numbers::{float, float_len, percentile},
    sys,
    target::PATIENCE,
    wait,
};

const YARDSTICK: &str = "fjall 3.1";

/// Series that are kept.
const SERIES: usize = 300_000;

const COMMITS: usize = 500;

/// Series that each commit changes, by workload.
const LOADS: [(&str, usize); 2] = [("engines_64_series", 64), ("engines_500_series", 500)];

/// The engine reads again at a start what it had not moved from there to its tables.
const MEMTABLE_BYTES: u64 = 4 << 20;

/// Records that are added at a time before anything is measured.
const PIECE: usize = 10_000;

/// What keeps records.
trait Engine: Sized {
    /// Opens what is in a directory, and reads every record; says how many there are.
    fn open(path: &Path) -> Result<(Self, usize)>;

    /// Keeps so many records that nobody needs to wait for.
    fn fill(&mut self, records: &[Keyed]) -> Result<()>;

    /// Keeps records as one, on disk when it returns.
    fn commit(&mut self, records: &[Keyed]) -> Result<()>;

    /// Waits until nothing is done in the background.
    fn rest(&self) -> Result<()>;

    fn close(self) -> Result<()>;
}

impl Engine for Log {
    fn open(path: &Path) -> Result<(Self, usize)> {
        let disk = OsDisk::open(path.to_owned())?;
        let (mut log, mut records) = (Self::new(Box::new(disk)), 0);
        log.load(&mut |piece, _| {
            for record in Record::all_in(piece) {
                record.map_err(|error| error.to_string())?;
                records += 1;
            }
            Ok(records)
        })?;
        log.begin()?;
        Ok((log, records))
    }

    fn fill(&mut self, records: &[Keyed]) -> Result<()> {
        self.begin_copy()?;
        for piece in records.chunks(PIECE) {
            self.copy(&joined(piece))?;
        }
        Ok(self.finish_copy(SERIES)?)
    }

    fn commit(&mut self, records: &[Keyed]) -> Result<()> {
        Ok(Store::commit(self, &mut iter::once(joined(records)))?)
    }

    fn rest(&self) -> Result<()> {
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        Ok(Store::close(&mut self)?)
    }
}

fn joined(records: &[Keyed]) -> Vec<u8> {
    let records: Vec<&[u8]> = records.iter().map(|(_, record)| &**record).collect();
    records.concat()
}

struct Fjall {
    database: Database,
    records: Keyspace,
}

impl Engine for Fjall {
    fn open(path: &Path) -> Result<(Self, usize)> {
        let database = Database::builder(path).open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let records = database.keyspace("records", options)?;
        let mut count = 0;
        for record in records.iter() {
            Record::read_from(&record.value()?)?;
            count += 1;
        }
        Ok((Self { database, records }, count))
    }

    fn fill(&mut self, records: &[Keyed]) -> Result<()> {
        records.chunks(PIECE).try_for_each(|piece| self.commit(piece))
    }

    fn commit(&mut self, records: &[Keyed]) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, record) in records {
            batch.insert(&self.records, &**key, &**record);
        }
        Ok(batch.commit()?)
    }

    fn rest(&self) -> Result<()> {
        wait::until("the tables of an engine to be written", PATIENCE, || {
            let is_at_rest =
                self.database.outstanding_flushes() == 0 && self.database.active_compactions() == 0;
            Ok(is_at_rest.then_some(()))
        })
    }

    fn close(self) -> Result<()> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}

/// What came of one engine in one round.
struct Round {
    /// In the order of [`LOADS`].
    loads: Vec<Load>,
    load_took: Duration,
    bytes: u64,
}

/// What came of the commits of one workload.
struct Load {
    /// In nanoseconds, in order of size.
    latencies: Vec<u64>,
    cpu: Duration,
    written: u64,
}

pub(super) fn measure(_: &Options) -> Result<Vec<Row>> {
    let births = all(SERIES);
    let commits = LOADS.map(|(_, changed)| changes(SERIES, COMMITS, changed));
    let (mut ours, mut its) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(run::<Log>(&births, &commits)?);
        its.push(run::<Fjall>(&births, &commits)?);
    }
    let row = |workload, what: &str, unit, of: &dyn Fn(&Round) -> f64| {
        Row::new(workload, what, unit, ours.iter().map(of)).beside(YARDSTICK, its.iter().map(of))
    };
    let mut rows = Vec::new();
    for (place, (workload, changed)) in LOADS.into_iter().enumerate() {
        let latency = |per_mille| {
            move |round: &Round| float(percentile(&round.loads[place].latencies, per_mille)) / 1e9
        };
        let cpu = |round: &Round| round.loads[place].cpu.as_secs_f64() / float_len(COMMITS);
        let written =
            |round: &Round| float(round.loads[place].written) / float_len(COMMITS * changed);
        rows.extend([
            row(workload, "commit p50", Unit::Seconds, &latency(500)),
            row(workload, "commit p99", Unit::Seconds, &latency(990)),
            row(workload, "CPU per commit", Unit::Seconds, &cpu),
            row(workload, "bytes written per changed series", Unit::Bytes, &written),
        ]);
    }
    let (workload, load) = ("engines_300k_series", |round: &Round| round.load_took.as_secs_f64());
    let bytes = |round: &Round| float(round.bytes) / float_len(SERIES);
    rows.extend([
        row(workload, "time to open and read all", Unit::Seconds, &load),
        row(workload, "disk bytes per series", Unit::Bytes, &bytes),
    ]);
    Ok(rows)
}

fn run<E: Engine>(births: &[Keyed], commits: &[Vec<Vec<Keyed>>]) -> Result<Round> {
    let directory = directory()?;
    let (mut engine, _) = E::open(directory.path())?;
    engine.fill(births)?;
    let mut loads = Vec::new();
    for commits in commits {
        engine.rest()?;
        let (pid, mut latencies) = (process::id(), Vec::new());
        let (cpu, written) = (sys::cpu_time(pid)?, machine::written_bytes(pid)?);
        for records in commits {
            let begun = Instant::now();
            engine.commit(records)?;
            latencies.push(u64::try_from(begun.elapsed().as_nanos())?);
        }
        engine.rest()?;
        latencies.sort_unstable();
        loads.push(Load {
            latencies,
            cpu: sys::cpu_time(pid)?.saturating_sub(cpu),
            written: machine::written_bytes(pid)? - written,
        });
    }
    engine.close()?;
    let begun = Instant::now();
    let (engine, records) = E::open(directory.path())?;
    let load_took = begun.elapsed();
    if records < births.len() {
        return Err(format!("{records} records are there again, of {}", births.len()).into());
    }
    engine.close()?;
    Ok(Round { loads, load_took, bytes: bytes_in(directory.path())? })
}
