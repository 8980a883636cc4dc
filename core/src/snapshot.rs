//! Families with their values at one instant: what an encoder walks.
//!
//! The registry makes one of the clients' series; the daemon adds its own families. Nothing here is
//! shared with ingest: values are copies, labels are reference counts.

use std::sync::Arc;

use crate::model::{Kind, LabelSet, Timestamp, Value, collision};

/// Families sorted by name, each with at least one series.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    // Invariant: sorted by name, names unique, no family without series.
    families: Vec<FamilySnapshot>,
}

/// One family at one instant.
#[derive(Clone, Debug)]
pub struct FamilySnapshot {
    /// The metric name.
    pub name: Arc<str>,
    /// What it measures; may be empty.
    pub help: Arc<str>,
    /// The kind of all its series.
    pub kind: Kind,
    /// Its series in the order of [`LabelSet`].
    pub series: Vec<SeriesSnapshot>,
}

/// One series at one instant.
#[derive(Clone, Debug)]
pub struct SeriesSnapshot {
    /// What tells it from its siblings.
    pub labels: LabelSet,
    /// When its first change came.
    pub born: Timestamp,
    /// What it holds; of the kind of its family.
    pub value: Value,
}

impl Snapshot {
    /// Takes families in any order; drops those without series.
    pub fn new(mut families: Vec<FamilySnapshot>) -> Self {
        families.retain(|family| !family.series.is_empty());
        families.sort_by(|a, b| a.name.cmp(&b.name));
        debug_assert!(families.is_sorted_by(|a, b| a.name < b.name), "each name once");
        Self { families }
    }

    /// The families in the order of their names.
    pub fn families(&self) -> &[FamilySnapshot] {
        &self.families
    }

    /// Adds families, but none that shares a sample name with those that are here: they step aside.
    pub fn add(&mut self, mut families: Vec<FamilySnapshot>) {
        families.retain(|family| {
            self.kind_of(&family.name).is_none()
                && collision(&family.name, family.kind, |name| self.kind_of(name)).is_none()
        });
        families.append(&mut self.families);
        *self = Self::new(families);
    }

    fn kind_of(&self, name: &str) -> Option<Kind> {
        let place = self.families.binary_search_by(|family| (*family.name).cmp(name)).ok()?;
        self.families.get(place).map(|family| family.kind)
    }
}
