//! A family: what all series of one name share.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};

use super::{Rejected, roster::Roster, series::Series};
use crate::{
    model::{Bounds, Change, Delta, HistogramChange, Kind, LabelSet, Quoted, Timestamp},
    snapshot::{FamilySnapshot, Values},
};

/// Series whose values are copied in one go: some hundred microseconds, if none is in a cache.
const SERIES_BETWEEN_PAUSES: usize = 4096;

pub(super) struct Family {
    name: Arc<str>,
    kind: Kind,
    /// The label names of the first delta, comma-separated, sorted: what `reject` holds others to.
    label_names: Box<str>,
    /// The bounds of the first delta: they stay. Default bounds where the kind has none.
    bounds: Bounds,
    help: RwLock<Arc<str>>,
    /// How often the help text has changed.
    help_version: AtomicU64,
    /// Series in the order of a page. Only scrapes lock it.
    sorted: Mutex<Roster>,
    /// Series that came since the last scrape, in order of arrival.
    fresh: Mutex<Roster>,
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
            help_version: AtomicU64::new(0),
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
            let mut current = self.help.write();
            *current = help.into();
            self.help_version.fetch_add(1, Ordering::Release);
        }
        differs
    }

    /// How often the help text has changed, if it is `help` now.
    pub(super) fn version_of_help(&self, help: &str) -> Option<u64> {
        let current = self.help.read();
        (**current == *help).then(|| self.help_version())
    }

    /// How often the help text has changed.
    pub(super) fn help_version(&self) -> u64 {
        self.help_version.load(Ordering::Acquire)
    }

    pub(super) fn add(&self, labels: &LabelSet, born: Timestamp, series: Arc<Series>) {
        self.fresh.lock().push(labels, born, series);
    }

    pub(super) fn snapshot(&self, pause: &mut impl FnMut()) -> FamilySnapshot {
        let mut sorted = self.sorted.lock();
        let fresh = mem::take(&mut *self.fresh.lock());
        if !fresh.is_empty() {
            *sorted = mem::take(&mut *sorted).merged_with(fresh);
        }
        let mut values = Values::with_capacity(self.kind, &self.bounds, sorted.series().len());
        for some in sorted.series().chunks(SERIES_BETWEEN_PAUSES) {
            for series in some {
                series.read_into(&mut values);
            }
            pause();
        }
        FamilySnapshot {
            name: Arc::clone(&self.name),
            help: Arc::clone(&self.help.read()),
            index: Arc::clone(sorted.index()),
            values,
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
