//! A step of `relabel` makes of a delta what the same step makes of its sample in a real Prometheus, under
//! `metric_relabel_configs`.

use std::{collections::BTreeMap, fs};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Prometheus, Server, wait_for};

/// Steps in the words of both, one a line, and how they compare.
type Case = (&'static str, Compared);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    Same,
    /// On purpose: `docs/rules.md` says so.
    Different,
}
use Compared::{Different, Same};

const CASES: &[Case] = &[
    // Replace.
    ("{source_labels: [env], target_label: stage}", Same),
    ("{source_labels: [path, status], target_label: both}", Same),
    ("{source_labels: [path, status, none], separator: '', target_label: both}", Same),
    ("{source_labels: [none, path], separator: ' = ', target_label: both}", Same),
    ("{target_label: region, replacement: eu}", Same),
    ("{target_label: env, replacement: ''}", Same),
    ("{source_labels: [none], target_label: env}", Same),
    ("{source_labels: [env], regex: prod, target_label: env, replacement: ''}", Same),
    ("{source_labels: [env], regex: pro, target_label: stage, replacement: part}", Same),
    (
        "{source_labels: [env], regex: pro|dev, target_label: stage, replacement: alternatives}",
        Same,
    ),
    (
        "{source_labels: [method], regex: '(?i)POST', target_label: writes, replacement: 'yes'}",
        Same,
    ),
    (
        "{source_labels: [path], regex: '/api/(v\\d+)/.*/(\\d+)', target_label: path, replacement: '/$1/${2}x'}",
        Same,
    ),
    (
        "{source_labels: [path], regex: '/(.*)', target_label: path, replacement: '$0 $1x ${1}x $2 $$1 $ ${ $1-$'}",
        Same,
    ),
    (
        "{source_labels: [path], regex: '/(.*)', target_label: path, replacement: 'a${1-x}b${}c$01d${01}'}",
        Same,
    ),
    (
        "{source_labels: [path], regex: '/(.*)', target_label: path, replacement: '${1}é $1é $1'}",
        Same,
    ),
    (
        "{source_labels: [path], regex: '/(?P<first>[a-z]+)(/.*)?', target_label: path, replacement: '$first ${first}s $2'}",
        Same,
    ),
    ("{source_labels: [env], regex: (.+), target_label: 'in_$1', replacement: 'yes'}", Same),
    ("{source_labels: [env], regex: (.+), target_label: '${1}', replacement: 'yes'}", Same),
    ("{source_labels: [path], regex: (.+), target_label: 'at_$1', replacement: not_a_name}", Same),
    ("{source_labels: [none], regex: (.*), target_label: '$1', replacement: no_name}", Same),
    ("{source_labels: [__name__], regex: t_(.*), target_label: kind}", Same),
    (
        "{source_labels: [__name__], regex: t_(.*), target_label: __name__, replacement: shop_$1}",
        Same,
    ),
    (
        "{source_labels: [__name__, queue], regex: 't_depth;(.*);.*', target_label: __name__, replacement: t_depth_$1}",
        Same,
    ),
    (
        "{source_labels: [unit], regex: 'Stra.e.*', target_label: unit, replacement: one character}",
        Same,
    ),
    (
        "{source_labels: [note], regex: 'line\\nbreak', target_label: note, replacement: it broke}",
        Same,
    ),
    // Upper and lower case.
    ("{action: lowercase, source_labels: [method], target_label: method}", Same),
    ("{action: uppercase, source_labels: [method, env], target_label: both}", Same),
    ("{action: uppercase, source_labels: [none], target_label: env}", Same),
    ("{action: LowerCase, source_labels: [unit], target_label: unit}", Same),
    ("{action: uppercase, source_labels: [unit], target_label: unit}", Same),
    // Keep and drop.
    ("{action: keep, source_labels: [env], regex: prod|dev}", Same),
    ("{action: keep, source_labels: [__name__], regex: t_requests}", Same),
    ("{action: drop, source_labels: [__name__, status], regex: 't_.*_total;5..'}", Same),
    ("{action: drop, source_labels: [none]}", Same),
    ("{action: drop, source_labels: [none], regex: .+}", Same),
    ("{action: keepequal, source_labels: [same], target_label: other}", Same),
    ("{action: dropequal, source_labels: [same], target_label: other}", Same),
    ("{action: dropequal, source_labels: [env], target_label: none}", Same),
    // Labels by their names.
    ("{action: labelmap, regex: (.), replacement: tag_$1}", Same),
    ("{action: labelmap, regex: '(a|b)', replacement: env}", Same),
    ("{action: labelmap, regex: '(env|a)', replacement: b}", Same),
    ("{action: labelmap, regex: '(.+)_?', replacement: 'x_${1}'}", Same),
    ("{action: labelmap, regex: env, replacement: __name__}", Same),
    ("{action: labelmap, regex: __(name)__, replacement: $1}", Same),
    ("{action: labeldrop, regex: env|a}", Same),
    ("{action: labeldrop, regex: nv}", Same),
    ("{action: labelkeep, regex: __name__|path|status|queue|unit}", Same),
    // Chains.
    (
        "{source_labels: [a], target_label: c}\n{source_labels: [c, b], target_label: a}\n{action: labeldrop, regex: c}",
        Same,
    ),
    (
        "{source_labels: [a], target_label: env, replacement: ''}\n{action: drop, source_labels: [env], regex: x}",
        Same,
    ),
    (
        "{target_label: __tmp, replacement: x}\n{source_labels: [__tmp], target_label: env}\n{action: labeldrop, regex: __tmp}",
        Same,
    ),
    (
        "{action: labeldrop, regex: a}\n{target_label: a, replacement: again}\n{action: labelmap, regex: (a|b), replacement: env}",
        Same,
    ),
    (
        "{target_label: a, replacement: late}\n{action: labelmap, regex: '(a|b)', replacement: env}",
        Same,
    ),
    (
        "{source_labels: [__name__], target_label: __name__, replacement: new_$1}\n{source_labels: [__name__], regex: t_.*, action: drop}",
        Same,
    ),
    // What docs/rules.md says of the rest.
    ("{target_label: __tmp, replacement: kept}", Different),
    (
        "{source_labels: [note], regex: line.break, target_label: note, replacement: it broke}",
        Different,
    ),
    (
        "{source_labels: [number], regex: '\\d+', target_label: number, replacement: of any script}",
        Different,
    ),
    ("{action: labelkeep, regex: env|path|status}", Different),
    ("{action: labeldrop, regex: path|status|method|env}", Different),
];

