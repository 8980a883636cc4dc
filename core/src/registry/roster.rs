//! The series of a family with what never changes of them, in some order.

use std::{cmp::Ordering, sync::Arc};

use super::series::Series;
use crate::{
    model::{LabelSet, Timestamp},
    snapshot::Index,
};

/// Series, and in the same order their labels and births, which snapshots share. A clone costs nothing, and is as
/// things were: who looks at each series looks at one, while pages are made from the roster itself.
#[derive(Clone, Default)]
pub(super) struct Roster {
    index: Arc<Index>,
    series: Arc<Vec<Arc<Series>>>,
}

/// One series of a roster, apart from the others.
struct Entry {
    labels: LabelSet,
    born: Timestamp,
    series: Arc<Series>,
}

impl Roster {
    pub(super) fn push(&mut self, labels: &LabelSet, born: Timestamp, series: Arc<Series>) {
        // Nobody shares a roster that still grows.
        Arc::make_mut(&mut self.index).push(labels, born);
        Arc::make_mut(&mut self.series).push(series);
    }

    pub(super) fn index(&self) -> &Arc<Index> {
        &self.index
    }

    pub(super) fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Both, in the order of a page, but for series that are gone; this one is in that order, `fresh` in any.
    pub(super) fn merged_with(self, fresh: Self) -> Self {
        let mut fresh: Vec<Entry> = fresh.into_entries();
        fresh.retain(|entry| !entry.series.is_gone());
        fresh.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        let mut merged = Index::default();
        let mut all = Vec::with_capacity(self.series.len() + fresh.len());
        let mut fresh = fresh.into_iter().peekable();
        let mut labels = self.index.labels();
        for (series, &born) in Arc::unwrap_or_clone(self.series).into_iter().zip(self.index.born())
        {
            let Some(labels) = labels.next() else { break };
            if series.is_gone() {
                continue;
            }
            let before = |entry: &Entry| entry.labels.cmp(labels) == Ordering::Less;
            while let Some(entry) = fresh.next_if(before) {
                merged.push(&entry.labels, entry.born);
                all.push(entry.series);
            }
            merged.push(labels, born);
            all.push(series);
        }
        for entry in fresh {
            merged.push(&entry.labels, entry.born);
            all.push(entry.series);
        }
        merged.shrink();
        Self { index: Arc::new(merged), series: Arc::new(all) }
    }

    fn into_entries(self) -> Vec<Entry> {
        let mut labels = self.index.labels();
        let entries = Arc::unwrap_or_clone(self.series).into_iter().zip(self.index.born());
        let entries = entries.filter_map(|(series, &born)| {
            Some(Entry { labels: labels.next()?.clone(), born, series })
        });
        entries.collect()
    }
}
