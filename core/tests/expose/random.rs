//! Registries that hold anything.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Names that want one another's, and such as only some of Prometheus knows.
const NAMES: [&str; 24] = [
    "x",
    "x_total",
    "x_created",
    "x_sum",
    "x_count",
    "x_bucket",
    "x_total_total",
    "_total",
    "y",
    "y_created",
    "y_seconds",
    "y_seconds_total",
    "a.b",
    "a_b",
    "a-b",
    "a.b_total",
    "a.b_count",
    "a_b_total",
    "U__a_2e_b",
    "U__a_2e_b__total",
    "\u{e9}",
    "1 {\"\\\n#,=} ",
    "_",
    "a.b_created",
];

const LABEL_NAMES: [&str; 14] = [
    "a",
    "b",
    "a.b",
    "a_b",
    "a-b",
    "a:b",
    "\u{e9}a",
    "..",
    ".",
    "U__a_2e_b",
    "1",
    "_dot_",
    "\"\\\n,=}",
    "le",
];

const LABEL_VALUES: [&str; 8] =
    ["", "1", "2", "\\\"\n", "},{", "a,\"b\"=\"c", "\u{e9} # {x=\"y\"} 1", "\\"];

const FLOATS: [f64; 14] = [
    0.0,
    1.0,
    2.0,
    0.25,
    3.5,
    -1.0,
    -0.25,
    1e-9,
    1e6,
    123_456_789.0,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// What happens to one series.
#[derive(Clone, Debug)]
struct Push {
    name: &'static str,
    labels: Vec<(&'static str, &'static str)>,
    change: Change,
    exemplar: Option<Exemplar>,
    now: u64,
}

fn pairs() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    vec((select(&LABEL_NAMES[..]), select(&LABEL_VALUES[..])), 0..4)
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    // Where some are not finite or negative, most forms are loose.
    prop_oneof![vec(select(&FLOATS[..5]), 0..8), vec(select(&FLOATS[..]), 0..3)]
}

fn change() -> impl Strategy<Value = Change> {
    let bounds = select(vec![vec![], vec![1.0], vec![0.0, 0.5, 2.0, 1e6], vec![-1.0, 1.0]]);
    let schema = prop_oneof![Just(None), (-4_i8..9).prop_map(Some)];
    let native = schema.prop_map(|schema| Resolution::new(Some(schema?.into()), Some(8.0)).ok());
    let objectives =
        select(vec![vec![], vec![("0.5", 0.1)], vec![("0", 0.1), ("0.99", 0.1), ("1", 0.1)]]);
    prop_oneof![
        select(&FLOATS[..5]).prop_map(add),
        select(&FLOATS[..]).prop_map(set),
        (values(), bounds, native)
            .prop_map(|(values, bounds, native)| histogram(&values, &bounds, native)),
        (values(), objectives).prop_map(|(values, objectives)| summary(&values, &objectives)),
    ]
}

fn any_exemplar() -> impl Strategy<Value = Option<Exemplar>> {
    let times = select(vec![None, Some(0.0), Some(1.5), Some(1_699_999_999.999)]);
    let parts = (pairs(), select(&FLOATS[..]), times);
    let made = parts
        .prop_map(|(pairs, value, seconds)| Exemplar::new(&labels(&pairs), value, seconds).ok());
    prop_oneof![2 => Just(None), 1 => made]
}

fn push() -> impl Strategy<Value = Push> {
    let parts = (select(&NAMES[..]), pairs(), change(), any_exemplar(), 0_u64..5_000);
    parts.prop_map(|(name, labels, change, exemplar, now)| Push {
        name,
        labels,
        change,
        exemplar,
        now,
    })
}

/// What some registry holds. What it refuses has no part in it.
pub(super) fn snapshot() -> impl Strategy<Value = Snapshot> {
    vec(push(), 0..40).prop_map(|pushes| {
        let registry = registry();
        for push in &pushes {
            let name = MetricName::new(push.name.into(), NameScheme::Utf8).expect("a good name");
            let help = if push.now % 2 == 0 { "" } else { " a \"b\" \\ \n c " };
            let made = Delta::new(name, help.into(), labels(&push.labels), push.change.clone());
            let Ok(mut delta) = made else { continue };
            if let Some(exemplar) = &push.exemplar {
                delta = delta.clone().with_exemplar(exemplar.clone()).unwrap_or(delta);
            }
            let _refused =
                registry.apply(&delta, Policy::default().source(), Timestamp(push.now)).is_err();
        }
        registry.snapshot(NOW)
    })
}
