//! Names that not all of Prometheus knows, for those that do not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use pushprom_core::model::{is_legacy_label_name, is_legacy_metric_name};

use super::{
    text::{samples_of, without_created},
    *,
};

const SCHEMES: [Escaping; 3] = [Escaping::Underscores, Escaping::Dots, Escaping::Values];

/// Pushes counters whose text is `name` or `name{label}`, and looks at what they are called.
#[track_caller]
fn check(escaping: Escaping, pushed: &[&str], want: &[&str]) {
    let registry = registry();
    for pushed in pushed {
        let (name, label) = pushed.split_once('{').unwrap_or((pushed, ""));
        let pair = (label.trim_end_matches('}'), "v");
        let pairs = if label.is_empty() { &[][..] } else { &[pair] };
        registry.apply(&delta(name, pairs, add(1.0)), Policy::default().source(), NOW).unwrap();
    }
    let page = text_page(Format::TextV0, escaping, &registry.snapshot(NOW));
    let samples = page.lines().filter_map(|line| line.strip_suffix(" 1"));
    let samples: Vec<String> = samples.map(|sample| sample.replace("=\"v\"", "")).collect();
    assert_eq!(samples, want);
}

#[test]
fn the_rules_are_those_of_prometheus() {
    check(Escaping::Underscores, &["a.b:c_d\u{e9}"], &["a_b:c_d_"]);
    check(Escaping::Dots, &["a.b:c_d\u{e9}"], &["a_dot_b:c__d__"]);
    check(Escaping::Values, &["a.b:c_d\u{e9}"], &["U__a_2e_b:c__d_e9_"]);
    check(Escaping::Underscores, &["1a"], &["_a"]);
    check(Escaping::Dots, &["1a"], &["__a"]);
    check(Escaping::Values, &["1a", "x{1a}"], &["U___31_a", "x{U___31_a}"]);
    for escaping in SCHEMES {
        check(escaping, &["a_b", "c:d", "e{f_g}"], &["a_b", "c:d", "e{f_g}"]);
    }
    // A colon is no part of a label's name.
    check(Escaping::Underscores, &["x{a:b}"], &["x{a_b}"]);
    check(Escaping::Dots, &["x{a.b}"], &["x{a_dot_b}"]);
    check(Escaping::Values, &["x{a:b}"], &["x{U__a_3a_b}"]);
}

#[test]
fn names_stay_apart() {
    check(Escaping::Underscores, &["a.b", "a_b"], &["U__a_2e_b", "a_b"]);
    check(Escaping::Underscores, &["a.b", "a-b"], &["U__a_2d_b", "U__a_2e_b"]);
    check(Escaping::Values, &["a.b", "U__a_2e_b"], &["U__a_2e_b", "U__a_2e_b_"]);
    check(
        Escaping::Underscores,
        &["x{a.b}", "x{a_b}", "y{a.b}"],
        &["x{U__a_2e_b}", "x{a_b}", "y{a_b}"],
    );
    check(Escaping::Underscores, &["x{.a}", "x{..a}"], &["x{U___2e__2e_a}", "x{_a}"]);
    check(Escaping::Values, &["x{.}", "x{U___2e_}"], &["x{U___2e__}", "x{U___2e_}"]);
}

#[test]
fn names_of_samples_stay_apart() {
    let registry = registry();
    registry
        .apply(&delta("h.x", &[], histogram(&[1.0], &[1.0], None)), Policy::default().source(), NOW)
        .unwrap();
    registry.apply(&delta("h_x_sum", &[], set(7.0)), Policy::default().source(), NOW).unwrap();
    let page = text_page(Format::TextV0, Escaping::Underscores, &registry.snapshot(NOW));
    assert!(page.contains("\nU__h_2e_x_sum 1\n"), "{page}");
    assert!(page.contains("\nh_x_sum 7\n"), "{page}");
}

#[test]
fn exemplars_are_escaped_or_left_out() {
    let registry = registry();
    // As long as may be.
    let long = "x".repeat(123);
    for (place, (name, value)) in [("a.b", "1"), ("a.b.c", &*long)].into_iter().enumerate() {
        let counter = delta("c_total", &[("at", ["1", "2"][place])], add(1.0));
        let counter = counter.with_exemplar(exemplar(&[(name, value)], 1.0, 0.0)).unwrap();
        registry.apply(&counter, Policy::default().source(), NOW).unwrap();
    }
    let snapshot = registry.snapshot(NOW);
    for (escaping, short, long) in [
        (Escaping::Underscores, "a_b=\"1\"", true),
        (Escaping::Dots, "a_dot_b=\"1\"", false),
        (Escaping::Values, "U__a_2e_b=\"1\"", false),
    ] {
        let page = text_page(Format::OpenMetrics, escaping, &snapshot);
        assert!(page.contains(&format!("c_total{{at=\"1\"}} 1 # {{{short}}} 1 0.000\n")), "{page}");
        assert_eq!(page.contains("c_total{at=\"2\"} 1 # {"), long, "{page}");
    }
}

/// The samples without their names.
fn values(samples: &[Sample]) -> Vec<(Vec<&String>, u64)> {
    let values = samples.iter().map(|(_, labels, value)| {
        let mut values: Vec<&String> = labels.values().collect();
        values.sort();
        (values, *value)
    });
    let mut values: Vec<_> = values.collect();
    values.sort();
    values
}

proptest! {
    #[test]
    fn no_two_become_one(snapshot in random::snapshot()) {
        let before = samples(&snapshot);
        for escaping in SCHEMES {
            let text = samples_of(&text_page(Format::TextV0, escaping, &snapshot));
            prop_assert_eq!(values(&text), values(&before));
            for (name, labels, _) in &text {
                prop_assert!(is_legacy_metric_name(name), "{}", name);
                for label in labels.keys() {
                    prop_assert!(is_legacy_label_name(label) && !label.starts_with("__"), "{}", label);
                }
            }
            let distinct: BTreeSet<_> = text.iter().map(|(name, labels, _)| (name, labels)).collect();
            prop_assert_eq!(distinct.len(), before.len());
            prop_assert_eq!(&samples_of(&text_page(Format::TextV1, escaping, &snapshot)), &text);
            prop_assert_eq!(&samples_of(&without_created(&snapshot, escaping)), &text);
        }
    }
}
