//! What the registry makes of deltas, as data: each case is a list of JSON deltas and what they leave.

mod journal;
mod observations;
mod policies;
mod removal;
mod room;

use std::{cell::RefCell, thread, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    expose::{self, Options, Shape},
    limits::{Limits, NameScheme, SeriesLimits},
    model::{
        Amount, Buckets, Change, GaugeChange, HistogramChange, Labels, Layout, MetricName,
        Readings, Resolution, Summary, SummaryChange, Value, count_as_f64,
    },
    policy::Policy,
    rules::Rules,
    snapshot::{FamilySnapshot, Values},
    wire::json,
};

/// Applies JSON deltas; each line of the result is `ok`, or why not; the page follows.
fn apply_all(registry: &Registry, deltas: &[&str]) -> String {
    apply_under(registry, &Policy::default(), deltas)
}

/// The same under a policy.
fn apply_under(registry: &Registry, policy: &Policy, deltas: &[&str]) -> String {
    let mut lines = String::new();
    for delta in deltas {
        let message = json::decode(delta.as_bytes(), &Limits::default());
        for delta in message.deltas {
            let applied = delta.map_err(|error| error.to_string()).and_then(|delta| {
                registry.apply(&delta, policy.source(), Timestamp(7)).map_err(|e| e.to_string())
            });
            let line = match applied {
                Ok(applied) if applied.help_replaced && !applied.created => {
                    "ok, new help".to_owned()
                }
                Ok(applied) if applied.layout_ignored => "ok, own layout".to_owned(),
                Ok(applied) => match applied.destination {
                    Destination::Series => "ok".to_owned(),
                    Destination::Overflow => "ok, overflow".to_owned(),
                    Destination::Nowhere => "ok, dropped".to_owned(),
                },
                Err(error) => error,
            };
            lines += &format!("{line}\n");
        }
    }
    lines + &page(registry)
}

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    let snapshot = registry.snapshot(Timestamp(7));
    expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
    String::from_utf8(page).unwrap()
}

#[track_caller]
fn check_with(conflicts: SchemaConflicts, deltas: &[&str], want: &str) {
    let registry = Registry::new(conflicts);
    assert_eq!(apply_all(&registry, deltas), want);
}

#[track_caller]
fn check(deltas: &[&str], want: &str) {
    check_with(SchemaConflicts::Adopt, deltas, want);
}

const INC: &str = r#"{"type":"counter","name":"c","help":"h","method":"inc"}"#;

#[test]
fn every_kind_is_laid_out_as_in_the_original() {
    check(
        &[
            r#"{"type":"summary","name":"s","help":"a \\ \n \"b\"","method":"observe","value":0.5}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":1,"buckets":[1,2000000]}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":1.5,"buckets":[1,2000000]}"#,
            r#"{"type":"histogram","name":"h","method":"observe","value":3e9,"labels":{"b":"\"","a":""}}"#,
            r#"{"type":"gauge","name":"g","method":"sub","value":2.5}"#,
            r#"{"type":"counter","name":"c","method":"add","value":1234567}"#,
        ],
        concat!(
            "ok\nok\nok\nok, own layout\nok\nok\n",
            "# HELP c \n# TYPE c counter\nc 1.234567e+06\n",
            "# HELP g \n# TYPE g gauge\ng -2.5\n",
            "# HELP h \n# TYPE h histogram\n",
            "h_bucket{le=\"1\"} 1\nh_bucket{le=\"2e+06\"} 2\nh_bucket{le=\"+Inf\"} 2\n",
            "h_sum 2.5\nh_count 2\n",
            "h_bucket{a=\"\",b=\"\\\"\",le=\"1\"} 0\nh_bucket{a=\"\",b=\"\\\"\",le=\"2e+06\"} 0\n",
            "h_bucket{a=\"\",b=\"\\\"\",le=\"+Inf\"} 1\n",
            "h_sum{a=\"\",b=\"\\\"\"} 3e+09\nh_count{a=\"\",b=\"\\\"\"} 1\n",
            "# HELP s a \\\\ \\n \"b\"\n# TYPE s summary\ns_sum 0.5\ns_count 1\n",
        ),
    );
}

