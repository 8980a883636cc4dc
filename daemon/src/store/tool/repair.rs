//! Saves what can be read of a store that is damaged.

use pushprom_core::{
    record::Record,
    registry::{Registry, SchemaConflicts},
    rules::Rules,
};

use super::{Progress, Streams, Table, ToolError, write};
use crate::store::{
    Store, StoreError,
    log::{Gap, Log},
};

/// Puts a log of what can be read in the place of one that is damaged, which stays under another name.
pub(super) fn repair(
    log: &mut Log,
    path: String,
    streams: &mut Streams<'_>,
) -> Result<(), ToolError> {
    match super::verify(log, path.clone(), streams) {
        Ok(_) => {
            writeln!(streams.output, "ok: nothing is damaged, and nothing has been changed")?;
            return Ok(());
        }
        Err(ToolError::Store(StoreError::Damaged { .. } | StoreError::Missing { .. })) => {}
        Err(other) => return Err(other),
    }
    let mut unreadable = Vec::new();
    let (file, saved) = loop {
        match salvage(log, unreadable.len(), streams)? {
            Some((file, saved)) if saved.table.size().0 > 0 => break (file, saved),
            Some((file, _)) => unreadable.push(file),
            None => return Err(ToolError::Nothing(path)),
        }
    };
    let (families, series) = saved.table.size();
    log.begin_copy()?;
    write(log, &saved.table, streams)?;
    let aside = log.set_aside()?;
    log.finish_copy(saved.table.live())?;
    log.close()?;
    for newer in unreadable {
        writeln!(
            streams.output,
            "lost: all of {newer}, and so what changed after the end of {file}"
        )?;
    }
    for Gap { offset, bytes } in &saved.gaps {
        writeln!(streams.output, "lost: {bytes} bytes at byte {offset} of {file}")?;
    }
    let (records, lost) = (saved.left_out, saved.lost);
    writeln!(streams.output, "lost: {records} records that cannot be followed, {lost} series")?;
    for file in aside {
        writeln!(streams.output, "kept: {file}")?;
    }
    writeln!(streams.output, "saved: {families} families, {series} series")?;
    writeln!(
        streams.output,
        "what was deleted in a part that is lost may be back, and what was added there is missing"
    )?;
    Ok(())
}

/// What could be read.
struct Saved {
    table: Table,
    gaps: Vec<Gap>,
    /// Records that cannot be followed, or pieces of some.
    left_out: usize,
    /// Series of which too little is left.
    lost: usize,
}

/// What can be read of the newest log but so many.
fn salvage(
    log: &mut Log,
    newer: usize,
    streams: &mut Streams<'_>,
) -> Result<Option<(String, Saved)>, ToolError> {
    let (registry, rules) = (Registry::new(SchemaConflicts::Adopt), Rules::default());
    let mut restore = registry.restore(&rules);
    let (mut table, mut left_out) = (Table::default(), 0);
    let mut progress = Progress::new("read", streams.notes);
    let salvaged = log.salvage(newer, &mut |piece| {
        progress.add(piece.len());
        for record in Record::all_in(piece) {
            match record {
                Ok(record) if restore.follow(&record, false).is_ok() => table.follow(&record),
                Ok(_) | Err(_) => left_out += 1,
            }
        }
    })?;
    let Some((file, gaps)) = salvaged else { return Ok(None) };
    let lost = table.settle();
    // A start has to take what will be there, before anything is put aside for it.
    let registry = Registry::new(SchemaConflicts::Adopt);
    let mut restore = registry.restore(&rules);
    let unusable = |problem: String| StoreError::Damaged { path: file.clone(), offset: 0, problem };
    table.pieces(|piece| {
        for record in Record::all_in(piece).flatten() {
            restore.follow(&record, true).map_err(|error| unusable(error.to_string()))?;
        }
        Ok::<(), StoreError>(())
    })?;
    restore.finish(|_| ()).map_err(|error| unusable(error.to_string()))?;
    Ok(Some((file, Saved { table, gaps, left_out, lost })))
}
