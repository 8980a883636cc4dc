//! Records that hold, by what they are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pushprom_core::{
    model::{Kind, collision},
    record::Record,
};

/// Bytes of a piece, about.
const PIECE_BYTES: usize = 256 << 10;

/// What is left of records when each has been followed.
#[derive(Default)]
pub(super) struct Table {
    families: BTreeMap<u64, Vec<u8>>,
    series: BTreeMap<u64, Entry>,
    /// Series of which there is a state, and nothing else.
    unborn: BTreeSet<u64>,
    /// What was answered, in order of time; none where the same key came anew.
    answers: Vec<Vec<u8>>,
    /// Where the answer to a key is.
    of_key: HashMap<u128, usize>,
}

struct Entry {
    birth: Vec<u8>,
    state: Vec<u8>,
}

impl Table {
    /// Follows the next record.
    pub(super) fn follow(&mut self, record: &Record<'_>) {
        let mut bytes = Vec::new();
        record.write_to(&mut bytes);
        match record {
            Record::Family(family) => {
                self.families.insert(family.id, bytes);
            }
            Record::Series(series) => {
                self.unborn.remove(&series.id);
                self.series.insert(series.id, Entry { birth: bytes, state: Vec::new() });
            }
            Record::State(state) => match self.series.get_mut(&state.id) {
                Some(entry) => entry.state = bytes,
                None => {
                    self.unborn.insert(state.id);
                }
            },
            Record::SeriesGone { id } => {
                self.unborn.remove(id);
                self.series.remove(id);
            }
            Record::FamilyGone { id } => {
                self.families.remove(id);
            }
            Record::Answer(answer) => {
                let before = self.of_key.insert(answer.key, self.answers.len());
                if let Some(before) = before.and_then(|place| self.answers.get_mut(place)) {
                    before.clear();
                }
                self.answers.push(bytes);
            }
        }
    }

    /// Leaves out what cannot be together with what came later, since records between are lost. Returns how many
    /// series cannot be had.
    pub(super) fn settle(&mut self) -> usize {
        let (mut kinds, mut held) = (HashMap::<String, Kind>::new(), BTreeSet::new());
        for (id, bytes) in self.families.iter().rev() {
            if let Ok((Record::Family(family), _)) = Record::read_from(bytes) {
                let (name, kind) = (family.name, family.form.kind());
                let kind_of = |name: &str| kinds.get(name).copied();
                if kind_of(&name).is_none() && collision(&name, kind, kind_of).is_none() {
                    kinds.insert(name.into_owned(), kind);
                    held.insert(*id);
                }
            }
        }
        self.families.retain(|id, _| held.contains(id));
        let mut of_labels = HashMap::new();
        for (id, entry) in &self.series {
            if let Ok((Record::Series(mut series), _)) = Record::read_from(&entry.birth)
                && held.contains(&series.family)
            {
                // Those of one family that differ in nothing but their number and birth are the same series.
                (series.id, series.born, series.client) = (0, 0, None);
                let mut labels = Vec::new();
                Record::Series(series).write_to(&mut labels);
                of_labels.insert(labels, *id);
            }
        }
        let held: BTreeSet<u64> = of_labels.into_values().collect();
        let before = self.series.len();
        self.series.retain(|id, entry| held.contains(id) && !entry.state.is_empty());
        before - self.series.len() + self.unborn.len()
    }

    /// How many families and series there are.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.families.len(), self.series.len())
    }

    /// What is live, as a store counts it.
    pub(super) fn live(&self) -> usize {
        self.series.len() + self.of_key.len()
    }

    /// Gives out all of it, piece by piece, each record after those that it is about.
    pub(super) fn pieces<E>(&self, mut give: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let of_series = self.series.values().flat_map(|entry| [&entry.birth, &entry.state]);
        let mut piece = Vec::new();
        // Answers first, as in every copy: so they are read back in their order.
        for record in self.answers.iter().chain(self.families.values()).chain(of_series) {
            piece.extend_from_slice(record);
            if piece.len() >= PIECE_BYTES {
                give(&piece)?;
                piece.clear();
            }
        }
        give(&piece)
    }
}

#[cfg(test)]
mod tests {
    use pushprom_core::record::{
        FamilyRecord, Float, FormRecord, SeriesRecord, StateRecord, ValueRecord,
    };

    use super::*;

    #[test]
    fn of_what_cannot_be_together_the_later_stays() {
        let histogram = || FormRecord::Histogram { bounds: None, native: None };
        let check = |families: &[(&str, FormRecord)], kept: &[u64]| {
            let mut table = Table::default();
            for (id, (name, form)) in (1..).step_by(2).zip(families) {
                let label_names = "".into();
                let (name, help, form) = ((*name).into(), "".into(), form.clone());
                table.follow(&Record::Family(FamilyRecord { id, name, help, label_names, form }));
                let (family, id, labels) = (id, id + 1, Vec::new());
                let (born, is_overflow, client) = (0, false, None);
                let series = SeriesRecord { id, family, labels, born, is_overflow, client };
                table.follow(&Record::Series(series));
                let (value, exemplars) = (ValueRecord::Level(Float(0.0)), Vec::new());
                table.follow(&Record::State(StateRecord { id, touched: 0, value, exemplars }));
            }
            assert_eq!(table.settle(), families.len() - kept.len(), "{families:?}");
            assert!(table.families.keys().eq(kept), "{families:?}");
        };
        check(&[("h", histogram()), ("h_sums", FormRecord::Counter)], &[1, 3]);
        check(&[("h", histogram()), ("h", FormRecord::Counter)], &[3]);
        check(&[("h", histogram()), ("h_sum", FormRecord::Counter)], &[3]);
        check(&[("h_sum", FormRecord::Counter), ("h", histogram())], &[3]);
    }
}
