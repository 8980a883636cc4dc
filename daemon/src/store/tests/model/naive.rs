//! What a server should hold, as its documentation has it: plain maps, and nothing of the code that it is to check.

use std::collections::{BTreeMap, VecDeque};

use pushprom_core::{answers::Answer, limits::OVERFLOW_LABEL, model::Kind};

use super::draw::{Act, Delta, Exemplar, Labels, Layout};

/// The bounds of a histogram whose client names none.
const DEFAULT_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Exemplars of a histogram without classic buckets.
const EXEMPLARS_OF_NATIVE: usize = 10;

/// Milliseconds of a slice of time, of which quantiles look back over five.
const SLICE_MILLIS: u64 = 120_000;

/// What the operator has decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether another help text or other label names are refused.
    pub(super) rejects_conflicts: bool,
    /// Series that a family may have.
    pub(super) per_family: Option<usize>,
    /// Seconds without a delta after which a series expires.
    pub(super) expire_after: Option<u32>,
    /// Keys that are remembered.
    pub(super) keys_max: usize,
    /// For how long.
    pub(super) window_millis: u64,
}

#[derive(Clone)]
pub(super) struct Model {
    settings: Settings,
    pub(super) families: BTreeMap<&'static str, Family>,
    /// The oldest first.
    keys: VecDeque<Kept>,
}

/// A key with what was answered to its message.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) key: &'static str,
    pub(super) message: String,
    /// Whether the key stood beside the message.
    pub(super) is_beside: bool,
    pub(super) answer: Answer,
    /// When it was answered.
    at: u64,
    /// Of all that was done, which it was.
    pub(super) step: u64,
}

#[derive(Clone)]
pub(super) struct Family {
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    /// Whether the next help text holds, since a start has found none.
    awaits_help: bool,
    label_names: Vec<&'static str>,
    pub(super) layout: Layout,
    pub(super) objectives: &'static [f64],
    pub(super) series: BTreeMap<Labels, Series>,
}

#[derive(Clone)]
pub(super) struct Series {
    pub(super) born: u64,
    /// The second of the last delta.
    pub(super) touched: u64,
    pub(super) value: Value,
    pub(super) exemplars: Vec<Held>,
}

/// An exemplar in a bucket.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) bucket: usize,
    pub(super) trace: &'static str,
    pub(super) value: i64,
    pub(super) at: u64,
}

/// What a series has come to, in eighths.
#[derive(Clone)]
pub(super) enum Value {
    Number(i64),
    Buckets {
        counts: Vec<u64>,
        /// What was observed, and how often; what a client has sorted is not here.
        seen: BTreeMap<i64, u64>,
        sum: i64,
    },
    Summary {
        count: u64,
        sum: i64,
        /// What was observed in a slice of time, and how often.
        seen: BTreeMap<(u64, i64), u64>,
    },
}

