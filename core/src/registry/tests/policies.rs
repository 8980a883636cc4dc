//! What becomes of deltas by rules and by who pushes them.

use std::ops::ControlFlow::Continue;

use super::*;
use crate::{
    policy::Grant,
    rules::{Action, Pattern, Relabel, Rule, Settings},
};

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap()
}

fn relabel(action: Action, source: &str, regex: &str, target: &str, replacement: &str) -> Relabel {
    Relabel {
        source_labels: if source.is_empty() { Vec::new() } else { vec![source.to_owned()] },
        separator: ";".to_owned(),
        regex: pattern(regex),
        target_label: target.to_owned(),
        replacement: replacement.to_owned(),
        action,
    }
}

/// Renames `old_*`, drops debugging, and takes user ids away.
fn rules() -> Arc<Rules> {
    let steps = [
        relabel(Action::Replace, "__name__", "old_(.*)", "__name__", "new_$1"),
        relabel(Action::Drop, "__name__", "debug_.*", "", ""),
        relabel(Action::LabelDrop, "", "user", "", ""),
    ];
    let rule = Rule::new(pattern(".*"), Vec::new(), Settings::default(), steps.into()).unwrap();
    Arc::new(Rules { list: vec![rule], ..Rules::default() })
}

fn inc(name: &str, labels: &str) -> String {
    format!(r#"{{"type":"counter","name":"{name}","method":"inc","labels":{{{labels}}}}}"#)
}

#[track_caller]
fn check_policy(policy: &Policy, deltas: &[String], want: &str) {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
    assert_eq!(apply_under(&registry, policy, &deltas), want);
}

/// What is remembered of relabeling goes with the series that it came to, and so does the memory for that.
#[test]
fn aliases_go_with_their_series() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let deltas: Vec<String> =
        (0..2000).map(|user| inc("a", &format!(r#""user":"{user}""#))).collect();
    let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
    apply_under(&registry, &Policy::open(rules()), &deltas);
    assert!(registry.aliases.slots() >= 2000);
    registry.delete(|_| Continue(true), |_, _| Continue(true), || ());
    assert_eq!((registry.aliases.slots(), registry.bytes()), (0, 0));
}

#[test]
fn rules_make_one_series_of_many() {
    let policy = Policy::open(rules());
    let deltas = [
        inc("old_a", r#""user":"1""#),
        inc("old_a", r#""user":"2""#),
        inc("old_a", r#""user":"1""#),
        inc("new_a", ""),
        inc("debug_x", ""),
        inc("debug_x", ""),
        inc("b", r#""user":"1","env":"e""#),
    ];
    check_policy(
        &policy,
        &deltas,
        "ok\nok\nok\nok\nok, dropped\nok, dropped\nok\n\
         # HELP b \n# TYPE b counter\nb{env=\"e\"} 1\n\
         # HELP new_a \n# TYPE new_a counter\nnew_a 4\n",
    );
}

#[test]
fn a_principal_keeps_to_its_names_and_labels() {
    let grant = Grant {
        principal: Some("shop-a".into()),
        names: Some(vec![pattern("shop_.*"), pattern("old_.*")]),
        forced: vec![("tenant".to_owned(), "a".to_owned())],
        series_max: None,
    };
    let policy = Policy::new(rules(), grant).unwrap();
    let deltas = [
        inc("shop_x", r#""tenant":"b""#),
        inc("shop_x", ""),
        inc("other", ""),
        inc("old_shop", r#""tenant":"b","user":"c""#),
    ];
    check_policy(
        &policy,
        &deltas,
        "ok\nok\n\"other\" is not among the names that \"shop-a\" may push: use one of those, or ask for \
         it\nok\n\
         # HELP new_shop \n# TYPE new_shop counter\nnew_shop{tenant=\"a\"} 1\n\
         # HELP shop_x \n# TYPE shop_x counter\nshop_x{tenant=\"a\"} 2\n",
    );
}

#[test]
fn what_is_too_many_stays_with_its_principal() {
    let registry = Registry::new(SchemaConflicts::Adopt);
    let limits = SeriesLimits { all: 1, ..SeriesLimits::default() };
    let rules = Arc::new(Rules { limits, ..Rules::default() });
    for tenant in ["a", "b"] {
        let forced = vec![("tenant".to_owned(), tenant.to_owned())];
        let policy = Policy::new(Arc::clone(&rules), Grant { forced, ..Grant::default() }).unwrap();
        for user in 0..3 {
            apply_under(&registry, &policy, &[&inc("c", &format!("\"user\":\"{user}\""))]);
        }
    }
    assert_eq!(
        page(&registry),
        "# HELP c \n# TYPE c counter\n\
         c{pushprom_overflow=\"true\",tenant=\"a\"} 2\n\
         c{pushprom_overflow=\"true\",tenant=\"b\"} 3\n\
         c{tenant=\"a\",user=\"0\"} 1\n"
    );
}

#[test]
fn what_rules_make_of_a_delta_has_to_be_one() {
    let steps = vec![relabel(Action::Replace, "", ".*", "__name__", "a b")];
    let rule = Rule::new(pattern("bad"), Vec::new(), Settings::default(), steps).unwrap();
    let policy = Policy::open(Rules { list: vec![rule], ..Rules::default() }.into());
    check_policy(
        &policy,
        &[inc("bad", "")],
        "the rules of this server make no delta of \"bad\": metric name \"a b\" is invalid: use letters, \
         digits, underscores and colons, no digit first\n",
    );
}

#[test]
fn families_are_kept_as_rules_say() {
    let settings = Settings {
        help: Some("ruled".into()),
        bounds: Some(crate::model::Bounds::new(&[1.0]).unwrap()),
        ..Settings::default()
    };
    let list = vec![Rule::of_families(pattern("h"), settings)];
    let policy = Policy::open(Rules { list, ..Rules::default() }.into());
    let observe = |fields: &str| {
        format!(
            r#"{{"type":"histogram","name":"h","help":"mine","method":"observe","value":2{fields}}}"#
        )
    };
    check_policy(
        &policy,
        &[observe(r#","buckets":[5,6]"#), observe("")],
        "ok\nok\n# HELP h ruled\n# TYPE h histogram\n\
         h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 2\nh_sum 4\nh_count 2\n",
    );
}

#[test]
fn nobody_takes_the_label_of_overflow_series() {
    check(
        &[&inc("c", r#""pushprom_overflow":"true""#)],
        "label name pushprom_overflow is pushprom's own: rename yours\n",
    );
}
