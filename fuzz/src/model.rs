//! The registry as its description has it: plain maps, every change kept, every value computed anew
//! from all of them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
    iter,
};

use pushprom_core::{
    limits::{BOUNDS_PER_HISTOGRAM_MAX, OVERFLOW_LABEL},
    model::Kind,
    registry::{Applied, Destination, SchemaConflicts},
};

use crate::{
    encode::Push,
    parse::{self, Labels, Value, is_label_name, is_metric_name},
};

/// The bounds of a histogram whose client names none.
const DEFAULT_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a registry should hold.
pub struct Model {
    schema_conflicts: SchemaConflicts,
    bounds: SeriesBounds,
    families: BTreeMap<String, Family>,
}

/// How many series there may be, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct SeriesBounds {
    /// In all.
    pub all: usize,
    /// Of each family.
    pub per_family: usize,
    /// Seconds without a delta after which one goes; `None` if it stays.
    pub expire_after: Option<u64>,
}

struct Family {
    kind: Kind,
    help: String,
    /// Those of the first series.
    label_names: Vec<String>,
    /// Those of the first series; of no meaning but for a histogram.
    layout: Layout,
    series: BTreeMap<Labels, Series>,
}

/// The bounds of a histogram, and how fine its native buckets are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layout {
    bounds: Vec<f64>,
    native: Option<(i8, usize)>,
}

struct Series {
    born: u64,
    /// The second of the last delta.
    touched: u64,
    /// All there were, in the order of arrival.
    steps: Vec<Step>,
    /// The sum of what was observed: of each delta by itself, and then of these.
    sum: f64,
}

/// A change to one series.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A counter grows by this, a gauge moves by it, the others observe it.
    Add(f64),
    /// A gauge takes this value.
    Set(f64),
}

impl Model {
    /// Nothing yet.
    pub fn new(schema_conflicts: SchemaConflicts, bounds: SeriesBounds) -> Self {
        Self { schema_conflicts, bounds, families: BTreeMap::new() }
    }

    /// Removes what has expired at `now`; says how many series that were.
    pub fn expire(&mut self, now: u64) -> usize {
        let Some(after) = self.bounds.expire_after else { return 0 };
        self.retain(|_, _, series| (now / 1000).saturating_sub(series.touched) <= after)
    }

    /// Removes the series that `is_wanted` picks; says how many.
    pub fn delete(&mut self, is_wanted: impl Fn(&str, &Labels) -> bool) -> usize {
        self.retain(|name, labels, _| !is_wanted(name, labels))
    }

    fn retain(&mut self, stays: impl Fn(&str, &Labels, &Series) -> bool) -> usize {
        let before = self.series_count();
        for (name, family) in &mut self.families {
            family.series.retain(|labels, series| stays(name, labels, series));
        }
        self.families.retain(|_, family| !family.series.is_empty());
        before - self.series_count()
    }

    /// Whether a family has as many series as it may, without those for what is too many.
    fn is_full(&self, name: &str) -> bool {
        let is_ordinary = |labels: &Labels| labels.iter().all(|(name, _)| name != OVERFLOW_LABEL);
        let family = self.families.get(name);
        let series = family
            .map_or(0, |family| family.series.keys().filter(|labels| is_ordinary(labels)).count());
        series >= self.bounds.per_family
    }

    /// What applying `push` at the time `now` should say, `None` if it has to be refused.
    pub fn apply(&mut self, push: &Push, now: u64) -> Option<Applied> {
        let (kind, steps) = kind_and_steps(push)?;
        let labels = labels(push, kind)?;
        let layout = if kind == Kind::Histogram { layout(push)? } else { Layout::default() };
        let label_names: Vec<String> = labels.iter().map(|(name, _)| name.clone()).collect();
        if !is_metric_name(&push.name) {
            return None;
        }
        match self.families.get(&push.name) {
            Some(family) => {
                let differs = family.help != push.help || family.label_names != label_names;
                let refuses = match self.schema_conflicts {
                    SchemaConflicts::Adopt => false,
                    SchemaConflicts::Reject => differs,
                };
                if family.kind != kind || refuses {
                    return None;
                }
            }
            None => {
                if samples(&push.name, kind).iter().any(|name| is_reserved(name))
                    || self.collides(&push.name, kind)
                {
                    return None;
                }
            }
        }
        let mut created = self.born(&push.name, &labels).is_none();
        let mut labels = labels;
        let is_full = self.series_count() >= self.bounds.all || self.is_full(&push.name);
        let overflowed = created && is_full;
        if overflowed {
            if kind == Kind::Gauge || !self.families.contains_key(&push.name) {
                return None;
            }
            labels = Labels::from([(OVERFLOW_LABEL.to_owned(), "true".to_owned())]);
            created = self.born(&push.name, &labels).is_none();
        }
        let family = self.families.entry(push.name.clone()).or_insert_with(|| Family {
            kind,
            help: push.help.clone(),
            label_names,
            layout: layout.clone(),
            series: BTreeMap::new(),
        });
        let applied = Applied {
            created,
            help_replaced: !push.help.is_empty() && push.help != family.help,
            layout_ignored: family.layout.ignores(&layout),
            destination: if overflowed { Destination::Overflow } else { Destination::Series },
        };
        if applied.help_replaced {
            family.help.clone_from(&push.help);
        }
        let new = || Series { born: now, touched: 0, steps: Vec::new(), sum: 0.0 };
        let series = family.series.entry(labels).or_insert_with(new);
        series.touched = now / 1000;
        series.steps.extend(steps);
        if push.method == "observe" {
            let values = push.values.as_deref().unwrap_or(std::slice::from_ref(&push.value));
            let times = nearest(push.count.unwrap_or(1).into());
            series.sum += values.iter().sum::<f64>() * times;
        }
        Some(applied)
    }