impl Model {
    /// Nothing.
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, families: BTreeMap::new(), keys: VecDeque::new() }
    }

    /// Applies a delta, or says that it has to be refused.
    pub(super) fn apply(&mut self, delta: &Delta, now: u64) -> bool {
        if matches!(delta.act, Act::Flaw(_)) {
            return false;
        }
        let label_names: Vec<&str> = delta.labels.keys().copied().collect();
        let mut labels = delta.labels.clone();
        if let Some(family) = self.families.get(delta.name) {
            let differs = !family.awaits_help && family.help != delta.help
                || family.label_names != label_names;
            let is_unsortable = matches!(delta.act, Act::Sorted(..))
                && (family.layout.native.is_some()
                    || bounds(&family.layout) != bounds(&delta.layout));
            if family.kind != delta.kind
                || self.settings.rejects_conflicts && differs
                || is_unsortable
            {
                return false;
            }
            let limit = self.settings.per_family.unwrap_or(usize::MAX);
            let is_ordinary = |labels: &&Labels| !labels.contains_key(OVERFLOW_LABEL);
            let is_full = family.series.keys().filter(is_ordinary).count() >= limit;
            if is_full && !family.series.contains_key(&labels) {
                if delta.kind == Kind::Gauge {
                    return false;
                }
                labels = Labels::from([(OVERFLOW_LABEL, "true")]);
            }
        }
        let family = self.families.entry(delta.name).or_insert_with(|| Family {
            kind: delta.kind,
            help: delta.help,
            awaits_help: false,
            label_names,
            layout: delta.layout.clone(),
            objectives: delta.objectives,
            series: BTreeMap::new(),
        });
        if !delta.help.is_empty() {
            family.help = delta.help;
            family.awaits_help = false;
        }
        let series = family.series.entry(labels).or_insert_with(|| Series {
            born: now,
            touched: 0,
            value: Value::none(delta.kind, &family.layout),
            exemplars: Vec::new(),
        });
        series.touched = now / 1000;
        series.value.change(&delta.act, &family.layout, now);
        if let Some(exemplar) = &delta.exemplar {
            series.keep(exemplar, delta, &family.layout, now);
        }
        true
    }

    /// It has been started anew.
    pub(super) fn restart(&mut self) {
        for family in self.families.values_mut() {
            family.awaits_help = family.help.is_empty();
        }
    }

    /// Removes a series; says whether it was there.
    pub(super) fn remove(&mut self, name: &str, labels: &Labels) -> bool {
        let Some(family) = self.families.get_mut(name) else { return false };
        let was_there = family.series.remove(labels).is_some();
        self.families.retain(|_, family| !family.series.is_empty());
        was_there
    }

    /// Removes what has expired; says how many series that were.
    pub(super) fn expire(&mut self, now: u64) -> usize {
        let Some(after) = self.settings.expire_after else { return 0 };
        let mut expired = 0;
        for family in self.families.values_mut() {
            expired += family.series.len();
            family.series.retain(|_, series| now / 1000 <= series.touched + u64::from(after));
            expired -= family.series.len();
        }
        self.families.retain(|_, family| !family.series.is_empty());
        expired
    }

    /// What was answered to a key that is remembered.
    pub(super) fn answered(&self, key: &str, now: u64) -> Option<&Kept> {
        let window = self.settings.window_millis;
        self.keys.iter().find(|kept| kept.key == key && now - kept.at < window)
    }

    /// Remembers what is answered to a key, which has none.
    pub(super) fn remember(&mut self, kept: Kept) {
        let window = self.settings.window_millis;
        self.keys.retain(|old| kept.at - old.at < window);
        self.keys.push_back(kept);
        while self.keys.len() > self.settings.keys_max {
            self.keys.pop_front();
        }
    }
}

impl Kept {
    pub(super) fn new(
        (key, is_beside): (&'static str, bool),
        message: String,
        answer: Answer,
        (at, step): (u64, u64),
    ) -> Self {
        Self { key, message, is_beside, answer, at, step }
    }
}

impl Value {
    fn none(kind: Kind, layout: &Layout) -> Self {
        match kind {
            Kind::Counter | Kind::Gauge => Self::Number(0),
            Kind::Histogram => {
                let counts = vec![0; bounds(layout).len() + 1];
                Self::Buckets { counts, seen: BTreeMap::new(), sum: 0 }
            }
            Kind::Summary => Self::Summary { count: 0, sum: 0, seen: BTreeMap::new() },
        }
    }

