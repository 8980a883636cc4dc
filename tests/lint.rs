//! `-lint.warn`, held against the `promtool` that it speaks for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::support::{Server, promtool, wait_for};

/// A family and a rule that it breaks, in the words of [`ours`].
type Broken = BTreeSet<(String, String)>;

/// What `promtool` says where nothing of it varies, and the start of what we say.
const PHRASES: &[(&str, &str)] = &[
    ("no help text", "there is no help text"),
    (r#"counter metrics should have "_total" suffix"#, "a counter without the suffix _total"),
    (r#"non-counter metrics should not have "_total" suffix"#, "the suffix _total is for counters"),
    (
        r#"non-histogram metrics should not have "_bucket" suffix"#,
        "the suffix _bucket is for histograms",
    ),
    (
        r#"non-histogram and non-summary metrics should not have "_count" suffix"#,
        "the suffix _count is for histograms and summaries",
    ),
    (
        r#"non-histogram and non-summary metrics should not have "_sum" suffix"#,
        "the suffix _sum is for histograms and summaries",
    ),
    (r#"non-histogram metrics should not have "le" label"#, "the label le is for histograms"),
    (
        r#"non-summary metrics should not have "quantile" label"#,
        "the label quantile is for summaries",
    ),
    ("metric names should not contain ':'", "the name has a colon, as recording rules do"),
    ("metric names should be written in 'snake_case' not 'camelCase'", "the name is in camelCase"),
    ("label names should be written in 'snake_case' not 'camelCase'", "label name in camelCase"),
    ("metric names should not contain abbreviated units", "abbreviated unit"),
];

/// A problem as `promtool` words it, in our words.
#[track_caller]
fn theirs(phrase: &str) -> String {
    let fixed = PHRASES.iter().find(|(theirs, _)| *theirs == phrase);
    let of_type = || {
        let word = phrase.strip_prefix("metric name should not include type '")?;
        Some(format!("the name says the type {}", word.strip_suffix('\'')?))
    };
    let of_unit = || {
        let (base, unit) =
            phrase.strip_prefix("use base unit \"")?.split_once("\" instead of \"")?;
        Some(format!("{} in the name is no base unit: use {base}", unit.strip_suffix('"')?))
    };
    fixed
        .map(|(_, ours)| (*ours).to_owned())
        .or_else(of_type)
        .or_else(of_unit)
        .unwrap_or_else(|| panic!("promtool says what no rule of ours is for: {phrase}"))
}

/// A problem as we word it, without what `promtool` does not say.
fn ours(text: &str) -> String {
    let rule = text.split(": ").next().unwrap_or_default();
    match () {
        () if rule.ends_with("is no base unit") => text,
        () if rule.ends_with("reads as an abbreviated unit") => "abbreviated unit",
        () if rule.starts_with("label name \"") => "label name in camelCase",
        () => rule,
    }
    .to_owned()
}

/// What `/-/lint` says.
#[track_caller]
fn listed(server: &Server) -> Broken {
    let reply = server.request("GET", "/-/lint", None);
    let content_type = Some("text/plain; charset=utf-8");
    assert_eq!((reply.status, reply.header("content-type")), (200, content_type));
    let text = reply.text();
    let lines = text.lines().map(|line| line.split_once(": ").expect("family: problem"));
    lines.map(|(family, problem)| (family.to_owned(), ours(problem))).collect()
}

/// What `promtool` says of the page.
#[track_caller]
fn complaints(server: &Server) -> Broken {
    let said = promtool(&server.scrape());
    let lines = said.lines().map(|line| line.split_once(' ').expect("family phrase"));
    lines.map(|(family, phrase)| (family.to_owned(), theirs(phrase))).collect()
}

/// Nobody says what the other does not.
#[track_caller]
fn check(server: &Server) -> Broken {
    let (listed, complaints) = (listed(server), complaints(server));
    let missing: Vec<_> = complaints.difference(&listed).collect();
    let surplus: Vec<_> = listed.difference(&complaints).collect();
    assert!(missing.is_empty(), "promtool alone says {missing:?}");
    assert!(surplus.is_empty(), "promtool does not say {surplus:?}");
    listed
}

fn delta(kind: &str, name: &str, help: &str, label: Option<&str>) -> String {
    let method = match kind {
        "counter" => "inc",
        "gauge" => "set",
        _ => "observe",
    };
    let labels: BTreeMap<&str, &str> = label.map(|label| (label, "v")).into_iter().collect();
    json!({"type": kind, "name": name, "help": help, "method": method, "labels": labels})
        .to_string()
}

#[track_caller]
fn push(server: &Server, deltas: &[String]) {
    server.push_ok(format!("[{}]", deltas.join(",")));
}

/// Families of every rule: kind, name, help text and a label.
const FAMILIES: &[(&str, &str, &str, &str)] = &[
    ("counter", "good_total", "h", "path"),
    ("gauge", "good_bytes", "h", ""),
    ("histogram", "good_seconds", "h", "Path"),
    ("summary", "good_meters", "h", "path_le"),
    ("gauge", "helpless", "", ""),
    ("gauge", "blank", " \t", ""),
    ("counter", "no_suffix", "h", ""),
    ("gauge", "jobs_total", "h", ""),
    ("histogram", "took_total", "h", ""),
    ("gauge", "a_bucket", "h", ""),
    ("summary", "b_bucket", "h", ""),
    ("gauge", "c_count", "h", ""),
    ("counter", "d_sum", "h", ""),
    ("gauge", "with_le", "h", "le"),
    ("summary", "le_too", "h", "le"),
    ("gauge", "with_quantile", "h", "quantile"),
    ("histogram", "quantile_too", "h", "quantile"),
    ("gauge", "x_gauge", "h", ""),
    ("summary", "x_gauge_histogram_y", "h", ""),
    ("gauge", "job:rate", "h", ""),
    ("gauge", "camelCase", "h", ""),
    ("gauge", "with_label", "h", "camelCase"),
    ("gauge", "x_ms", "h", ""),
    ("gauge", "x_minutes", "h", ""),
    ("histogram", "x_kilometers", "h", ""),
    ("counter", "aB:c_summary_kb_hours", "", "dE"),
];

#[test]
fn it_says_what_promtool_says() {
    let server = Server::start(&["-lint.warn"]);
    assert_eq!(server.request("GET", "/-/lint", None).text(), "no problems found\n");
    let deltas: Vec<String> = FAMILIES
        .iter()
        .map(|(kind, name, help, label)| {
            delta(kind, name, help, Some(*label).filter(|label| !label.is_empty()))
        })
        .collect();
    push(&server, &deltas);
    let broken = check(&server);
    let rules: BTreeSet<&str> = broken.iter().map(|(_, rule)| &**rule).collect();
    for (_, rule) in PHRASES {
        assert!(rules.contains(rule), "no family breaks the rule: {rule}");
    }
    assert!(!broken.iter().any(|(family, _)| family.starts_with("good")), "{broken:?}");

    // A line of the log for each, but not all in one second.
    let lines = server.request("GET", "/-/lint", None).text();
    let want: Vec<&str> = lines.lines().collect();
    let logged = || {
        server.scrape();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let mut logged: Vec<String> = server
            .events()
            .iter()
            .filter(|event| event["message"] == "promtool would complain")
            .inspect(|event| assert_eq!(event["level"], "WARN"))
            .map(|event| format!("{}: {}", text(&event["family"]), text(&event["problem"])))
            .collect();
        logged.sort();
        logged
    };
    let mut sorted = want.clone();
    sorted.sort_unstable();
    wait_for("all problems in the log", || (logged().len() >= want.len()).then_some(()));
    for _ in 0..5 {
        assert_eq!(logged(), sorted);
    }
    assert!(want.is_sorted_by_key(|line| line.split_once(": ")), "{lines}");
}

/// Words that are units, or look as if they were.
const UNITS: &[&str] = &[
    "amperes",
    "ampere",
    "amps",
    "bits",
    "bit",
    "bytes",
    "byte",
    "calories",
    "candelas",
    "celsius",
    "days",
    "day",
    "decades",
    "degrees",
    "fahrenheit",
    "feet",
    "gallons",
    "grams",
    "grammes",
    "hertz",
    "hours",
    "hour",
    "inches",
    "inch",
    "joules",
    "kelvin",
    "kelvins",
    "liters",
    "meters",
    "metres",
    "meter",
    "miles",
    "minutes",
    "minute",
    "moles",
    "months",
    "newtons",
    "ohms",
    "ounces",
    "pascals",
    "percent",
    "pounds",
    "rankine",
    "ratio",
    "seconds",
    "second",
    "tonnes",
    "tons",
    "volts",
    "volt",
    "watts",
    "weeks",
    "yards",
    "years",
];

/// What is put before them, prefixes of units or not.
const PREFIXES: &[&str] = &[
    "", "atto", "femto", "pico", "nano", "micro", "milli", "centi", "deci", "deca", "deka",
    "hecto", "kilo", "mega", "giga", "tera", "peta", "exa", "kibi", "mebi", "mibi", "gibi", "tebi",
    "pebi", "exbi", "thermo", "Kilo", "kilokilo",
];

/// Other words that a rule may look for.
const WORDS: &[&str] = &[
    "s",
    "sec",
    "secs",
    "ms",
    "msec",
    "us",
    "ns",
    "ps",
    "min",
    "h",
    "hr",
    "d",
    "w",
    "y",
    "b",
    "kb",
    "mb",
    "gb",
    "tb",
    "pb",
    "eb",
    "kib",
    "mib",
    "m",
    "mm",
    "km",
    "cm",
    "g",
    "kg",
    "k",
    "c",
    "f",
    "v",
    "a",
    "hz",
    "bps",
    "counter",
    "gauge",
    "histogram",
    "summary",
    "untyped",
    "gauge_histogram",
    "info",
    "unknown",
    "stateset",
    "total",
    "bucket",
    "count",
    "sum",
    "created",
    "le",
    "quantile",
    "minutes",
    "milliseconds",
    "kelvin",
    "aB",
    "Ab",
    "a1B",
];

#[test]
fn it_says_so_of_any_name() {
    let mut families: BTreeMap<String, &str> = BTreeMap::new();
    for unit in UNITS {
        for prefix in PREFIXES {
            families.insert(format!("x_{prefix}{unit}"), "gauge");
        }
    }
    for word in WORDS {
        let (upper, mut title) = (word.to_uppercase(), (*word).to_owned());
        title[..1].make_ascii_uppercase();
        for name in [
            (*word).to_owned(),
            format!("{word}_x"),
            format!("{word}_"),
            format!("_{word}"),
            format!("x{word}"),
            format!("x_{word}s"),
            format!("x_{word}1"),
            format!("x_{word}_y"),
            format!("x__{word}__y"),
            format!("x:{word}"),
            format!("x_{word}:y"),
            format!("x_{upper}"),
            format!("x_{title}_y"),
        ] {
            families.insert(name, "gauge");
        }
        // With every suffix, of every kind; a number keeps their sample names apart.
        for (number, suffix) in ["", "_total", "_bucket", "_count", "_sum"].iter().enumerate() {
            for kind in ["counter", "gauge", "histogram", "summary"] {
                families.insert(format!("{kind}{number}_{word}{suffix}"), kind);
            }
        }
    }
    let server = Server::start(&["-lint.warn"]);
    let deltas: Vec<String> =
        families.iter().map(|(name, kind)| delta(kind, name, "h", None)).collect();
    push(&server, &deltas);
    let broken = check(&server);
    assert!(broken.len() > 1000, "{} of {} families", broken.len(), families.len());
}

/// Of several units `promtool` mentions one, or none if it comes upon a base unit first.
#[test]
fn it_says_more_of_a_name_with_several_units() {
    let server = Server::start(&["-lint.warn"]);
    let names = ["x_minutes_seconds", "x_kilobytes_milliseconds", "x_days_hours_inches"];
    push(&server, &names.map(|name| delta("gauge", name, "h", None)));
    let listed = listed(&server);
    assert_eq!(listed.len(), 6, "{listed:?}");
    assert!(complaints(&server).is_subset(&listed));
}

#[test]
fn the_list_has_its_methods() {
    let server = Server::start(&["-lint.warn"]);
    let request = |method, body| {
        let reply = server.request(method, "/-/lint", body);
        (reply.status, reply.header("allow").map(str::to_owned))
    };
    let reads = Some("GET, HEAD".to_owned());
    assert_eq!(request("HEAD", None), (200, None));
    assert_eq!(request("POST", Some(crate::support::inc("m").as_bytes())), (405, reads));
    assert_eq!(server.scrape().value("m"), None);
}

#[test]
fn nothing_is_said_unasked() {
    let server = Server::start(&[]);
    let delta = delta("gauge", "x_ms", "", None);
    let reply = server.request("POST", "/-/lint", Some(delta.as_bytes()));
    assert_eq!((reply.status, &*reply.text()), (200, "ok"), "a path like any other");
    let reply = server.request("GET", "/-/lint", None);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    assert!(!complaints(&server).is_empty());
    assert!(!server.log_lines().concat().contains("promtool"), "{:?}", server.log_lines());
}
