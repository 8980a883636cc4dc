//! Whatever is in a log, reading it leads to the records that were written, or to an error; and what leads to a
//! registry leads to the same one again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pushprom::store::{Store, StoreError, log::Log};
use pushprom_core::{
    expose::{self, Options, Shape},
    model::Timestamp,
    record::Record,
    registry::{Registry, SchemaConflicts},
    rules::Rules,
};
use pushprom_fuzz::disk::MemoryDisk;

/// Bytes of the input that say what is damaged: where, and how each of two bytes changes.
const DAMAGE_BYTES: usize = 4;

fuzz_target!(|input: &[u8]| {
    // Then come batches, each after its length in two bytes; what is left is put at the end of the log.
    let Some((&[low, high, first, second], mut rest)) = input.split_first_chunk::<DAMAGE_BYTES>()
    else {
        return;
    };
    let disk = MemoryDisk::default();
    let mut log = opened(&disk);
    log.load(&mut |_, _| Ok(0)).expect("it is empty");
    log.begin().expect("memory takes all");
    let mut batches = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk()
        && let Some((batch, after)) = after.split_at_checked(u16::from_le_bytes(*length).into())
    {
        log.commit(&mut [batch.to_vec()].into_iter()).expect("memory takes all");
        batches.extend((!batch.is_empty()).then_some(batch));
        rest = after;
    }
    let tail = rest;
    let is_whole = first == 0 && second == 0;
    disk.change(|bytes| {
        bytes.extend_from_slice(tail);
        let place = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
        for (byte, change) in bytes.iter_mut().skip(place).zip([first, second]) {
            *byte ^= change;
        }
    });
    let mut read = Vec::new();
    let loaded = opened(&disk).load(&mut |piece, _| {
        read.push(piece.to_vec());
        Ok(0)
    });
    match loaded {
        Ok(_) if is_whole => assert_eq!(read, batches),
        Ok(_) => assert!(batches.starts_with(&read.iter().map(Vec::as_slice).collect::<Vec<_>>())),
        Err(StoreError::Damaged { .. }) => assert!(!is_whole),
        Err(other) => panic!("{other}"),
    }
    let salvaged = opened(&disk).salvage(0, &mut |piece| assert!(piece.len() <= input.len()));
    salvaged.expect("memory gives all");
    let [mut strict, mut again] = [(); 2].map(|()| Registry::journaled(SchemaConflicts::Adopt));
    if !restore(&mut strict, &batches) {
        return;
    }
    let mut pieces = Vec::new();
    let all = strict.all_records(|piece| {
        pieces.push(piece.to_vec());
        Ok::<(), ()>(())
    });
    all.expect("nothing stops it");
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    assert!(restore(&mut again, &pieces), "it cannot be restored again");
    assert_eq!(page(&again), page(&strict));
});

fn opened(disk: &MemoryDisk) -> Log {
    Log::new(Box::new(disk.clone()))
}

/// Whether records lead to a registry.
fn restore(registry: &mut Registry, pieces: &[&[u8]]) -> bool {
    let rules = Rules::default();
    let mut restore = registry.restore(&rules);
    let mut records = pieces.iter().flat_map(|piece| Record::all_in(piece));
    let follows = records.all(|record| record.is_ok_and(|it| restore.follow(&it, true).is_ok()));
    follows && restore.finish(|_| ()).is_ok()
}

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    let snapshot = registry.snapshot(Timestamp(1_700_000_000_000));
    expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
    String::from_utf8(page).expect("a page is UTF-8")
}
