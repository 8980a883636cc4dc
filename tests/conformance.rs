//! The recorded behaviour of the original, replayed: inputs as they were sent, statuses and lines of
//! `/metrics` as they came. `conformance/README.md` describes the data.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::support::{Client, Page, Server, read, wait_for};

/// How long a raw exchange may be silent before it is over. The recorder waited as long.
const SILENCE: Duration = Duration::from_millis(400);

/// Every case passes, or is listed as a deliberate difference; a listed one must differ. In every case
/// in which the original panicked or died, ours refuses, counts and lives on.
#[test]
fn recorded_cases_of_the_original() {
    let differences: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_str(&read("tests/conformance/differences.json")).expect("valid JSON");
    let listed: BTreeMap<&str, &str> = differences
        .iter()
        .flat_map(|(slug, ids)| ids.iter().map(move |id| (&**id, &**slug)))
        .collect();
    assert_eq!(listed.len(), differences.values().map(BTreeSet::len).sum::<usize>(), "ids twice");
    let explained = read("docs/compatibility.md");
    for slug in differences.keys() {
        assert!(explained.contains(&format!("`{slug}`")), "docs/compatibility.md lacks `{slug}`");
    }

    let mut server = start();
    let mut wrong = Vec::new();
    let mut total = 0;
    for line in read("tests/conformance/cases.jsonl").lines() {
        let case: Value = serde_json::from_str(line).expect("valid JSON");
        let id = case["id"].as_str().expect("a case has an id");
        total += 1;
        let isolated = case["isolated"] == true;
        if isolated {
            server = start();
        }
        let found = replay(&case, &mut server);
        if isolated {
            server = start();
        }
        match (found.is_empty(), listed.get(id)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(slug)) => wrong.push(format!("{id} is listed under {slug} but agrees")),
            (false, None) => wrong.push(format!("{id} {}: {}", case["title"], found.join("; "))),
        }
    }
    assert_eq!(total, 1158, "all cases are there");
    assert!(wrong.is_empty(), "{} of {total} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(server.scrape().value("pushprom_panics_total"), Some(0.0));
}

fn start() -> Server {
    Server::start(&["-schema.conflicts=reject"])
}

/// Runs a case; says how what came differs from what was recorded.
fn replay(case: &Value, server: &mut Server) -> Vec<String> {
    let mut found = Vec::new();
    // The original's lines say nothing where it broke on the way.
    let mut comparable = case["process_died"] != true && case["scrape_status"].is_null();
    let mut refusals = 0;
    let steps = case["steps"].as_array().expect("steps").iter();
    for (step, recorded) in steps.zip(case["responses"].as_array().expect("responses")) {
        let broke = recorded["panic"] == true;
        comparable &= !broke && recorded["status"] != 500;
        // Cases about our own counters would see a scrape too many.
        let refused_before = if broke { server.scrape().rejected() } else { 0.0 };
        let (status, content_type) = take(step, server);
        if step["transport"] == "udp" {
            if case["isolated"] == true && !broke {
                // The log tells that a datagram was refused; one that was not is over before the next.
                refusals += usize::from(recorded["log"].is_string());
                wait_for("a refusal in the log", || (server.refusals() >= refusals).then_some(()));
            } else {
                server.catch_up();
            }
        }
        assert!(server.is_alive(), "{} killed the server", case["id"]);
        match (status, recorded["status"].as_u64()) {
            (Some(status), _) if broke => {
                if !(400..500).contains(&status) {
                    found.push(format!("the original panicked, ours answered {status}"));
                }
            }
            (None, _) if broke => {
                if server.scrape().rejected() <= refused_before {
                    found.push("the original died, ours counted no rejection".to_owned());
                }
            }
            // The original's broken /metrics must be whole here.
            (Some(200), Some(500)) | (None, None) => {}
            (Some(status), Some(recorded)) if status == recorded => {}
            (status, recorded) => found.push(format!("status {status:?}, not {recorded:?}")),
        }
        // Those of other answers are ours.
        let is_page =
            step["path"] == "/metrics" && status == Some(200) && recorded["status"] == 200;
        let recorded = recorded["content_type"].as_str();
        if is_page && content_type.as_deref() != recorded {
            found.push(format!("content type {content_type:?}, not {recorded:?}"));
        }
    }
    let lines = lines_of(case, &server.scrape());
    let recorded: Vec<&str> =
        case["metrics"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if comparable && lines != recorded {
        found.push(format!("lines {lines:?}, not {recorded:?}"));
    }
    found
}

/// Takes one step; the status of the answer and its content type, if it has them.
fn take(step: &Value, server: &Server) -> (Option<u64>, Option<String>) {
    if step["transport"] == "udp" {
        server.send(bytes(step, "body").unwrap_or_default());
        return (None, None);
    }
    if let Some(raw) = bytes(step, "raw") {
        let mut client = Client::connect(server.http);
        // The server may answer and close before it has read all.
        client.send(&raw).ok();
        let (answer, _) = client.rest(SILENCE);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        return (Some(status.and_then(|status| status.parse().ok()).unwrap_or(0)), None);
    }
    let text = |key: &str| step[key].as_str().expect("a string");
    let mut headers = vec![("Connection", "close")];
    let more = step["headers"].as_object().into_iter().flatten();
    headers.extend(more.map(|(name, value)| (&**name, value.as_str().unwrap_or_default())));
    let body = bytes(step, "body");
    let mut client = Client::connect(server.http);
    let reply = client.request(text("method"), text("path"), &headers, body.as_deref());
    let status = reply.as_ref().map_or(0, |reply| u64::from(reply.status));
    (Some(status), reply.and_then(|reply| reply.header("content-type").map(str::to_owned)))
}

/// A field that is text, or base64 under another name.
fn bytes(step: &Value, key: &str) -> Option<Vec<u8>> {
    if let Some(encoded) = step[format!("{key}_b64")].as_str() {
        return Some(BASE64_STANDARD.decode(encoded).expect("base64"));
    }
    step[key].as_str().map(|text| text.as_bytes().to_vec())
}

/// The lines of a case's families. Timings of our own histogram are volatile.
fn lines_of(case: &Value, page: &Page) -> Vec<String> {
    let prefix = case["prefix"].as_str();
    let names: Vec<&str> =
        case["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let wanted =
        |name: &str| prefix.is_some_and(|prefix| name.contains(prefix)) || names.contains(&name);
    let families = page.families();
    let lines = families.iter().filter(|(name, _)| wanted(name)).flat_map(|(_, lines)| lines);
    lines
        .map(|line| match line.rsplit_once(' ') {
            Some((sample, _))
                if line.starts_with("request_duration_seconds")
                    && line.contains("handler=\"post\"") =>
            {
                format!("{sample} <volatile>")
            }
            _ => (*line).to_owned(),
        })
        .collect()
}
