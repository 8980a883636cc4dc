//! Damage done by others: it is found, or it does not matter.

use std::{collections::BTreeMap, fs, iter};

use proptest::prelude::*;

use super::{
    disk::{Dice, MemoryDisk},
    driver::{SIZES, State, load, piece},
};
use crate::store::{
    OsDisk, Store, StoreError,
    log::{FRAME_BYTES, HEADER_BYTES, Log, Sizes},
};

/// A log of some batches, and a state for each of them: that in which it was the last.
struct Written {
    files: BTreeMap<String, Vec<u8>>,
    states: Vec<State>,
    /// Where the last batch begins, or what says that there is no more.
    last: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Killed,
    /// Closed, opened again, and killed before anything was written.
    Opened,
}

fn written(seed: u64, end: End) -> Written {
    let (disk, mut dice) = (MemoryDisk::default(), Dice(seed));
    let mut store = Log::with_sizes(Box::new(disk.clone()), Sizes { copy: 1 << 20, ..SIZES });
    load(&mut store).unwrap();
    store.begin().unwrap();
    let (mut state, mut states, mut last) = (State::new(), vec![State::new()], 0);
    let batches = 2 + u64::try_from(dice.roll(8)).unwrap();
    for batch in 1..=batches {
        if batch == batches / 2 {
            store.begin_copy().unwrap();
            store.copy(&piece(state.clone())).unwrap();
            store.finish_copy(state.len()).unwrap();
        }
        let keys = 1..=u64::try_from(dice.roll(8)).unwrap();
        let numbers: Vec<(u64, u64)> = keys.map(|key| (key, batch)).chain([(0, batch)]).collect();
        state.extend(numbers.iter().copied());
        last = store.bytes();
        store.commit(&mut [piece(numbers)].into_iter()).unwrap();
        states.push(state.clone());
    }
    if end != End::Killed {
        last = store.bytes();
        store.close().unwrap();
    }
    if end == End::Opened {
        let mut store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        load(&mut store).unwrap();
        store.begin().unwrap();
    }
    Written { files: disk.files(), states, last: usize::try_from(last).unwrap() }
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip,
    Zero,
    Cut,
    Remove,
    /// One frame is gone, to the byte.
    RemoveFrame,
    Repeat,
}

const DAMAGES: &[Damage] =
    &[Damage::Flip, Damage::Zero, Damage::Cut, Damage::Remove, Damage::RemoveFrame, Damage::Repeat];

