//! Series as a store keeps them.

use std::{borrow::Cow, sync::Arc, sync::atomic::Ordering::Relaxed};

use super::{GONE, Series, State};
use crate::{
    limits::NameScheme,
    model::{Exemplar, LabelPairs, Labels, Timestamp},
    policy::Client,
    record::{
        ClientRecord, ExemplarRecord, Float, LabelRecord, Record, SeriesRecord, StateRecord,
        ValueRecord,
    },
};

impl Series {
    /// Appends a record of what never changes of it.
    pub(in crate::registry) fn birth_into<'a>(
        &self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        born: Timestamp,
        bytes: &mut Vec<u8>,
    ) {
        let labels = labels.map(|(name, value)| label(name.into(), value.into()));
        let record = SeriesRecord {
            id: self.id,
            family: self.family.id(),
            labels: labels.collect(),
            born: born.0,
            is_overflow: match self.role {
                super::Role::Ordinary => false,
                super::Role::Overflow => true,
            },
            client: self.holding.as_ref().and_then(|holding| match holding.client() {
                Client::Unnamed => None,
                Client::Address(address) => Some(ClientRecord::Address(address)),
                Client::Principal(name) => Some(ClientRecord::Principal(name.into())),
                Client::Unix => Some(ClientRecord::Unix),
                Client::User(name) => Some(ClientRecord::User(name.into())),
            }),
        };
        Record::Series(record).write_to(bytes);
    }

    /// Appends a record of what it holds now, or that it is gone.
    pub(in crate::registry) fn capture_into(&self, bytes: &mut Vec<u8>) {
        let touched = self.touched.load(Relaxed);
        if touched == GONE {
            return Record::SeriesGone { id: self.id }.write_to(bytes);
        }
        let value = match &self.state {
            State::Counter(total) => ValueRecord::from(total.load()),
            State::Gauge(level) => ValueRecord::Level(Float(level.load())),
            State::Histogram(buckets) => ValueRecord::from(buckets.load(self.family.layout())),
            State::Summary(summary) => {
                let window = summary.window().unwrap_or_default();
                ValueRecord::summary(summary.load(), &window, self.family.span())
            }
        };
        let held = self.exemplars();
        let held = held.iter().flatten();
        let exemplars = held.map(|(bucket, exemplar)| ExemplarRecord {
            bucket: u32::try_from(*bucket).unwrap_or(u32::MAX),
            labels: exemplar.labels().iter().map(|(name, value)| label(name, value)).collect(),
            value: Float(exemplar.value),
            timestamp: exemplar.timestamp.map(|timestamp| timestamp.0),
        });
        let exemplars = exemplars.collect();
        Record::State(StateRecord { id: self.id, touched, value, exemplars }).write_to(bytes);
    }

    /// Takes what a record says that it holds; nobody else has it yet. `None` if the record is of another kind,
    /// or of other buckets.
    pub(in crate::registry) fn restore(&self, record: &StateRecord<'_>) -> Option<()> {
        match &self.state {
            State::Counter(total) => total.restore(record.value.amount()?),
            State::Gauge(level) => level.restore(record.value.level()?),
            State::Histogram(buckets) => {
                buckets.restore(&record.value.buckets(self.family.layout())?);
            }
            State::Summary(summary) => {
                let (observations, window) = record.value.observations(self.family.span())?;
                summary.restore(observations, window);
            }
        }
        self.touched.store(record.touched.min(GONE - 1), Relaxed);
        let exemplars = record.exemplars.iter().map(|exemplar| {
            Some((usize::try_from(exemplar.bucket).ok()?, Arc::new(restored(exemplar)?)))
        });
        let exemplars: Vec<_> = exemplars.collect::<Option<_>>()?;
        if !exemplars.is_empty() {
            let before = self.exemplars.lock().replace(Box::new(exemplars));
            if before.is_none() {
                self.charge_exemplars(usize::MAX);
            }
            self.family.set_has_exemplars();
        }
        Some(())
    }
}

fn label<'a>(name: Cow<'a, str>, value: Cow<'a, str>) -> LabelRecord<'a> {
    LabelRecord { name, value }
}

fn restored(record: &ExemplarRecord<'_>) -> Option<Exemplar> {
    let pairs = record.labels.iter().map(|label| (&*label.name, &*label.value));
    let pairs: LabelPairs<'_> = pairs.map(|(name, value)| (name.into(), value.into())).collect();
    let labels = Labels::new(pairs, NameScheme::Utf8).ok()?;
    let exemplar = Exemplar::new(&labels, record.value.0, None).ok()?;
    Some(match record.timestamp {
        Some(timestamp) => exemplar.at(Timestamp(timestamp)),
        None => exemplar,
    })
}
