//! A family: what all series of one name share.

mod counts;
mod excess;
mod inspect;
mod records;

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, Ordering::Relaxed},
    },
};

use self::excess::Excess;
pub use inspect::Inspected;
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::{Rejected, room::Ledger, roster::Roster, series::Series};
use crate::{
    model::{
        Bounds, Change, Delta, Exemplar, Kind, LabelSet, Layout, Objectives, Quoted, Span,
        Timestamp,
    },
    rules::Rules,
    snapshot::{Exemplars, FamilySnapshot, Histograms, Summaries, Values},
};

/// Series whose values are copied in one go: some hundred microseconds, if none is in a cache.
pub(super) const SERIES_BETWEEN_PAUSES: usize = 4096;

pub(super) struct Family {
    /// Of this one alone among all there ever are.
    id: u64,
    name: Arc<str>,
    form: Form,
    /// How far back quantiles look.
    span: Span,
    /// The label names of the first delta, comma-separated, sorted: what `reject` holds others to.
    label_names: Box<str>,
    /// Whether the classic buckets are not for clients to say.
    has_ruled_bounds: bool,
    /// Whether the help text is not for clients to say.
    has_ruled_help: AtomicBool,
    /// Whether no client is known to have had a say in it, and no rule has any longer: the next text of a client
    /// holds.
    awaits_help: AtomicBool,
    help: RwLock<Arc<str>>,
    /// How often the help text has changed.
    help_version: AtomicU64,
    /// Series in the order of a page. Only scrapes lock it.
    sorted: Mutex<Roster>,
    /// Series that came since the last scrape, in order of arrival.
    fresh: Mutex<Roster>,
    /// Whether any series has exemplars.
    has_exemplars: AtomicBool,
    /// Series that are there, overflow series among them. Changed by who holds all families.
    live: AtomicUsize,
    /// Overflow series among them.
    overflow_series: AtomicUsize,
    /// Series that there may be besides those; `usize::MAX` for any number.
    limit: AtomicUsize,
    /// Whether series may expire.
    may_expire: AtomicBool,
    /// Whether series have been removed that the rosters still list.
    has_gone: AtomicBool,
    /// Deltas that went to an overflow series, or were refused in want of one.
    excess: Excess,
    /// Deltas so far, estimated by a sample of them.
    sampled: AtomicU64,
    ledger: Arc<Ledger>,
    /// Bytes that it has taken from the ledger, without its series.
    charged: AtomicUsize,
    /// Whether the journal has it that it has changed.
    is_noted: AtomicBool,
}

/// What a family begins with.
struct Birth<'a> {
    id: u64,
    name: &'a str,
    form: Form,
    label_names: Box<str>,
    help: Arc<str>,
}

/// The label to blame where a family has too many series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// Its name.
    pub label: Box<str>,
    /// Its distinct values.
    pub values: usize,
}