    /// How many families there are.
    pub fn family_count(&self) -> usize {
        self.families.len()
    }

    /// How many series there are in all.
    pub fn series_count(&self) -> usize {
        self.families.values().map(|family| family.series.len()).sum()
    }

    /// When the first change to a series came, if one came.
    pub fn born(&self, name: &str, labels: &Labels) -> Option<u64> {
        Some(self.families.get(name)?.series.get(labels)?.born)
    }

    /// Panics unless a page shows exactly what is here.
    pub fn assert_shown(&self, page: &[parse::Family]) {
        let names: Vec<&String> = page.iter().map(|family| &family.name).collect();
        assert_eq!(names, self.families.keys().collect::<Vec<_>>());
        for (shown, (name, family)) in page.iter().zip(&self.families) {
            assert_eq!(shown.kind, family.kind, "the type of {name}");
            assert_eq!(shown.help, family.help, "the help of {name}");
            assert_eq!(shown.series.len(), family.series.len(), "the series of {name}");
            for series in &shown.series {
                let labels = &series.labels;
                let held = family.series.get(labels);
                let held = held.unwrap_or_else(|| panic!("{name} has no series {labels:?}"));
                let value = &series.value;
                let right = family.comes_to(value, held);
                assert!(right, "{name}{labels:?} is {value:?} after {:?}", held.steps);
            }
        }
    }

    /// Whether a sample of this family would have the name of one of another family's.
    fn collides(&self, name: &str, kind: Kind) -> bool {
        let taken: HashSet<String> =
            self.families.iter().flat_map(|(name, family)| samples(name, family.kind)).collect();
        samples(name, kind).iter().any(|sample| taken.contains(sample))
    }
}

impl Layout {
    /// Whether a client asks for another one. Who names no bounds has no wish where there are none.
    fn ignores(&self, asked: &Self) -> bool {
        let no_wish = self.bounds.is_empty() && asked.bounds == DEFAULT_BOUNDS;
        (asked.bounds != self.bounds && !no_wish)
            || (asked.native.is_some() && asked.native != self.native)
    }
}

impl Family {
    /// Whether `value` is what a series shows.
    fn comes_to(&self, value: &Value, series: &Series) -> bool {
        let steps = &series.steps;
        let added: Vec<f64> = steps.iter().map(|&(Step::Add(by) | Step::Set(by))| by).collect();
        let sum_of_all = series.sum;
        match (self.kind, value) {
            (Kind::Counter, Value::Number(total)) => is_total(*total, &added),
            (Kind::Gauge, Value::Number(shown)) => same(*shown, level(steps)),
            (Kind::Histogram, Value::Buckets { cumulative, sum }) => {
                let up_to = |bound| added.iter().filter(|value| **value <= bound).count();
                let bounds = self.layout.bounds.iter().copied().chain([f64::INFINITY]);
                let want = bounds.map(|bound| (bound, nearest(up_to(bound) as u128)));
                same(*sum, sum_of_all) && *cumulative == want.collect::<Vec<_>>()
            }
            (Kind::Summary, Value::Observations { sum, count }) => {
                same(*sum, sum_of_all) && same(*count, nearest(added.len() as u128))
            }
            (Kind::Counter | Kind::Gauge | Kind::Histogram | Kind::Summary, _) => false,
        }
    }
}

