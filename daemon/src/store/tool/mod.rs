//! `pushprom storage`: looks after a store while no server has it.

mod repair;
mod table;

use std::{
    io::{self, BufRead, Read, Write},
    mem,
    path::Path,
    time::{Duration, Instant},
};

use pushprom_core::{
    record::Record,
    registry::{Registry, Restored, SchemaConflicts},
    rules::Rules,
};

use self::table::Table;
use super::{Loaded, OsDisk, Store, StoreError, log::Log};
use crate::config::Task;

/// How long it takes until it is said how far it is, each time.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Bytes of a piece that is imported, about.
const PIECE_BYTES: usize = 256 << 10;

/// Bytes of a line that is imported: several times what the labels of a series may have, each byte of which JSON may
/// write as six.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Where it reads from and writes to.
pub struct Streams<'a> {
    /// What is imported.
    pub input: &'a mut dyn BufRead,
    /// What is exported, or what came of it.
    pub output: &'a mut dyn Write,
    /// How far it is.
    pub notes: &'a mut dyn Write,
}

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The store does not let it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none.
    #[error("{0} has no store: give the directory of -storage.path")]
    NoStore(String),
    /// There is one.
    #[error("{0} has a store: import into another directory")]
    NotEmpty(String),
    /// Nothing can be saved.
    #[error("nothing in {0} can be read: it has been left as it is; move it away to begin anew")]
    Nothing(String),
    /// A line to be imported is none that was exported.
    #[error("line {line} cannot be imported: {problem}; nothing has been written")]
    Line {
        /// Its number, from one on.
        line: u64,
        /// In what way.
        problem: String,
    },
    /// What was read or written is not the store.
    #[error("cannot read standard input or write standard output: {0}")]
    Stream(#[from] io::Error),
}

/// Does a task with the store in a directory.
pub fn run(task: Task, path: &Path, mut streams: Streams<'_>) -> Result<(), ToolError> {
    let shown = path.display().to_string();
    let mut log = open(task, path)?;
    match task {
        Task::Check => check(&mut log, shown, &mut streams)?,
        Task::Repair => repair::repair(&mut log, shown, &mut streams)?,
        Task::Export => export(&mut log, shown, &mut streams)?,
        Task::Import => import(&mut log, shown, &mut streams)?,
        Task::Compact => compact(&mut log, shown, &mut streams)?,
    }
    Ok(streams.output.flush()?)
}

fn open(task: Task, path: &Path) -> Result<Log, ToolError> {
    let log = |disk| Log::new(Box::new(disk));
    match task {
        Task::Import => Ok(log(OsDisk::open(path.to_owned())?)),
        Task::Check | Task::Export => open_to_read(path),
        Task::Repair | Task::Compact => {
            // Nothing is made where there is no store; and the one lock goes before the other comes.
            drop(open_to_read(path)?);
            Ok(log(OsDisk::lock(path.to_owned())?))
        }
    }
}