/// Damages a file; returns the end of what was hit. Where bytes are gone among others like them, that is the last
/// place that it could be.
fn damage(bytes: &mut Vec<u8>, damage: Damage, dice: &mut Dice) -> usize {
    let before = bytes.clone();
    let at = dice.roll(bytes.len());
    let to = (at + 1 + dice.roll(100)).min(bytes.len());
    match damage {
        Damage::Flip => {
            bytes[at] ^= 1 << dice.roll(8);
            return at + 1;
        }
        Damage::Zero => bytes[at..to].fill(0),
        Damage::Cut => {
            bytes.truncate(at);
            return before.len();
        }
        Damage::Remove => drop(bytes.drain(at..to)),
        Damage::RemoveFrame => {
            let mut starts = vec![HEADER_BYTES];
            while let Some(length) = bytes[starts[starts.len() - 1]..].first_chunk() {
                let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
                starts.push(starts[starts.len() - 1] + FRAME_BYTES + length);
            }
            let frame = dice.roll(starts.len() - 1);
            drop(bytes.drain(starts[frame]..starts[frame + 1]));
            return starts[frame + 1];
        }
        Damage::Repeat => {
            let again = bytes[at..to].to_vec();
            bytes.splice(to..to, again);
        }
    }
    let same = before.iter().zip(&*bytes).take_while(|(before, after)| before == after).count();
    to.max(same + before.len().saturating_sub(bytes.len()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_found_or_does_not_matter(
        seed: u64,
        end in proptest::sample::select(&[End::Closed, End::Killed, End::Opened][..]),
        sort in proptest::sample::select(DAMAGES),
    ) {
        let Written { mut files, states, last } = written(seed, end);
        let mut dice = Dice(seed ^ 1);
        prop_assert_eq!(files.len(), 1);
        let mut hit = 0;
        for bytes in files.values_mut() {
            hit = damage(bytes, sort, &mut dice);
        }
        let disk = MemoryDisk::with(files.clone());
        let mut store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        match load(&mut store) {
            Ok((found, _)) => {
                // What has no end is a batch that was being written, unless nothing was.
                let may_be_torn = end != End::Closed && hit > last && states.contains(&found);
                let is_exact = states.last() == Some(&found);
                prop_assert!(is_exact || may_be_torn, "{:?} of {:?}", found, states);
            }
            Err(StoreError::Damaged { .. }) => {
                prop_assert!(store.begin().is_err());
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
        prop_assert_eq!(disk.files(), files);
    }
}

/// Files, by name and how many bytes of a good log they have, and the error that stops the start.
#[test]
fn what_cannot_be_is_refused() {
    let good = written(1, End::Killed).files.into_values().next().unwrap();
    let all = good.len();
    let cases: &[(&[(&str, usize)], &str)] = &[
        (
            &[("0000000001.log", 0)],
            "/memory/0000000001.log is damaged at byte 0: it does not begin",
        ),
        (&[("0000000001.log", 19)], "damaged at byte 0: it does not begin as a log does"),
        (
            &[("0000000001.log", 20)],
            "damaged at byte 20: the copy that it begins with is not whole",
        ),
        (&[("0000000001.closed", all)], "it was closed, and its end is missing"),
        (&[("0000000001.log", all), ("0000000002.log", 7)], "/memory/0000000002.log is damaged"),
        (&[("0000000002.new", all)], "/memory/0000000002.new is left of a store whose log is gone"),
        (&[("0000000001.damaged", all)], "/memory/0000000001.damaged is left of a store"),
    ];
    for (files, expected) in cases {
        let files = files.iter().map(|(name, len)| ((*name).to_owned(), good[..*len].to_vec()));
        let files: BTreeMap<_, _> = files.collect();
        let disk = MemoryDisk::with(files.clone());
        let mut store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        let error = load(&mut store).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(store.begin().is_err());
        assert_eq!(disk.files(), files);
    }
}

/// Files, and those that are left when the store has begun.
#[test]
fn what_is_left_over_is_removed() {
    let good = written(1, End::Killed).files.into_values().next().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["0000000001.new"], &["0000000001.log"]),
        (&["0000000001.log", "0000000002.log", "0000000003.new"], &["0000000002.log"]),
        (&["0000000001.damaged", "0000000002.log"], &["0000000001.damaged", "0000000002.log"]),
        // What is not ours.
        (
            &["1.log", "0000000001.logs", "+000000001.log", "lock"],
            &["+000000001.log", "0000000001.log", "0000000001.logs", "1.log", "lock"],
        ),
    ];
    for (files, expected) in cases {
        let files = files.iter().map(|name| ((*name).to_owned(), good.clone())).collect();
        let disk = MemoryDisk::with(files);
        let mut store = Log::with_sizes(Box::new(disk.clone()), SIZES);
        load(&mut store).unwrap();
        store.begin().unwrap();
        assert_eq!(disk.files().into_keys().collect::<Vec<_>>(), *expected);
    }
}

#[test]
fn a_log_of_a_later_release_is_refused() {
    let Written { mut files, .. } = written(1, End::Closed);
    for bytes in files.values_mut() {
        bytes[8] = 9;
        let crc = crc32fast::hash(&bytes[..16]);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
    }
    let mut store = Log::new(Box::new(MemoryDisk::with(files)));
    let error = load(&mut store).unwrap_err().to_string();
    assert!(error.contains("has version 9 of the format; this release reads 1"), "{error}");
}

#[test]
fn a_log_that_somebody_removes_takes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let disk = OsDisk::open(directory.path().to_owned());
        Log::new(Box::new(disk.expect("the one before is gone")))
    };
    let mut store = open();
    load(&mut store).unwrap();
    store.begin().unwrap();
    fs::remove_file(directory.path().join("0000000001.log")).unwrap();
    store.commit(&mut iter::once(piece([(1, 1)]))).unwrap_err();
    assert!(!store.is_well());
    store.begin_copy().unwrap();
    store.copy(&piece([(1, 1)])).unwrap();
    store.finish_copy(1).unwrap();
    drop(store);
    assert_eq!(load(&mut open()).unwrap().0, State::from([(1, 1)]));
}
