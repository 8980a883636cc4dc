//! The section `rules`, as data.

use pushprom_core::{
    model::{Layout, Resolution},
    rules::{Draft, Relabeled, Rules},
};

use super::*;

fn rules(text: &str) -> Result<Rules, String> {
    let rules = parse(text).and_then(|file| file.rules(NameScheme::Legacy));
    rules.map(|list| Rules { list, ..Rules::default() }).map_err(|problem| show(&problem))
}

/// What the rules make of `name{labels}`, as `name{labels}` or `dropped`.
#[track_caller]
fn check_relabel(text: &str, name: &str, labels: &[(&str, &str)], want: &str) {
    let owned = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
    let mut draft = Draft { name: name.to_owned(), labels: labels.iter().map(owned).collect() };
    let got = match rules(text).expect("they are good").relabeled(&mut draft) {
        Relabeled::Dropped => "dropped".to_owned(),
        Relabeled::Kept => {
            let labels: Vec<String> =
                draft.labels.iter().map(|(l, v)| format!("{l}={v}")).collect();
            format!("{}{{{}}}", draft.name, labels.join(","))
        }
    };
    assert_eq!(got, want, "{text}");
}

#[track_caller]
fn check_problem(text: &str, want: &str) {
    assert_eq!(rules(text).map(|_| ()), Err(want.to_owned()), "{text}");
}

#[test]
fn settings_are_those_of_the_first_rule_that_has_them() {
    let rules = rules(
        "
rules:
  - match: job_.*
    help: What jobs do.
    expire_after: off
  - match: '.*_seconds'
    buckets: [0.5, 1, 2.5]
    native: beside:3:160
    objectives: {0.5: 0.05, 0.99: 0.001}
    limit: 7
  - match: '.*'
    labels: {env: test|dev}
    expire_after: 7d
",
    );
    let rules = rules.expect("they are good");
    assert_eq!(rules.help("job_x").map(|help| &**help), Some("What jobs do."));
    assert_eq!((rules.limit("job_seconds"), rules.limit("job_x")), (Some(7), None));
    let layout = rules.layout("a_seconds", &Layout::default());
    assert_eq!(layout.bounds.buckets(), 4);
    assert_eq!(layout.native.map(Resolution::schema), Some(3));
    let objectives = rules.objectives("a_seconds", None).expect("there are some");
    assert_eq!(objectives.quantiles(), [0.5, 0.99]);
    let expiry = |name, env: &'static str| {
        rules.expiries(name).after(|label| (label == "env").then_some(env)).map(u32::from)
    };
    assert_eq!(expiry("a", "test"), Some(7 * 24 * 3600));
    assert_eq!((expiry("a", "prod"), expiry("job_a", "test")), (None, None));
}

#[test]
fn deltas_are_renamed_dropped_and_relabeled() {
    let rename = "rules: [{match: 'old_(.*)', rename: 'new_$1'}]";
    check_relabel(rename, "old_x", &[("a", "b")], "new_x{a=b}");
    check_relabel(rename, "x_old_x", &[], "x_old_x{}");
    check_relabel("rules: [{match: 'debug_.*', drop: true}]", "debug_x", &[], "dropped");
    check_relabel("rules: [{match: 'debug_.*', drop: true}]", "x", &[], "x{}");
    let by_label = "rules: [{match: '.*', labels: {env: test}, drop: true}]";
    check_relabel(by_label, "x", &[("env", "test")], "dropped");
    check_relabel(by_label, "x", &[("env", "tests")], "x{env=tests}");
    let steps = "
rules:
  - match: http_.*
    relabel:
      - {source_labels: [path], regex: '/user/\\d+', target_label: path, replacement: /user/:id}
      - {source_labels: [host, port], separator: ':', target_label: instance}
      - {action: labeldrop, regex: host|port}
      - {action: LowerCase, source_labels: [method], target_label: method}
";
    let labels = [("path", "/user/7"), ("host", "a"), ("port", "1"), ("method", "GET")];
    check_relabel(steps, "http_x", &labels, "http_x{path=/user/:id,method=get,instance=a:1}");
    check_relabel(steps, "x", &labels, "x{path=/user/7,host=a,port=1,method=GET}");
}