fn open_to_read(path: &Path) -> Result<Log, ToolError> {
    let no_store = || ToolError::NoStore(path.display().to_string());
    let disk = match OsDisk::lock_to_read(path.to_owned()) {
        Err(StoreError::NoDirectory { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            return Err(no_store());
        }
        locked => locked?,
    };
    let log = Log::new(Box::new(disk));
    if log.is_nothing()? { Err(no_store()) } else { Ok(log) }
}

fn check(log: &mut Log, path: String, streams: &mut Streams<'_>) -> Result<(), ToolError> {
    let (loaded, restored) = verify(log, path, streams)?;
    let Restored { families, series } = restored;
    let Loaded { bytes, unfinished, batch, is_closed } = loaded;
    let end = if is_closed { "closed" } else { "not closed" };
    writeln!(
        streams.output,
        "ok: {families} families, {series} series, {bytes} bytes, last batch {batch}, \
         {unfinished} bytes unfinished, {end}"
    )?;
    Ok(())
}

/// Reads a store as a start does.
fn verify(
    log: &mut Log,
    path: String,
    streams: &mut Streams<'_>,
) -> Result<(Loaded, Restored), ToolError> {
    let (registry, rules) = (Registry::new(SchemaConflicts::Adopt), Rules::default());
    let mut restore = registry.restore(&rules);
    let mut progress = Progress::new("read", streams.notes);
    let loaded = log.load(&mut |piece, is_settled| {
        progress.add(piece.len());
        for record in Record::all_in(piece) {
            let record = record.map_err(|error| error.to_string())?;
            restore.follow(&record, is_settled).map_err(|error| error.to_string())?;
        }
        Ok(restore.series())
    })?;
    if loaded == Loaded::default() {
        return Err(ToolError::NoStore(path));
    }
    let restored = restore.finish(|_| ());
    let restored = restored.map_err(|error| StoreError::Damaged {
        path,
        offset: 0,
        problem: error.to_string(),
    })?;
    Ok((loaded, restored))
}

/// Reads what holds.
fn read(log: &mut Log, path: String, streams: &mut Streams<'_>) -> Result<Table, ToolError> {
    let mut table = Table::default();
    let mut progress = Progress::new("read", streams.notes);
    let loaded = log.load(&mut |piece, _| {
        progress.add(piece.len());
        for record in Record::all_in(piece) {
            table.follow(&record.map_err(|error| error.to_string())?);
        }
        Ok(table.live())
    })?;
    if loaded == Loaded::default() { Err(ToolError::NoStore(path)) } else { Ok(table) }
}

fn export(log: &mut Log, path: String, streams: &mut Streams<'_>) -> Result<(), ToolError> {
    let table = read(log, path, streams)?;
    let mut progress = Progress::new("written", streams.notes);
    table.pieces(|piece| {
        progress.add(piece.len());
        for record in Record::all_in(piece).flatten() {
            serde_json::to_writer(&mut *streams.output, &record).map_err(io::Error::from)?;
            streams.output.write_all(b"\n")?;
        }
        Ok(())
    })
}

fn import(log: &mut Log, path: String, streams: &mut Streams<'_>) -> Result<(), ToolError> {
    if !log.is_nothing()? {
        return Err(ToolError::NotEmpty(path));
    }
    log.begin_copy()?;
    let done = import_lines(log, streams);
    if done.is_err() {
        log.abandon_copy();
    }
    let Restored { families, series } = done?;
    log.finish_copy(series)?;
    log.close()?;
    writeln!(streams.output, "imported {families} families, {series} series")?;
    Ok(())
}

fn import_lines(log: &mut Log, streams: &mut Streams<'_>) -> Result<Restored, ToolError> {
    let (registry, rules) = (Registry::new(SchemaConflicts::Adopt), Rules::default());
    let mut restore = registry.restore(&rules);
    let mut progress = Progress::new("imported", streams.notes);
    let (mut piece, mut text, mut line) = (Vec::new(), Vec::new(), 0);
    let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    loop {
        line += 1;
        text.clear();
        let bytes = (&mut *streams.input).take(most + 1).read_until(b'\n', &mut text)?;
        if bytes == 0 {
            break;
        }
        progress.add(bytes);
        let refused = |problem| ToolError::Line { line, problem };
        if bytes > LINE_BYTES_MAX {
            return Err(refused(format!("it is longer than the {LINE_BYTES_MAX} bytes of a line")));
        }
        let record: Record<'_> =
            serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
        restore.follow(&record, true).map_err(|error| refused(error.to_string()))?;
        record.write_to(&mut piece);
        if piece.len() >= PIECE_BYTES {
            log.copy(&mem::take(&mut piece))?;
        }
    }
    log.copy(&piece)?;
    let restored = restore.finish(|_| ());
    restored.map_err(|error| ToolError::Line { line: line - 1, problem: error.to_string() })
}

fn compact(log: &mut Log, path: String, streams: &mut Streams<'_>) -> Result<(), ToolError> {
    let table = read(log, path, streams)?;
    log.begin()?;
    let before = log.bytes();
    log.begin_copy()?;
    write(log, &table, streams)?;
    log.finish_copy(table.live())?;
    let after = log.bytes();
    log.close()?;
    writeln!(streams.output, "compacted {before} bytes to {after}")?;
    Ok(())
}

/// Writes what holds to the copy.
fn write(log: &mut Log, table: &Table, streams: &mut Streams<'_>) -> Result<(), StoreError> {
    let mut progress = Progress::new("written", streams.notes);
    table.pieces(|piece| {
        progress.add(piece.len());
        log.copy(piece)
    })
}

/// Says now and then how far it is.
struct Progress<'a> {
    what: &'static str,
    notes: &'a mut dyn Write,
    bytes: usize,
    noted: Instant,
}

impl<'a> Progress<'a> {
    fn new(what: &'static str, notes: &'a mut dyn Write) -> Self {
        Self { what, notes, bytes: 0, noted: Instant::now() }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.noted.elapsed() >= NOTE_EVERY {
            self.noted = Instant::now();
            // Nobody may be looking.
            writeln!(self.notes, "{} {} bytes so far", self.what, self.bytes).ok();
        }
    }
}
