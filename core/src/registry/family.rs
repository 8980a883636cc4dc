//! A family: what all series of one name share.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};

use super::{Rejected, roster::Roster, series::Series};
use crate::{
    model::{
        Bounds, Change, Delta, Exemplar, Kind, LabelSet, Layout, Objectives, Quoted, Span,
        Timestamp,
    },
    rules::Rules,
    snapshot::{Exemplars, FamilySnapshot, Histograms, Summaries, Values},
};

/// Series whose values are copied in one go: some hundred microseconds, if none is in a cache.
const SERIES_BETWEEN_PAUSES: usize = 4096;

pub(super) struct Family {
    name: Arc<str>,
    form: Form,
    /// How far back quantiles look.
    span: Span,
    /// The label names of the first delta, comma-separated, sorted: what `reject` holds others to.
    label_names: Box<str>,
    help: RwLock<Arc<str>>,
    /// How often the help text has changed.
    help_version: AtomicU64,
    /// Series in the order of a page. Only scrapes lock it.
    sorted: Mutex<Roster>,
    /// Series that came since the last scrape, in order of arrival.
    fresh: Mutex<Roster>,
    /// Whether any series has exemplars.
    has_exemplars: AtomicBool,
}

/// A kind, and how its series are kept: as the first delta asks for, where no rule says otherwise.
pub(super) enum Form {
    Counter,
    Gauge,
    Histogram(Layout),
    Summary(Option<Objectives>),
}

/// The layout of what is no histogram.
static NO_LAYOUT: Layout = Layout { bounds: Bounds::none(), native: None };

impl Family {
    pub(super) fn new(delta: &Delta<'_>, rules: &Rules) -> Self {
        let form = match delta.change() {
            Change::Counter(_) => Form::Counter,
            Change::Gauge(_) => Form::Gauge,
            Change::Histogram(change) => {
                Form::Histogram(rules.layout(delta.name(), change.layout()))
            }
            Change::Summary(change) => {
                Form::Summary(rules.objectives(delta.name(), change.objectives()))
            }
        };
        Self {
            name: delta.name().into(),
            form,
            span: rules.span,
            label_names: label_names(delta).into(),
            help: RwLock::new(delta.help().into()),
            help_version: AtomicU64::new(0),
            sorted: Mutex::default(),
            fresh: Mutex::default(),
            has_exemplars: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        match self.form {
            Form::Counter => Kind::Counter,
            Form::Gauge => Kind::Gauge,
            Form::Histogram(_) => Kind::Histogram,
            Form::Summary(_) => Kind::Summary,
        }
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// What its histograms sort observations into.
    pub(super) fn layout(&self) -> &Layout {
        match &self.form {
            Form::Histogram(layout) => layout,
            Form::Counter | Form::Gauge | Form::Summary(_) => &NO_LAYOUT,
        }
    }

    /// How far back its quantiles look.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// Refuses another kind.
    pub(super) fn check_kind(&self, name: &str, pushed: Kind) -> Result<(), Rejected> {
        if self.kind() == pushed {
            return Ok(());
        }
        Err(Rejected::KindConflict { name: Quoted::new(name), existing: self.kind(), pushed })
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

    /// One of its series keeps an exemplar that came at `now`.
    pub(super) fn keep(&self, series: &Series, exemplar: &Exemplar, now: Timestamp) {
        series.keep(exemplar, now);
        self.has_exemplars.store(true, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, now: Timestamp, pause: &mut impl FnMut()) -> FamilySnapshot {
        let mut sorted = self.sorted.lock();
        let fresh = mem::take(&mut *self.fresh.lock());
        if !fresh.is_empty() {
            *sorted = mem::take(&mut *sorted).merged_with(fresh);
        }
        let mut values = self.no_values(sorted.series().len());
        for some in sorted.series().chunks(SERIES_BETWEEN_PAUSES) {
            for series in some {
                series.read_into(&mut values, now);
            }
            pause();
        }
        FamilySnapshot {
            name: Arc::clone(&self.name),
            help: Arc::clone(&self.help.read()),
            index: Arc::clone(sorted.index()),
            values,
            exemplars: self.exemplars(sorted.series(), pause),
        }
    }

    fn no_values(&self, capacity: usize) -> Values {
        match &self.form {
            Form::Counter => Values::Counter(Vec::with_capacity(capacity)),
            Form::Gauge => Values::Gauge(Vec::with_capacity(capacity)),
            Form::Histogram(layout) => {
                Values::Histogram(Histograms::with_capacity(&layout.bounds, capacity))
            }
            Form::Summary(objectives) => {
                Values::Summary(Summaries::with_capacity(objectives.as_ref(), capacity))
            }
        }
    }

    fn exemplars(
        &self,
        series: &[Arc<Series>],
        pause: &mut impl FnMut(),
    ) -> Vec<(usize, Exemplars)> {
        let mut exemplars = Vec::new();
        if self.has_exemplars.load(Ordering::Relaxed) {
            for (some, first) in
                series.chunks(SERIES_BETWEEN_PAUSES).zip((0..).step_by(SERIES_BETWEEN_PAUSES))
            {
                let kept = (first..)
                    .zip(some)
                    .filter_map(|(place, series)| Some((place, series.exemplars()?)));
                exemplars.extend(kept);
                pause();
            }
        }
        exemplars
    }

    /// Whether a delta asks for another layout than this family has. Who asks for none asks for the default,
    /// which a family without classic bounds takes for no wish.
    pub(super) fn ignores_layout(&self, asked: &Layout) -> bool {
        let layout = self.layout();
        let no_wish = asked.bounds.is_default() && layout.bounds == Bounds::none();
        let same_bounds = asked.bounds == layout.bounds || no_wish;
        !same_bounds || asked.native.is_some() && asked.native != layout.native
    }

    /// Whether a delta asks for other quantiles than this family shows.
    pub(super) fn ignores_objectives(&self, asked: Option<&Objectives>) -> bool {
        match &self.form {
            Form::Summary(objectives) => asked.is_some() && asked != objectives.as_ref(),
            Form::Counter | Form::Gauge | Form::Histogram(_) => false,
        }
    }
}

/// The label names of a delta, comma-separated: sorted, and free of commas.
fn label_names(delta: &Delta<'_>) -> String {
    delta.labels().iter().map(|(name, _)| name).collect::<Vec<_>>().join(",")
}
