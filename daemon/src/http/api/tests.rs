//! Pages of lists, without a server.

use std::{ops::ControlFlow::Continue, sync::Arc, time::Duration};

use pushprom_core::{
    answers::Answers,
    intake::{Broken, Intake, Taken, Terms},
    limits::Limits,
    model::{LabelSet, Timestamp},
    policy::Policy,
    registry::{Deleted, Registry, SchemaConflicts},
};
use serde_json::Value;

use super::{
    Parameters, families, labels,
    rates::Rates,
    remove::{Wanted, Who, remove},
    series,
    walk::Walk,
};
use crate::telemetry::Telemetry;

const HOUR: Duration = Duration::from_hours(1);

fn registry(deltas: &[String]) -> Registry {
    let registry = Registry::new(SchemaConflicts::Adopt);
    push(&registry, &format!("[{}]", deltas.join(",")));
    registry
}

#[track_caller]
fn push(registry: &Registry, message: &str) {
    let (policy, limits) = (Policy::open(Arc::default()), Limits::default());
    let (answers, broken, now) = (Answers::default(), Broken::Refuse, Timestamp(1000));
    let terms = Terms { source: policy.source(), limits: &limits, broken, key: None };
    let taken = Intake::default().take_in(message.as_bytes(), terms, registry, &answers, now);
    let Taken::Anew(outcome) = taken else { unreachable!("it has no key") };
    assert!(outcome.refused.is_empty() && outcome.broken.is_none(), "{outcome:?}");
}