#[test]
fn a_refused_delta_leaves_no_trace() {
    check(&[r#"{"type":"counter","name":"c","method":"set"}"#], &{
        "method \"set\" is unknown for a counter; use inc, add or declare\n".to_owned()
    });
    check(
        &[INC, r#"{"type":"gauge","name":"c","help":"other","method":"inc","labels":{"a":"b"}}"#],
        "ok\n\"c\" is a counter, not a gauge: use another name or the type it has\n\
         # HELP c h\n# TYPE c counter\nc 1\n",
    );
    let remedy = "is reserved, since it is or was one of pushprom's own metrics: rename yours\n";
    check(
        &[
            r#"{"type":"counter","name":"process_x","method":"inc"}"#,
            r#"{"type":"summary","name":"process","method":"observe"}"#,
        ],
        &format!("\"process_x\" {remedy}\"process\" {remedy}"),
    );
}

#[test]
fn sample_names_never_collide() {
    let h = r#"{"type":"histogram","name":"x","method":"observe","buckets":[1]}"#;
    let s = r#"{"type":"summary","name":"x","method":"observe"}"#;
    let named = |name: &str| format!(r#"{{"type":"counter","name":"{name}","method":"inc"}}"#);
    for (first, suffix, collides) in [
        (h, "bucket", true),
        (h, "sum", true),
        (h, "count", true),
        (s, "bucket", false),
        (s, "sum", true),
        (s, "count", true),
        (h, "total", false),
        (INC, "count", false),
    ] {
        let second = named(&format!("x_{suffix}"));
        for order in [[first, &second], [&second, first]] {
            let registry = Registry::new(SchemaConflicts::Adopt);
            let lines = apply_all(&registry, &order);
            let refused = lines.lines().nth(1).unwrap().contains("would collide with those of");
            assert_eq!(refused, collides, "{order:?}: {lines}");
            assert_eq!(registry.family_count(), if collides { 1 } else { 2 });
        }
    }
}

#[test]
fn schema_changes_are_adopted_or_rejected() {
    let changed = [
        INC,
        r#"{"type":"counter","name":"c","help":"new","method":"inc"}"#,
        r#"{"type":"counter","name":"c","help":"new","method":"inc","labels":{"a":"1"}}"#,
        r#"{"type":"counter","name":"c","help":"h","method":"inc","labels":{"a":"2"}}"#,
        r#"{"type":"counter","name":"c","method":"inc"}"#,
    ];
    check(
        &changed,
        "ok\nok, new help\nok\nok\nok\n# HELP c h\n# TYPE c counter\nc 3\nc{a=\"1\"} 1\nc{a=\"2\"} 1\n",
    );
    let remedy = "send the same, or start with -schema.conflicts=adopt";
    check_with(
        SchemaConflicts::Reject,
        &changed,
        &format!(
            "ok\n\"c\" has the help text \"h\", not \"new\": {remedy}\n\
             \"c\" has the help text \"h\", not \"new\": {remedy}\n\
             \"c\" has the label names \"\", not \"a\": {remedy}\n\
             \"c\" has the help text \"h\", not \"\": {remedy}\n\
             # HELP c h\n# TYPE c counter\nc 1\n"
        ),
    );
}

#[test]
fn reserved_names_are_so_in_any_writing() {
    let limits = Limits { names: NameScheme::Utf8, ..Limits::default() };
    let registry = Registry::new(SchemaConflicts::Adopt);
    for (name, is_reserved) in [
        ("pushprom.x", true),
        ("process x", true),
        ("go-info", true),
        ("pushprom", false),
        ("go.x", false),
    ] {
        let message = INC.replace("\"c\"", &format!("{name:?}"));
        let message = json::decode(message.as_bytes(), &limits);
        let applied = registry.apply(
            message.deltas[0].as_ref().unwrap(),
            Policy::default().source(),
            Timestamp(0),
        );
        assert_eq!(matches!(applied, Err(Rejected::ReservedName(_))), is_reserved, "{name}");
    }
}

#[test]
fn a_series_knows_its_birth() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let message = json::decode(INC.as_bytes(), &Limits::default());
    let delta = message.deltas[0].as_ref().unwrap();
    for now in [5, 9] {
        registry.apply(delta, Policy::default().source(), Timestamp(now)).unwrap();
    }
    let snapshot = registry.snapshot(Timestamp(9));
    let family = &snapshot.families()[0];
    assert_eq!(family.index.born(), [Timestamp(5)]);
    assert_eq!(first(family), Value::Counter(2.into()));
}

#[test]
fn a_snapshot_pauses_for_series_and_not_for_families() {
    for (families, series, want) in [(3000, 1, 12), (3, 4096, 6), (1, 1, 0), (20, 1000, 4)] {
        let registry = Registry::new(SchemaConflicts::Adopt);
        let delta = |n: usize| {
            let (family, n) = (n / series, n % series);
            format!(
                r#"{{"type":"counter","name":"m{family}","method":"inc","labels":{{"n":"{n}"}}}}"#
            )
        };
        let deltas: Vec<String> = (0..families * series).map(delta).collect();
        apply_all(&registry, &deltas.iter().map(String::as_str).collect::<Vec<_>>());
        let mut pauses = 0;
        drop(registry.snapshot_pausing(Timestamp(7), || pauses += 1));
        assert_eq!(pauses, want, "{families} families of {series}");
    }
}

#[test]
fn threads_lose_nothing() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let done = AtomicUsize::new(0);
    let message = |n: usize| {
        format!(
            r#"{{"type":"counter","name":"c","method":"add","value":0.5,"labels":{{"a":"{}"}}}}
               {{"type":"summary","name":"s","method":"observe","value":2}}"#,
            n % 50
        )
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..2000 {
                    let text = message(n);
                    for delta in json::decode(text.as_bytes(), &Limits::default()).deltas {
                        registry
                            .apply(&delta.unwrap(), Policy::default().source(), Timestamp(0))
                            .unwrap();
                    }
                }
                done.fetch_add(1, Relaxed);
            });
        }
        scope.spawn(|| {
            while done.load(Relaxed) < 4 {
                for family in registry.snapshot(Timestamp(0)).families() {
                    if let Value::Summary(Summary { observations: observed, .. }) = first(family) {
                        // Under heavy fire at most what the four threads have in flight is apart.
                        let apart = observed.sum - 2.0 * count_as_f64(observed.count);
                        assert!(apart.abs() <= 2.0 * 4.0, "{observed:?}");
                    }
                }
            }
        });
    });
    let page = page(&registry);
    assert!(page.contains("s_sum 16000\ns_count 8000\n"), "{page}");
    assert_eq!(page.matches("\"} 80\n").count(), 50, "{page}");
}

