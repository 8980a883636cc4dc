//! Limits of series, and series that go.

use std::ops::ControlFlow::{Break, Continue};

use super::*;
use crate::policy::{Client, Source};

const MIB: usize = 1024 * 1024;

fn policy(limits: SeriesLimits) -> Policy {
    Policy::open(Rules { limits, ..Rules::default() }.into())
}

pub(super) fn registry() -> Registry {
    Registry::new(SchemaConflicts::Adopt)
}

/// Deletes all series of some families; counts them.
#[track_caller]
fn delete(registry: &Registry, of_family: impl Fn(&str) -> bool) -> usize {
    let deleted = registry.delete(|name| Continue(of_family(name)), |_, _| Continue(true), || ());
    assert!(deleted.is_complete);
    deleted.series
}

/// A delta of `kind` to the series of `family` with `a` as its label's value.
pub(super) fn delta(kind: &str, family: &str, a: usize) -> String {
    let method = if kind == "gauge" { "set" } else { "add" };
    let method = if kind == "summary" { "observe" } else { method };
    let buckets = if kind == "histogram" { r#""buckets":[1],"# } else { "" };
    let method = if kind == "histogram" { "observe" } else { method };
    format!(
        r#"{{"type":"{kind}","name":"{family}","method":"{method}","value":2,{buckets}"labels":{{"a":"{a}"}}}}"#
    )
}

/// Applies deltas; counts those that made or met a series, those that overflowed and those that were refused.
pub(super) fn count(registry: &Registry, policy: &Policy, deltas: &[String]) -> [usize; 3] {
    let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
    let outcome = apply_under(registry, policy, &deltas);
    let lines = || outcome.lines().take(deltas.len());
    let overflowed = lines().filter(|line| *line == "ok, overflow").count();
    let refused = lines().filter(|line| !line.starts_with("ok")).count();
    [deltas.len() - overflowed - refused, overflowed, refused]
}

#[test]
fn what_is_too_many_is_added_up() {
    let limits = SeriesLimits { per_family: Some(2), ..SeriesLimits::default() };
    let (registry, policy) = (registry(), policy(limits));
    for kind in ["counter", "summary", "histogram"] {
        let deltas: Vec<String> = (0..5).map(|a| delta(kind, &kind[..1], a)).collect();
        assert_eq!(count(&registry, &policy, &deltas), [2, 3, 0], "{kind}");
    }
    let page = page(&registry);
    for line in [
        "c{a=\"0\"} 2",
        "c{a=\"1\"} 2",
        "c{pushprom_overflow=\"true\"} 6",
        "s_sum{pushprom_overflow=\"true\"} 6",
        "s_count{pushprom_overflow=\"true\"} 3",
        "h_bucket{pushprom_overflow=\"true\",le=\"+Inf\"} 3",
    ] {
        assert!(page.contains(&format!("{line}\n")), "{line} is not in\n{page}");
    }
    let gauges: Vec<String> = (0..5).map(|a| delta("gauge", "g", a)).collect();
    assert_eq!(count(&registry, &policy, &gauges), [2, 0, 3]);
    assert_eq!(registry.series_count(), 3 * 3 + 2);
    let overflowed: Vec<u64> = registry.families().iter().map(|family| family.overflowed).collect();
    assert_eq!(overflowed, [3, 3, 3, 3]);
}

#[test]
fn each_limit_is_named_where_nothing_can_be_added_up() {
    for (limits, words) in [
        (SeriesLimits { all: 2, ..SeriesLimits::default() }, "the limit of 2: "),
        (
            SeriesLimits { per_family: Some(2), ..SeriesLimits::default() },
            "the limit of 2 for its family: ",
        ),
        (SeriesLimits { bytes: 1760, ..SeriesLimits::default() }, "fits into 1760 bytes: "),
    ] {
        let (registry, policy) = (registry(), policy(limits));
        let deltas: Vec<String> = (0..3).map(|a| delta("gauge", "g", a)).collect();
        let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
        let outcome = apply_under(&registry, &policy, &deltas);
        let last = outcome.lines().nth(2).unwrap();
        assert!(last.contains(&format!("would be one series more than {words}")), "{last}");
        assert_eq!((registry.series_count(), registry.family_count()), (2, 1));
    }
}

#[test]
fn a_new_family_has_no_series_to_add_up_in() {
    let (registry, policy) =
        (registry(), policy(SeriesLimits { all: 1, ..SeriesLimits::default() }));
    let deltas = ["a", "b", "a"].map(|family| delta("counter", family, 1));
    assert_eq!(count(&registry, &policy, &deltas), [2, 0, 1]);
    assert_eq!(count(&registry, &policy, &[delta("counter", "a", 2)]), [0, 1, 0]);
    assert_eq!((registry.series_count(), registry.family_count()), (2, 1));
}

/// The rule is the one thing that could name the last limit: it is not looked at where another is reached.
#[test]
fn no_rule_is_looked_at_for_a_new_name_that_is_refused() {
    let limits = SeriesLimits::default();
    for (limits, words) in [
        (SeriesLimits { all: 1, ..limits }, "the limit of 1: "),
        (SeriesLimits { per_client: Some(1), ..limits }, "the limit of 1 for this client: "),
        // Of a family and a series of 1,230 bytes; another such family would fit, but without a series.
        (SeriesLimits { bytes: 2700, ..limits }, "fits into 2700 bytes: "),
        (limits, "the limit of 0 for its family: "),
    ] {
        let settings = crate::rules::Settings { limit: Some(0), ..Default::default() };
        let pattern = crate::rules::Pattern::new("refused").unwrap();
        let rule = crate::rules::Rule::of_families(pattern, settings);
        let policy = Policy::open(Rules { limits, list: vec![rule], ..Rules::default() }.into());
        let source = Source { client: Client::Address(1), policy: &policy };
        let registry = registry();
        let push = |family: &str| {
            let text = delta("gauge", family, 1);
            let message = json::decode(text.as_bytes(), &Limits::default());
            registry.apply(message.deltas[0].as_ref().unwrap(), source, Timestamp(0))
        };
        assert_eq!(push("taken").map(|applied| applied.created), Ok(true));
        let refused = push("refused").unwrap_err().to_string();
        assert!(refused.contains(&format!("would be one series more than {words}")), "{refused}");
    }
}

#[test]
fn a_client_has_its_own_limit() {
    let limits = SeriesLimits { per_client: Some(2), ..SeriesLimits::default() };
    let (registry, policy) = (registry(), policy(limits));
    let push = |client, a| {
        let text = delta("counter", "c", a);
        let message = json::decode(text.as_bytes(), &Limits::default());
        let source = Source { client, policy: &policy };
        registry.apply(message.deltas[0].as_ref().unwrap(), source, Timestamp(0)).unwrap()
    };
    for (client, a, overflows) in [
        (Client::Address(1), 1, false),
        (Client::Address(1), 2, false),
        (Client::Address(1), 3, true),
        (Client::Address(1), 2, false),
        (Client::Address(2), 2, false),
        (Client::Address(2), 4, false),
        (Client::Principal("x"), 5, false),
        (Client::Unnamed, 6, false),
        (Client::Unnamed, 7, false),
        (Client::Unnamed, 8, false),
        (Client::Unix, 9, false),
        (Client::Unix, 10, false),
        (Client::Unix, 11, true),
        (Client::User("x"), 12, false),
        (Client::User("x"), 13, false),
        (Client::User("x"), 14, true),
    ] {
        let overflowed = push(client, a).destination == Destination::Overflow;
        assert_eq!(overflowed, overflows, "{client:?} {a}");
    }
    assert_eq!(registry.clients.count(), 5);
    assert_eq!(delete(&registry, |_| true), 12);
    assert_eq!(registry.clients.count(), 0, "who holds nothing is forgotten");
}

#[test]
fn a_delete_may_end_before_all_were_looked_at() {
    for (families, series, left) in [(0, 0, 12), (1, 12, 8), (2, 3, 9), (9, 0, 12), (9, 6, 6)] {
        let (registry, policy) = (registry(), Policy::default());
        let deltas: Vec<String> =
            (0..12).map(|a| delta("counter", &format!("c{}", a % 3), a)).collect();
        count(&registry, &policy, &deltas);
        let (looked_families, looked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let next = |looked: &AtomicUsize, most| {
            if looked.fetch_add(1, Relaxed) == most { Break(()) } else { Continue(true) }
        };
        let deleted = registry.delete(
            |_| next(&looked_families, families),
            |_, _| next(&looked, series),
            || (),
        );
        let want = Deleted { series: 12 - left, is_complete: false };
        assert_eq!((deleted, registry.series_count()), (want, left), "{families} {series}");
        assert_eq!(delete(&registry, |_| true), left);
        assert_eq!(registry.bytes(), 0);
    }
}

#[test]
fn bytes_are_given_back() {
    let (registry, policy) = (registry(), Policy::default());
    let exemplar =
        r#"{"type":"counter","name":"c","method":"inc","exemplar":{"labels":{"a":"b"}}}"#;
    let quantiles =
        r#"{"type":"summary","name":"s","method":"observe","value":1,"objectives":{"0.5":0.05}}"#;
    let native = r#"{"type":"histogram","name":"h","method":"observe","value":1,"native":true}"#;
    apply_under(&registry, &policy, &[exemplar, quantiles, native]);
    let held = registry.bytes();
    assert!((50_000..MIB).contains(&held), "{held}");
    assert_eq!(delete(&registry, |name| name != "c"), 2);
    assert!(registry.bytes() < 3000, "{}", registry.bytes());
    assert_eq!(delete(&registry, |_| true), 1);
    assert_eq!((registry.bytes(), registry.family_count(), registry.series_count()), (0, 0, 0));
}

/// Applies a delta at `now`, in seconds.
fn push_at(registry: &Registry, policy: &Policy, text: &str, now: u64) -> Applied {
    let message = json::decode(text.as_bytes(), &Limits::default());
    let now = Timestamp(now * 1000);
    registry.apply(message.deltas[0].as_ref().unwrap(), policy.source(), now).unwrap()
}

pub(super) fn expiring(seconds: u32) -> Policy {
    let expire_after = std::num::NonZeroU32::new(seconds);
    Policy::open(Rules { expire_after, ..Rules::default() }.into())
}

#[test]
fn a_series_expires_so_long_after_the_last_delta_to_it() {
    let (registry, policy) = (registry(), expiring(60));
    let [one, two] = [1, 2].map(|a| delta("counter", "c", a));
    push_at(&registry, &policy, &one, 100);
    push_at(&registry, &policy, &two, 100);
    push_at(&registry, &policy, &one, 130);
    for (now, expired) in [(160, 0), (161, 1), (161, 0), (189, 0)] {
        assert_eq!(registry.expire(Timestamp(now * 1000), || ()), expired, "at {now}");
    }
    assert!(!page(&registry).contains("a=\"2\""));
    // What comes back begins anew, later than what it was.
    assert!(push_at(&registry, &policy, &two, 189).created);
    let snapshot = registry.snapshot(Timestamp(0));
    assert_eq!(snapshot.families()[0].index.born(), [Timestamp(100_000), Timestamp(189_000)]);
    assert_eq!(page(&registry), "# HELP c \n# TYPE c counter\nc{a=\"1\"} 4\nc{a=\"2\"} 2\n");
    assert_eq!(registry.expire(Timestamp(190_000), || ()), 0);
    assert_eq!(registry.expire(Timestamp(191_000), || ()), 1);
    assert_eq!(registry.expire(Timestamp(249_000), || ()), 0);
    assert_eq!(registry.expire(Timestamp(250_000), || ()), 1);
    assert_eq!((registry.family_count(), page(&registry)), (0, String::new()));
    // Its name is free for something else.
    assert!(push_at(&registry, &policy, &delta("gauge", "c", 1), 250).created);
}

#[test]
fn nothing_expires_unasked_or_by_a_clock_that_goes_back() {
    let (registry, policy) = (registry(), Policy::default());
    push_at(&registry, &policy, &delta("counter", "c", 1), 100);
    assert_eq!(registry.expire(Timestamp(u64::MAX), || ()), 0);
    let policy = expiring(60);
    push_at(&registry, &policy, &delta("counter", "d", 1), 1000);
    push_at(&registry, &policy, &delta("counter", "d", 1), 10);
    assert_eq!(registry.expire(Timestamp(1_060_000), || ()), 0);
    assert_eq!(registry.expire(Timestamp(1_061_000), || ()), 1);
}

#[test]
fn other_rules_hold_for_what_is_there() {
    let (registry, plain) = (registry(), Policy::default());
    for a in 0..3 {
        push_at(&registry, &plain, &delta("counter", "c", a), 100);
    }
    let limits = SeriesLimits { per_family: Some(3), ..SeriesLimits::default() };
    let expire_after = std::num::NonZeroU32::new(60);
    let settings = crate::rules::Settings { help: Some("ruled".into()), ..Default::default() };
    let rule = crate::rules::Rule::of_families(crate::rules::Pattern::new("c").unwrap(), settings);
    let rules = Rules { limits, expire_after, list: vec![rule], ..Rules::default() };
    registry.follow(&rules, || ());
    let policy = Policy::open(rules.into());
    let applied = push_at(&registry, &policy, &delta("counter", "c", 3), 100);
    assert_eq!(applied.destination, Destination::Overflow);
    let helped = delta("counter", "c", 1).replace("\"method\"", "\"help\":\"mine\",\"method\"");
    assert!(!push_at(&registry, &policy, &helped, 100).help_replaced);
    assert!(page(&registry).starts_with("# HELP c ruled\n"));
    assert_eq!(registry.expire(Timestamp(160_000), || ()), 0);
    assert_eq!(registry.expire(Timestamp(161_000), || ()), 4);
}

#[test]
fn the_label_with_most_values_is_to_blame() {
    let limits = SeriesLimits { per_family: Some(4), ..SeriesLimits::default() };
    let (registry, policy) = (registry(), policy(limits));
    for user in 0..6 {
        let text = format!(
            r#"{{"type":"counter","name":"c","method":"inc","labels":{{"env":"e{}","user":"{user}"}}}}"#,
            user % 2
        );
        push_at(&registry, &policy, &text, 1);
    }
    let found = registry.blame(|| ());
    let want = Culprit { label: "user".into(), values: 6 };
    assert_eq!((found.len(), &found[0].culprit), (1, &want));
    assert!(registry.blame(|| ()).is_empty(), "once");
    assert_eq!(registry.families()[0].culprit, Some(want));
}

/// A counter with these labels.
fn of(labels: &str) -> String {
    format!(r#"{{"type":"counter","name":"c","method":"inc","labels":{{{labels}}}}}"#)
}

#[test]
fn what_is_too_many_is_to_blame_and_not_what_was_there() {
    let limits = SeriesLimits { per_family: Some(3), ..SeriesLimits::default() };
    let (registry, policy) = (registry(), policy(limits));
    for method in ["GET", "POST", "PUT"] {
        push_at(&registry, &policy, &of(&format!(r#""method":"{method}""#)), 1);
    }
    for user in 0..50 {
        push_at(&registry, &policy, &of(&format!(r#""method":"GET","user":"{user}""#)), 1);
    }
    let labels = |found: Vec<Overflowing>| -> Vec<String> {
        found.into_iter().map(|found| found.culprit.label.into()).collect()
    };
    assert_eq!(labels(registry.blame(|| ())), ["user"]);
    // Later it is another one, and is looked for when twice as many have come.
    for path in 0..500 {
        push_at(&registry, &policy, &of(&format!(r#""path":"{path}""#)), 1);
    }
    assert_eq!(labels(registry.blame(|| ())), ["path"]);
    assert!(registry.blame(|| ()).is_empty());
}

#[test]
fn no_series_is_beyond_the_limit_of_bytes() {
    let bytes = 1_000_000;
    let (registry, policy) =
        (registry(), policy(SeriesLimits { bytes, ..SeriesLimits::default() }));
    let push = |family: usize, a: usize| {
        let text = format!(
            r#"{{"type":"summary","name":"s{family}","method":"observe","objectives":{{"0.5":0}},"labels":{{"a":"{a}"}}}}"#
        );
        apply_under(&registry, &policy, &[&text]);
    };
    for family in 0..20 {
        push(family, 1);
    }
    for family in 0..20 {
        push(family, 2);
    }
    assert!(registry.bytes() <= bytes, "{}", registry.bytes());
    assert!(registry.series_count() > 2);
    delete(&registry, |_| true);
    assert_eq!(registry.bytes(), 0);
}

/// Series fill what is theirs, and then comes what takes bytes without being a series.
#[test]
fn the_room_of_overflow_series_is_theirs_alone() {
    let histogram = |family: usize, a: usize, more: &str| {
        let buckets = "[1,2,3,4,5,6,7,8,9,10]";
        format!(
            r#"{{"type":"histogram","name":"h{family}","method":"observe","value":1,"buckets":{buckets},{more}"labels":{{"a":"{a}"}}}}"#
        )
    };
    let help = format!(r#""help":"{}","#, "x".repeat(8000));
    let exemplar = r#""exemplar":{"labels":{"a":"b"}},"#;
    // Of those that overflow the labels are looked at, which takes room too: nothing more is needed for that.
    for (what, more) in [("samples", ""), ("help texts", &help), ("exemplars", exemplar)] {
        let limits = SeriesLimits { bytes: 1_000_000, ..SeriesLimits::default() };
        let (registry, policy) = (registry(), policy(limits));
        let all = |a: usize, more: &str| -> Vec<String> {
            (0..20).map(|family| histogram(family, a, more)).collect()
        };
        assert_eq!(count(&registry, &policy, &all(1, "")), [20, 0, 0], "{what}");
        let gauges: Vec<String> = (0..6000).map(|a| delta("gauge", "g", a)).collect();
        assert!(count(&registry, &policy, &gauges)[2] > 0, "{what}");
        assert_eq!(count(&registry, &policy, &all(1, more)), [20, 0, 0], "{what}");
        assert!(registry.bytes() <= limits.ordinary_bytes(), "{what}: {}", registry.bytes());
        assert_eq!(count(&registry, &policy, &all(2, more)), [0, 20, 0], "{what}");
        assert!(registry.bytes() <= limits.bytes, "{what}: {}", registry.bytes());
    }
}

#[test]
fn a_help_text_that_no_rule_sets_any_more_is_that_of_the_next_delta() {
    let registry = Registry::new(SchemaConflicts::Reject);
    let settings = crate::rules::Settings { help: Some("ruled".into()), ..Default::default() };
    let rule = crate::rules::Rule::of_families(crate::rules::Pattern::new("c").unwrap(), settings);
    let policy = Policy::open(Rules { list: vec![rule], ..Rules::default() }.into());
    assert!(apply_under(&registry, &policy, &[INC]).contains("# HELP c ruled\n"));
    registry.follow(&Rules::default(), || ());
    let page = apply_under(&registry, &Policy::default(), &[INC, &INC.replace("\"h\"", "\"i\"")]);
    assert!(page.starts_with("ok, new help\n\"c\" has the help text \"h\", not \"i\""), "{page}");
    assert!(page.contains("# HELP c h\n"), "{page}");
}