fn delta(name: &str, label: &str) -> String {
    format!(r#"{{"type":"counter","name":"{name}","method":"inc","labels":{{"l":"{label}"}}}}"#)
}

/// Families of 600 series in all.
fn some() -> Registry {
    let deltas = (0..600).map(|i| delta(&format!("f{}", i % 7), &format!("{i:03}")));
    registry(&deltas.collect::<Vec<_>>())
}

fn parameters(query: &str) -> Parameters {
    let known = ["match[]", "limit", "cursor", "search", "by"];
    Parameters::read(query, b"", &known).expect("they are known")
}

fn data(body: &[u8]) -> Value {
    let value: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!(value["status"], "success");
    value["data"].clone()
}

fn encoded(cursor: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("cursor", cursor).finish()
}

/// The names and labels on all pages, and how many pages that took.
fn all_series(registry: &Registry, query: &str, time: Duration) -> (Vec<String>, usize) {
    let (mut shown, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let parameters = parameters(&format!("{query}&{cursor}"));
        let query = series::Query::read(&parameters).expect("it is well-formed");
        let body = series::list(registry, &query, Timestamp(2000), &mut Walk::lasting(time));
        let data = data(&body);
        let items = data["series"].as_array().expect("a list");
        shown.extend(items.iter().map(|item| format!("{}{}", item["name"], item["labels"])));
        pages += 1;
        match data["nextCursor"].as_str() {
            None => return (shown, pages),
            Some(next) => cursor = encoded(next),
        }
    }
}

#[track_caller]
fn check(query: &str, time: Duration, want: usize, pages: usize) {
    let registry = some();
    let (shown, got) = all_series(&registry, query, time);
    assert!(shown.is_sorted_by(|a, b| a < b), "{query}: each once, and in order");
    assert_eq!((shown.len(), got), (want, pages), "{query}");
}

#[test]
fn pages_follow_each_other() {
    check("limit=10000", HOUR, 600, 1);
    check("limit=600", HOUR, 600, 1);
    check("limit=599", HOUR, 600, 2);
    check("limit=7", HOUR, 600, 86);
    check("limit=10&match[]={l=~%22..7%22}", HOUR, 60, 6);
    check("limit=100&match[]=f1&match[]=f2{l=%22002%22}", HOUR, 87, 1);
    check("limit=100&match[]=none", HOUR, 0, 1);
}

#[test]
fn what_has_no_time_goes_on_where_it_was() {
    // It looks at 64 things each time, some of them again.
    check("limit=10000", Duration::ZERO, 600, 14);
    check("limit=10000&match[]={l=%22599%22}", Duration::ZERO, 1, 14);
    check("limit=10000&match[]={l=%22700%22}", Duration::ZERO, 0, 14);
}

#[test]
fn costly_selectors_are_looked_after_at_each_series() {
    let long = "x".repeat(16 * 1024);
    let deltas: Vec<String> = (0..10).map(|i| delta("f", &format!("{i}{long}"))).collect();
    let registry = registry(&deltas);
    // Sixteen comparisons of as many KiB are worth more than the steps between two looks.
    let matchers = "l!~%22.*b%22,".repeat(16);
    let query = format!("limit=10000&match[]=f{{{matchers}}}");
    let (shown, pages) = all_series(&registry, &query, HOUR);
    assert_eq!((shown.len(), pages), (10, 1));
    let (shown, pages) = all_series(&registry, &query, Duration::ZERO);
    assert_eq!((shown.len(), pages), (10, 11));
    let query = format!("match[]=f{{l=%22y%22,{matchers}}}");
    let query = families::Query::read(&parameters(&query)).expect("well-formed");
    let mut walk = Walk::lasting(Duration::ZERO);
    assert!(families::list(&registry, &Rates::default(), &query, &mut walk).is_err());
}

#[test]
fn a_delete_ends_in_its_time() {
    // Two megabytes to look at for each series: all of them take several milliseconds at the least.
    let long = "a".repeat(24 * 1024);
    let deltas: Vec<String> = (0..40).map(|i| delta("f", &format!("{i}{long}"))).collect();
    let registry = registry(&deltas);
    let slow = format!("l!~%22(?:{}a{{50}})%2Bb%22,", "[a-y]?".repeat(20));
    let slow = parameters(&format!("match[]=f{{{}}}", slow.repeat(100)));
    let telemetry = Telemetry::default();
    let delete = |wanted: &Wanted, time| {
        let walk = &mut Walk::lasting(time);
        data(&remove(&registry, &telemetry, wanted, &Who::nobody(), walk))
    };
    let slow = Wanted::read(&slow).expect("it is well-formed");
    let answer = delete(&slow, Duration::from_millis(1));
    assert_eq!(answer["complete"], false, "{answer}");
    let deleted = answer["deleted"].as_u64().expect("a number");
    assert_eq!(usize::try_from(deleted), Ok(40 - registry.series_count()));
    assert!(registry.series_count() > 0);
    let none = serde_json::json!({"deleted": 0, "complete": false});
    assert_eq!(delete(&Wanted::All, Duration::ZERO), none);
    let rest = serde_json::json!({"deleted": registry.series_count(), "complete": true});
    assert_eq!(delete(&Wanted::All, HOUR), rest);
}

#[test]
fn series_that_come_and_go_leave_the_others_in_place() {
    let registry = some();
    let query = series::Query::read(&parameters("limit=2&match[]=f0")).expect("well-formed");
    let body = series::list(&registry, &query, Timestamp(2000), &mut Walk::lasting(HOUR));
    let cursor = data(&body)["nextCursor"].as_str().expect("there are more").to_owned();
    assert_eq!(cursor, r#"f0{l="007"}"#);
    for label in ["003", "0070"] {
        push(&registry, &delta("f0", label));
    }
    let is_it = |labels: &LabelSet| Continue(labels.as_str() == r#"l="007""#);
    let deleted = registry.delete(|_| Continue(true), |_, labels| is_it(labels), || ());
    assert_eq!(deleted, Deleted { series: 1, is_complete: true });
    let query = format!("limit=2&match[]=f0&{}", encoded(&cursor));
    let query = series::Query::read(&parameters(&query)).expect("well-formed");
    let body = series::list(&registry, &query, Timestamp(2000), &mut Walk::lasting(HOUR));
    let labels: Vec<Value> = data(&body)["series"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["labels"]["l"].clone())
        .collect();
    assert_eq!(labels, ["0070", "014"]);
}

#[test]
fn families_follow_each_other_too() {
    let deltas: Vec<String> = (0..600).map(|i| delta(&format!("f{i:03}"), "x")).collect();
    let registry = registry(&deltas);
    for (query, time, want, pages) in [
        ("limit=10000", HOUR, 600, 1),
        ("limit=7", HOUR, 600, 86),
        ("limit=600&search=F0", HOUR, 100, 1),
        ("limit=9&match[]={l=%22x%22,__name__=~%22f1.*%22}", HOUR, 100, 12),
        ("limit=10000", Duration::ZERO, 600, 10),
        ("limit=10000&match[]={l=%22y%22}", HOUR, 0, 1),
    ] {
        let (mut shown, mut count, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let parameters = parameters(&format!("{query}&{cursor}"));
            let query = families::Query::read(&parameters).expect("it is well-formed");
            let body =
                families::list(&registry, &Rates::default(), &query, &mut Walk::lasting(time));
            let data = data(&body.expect("it gets on"));
            let items = data["families"].as_array().expect("a list");
            shown.extend(items.iter().map(|item| item["name"].to_string()));
            count += 1;
            match data["nextCursor"].as_str() {
                None => break,
                Some(next) => cursor = encoded(next),
            }
        }
        assert!(shown.is_sorted_by(|a, b| a < b), "{query}");
        assert_eq!((shown.len(), count), (want, pages), "{query}");
    }
}

#[test]
fn half_a_top_list_is_none() {
    let registry = some();
    let query = labels::Query::read(&parameters("")).expect("well-formed");
    let cut = labels::top(&registry, &query, &mut Walk::lasting(Duration::ZERO));
    let want = "this took too long: ask for less, or try again later";
    assert_eq!(cut.map_err(|failure| failure.to_string()), Err(want.to_owned()));
    let top = labels::top(&registry, &query, &mut Walk::lasting(HOUR)).expect("there is time");
    let want = serde_json::json!([{"name": "l", "values": 600, "exact": true, "series": 600}]);
    assert_eq!(data(&top)["labels"], want);
}