/// Changes to one series whose sums are exact.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let exact = || (-1000_i32..1000).prop_map(|n| f64::from(n) / 4.0);
    let bounds = crate::model::Bounds::new(&[0.0, 10.0]).unwrap();
    let layout = Layout { bounds, native: Some(Resolution::DEFAULT) };
    let of = |change: BoxedStrategy<Change>| proptest::collection::vec(change, 1..20);
    prop_oneof![
        of(exact().prop_map(|v| Change::Counter(Amount::new(v.abs()).unwrap())).boxed()),
        of(prop_oneof![
            exact().prop_map(|v| Change::Gauge(GaugeChange::Set(v))),
            exact().prop_map(|v| Change::Gauge(GaugeChange::Add(v)))
        ]
        .boxed()),
        of(exact()
            .prop_map(|v| {
                let readings = Readings::one(v);
                Change::Summary(SummaryChange::Observed { readings, objectives: None })
            })
            .boxed()),
        of(exact()
            .prop_map(move |value| {
                let layout = layout.clone();
                Change::Histogram(HistogramChange::Observed {
                    readings: Readings::one(value),
                    layout,
                })
            })
            .boxed()),
    ]
}

fn value_after(changes: &[Change]) -> Value {
    let registry = Registry::new(SchemaConflicts::Adopt);
    for change in changes {
        let name = MetricName::new("m".into(), NameScheme::Legacy).unwrap();
        let delta = Delta::new(name, "".into(), Labels::default(), change.clone()).unwrap();
        registry.apply(&delta, Policy::default().source(), Timestamp(0)).unwrap();
    }
    first(&registry.snapshot(Timestamp(0)).families()[0])
}

/// What the first series of a family holds.
fn first(family: &FamilySnapshot) -> Value {
    match &family.values {
        Values::Counter(amounts) => Value::Counter(amounts[0]),
        Values::Gauge(levels) => Value::Gauge(levels[0]),
        Values::Histogram(histograms) => {
            let one = histograms.iter().next().unwrap();
            let native = one.native.map(|_| Resolution::DEFAULT);
            let layout = Layout { bounds: histograms.bounds().clone(), native };
            let native = one.native.cloned();
            Value::Histogram(Buckets::from_parts(layout, one.counts.into(), native, one.sum))
        }
        Values::Summary(summaries) => {
            let (observations, _) = summaries.iter().next().unwrap();
            Value::Summary(Summary { observations, ..Summary::default() })
        }
    }
}

proptest! {
    /// The composition of changes does what they do one by one, and a value is itself a change.
    #[test]
    fn a_state_is_the_composition_of_its_changes(changes in changes()) {
        let value = value_after(&changes);
        let composed = changes.into_iter().reduce(|a, b| a.then(b).unwrap()).unwrap();
        prop_assert_eq!(&value_after(&[composed]), &value);
        prop_assert_eq!(value_after(&[value.clone().into()]), value);
    }
}

/// New series come between the scrapes of others: the page is that of all at once.
#[test]
fn an_order_is_kept_across_scrapes() {
    let delta = |n: usize| {
        format!(
            r#"{{"type":"counter","name":"c","method":"inc","labels":{{"a":"{}"}}}}"#,
            n * 7919 % 500
        )
    };
    let (scraped, at_once) = [(); 2].map(|()| Registry::new(SchemaConflicts::Adopt)).into();
    for n in 0..500 {
        apply_all(&at_once, &[&delta(n)]);
        if n % 50 < 3 {
            apply_all(&scraped, &[&delta(n)]);
        } else {
            let message = delta(n);
            let message = json::decode(message.as_bytes(), &Limits::default());
            scraped
                .apply(
                    message.deltas[0].as_ref().unwrap(),
                    Policy::default().source(),
                    Timestamp(0),
                )
                .unwrap();
        }
    }
    assert_eq!(page(&scraped), page(&at_once));
    assert_eq!(page(&scraped).lines().count(), 502);
}