/// What a push asks for, if its words mean anything and no counter is to fall.
fn kind_and_steps(push: &Push) -> Option<(Kind, Vec<Step>)> {
    let value = push.value;
    let (kind, step) = match (push.kind.as_str(), push.method.as_str()) {
        ("counter", "inc") => (Kind::Counter, Step::Add(1.0)),
        ("counter", "add") if value >= 0.0 => (Kind::Counter, Step::Add(value)),
        ("gauge", "set") => (Kind::Gauge, Step::Set(value)),
        ("gauge", "inc") => (Kind::Gauge, Step::Add(1.0)),
        ("gauge", "dec") => (Kind::Gauge, Step::Add(-1.0)),
        ("gauge", "add") => (Kind::Gauge, Step::Add(value)),
        ("gauge", "sub") => (Kind::Gauge, Step::Add(-value)),
        ("histogram", "observe") => (Kind::Histogram, Step::Add(value)),
        ("summary", "observe") => (Kind::Summary, Step::Add(value)),
        (kind, "declare") => {
            let kind = Kind::from_word(kind)?;
            let is_plain = push.values.is_none() && push.count.is_none();
            let may_be_native = kind == Kind::Histogram || push.native.is_none();
            return (is_plain && may_be_native).then_some((kind, Vec::new()));
        }
        _ => return None,
    };
    let observes = push.method == "observe";
    let is_given_more = push.values.is_some() || push.count.is_some();
    if !observes && is_given_more || kind != Kind::Histogram && push.native.is_some() {
        return None;
    }
    let times = usize::try_from(push.count.unwrap_or(1)).ok().filter(|times| *times > 0)?;
    let steps = match &push.values {
        None => vec![step; times],
        Some(values) => {
            values.iter().flat_map(|value| iter::repeat_n(Step::Add(*value), times)).collect()
        }
    };
    Some((kind, steps))
}

/// The labels in order, the last of each name, if all may be written by a client.
fn labels(push: &Push, kind: Kind) -> Option<Labels> {
    let own = match kind {
        Kind::Counter | Kind::Gauge => "",
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
    };
    let good = |name: &str| is_label_name(name) && !name.starts_with("__") && name != own;
    push.labels.iter().all(|(name, _)| good(name)).then(|| {
        let last_of_each: BTreeMap<String, String> = push.labels.iter().cloned().collect();
        last_of_each.into_iter().collect()
    })
}

/// The layout of a histogram that this push begins, if there can be one.
fn layout(push: &Push) -> Option<Layout> {
    let bounds = match (&*push.buckets, push.native) {
        ([], None) => &DEFAULT_BOUNDS[..],
        (listed, _) => listed,
    };
    let good = bounds.is_sorted_by(|a, b| a < b) && bounds.len() <= BOUNDS_PER_HISTOGRAM_MAX;
    good.then(|| Layout { bounds: bounds.to_vec(), native: push.native })
}

/// Whether the server keeps this name to itself.
fn is_reserved(name: &str) -> bool {
    let ours = ["pushprom_", "process_", "go_gc_", "go_memstats_"];
    ours.iter().any(|start| name.starts_with(start))
        || matches!(
            name,
            "go_goroutines"
                | "go_info"
                | "go_threads"
                | "promhttp_metric_handler_requests_in_flight"
                | "promhttp_metric_handler_requests_total"
        )
}

/// The names that no family beside this one may have, nor one of its samples.
fn samples(name: &str, kind: Kind) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        Kind::Counter | Kind::Gauge => &[""],
        Kind::Histogram => &["", "_bucket", "_sum", "_count"],
        Kind::Summary => &["", "_sum", "_count"],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

/// What a gauge shows after its steps.
fn level(steps: &[Step]) -> f64 {
    steps.iter().fold(0.0, |level, step| match step {
        Step::Add(by) => level + by,
        Step::Set(value) => *value,
    })
}

/// Whether a counter may show `total` after growing by `amounts`. The whole ones add up exactly; where
/// they are more than a u64 holds, it is for the registry to say when it rounds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is cast is whole and in range"
)]
fn is_total(total: f64, amounts: &[f64]) -> bool {
    let (mut whole, mut rest) = (0_u128, 0.0);
    for &amount in amounts {
        if amount.fract() == 0.0 && amount < nearest(1 << 64) {
            whole += amount as u128;
        } else {
            rest += amount;
        }
    }
    let want = rest + nearest(whole);
    same(total, want) || (whole >= 1 << 64 && (total / want - 1.0).abs() < 1e-12)
}

/// The float nearest to a count.
#[expect(clippy::cast_precision_loss, reason = "rounds to nearest, as said")]
fn nearest(count: u128) -> f64 {
    count as f64
}

/// Whether two floats are equal, not a number to itself and 0 to -0 as well.
fn same(a: f64, b: f64) -> bool {
    a.partial_cmp(&b).map_or(a.is_nan() && b.is_nan(), Ordering::is_eq)
}
