//! The registry against a model of it, from the bytes of the messages to the bytes of the page.

#![no_main]

use std::{iter, num::NonZeroU32, ops::ControlFlow::Continue};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    expose::{self, Options, Shape},
    limits::{BOUNDS_PER_HISTOGRAM_MAX, Limits, SeriesLimits},
    model::{DEFAULT_BOUNDS, Delta, Timestamp},
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    rules::Rules,
    snapshot::Snapshot,
    wire::json::{DeltaError, decode},
};
use pushprom_fuzz::{
    encode::Push,
    model::{Model, SeriesBounds},
    parse::{Labels, parse},
};

/// The page is compared around one delta in so many: to write it costs far more than to apply a delta.
const PAGES_EVERY: u64 = 8;

/// Deltas in one message; enough to have several, too few to meet a limit.
const BATCH_MAX: u8 = 32;

/// A small limit is below this, so that some scenarios meet it.
const SERIES_MAX_SMALL: u8 = 16;

/// Series expire after this many seconds at most.
const EXPIRE_AFTER_MAX: u8 = 8;

/// Labels of series that are deleted: fewer than this.
const LABELS_DELETED_MAX: u8 = 3;

/// The pace, so that series come of age within a scenario.
const MILLISECONDS_PER_DELTA: u64 = 300;

/// Times that a delta may come in a row, so that sums grow without a search for the same series.
const REPEATS_MAX: u8 = 4;

/// Names that claim each other's samples, or are the server's own, or nearly.
const NAMES: [&str; 24] = [
    "h",
    "h_bucket",
    "h_sum",
    "h_count",
    "h_total",
    "h_count_count",
    "h_bucket_sum",
    "s",
    "s_count",
    "a:b",
    "_",
    "_count",
    "__x",
    "pushprom",
    "pushprom_x",
    "process_x",
    "go_gc_x",
    "go_memstats_x",
    "go_info",
    "go_info_x",
    "promhttp_metric_handler_requests_total",
    "",
    "9h",
    "h\u{e9}",
];

/// Types with the methods that they have, then some that are none.
const METHODS: [(&str, &str); 17] = [
    ("counter", "inc"),
    ("counter", "add"),
    ("gauge", "set"),
    ("gauge", "inc"),
    ("gauge", "dec"),
    ("gauge", "add"),
    ("gauge", "sub"),
    ("histogram", "observe"),
    ("summary", "observe"),
    ("counter", "declare"),
    ("gauge", "declare"),
    ("histogram", "declare"),
    ("summary", "declare"),
    ("counter", "set"),
    ("summary", "inc"),
    ("Gauge", "set"),
    ("", ""),
];

const HELPS: [&str; 4] = ["", "h", "a\\b \"c\"", "two\nlines \\n "];

/// Label names, the good ones more often.
const LABEL_NAMES: [&str; 16] = [
    "a", "b", "c", "a1", "a", "b", "_", "_a", "A", "le", "quantile", "__a", "a:b", "1a", "",
    "\u{e9}",
];

/// Label values that want escapes, look like the text around them, or sort in odd places.
const LABEL_VALUES: [&str; 16] = [
    "",
    "x",
    "x ",
    "X",
    "\\",
    "\"",
    "\n",
    "\\n",
    "x\\",
    "\",b=\"x",
    "\"} 1\n",
    "\0\r\t\u{7f}",
    "\u{e9}",
    "\u{2028}\u{fffd}",
    "\u{1f600}",
    "{x=y, }#",
];

/// Values at the edges of what floats and counts can hold.
const EXTREMES: [f64; 16] = [
    -0.0,
    0.1,
    1e-5,
    5e-324,
    1e6,
    999_999.5,
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    18_446_744_073_709_549_568.0,
    18_446_744_073_709_551_616.0,
    1e19,
    1e300,
    f64::MAX,
    f64::MIN,
    -1e19,
    -1e-5,
];

/// What a run is made of.
#[derive(Arbitrary, Debug)]
struct Scenario {
    rejects_conflicts: bool,
    series_max: Option<u8>,
    family_max: Option<u8>,
    /// Seconds after which series expire.
    expire_after: Option<u8>,
    /// Which series are deleted after each message: of this many labels, in families with this first letter.
    deleted: Option<(u8, u8)>,
    /// Deltas per message.
    batch: u8,
    framing: Framing,
    drafts: Vec<Draft>,
}

