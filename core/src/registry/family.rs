//! A family: what all series of one name share.

use std::{mem, sync::Arc};

use parking_lot::{Mutex, RwLock};

use super::{Rejected, series::Series};
use crate::{
    model::{Bounds, Change, Delta, HistogramChange, Kind, Quoted},
    snapshot::FamilySnapshot,
};

pub(super) struct Family {
    name: Arc<str>,
    kind: Kind,
    /// The label names of the first delta, comma-separated, sorted: what `reject` holds others to.
    label_names: Box<str>,
    /// The bounds of the first delta: they stay. Default bounds where the kind has none.
    bounds: Bounds,
    help: RwLock<Arc<str>>,
    /// Series in the order of a page. Only scrapes lock it.
    sorted: Mutex<Vec<Arc<Series>>>,
    /// Series that came since the last scrape, in order of arrival.
    fresh: Mutex<Vec<Arc<Series>>>,
}

impl Family {
    pub(super) fn new(delta: &Delta<'_>) -> Self {
        let bounds = match delta.change() {
            Change::Histogram(change) => change.bounds().clone(),
            Change::Counter(_) | Change::Gauge(_) | Change::Summary(_) => Bounds::default(),
        };
        Self {
            name: delta.name().into(),
            kind: delta.kind(),
            label_names: label_names(delta).into(),
            bounds,
            help: RwLock::new(delta.help().into()),
            sorted: Mutex::default(),
            fresh: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Refuses another kind.
    pub(super) fn check_kind(&self, name: &str, pushed: Kind) -> Result<(), Rejected> {
        if self.kind == pushed {
            return Ok(());
        }
        Err(Rejected::KindConflict { name: Quoted::new(name), existing: self.kind, pushed })
    }

    /// Refuses another help text than the family's.
    pub(super) fn check_help(&self, delta: &Delta<'_>) -> Result<(), Rejected> {
        let help = self.help.read();
        if **help == *delta.help() {
            return Ok(());
        }
        Err(Rejected::HelpConflict {
            name: Quoted::new(delta.name()),
            existing: Quoted::new(&help),
            pushed: Quoted::new(delta.help()),
        })
    }

    /// Refuses other label names than those of the first delta.
    pub(super) fn check_label_names(&self, delta: &Delta<'_>) -> Result<(), Rejected> {
        let pushed = label_names(delta);
        if pushed == *self.label_names {
            return Ok(());
        }
        Err(Rejected::LabelConflict {
            name: Quoted::new(delta.name()),
            existing: Quoted::new(&self.label_names),
            pushed: Quoted::new(&pushed),
        })
    }

    /// Takes over a help text; says whether it is another one. A delta without a help text says nothing
    /// about it.
    pub(super) fn adopt_help(&self, help: &str) -> bool {
        // Read first: the text is nearly always the same, and readers do not wait for each other.
        let differs = !help.is_empty() && **self.help.read() != *help;
        if differs {
            *self.help.write() = help.into();
        }
        differs
    }

    pub(super) fn add(&self, series: Arc<Series>) {
        self.fresh.lock().push(series);
    }

    pub(super) fn snapshot(&self) -> FamilySnapshot {
        let mut sorted = self.sorted.lock();
        let mut fresh = mem::take(&mut *self.fresh.lock());
        if !fresh.is_empty() {
            fresh.sort_by(|a, b| a.labels().cmp(b.labels()));
            sorted.append(&mut fresh);
            // Two sorted runs: the standard sort merges them in linear time.
            sorted.sort_by(|a, b| a.labels().cmp(b.labels()));
        }
        FamilySnapshot {
            name: Arc::clone(&self.name),
            help: Arc::clone(&self.help.read()),
            kind: self.kind,
            series: sorted.iter().map(|series| series.snapshot()).collect(),
        }
    }

    /// Whether `change` brings other buckets than this family has.
    pub(super) fn ignores_buckets_of(&self, change: &HistogramChange) -> bool {
        *change.bounds() != self.bounds
    }
}

/// The label names of a delta, comma-separated: sorted, and free of commas.
fn label_names(delta: &Delta<'_>) -> String {
    delta.labels().iter().map(|(name, _)| name).collect::<Vec<_>>().join(",")
}
