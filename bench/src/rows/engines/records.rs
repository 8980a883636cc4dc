//! Records of counters, as a registry of the held series makes them.

use std::borrow::Cow;

use pushprom_core::record::{
    FamilyRecord, FormRecord, LabelRecord, Record, SeriesRecord, StateRecord, ValueRecord,
};

use crate::workload::{HELD_FAMILIES, HELD_PREFIX, held_series, scattered};

/// A record, and what it is about: a later one of the same key holds in its place.
pub(super) type Keyed = (Vec<u8>, Vec<u8>);

/// What a key begins with, so that records come after those that they are about.
#[derive(Clone, Copy)]
enum About {
    Family,
    Birth,
    State,
}

/// When all began, in seconds since 1970.
const BEGAN: u32 = 1_790_000_000;

/// The records of so many series, and of their families.
pub(super) fn all(series: usize) -> Vec<Keyed> {
    let mut records: Vec<Keyed> = (0..HELD_FAMILIES).map(family).collect();
    records.extend((0..series).flat_map(|number| [birth(number), state(number, 0)]));
    records
}

/// What so many commits write, each about `changed` series that lie far apart.
pub(super) fn changes(series: usize, commits: usize, changed: usize) -> Vec<Vec<Keyed>> {
    let scattered: Vec<usize> = scattered().into_iter().filter(|&number| number < series).collect();
    let in_turn: Vec<usize> = scattered.into_iter().cycle().take(commits * changed).collect();
    let commits = in_turn.chunks(changed).zip(1..);
    commits.map(|(chunk, age)| chunk.iter().map(|&number| state(number, age)).collect()).collect()
}

fn family(number: usize) -> Keyed {
    let record = FamilyRecord {
        id: id_of_family(number),
        name: format!("{HELD_PREFIX}{number:02}_total").into(),
        help: "A family of many series.".into(),
        label_names: "instance,path,status".into(),
        form: FormRecord::Counter,
    };
    keyed(About::Family, record.id, &Record::Family(record))
}

fn birth(number: usize) -> Keyed {
    let (family, labels) = held_series(number);
    let labels = labels.iter().map(|(name, value)| LabelRecord {
        name: Cow::Borrowed(name),
        value: Cow::Borrowed(value),
    });
    let record = SeriesRecord {
        id: id_of_series(number),
        family: id_of_family(family),
        labels: labels.collect(),
        born: u64::from(BEGAN) * 1000,
        is_overflow: false,
        client: None,
    };
    keyed(About::Birth, record.id, &Record::Series(record))
}

/// What a series holds after so many commits.
fn state(number: usize, age: u32) -> Keyed {
    let count = 1 + number * 7919 % 999_983;
    let record = StateRecord {
        id: id_of_series(number),
        touched: BEGAN + age,
        value: ValueRecord::Count(u64::try_from(count).unwrap_or_default() + u64::from(age)),
        exemplars: Vec::new(),
    };
    keyed(About::State, record.id, &Record::State(record))
}

fn id_of_family(number: usize) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn id_of_series(number: usize) -> u64 {
    id_of_family(HELD_FAMILIES + number)
}

fn keyed(about: About, id: u64, record: &Record<'_>) -> Keyed {
    let (mut key, mut bytes) = (vec![about as u8], Vec::new());
    key.extend(id.to_be_bytes());
    record.write_to(&mut bytes);
    (key, bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_commit_changes_as_many_series_as_it_says() {
        let commits = changes(100, 7, 30);
        assert_eq!(commits.len(), 7);
        let kept: BTreeSet<Vec<u8>> = all(100).into_iter().map(|(key, _)| key).collect();
        assert_eq!(kept.len(), HELD_FAMILIES + 200);
        for commit in commits {
            let keys: BTreeSet<&Vec<u8>> = commit.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), 30);
            assert!(keys.into_iter().all(|key| kept.contains(key)));
        }
    }
}