/// How the deltas of a message stand beside each other.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Framing {
    Array,
    Lines,
}

/// A delta as choices from the tables above.
#[derive(Arbitrary, Debug)]
struct Draft {
    name: u8,
    method: u8,
    help: u8,
    value: Number,
    labels: [Option<(u8, u8)>; 3],
    buckets: Buckets,
    native: Native,
    bulk: Option<Bulk>,
    repeats: u8,
}

/// Which native buckets are asked for.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Native {
    No,
    NotGiven,
    Default,
    Fine,
}

/// Observations in bulk.
#[derive(Arbitrary, Debug)]
struct Bulk {
    values: [Option<Number>; 4],
    count: Option<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(i8),
    Eighths(i16),
    Extreme(u8),
    Any(f64),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Buckets {
    None,
    Default,
    Few,
    Fewer,
    Signed,
    TwoZeros,
    Falling,
    AsManyAsMayBe,
    TooMany,
}

fuzz_target!(|scenario: Scenario| {
    let schema_conflicts =
        if scenario.rejects_conflicts { SchemaConflicts::Reject } else { SchemaConflicts::Adopt };
    let small = scenario.series_max.map(|max| usize::from(max % SERIES_MAX_SMALL));
    let family_max = scenario.family_max.map(|max| usize::from(max % SERIES_MAX_SMALL));
    let expire_after = scenario.expire_after.map(|seconds| seconds % EXPIRE_AFTER_MAX + 1);
    let bounds = SeriesBounds {
        all: small.unwrap_or(usize::MAX),
        per_family: family_max.unwrap_or(usize::MAX),
        expire_after: expire_after.map(u64::from),
    };
    let limits = SeriesLimits {
        all: bounds.all,
        per_family: family_max,
        per_client: None,
        bytes: usize::MAX,
    };
    let expire_after = expire_after.and_then(|seconds| NonZeroU32::new(seconds.into()));
    let mut twins = Twins {
        registry: Registry::new(schema_conflicts),
        policy: Policy::open(Rules { limits, expire_after, ..Rules::default() }.into()),
        model: Model::new(schema_conflicts, bounds),
        now: 0,
    };
    let pushes: Vec<Push> = scenario.drafts.iter().flat_map(Draft::pushes).collect();
    for batch in pushes.chunks(usize::from(scenario.batch % BATCH_MAX) + 1) {
        let message = scenario.framing.message(batch);
        let decoded = decode(message.as_bytes(), &Limits::default());
        assert_eq!(decoded.broken, None, "{message}");
        assert_eq!(decoded.deltas.len(), batch.len(), "{message}");
        for (delta, push) in decoded.deltas.iter().zip(batch) {
            twins.apply(delta, push);
        }
        twins.remove(scenario.deleted);
    }
    twins.assert_equal();
});

/// A registry and the model that it has to agree with.
struct Twins {
    registry: Registry,
    policy: Policy,
    model: Model,
    now: u64,
}

impl Twins {
    fn apply(&mut self, delta: &Result<Delta<'_>, DeltaError>, push: &Push) {
        self.now += MILLISECONDS_PER_DELTA;
        let before = self
            .now
            .is_multiple_of(PAGES_EVERY * MILLISECONDS_PER_DELTA)
            .then(|| page(&self.registry.snapshot(Timestamp(self.now))));
        let applied = delta.as_ref().ok().and_then(|delta| {
            self.registry.apply(delta, self.policy.source(), Timestamp(self.now)).ok()
        });
        assert_eq!(applied, self.model.apply(push, self.now), "{push}");
        if applied.is_none()
            && let Some(before) = before
        {
            assert_eq!(
                before,
                page(&self.registry.snapshot(Timestamp(self.now))),
                "a trace of {push}"
            );
        }
    }

    /// Lets go what has expired, and what is to be deleted.
    fn remove(&mut self, deleted: Option<(u8, u8)>) {
        let now = Timestamp(self.now);
        assert_eq!(self.registry.expire(now, || ()), self.model.expire(self.now));
        let Some((labels, name)) = deleted else { return };
        let labels = usize::from(labels % LABELS_DELETED_MAX);
        let first = pick(&NAMES, name).as_bytes().first();
        let is_family = |name: &str| name.as_bytes().first() == first;
        let removed = self.registry.delete(
            |name| Continue(is_family(name)),
            |_, held| Continue(held.names().count() == labels),
            || (),
        );
        let wanted = |name: &str, held: &Labels| is_family(name) && held.len() == labels;
        assert!(removed.is_complete);
        assert_eq!(removed.series, self.model.delete(wanted));
    }