/// Bytes that a family takes besides its texts and series.
pub(super) const FAMILY_BYTES: usize = 1024;

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
    /// The family that `delta` begins. `None` if it would take more bytes than all may.
    pub(super) fn new(
        id: u64,
        delta: &Delta<'_>,
        rules: &Rules,
        ledger: Arc<Ledger>,
    ) -> Option<Self> {
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
        let (name, label_names) = (delta.name(), label_names(delta).into());
        let birth = Birth { id, name, form, label_names, help: delta.help().into() };
        Self::born(birth, rules, rules.limits.ordinary_bytes(), ledger)
    }

    /// A family that is to take no more than what makes `bytes_max` with all others.
    fn born(
        birth: Birth<'_>,
        rules: &Rules,
        bytes_max: usize,
        ledger: Arc<Ledger>,
    ) -> Option<Self> {
        let Birth { id, name, form, label_names, help } = birth;
        let ruled_help = rules.help(name);
        let help = ruled_help.map_or(help, Arc::clone);
        let charged = FAMILY_BYTES + name.len() + help.len() + label_names.len();
        if !ledger.take(charged, bytes_max) {
            return None;
        }
        Some(Self {
            id,
            name: name.into(),
            form,
            span: rules.span,
            label_names,
            has_ruled_bounds: rules.has_bounds(name),
            has_ruled_help: AtomicBool::new(ruled_help.is_some()),
            awaits_help: AtomicBool::new(false),
            help: RwLock::new(help),
            help_version: AtomicU64::new(0),
            sorted: Mutex::default(),
            fresh: Mutex::default(),
            has_exemplars: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            overflow_series: AtomicUsize::new(0),
            limit: AtomicUsize::new(rules.limit(name).unwrap_or(usize::MAX)),
            may_expire: AtomicBool::new(false),
            has_gone: AtomicBool::new(false),
            excess: Excess::default(),
            sampled: AtomicU64::new(0),
            ledger,
            charged: AtomicUsize::new(charged),
            is_noted: AtomicBool::new(false),
        })
    }

    pub(super) fn id(&self) -> u64 {
        self.id
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
        if self.has_ruled_help() || self.awaits_help() {
            return Ok(());
        }
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
    /// about it, nor does one whose text would take the bytes of all over `bytes_max`.
    pub(super) fn adopt_help(&self, help: &str, bytes_max: usize) -> bool {
        // Read first: the text is nearly always the same, and readers do not wait for each other.
        let differs = !help.is_empty() && !self.has_ruled_help() && **self.help.read() != *help;
        let is_another = differs && self.replace_help(help.into(), bytes_max);
        // Not before it is there: the one that a rule gave is not to be taken for a client's.
        if !help.is_empty() && self.awaits_help() {
            self.awaits_help.store(false, Relaxed);
        }
        is_another
    }

    /// The help text.
    pub(super) fn help(&self) -> Arc<str> {
        Arc::clone(&self.help.read())
    }

    /// Whether the help text is not for clients to say.
    pub(super) fn has_ruled_help(&self) -> bool {
        self.has_ruled_help.load(Relaxed)
    }

    /// Whether the next help text of a client holds, whatever it is.
    pub(super) fn awaits_help(&self) -> bool {
        self.awaits_help.load(Relaxed)
    }

    /// Follows other rules from now on, where a family that has begun can. Says whether the help text is another
    /// one now.
    pub(super) fn follow(&self, rules: &Rules) -> bool {
        self.limit.store(rules.limit(&self.name).unwrap_or(usize::MAX), Relaxed);
        let help = rules.help(&self.name);
        let was_ruled = self.has_ruled_help.swap(help.is_some(), Relaxed);
        if was_ruled && help.is_none() {
            self.awaits_help.store(true, Relaxed);
        }
        let another = help.filter(|help| **self.help.read() != ***help);
        another.is_some_and(|help| self.replace_help(Arc::clone(help), usize::MAX))
    }

    fn replace_help(&self, help: Arc<str>, bytes_max: usize) -> bool {
        let mut current = self.help.write();
        if !self.ledger.take(help.len(), bytes_max) {
            return false;
        }
        self.ledger.give_back(current.len());
        self.charged.fetch_add(help.len(), Relaxed);
        self.charged.fetch_sub(current.len(), Relaxed);
        *current = help;
        self.help_version.fetch_add(1, Ordering::Release);
        true
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
        self.live.fetch_add(1, Relaxed);
        self.fresh.lock().push(labels, born, series);
    }

    /// One of its series keeps an exemplar that came at `now`, if all together take no more than `bytes_max`.
    pub(super) fn keep(
        &self,
        series: &Series,
        exemplar: &Exemplar,
        bytes_max: usize,
        now: Timestamp,
    ) {
        series.keep(exemplar, bytes_max, now);
        self.set_has_exemplars();
    }

    /// Some of its series have exemplars.
    pub(super) fn set_has_exemplars(&self) {
        self.has_exemplars.store(true, Relaxed);
    }

    pub(super) fn snapshot(&self, now: Timestamp, pause: &mut impl FnMut()) -> FamilySnapshot {
        let sorted = self.settled();
        let mut values = self.no_values(sorted.series().len());
        for some in sorted.series().chunks(SERIES_BETWEEN_PAUSES) {
            for series in some {
                series.read_into(&mut values, now);
            }
            // For fewer, whoever goes through families pauses now and then.
            if some.len() == SERIES_BETWEEN_PAUSES {
                pause();
            }
        }
        FamilySnapshot {
            name: Arc::clone(&self.name),
            help: self.help(),
            index: Arc::clone(sorted.index()),
            values,
            exemplars: self.exemplars(sorted.series(), pause),
        }
    }

    /// All series that are there, in the order of a page.
    pub(super) fn settled(&self) -> MutexGuard<'_, Roster> {
        let mut sorted = self.sorted.lock();
        let fresh = mem::take(&mut *self.fresh.lock());
        // What is marked later than this is listed once more, with the value it had; nothing of the same
        // labels is, since a series is marked before another takes its place.
        let has_gone = self.has_gone.swap(false, Ordering::Acquire);
        if !fresh.is_empty() || has_gone {
            *sorted = mem::take(&mut *sorted).merged_with(fresh);
        }
        sorted
    }

    /// Whether a page would have to wait for somebody.
    #[cfg(test)]
    pub(super) fn holds_up_pages(&self) -> bool {
        self.sorted.is_locked()
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
        if self.has_exemplars.load(Relaxed) {
            for (some, first) in
                series.chunks(SERIES_BETWEEN_PAUSES).zip((0..).step_by(SERIES_BETWEEN_PAUSES))
            {
                let kept = (first..)
                    .zip(some)
                    .filter_map(|(place, series)| Some((place, series.exemplars()?)));
                exemplars.extend(kept);
                if some.len() == SERIES_BETWEEN_PAUSES {
                    pause();
                }
            }
        }
        exemplars
    }

    /// Whether a delta asks for another layout than this family has. Who asks for none asks for the default,
    /// which a family without classic bounds takes for no wish.
    pub(super) fn ignores_layout(&self, asked: &Layout) -> bool {
        let layout = self.layout();
        let no_wish = asked.bounds.is_default() && layout.bounds == Bounds::none();
        let same_bounds = asked.bounds == layout.bounds || no_wish || self.has_ruled_bounds;
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

impl Drop for Family {
    fn drop(&mut self) {
        self.ledger.give_back(*self.charged.get_mut());
    }
}

/// The label names of a delta, comma-separated: sorted, and free of commas.
fn label_names(delta: &Delta<'_>) -> String {
    delta.labels().iter().map(|(name, _)| name).collect::<Vec<_>>().join(",")
}