/// The families of a server itself.
const OWN: &str = "(pushprom|process|promhttp|requests|request_duration)_.*";

/// What both servers are pushed. Each has another value, so that it is known by it.
fn deltas() -> String {
    let delta = |kind: &str, name: &str, value: f64, labels| {
        let method = if kind == "gauge" { "set" } else { "add" };
        json!({"type": kind, "name": name, "method": method, "value": value, "labels": labels})
    };
    json!([
        delta(
            "counter",
            "t_requests_total",
            1.0,
            json!({"path": "/api/v1/users/7", "method": "GET", "status": "200", "env": "prod"})
        ),
        delta(
            "counter",
            "t_requests_total",
            2.0,
            json!({"path": "/api/v2/users/8", "method": "post", "status": "500", "env": "dev"})
        ),
        delta("counter", "t_requests_total", 3.0, json!({"path": "/health"})),
        delta("counter", "t_plain_total", 4.0, json!({})),
        delta("gauge", "t_depth", 5.0, json!({"queue": "fast;x", "note": "line\nbreak"})),
        delta(
            "gauge",
            "t_temperature",
            6.5,
            json!({"unit": "Straße ΣΑΣ é", "same": "x", "other": "x"})
        ),
        delta("gauge", "t_letters", -7.0, json!({"a": "1", "b": "Two", "env": "x", "number": "٣"})),
    ])
    .to_string()
}

/// The steps as items of a list in YAML, each indented so far.
fn items(steps: &str, indent: usize) -> String {
    let items = steps.lines().map(|step| format!("{:indent$}- {step}\n", ""));
    items.collect::<Vec<_>>().concat()
}

/// A server whose rules are these steps.
fn start_with(steps: &str, folder: &TempDir) -> Server {
    let path = folder.path().join("pushprom.yml");
    let text = format!("rules:\n- match: .*\n  relabel:\n{}", items(steps, 2));
    fs::write(&path, text).expect("it can be written");
    let server = Server::start(&[&format!("-config.file={}", path.display())]);
    // What the steps make no delta of is refused.
    server.push(deltas());
    server
}

/// A job of Prometheus that stores what its steps leave of a page, under the name of the job alone.
fn job(name: &str, server: &Server, steps: &str) -> String {
    format!(
        "- job_name: {name}\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['{}']\n\
         \x20 metric_relabel_configs:\n\
         \x20 - {{action: drop, source_labels: [__name__], regex: {OWN}}}\n\
         \x20 - {{action: labeldrop, regex: job|instance}}\n\
         {}\x20 - {{target_label: the_job, replacement: {name}}}\n",
        server.http,
        items(steps, 2)
    )
}

#[test]
fn steps_do_what_those_of_a_real_prometheus_do() {
    let plain = Server::start(&[]);
    plain.push_ok(deltas());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let servers: Vec<Server> = CASES.iter().map(|(steps, _)| start_with(steps, &folder)).collect();
    let mut config = "scrape_configs:\n".to_owned();
    for (index, ((steps, _), ours)) in CASES.iter().zip(&servers).enumerate() {
        config += &job(&format!("theirs_{index}"), &plain, steps);
        config += &job(&format!("ours_{index}"), ours, "");
    }
    let prometheus = Prometheus::configured(&config, &[]);
    let jobs = 2.0 * f64::from(u32::try_from(CASES.len()).expect("few"));
    // One that cannot be stored is down.
    wait_for("a scrape of each server", || {
        (prometheus.query("count(up)") == Some(jobs)).then_some(())
    });
    let mut stored: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mut series in prometheus.query_all(r#"{the_job!=""}"#).expect("an answer") {
        let labels = series["metric"].as_object_mut().expect("labels");
        let name = labels.remove("the_job").expect("a name");
        let name = name.as_str().expect("text").to_owned();
        let line = format!("{} {}", series["metric"], series["value"][1]);
        stored.entry(name).or_default().push(line);
    }
    let mut wrong = Vec::new();
    for (index, (steps, compared)) in CASES.iter().enumerate() {
        let of = |whose: &str| {
            let mut lines = stored.get(&format!("{whose}_{index}")).cloned().unwrap_or_default();
            lines.sort();
            lines
        };
        let (theirs, ours) = (of("theirs"), of("ours"));
        let got = if theirs == ours { Same } else { Different };
        if got != *compared {
            let only = |of: &[String], not_of: &[String]| {
                of.iter().filter(|line| !not_of.contains(line)).cloned().collect::<Vec<_>>()
            };
            let (more, less) = (only(&theirs, &ours), only(&ours, &theirs));
            wrong.push(format!("{steps}\n  {got:?}\n  theirs {more:#?}\n  ours {less:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