    fn assert_equal(&self) {
        assert_eq!(self.registry.series_count(), self.model.series_count());
        assert_eq!(self.registry.family_count(), self.model.family_count());
        let snapshot = self.registry.snapshot(Timestamp(self.now));
        let page = page(&snapshot);
        let families = parse(&page).unwrap_or_else(|problem| panic!("{problem}\n{page}"));
        self.model.assert_shown(&families);
        // The page does not tell when a series was born.
        for family in snapshot.families() {
            let mut walk = family.index.labels();
            for born in family.index.born() {
                let labels = walk.next().expect("each series has labels");
                let labels: Labels =
                    labels.iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
                let held = self.model.born(&family.name, &labels);
                assert_eq!(held, Some(born.0), "{}{labels:?}", family.name);
            }
            assert!(walk.next().is_none(), "{} has more labels than series", family.name);
        }
    }
}

fn page(snapshot: &Snapshot) -> String {
    let mut page = Vec::new();
    expose::encode(Shape::default(), Options::default(), snapshot, &mut page);
    String::from_utf8(page).expect("a page is UTF-8")
}

impl Framing {
    fn message(self, batch: &[Push]) -> String {
        let deltas: Vec<String> = batch.iter().map(Push::to_string).collect();
        match self {
            Self::Array => format!("[{}]", deltas.join(",")),
            Self::Lines => deltas.join("\n"),
        }
    }
}

impl Draft {
    fn pushes(&self) -> impl Iterator<Item = Push> {
        iter::repeat_n(self.push(), usize::from(self.repeats % REPEATS_MAX) + 1)
    }

    fn push(&self) -> Push {
        let (kind, method) = pick(&METHODS, self.method);
        let labels = self.labels.iter().flatten().map(|&(name, value)| {
            (pick(&LABEL_NAMES, name).to_owned(), pick(&LABEL_VALUES, value).to_owned())
        });
        Push {
            kind: kind.to_owned(),
            name: pick(&NAMES, self.name).to_owned(),
            help: pick(&HELPS, self.help).to_owned(),
            method: method.to_owned(),
            value: self.value.float(),
            labels: labels.collect(),
            buckets: self.buckets.bounds(),
            values: self.bulk.as_ref().map(Bulk::floats),
            count: self.bulk.as_ref().and_then(|bulk| bulk.count.map(u64::from)),
            native: match self.native {
                Native::No | Native::NotGiven => None,
                Native::Default => Some((3, 160)),
                Native::Fine => Some((8, 10)),
            },
            more: match self.native {
                Native::No => vec![("native", "false".to_owned())],
                Native::NotGiven | Native::Default | Native::Fine => Vec::new(),
            },
        }
    }
}

impl Bulk {
    fn floats(&self) -> Vec<f64> {
        self.values.iter().flatten().map(|number| number.float()).collect()
    }
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Small(whole) => whole.into(),
            Self::Eighths(eighths) => f64::from(eighths) / 8.0,
            Self::Extreme(choice) => pick(&EXTREMES, choice),
            Self::Any(float) => {
                if float.is_finite() {
                    float
                } else {
                    0.0
                }
            }
        }
    }
}

impl Buckets {
    fn bounds(self) -> Vec<f64> {
        let up_to = |count: usize| (0_u16..).map(f64::from).take(count).collect();
        match self {
            Self::None => Vec::new(),
            Self::Default => DEFAULT_BOUNDS.to_vec(),
            Self::Few => vec![1.0, 2.5, 1e6],
            Self::Fewer => vec![1.0, 2.5],
            Self::Signed => vec![-1e300, -0.125, -0.0, 5e-324],
            Self::TwoZeros => vec![-0.0, 0.0],
            Self::Falling => vec![2.0, 1.0],
            Self::AsManyAsMayBe => up_to(BOUNDS_PER_HISTOGRAM_MAX),
            Self::TooMany => up_to(BOUNDS_PER_HISTOGRAM_MAX + 1),
        }
    }
}

fn pick<T: Copy>(table: &[T], choice: u8) -> T {
    table[usize::from(choice) % table.len()]
}