#[test]
fn what_is_no_rule_is_refused_with_its_place() {
    check_problem("rules: 5", "1:8: expected sequence start");
    check_problem("rules: [{}]", "1:9: missing field `match`");
    check_problem("rules: [{match: a, name: b}]", "1:20: unknown field `name`");
    let broken = "1:17: match: \"(\" is no regular expression: error: unclosed group";
    check_problem("rules: [{match: '('}]", broken);
    let hashmod =
        "action hashmod divides targets among scrapers, and there are none here: leave it out";
    let step = |step: &str| format!("rules:\n- match: a\n  relabel:\n  - {step}\n");
    check_problem(&step("{action: hashmod, modulus: 4}"), &format!("4:5: relabel: {hashmod}"));
    check_problem(&step("{target_label: x, colour: y}"), "4:23: unknown field `colour`");
    check_problem(&step("{action: replace}"), "4:5: relabel: action replace needs a target_label");
    check_problem("rules: [{match: a, limit: 0}]", "1:27: limit: use a whole number of at least 1");
    let expiry = "use a duration of at least a second, such as 90s, 1h or 30d, or off";
    check_problem("rules: [{match: a, expire_after: 5}]", &format!("1:34: expire_after: {expiry}"));
    let mixed = "drop and help in one rule: what is dropped has no settings";
    check_problem("rules: [{match: a, drop: true, help: x}]", &format!("1:17: {mixed}"));
    let mixed =
        "rename and limit in one rule: settings go by the new name: make them a rule for that";
    check_problem("rules: [{match: a, rename: b, limit: 1}]", &format!("1:17: {mixed}"));
    let bounds = "bucket bound 1.0 follows 2.0; list bounds in increasing order, each once";
    check_problem("rules: [{match: a, buckets: [2, 1]}]", &format!("1:29: buckets: {bounds}"));
    let native = "\"x\" is no setting: use classic, beside or instead, such as instead:3:160";
    check_problem("rules: [{match: a, native: x}]", &format!("1:28: native: {native}"));
    let quantile = "objective \"2\" is no quantile: use a number from 0 to 1";
    check_problem(
        "rules: [{match: a, objectives: {2: 0}}]",
        &format!("1:32: objectives: {quantile}"),
    );
    let shared = "help holds for a whole family, so that a rule with labels cannot set it: leave out the labels";
    check_problem("rules: [{match: a, labels: {b: c}, help: x}]", &format!("1:17: {shared}"));
}

#[test]
fn labels_are_some_that_the_scheme_has() {
    let text = "rules: [{match: a, relabel: [{target_label: a-b}]}]";
    let problem = "target_label \"a-b\" is never the name of a label: use letters, digits and \
                   underscores, no digit first";
    check_problem(text, &format!("1:30: relabel: {problem}"));
    let file = parse(text).expect("it is a file");
    assert!(file.rules(NameScheme::Utf8).is_ok());
}

#[test]
fn a_key_without_a_value_is_no_rule() {
    let keys = ["match", "labels", "help", "buckets", "native", "objectives", "expire_after"];
    for key in keys.into_iter().chain(["limit", "rename", "drop", "relabel"]) {
        let name = if key == "match" { "" } else { "match: a\n  " };
        let got = rules(&format!("rules:\n- {name}{key}:\n"));
        assert!(got.is_err(), "{key}: {got:?}");
    }
    let keys = ["source_labels", "separator", "regex", "target_label", "replacement", "action"];
    for key in keys.into_iter().chain(["modulus"]) {
        let got =
            rules(&format!("rules:\n- match: a\n  relabel:\n  - action: labeldrop\n    {key}:\n"));
        assert!(got.is_err(), "{key}: {got:?}");
    }
    let got = rules("rules:\n");
    assert!(got.is_err(), "{got:?}");
}