    fn change(&mut self, act: &Act, layout: &Layout, now: u64) {
        match (self, act) {
            (Self::Number(number), Act::Add(by)) => *number += by,
            (Self::Number(number), Act::Set(to)) => *number = *to,
            (Self::Buckets { counts, seen, sum }, Act::Observe(values, times)) => {
                for value in values {
                    counts[bucket_of(*value, layout)] += times;
                    *seen.entry(*value).or_default() += times;
                    *sum += value * i64::try_from(*times).unwrap();
                }
            }
            (Self::Buckets { counts, sum, .. }, Act::Sorted(more, by)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                *sum += by;
            }
            (Self::Summary { count, sum, seen }, Act::Observe(values, times)) => {
                for value in values {
                    *count += times;
                    *sum += value * i64::try_from(*times).unwrap();
                    *seen.entry((now / SLICE_MILLIS, *value)).or_default() += times;
                }
            }
            (_, Act::Declare) => {}
            (_, act) => panic!("{act:?} is of another kind"),
        }
    }
}

impl Series {
    fn keep(&mut self, exemplar: &Exemplar, delta: &Delta, layout: &Layout, now: u64) {
        let only = match &delta.act {
            Act::Add(by) => Some(*by),
            Act::Observe(values, _) => values.first().copied(),
            Act::Declare | Act::Set(_) | Act::Sorted(..) | Act::Flaw(_) => None,
        };
        let value = exemplar.value.or(only).expect("it has a value");
        let (bucket, most) = match delta.kind {
            Kind::Histogram if bounds(layout).is_empty() => (0, EXEMPLARS_OF_NATIVE),
            Kind::Histogram => (bucket_of(value, layout), 1),
            Kind::Counter | Kind::Gauge | Kind::Summary => (0, 1),
        };
        if self.exemplars.iter().filter(|held| held.bucket == bucket).count() == most {
            let oldest = self.exemplars.iter().position(|held| held.bucket == bucket);
            self.exemplars.remove(oldest.expect("there are some"));
        }
        let at = exemplar.seconds.map_or(now, |seconds| seconds * 1000);
        self.exemplars.push(Held { bucket, trace: exemplar.trace, value, at });
    }
}

/// The bounds that a client gets who asks for a layout.
pub(super) fn bounds(layout: &Layout) -> &'static [f64] {
    match (layout.bounds, layout.native) {
        ([], None) => &DEFAULT_BOUNDS,
        (listed, _) => listed,
    }
}

fn bucket_of(value: i64, layout: &Layout) -> usize {
    let value = super::draw::float(value);
    let bounds = bounds(layout);
    bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len())
}

/// Native buckets: the schema they come to, and of each side, by index, how many.
pub(super) struct Native {
    pub(super) schema: i8,
    pub(super) zero: u64,
    pub(super) negative: BTreeMap<i32, u64>,
    pub(super) positive: BTreeMap<i32, u64>,
}

impl Native {
    /// The finest there are, not finer than asked for, that are few enough.
    pub(super) fn of(seen: &BTreeMap<i64, u64>, (finest, most): (i8, u16)) -> Self {
        let at = |schema: i8| {
            let mut native =
                Self { schema, zero: 0, negative: BTreeMap::new(), positive: BTreeMap::new() };
            for (&value, times) in seen {
                match value {
                    0 => native.zero += times,
                    1.. => *native.positive.entry(index(value, schema)).or_default() += times,
                    _ => *native.negative.entry(index(value, schema)).or_default() += times,
                }
            }
            native
        };
        let is_few = |it: &Self| it.negative.len() + it.positive.len() <= usize::from(most);
        (-4..=finest).rev().map(at).find(is_few).expect("the coarsest are few")
    }
}

/// The exponential bucket of a value.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
pub(super) fn index(value: i64, schema: i8) -> i32 {
    (super::draw::float(value).abs().log2() * f64::from(schema).exp2()).ceil() as i32
}

/// About the smallest value that is not below this part of what was seen of late: where it lies.
pub(super) fn quantile(seen: &BTreeMap<(u64, i64), u64>, part: f64, now: u64) -> Option<i64> {
    let first = (now / SLICE_MILLIS + 1).saturating_sub(5);
    let mut recent: Vec<(i64, u64)> = seen
        .iter()
        .filter(|((slice, _), _)| *slice >= first)
        .map(|((_, value), times)| (*value, *times))
        .collect();
    recent.sort_unstable();
    let all: u64 = recent.iter().map(|(_, times)| times).sum();
    let mut passed = 0;
    recent.into_iter().find_map(|(value, times)| {
        passed += times;
        (nearest(passed) >= (part * nearest(all)).ceil()).then_some(value)
    })
}

#[expect(clippy::cast_precision_loss, reason = "it is small")]
fn nearest(count: u64) -> f64 {
    count as f64
}
