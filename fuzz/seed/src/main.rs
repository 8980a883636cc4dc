//! Writes the recorded conformance cases where the targets look for their corpus: bodies for those that read
//! messages, headers for the one that reads these; selectors; and records, in batches.

use std::{error::Error, fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use pushprom_core::{
    limits::{Limits, NameScheme},
    model::Timestamp,
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    wire::json::decode_exact,
};
use serde_json::Value;

/// Headers that newer releases of Prometheus send.
const ACCEPT: &[&str] = &[
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,\
     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
     application/openmetrics-text;version=1.0.0;escaping=dots;q=0.5,\
     text/plain;version=1.0.0;escaping=\"values\";escaping=underscores;q=0.3,*/*;q=0.1",
];

fn main() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cases = fs::read_to_string(home.join("../tests/conformance/cases.jsonl"))?;
    // What the original knew nothing of.
    let deltas = fs::read_to_string(home.join("deltas.jsonl"))?;
    for target in ["json_fast", "json_exact", "intake"] {
        let corpus = home.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        // The first byte of an intake's input says how to run.
        let how = if target == "intake" { "\0" } else { "" };
        for (place, delta) in deltas.lines().enumerate() {
            fs::write(corpus.join(format!("delta-{place}")), format!("{how}{delta}"))?;
        }
        for line in cases.lines() {
            let case: Value = serde_json::from_str(line)?;
            let id = case["id"].as_str().ok_or("a case has no id")?;
            let steps = case["steps"].as_array().ok_or("a case has no steps")?;
            for (place, step) in steps.iter().enumerate() {
                if let Some(body) = body(step)? {
                    fs::write(corpus.join(format!("{id}-{place}")), body)?;
                }
            }
        }
    }
    let corpus = home.join("corpus/negotiate");
    fs::create_dir_all(&corpus)?;
    for (place, accept) in ACCEPT.iter().enumerate() {
        fs::write(corpus.join(format!("prometheus-{place}")), format!("{accept}\0gzip"))?;
    }
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line)?;
        let id = case["id"].as_str().ok_or("a case has no id")?;
        let headers = &case["steps"][0]["headers"];
        let [accept, accept_encoding] =
            ["Accept", "Accept-Encoding"].map(|name| headers[name].as_str().unwrap_or_default());
        if !accept.is_empty() || !accept_encoding.is_empty() {
            fs::write(corpus.join(id), format!("{accept}\0{accept_encoding}"))?;
        }
    }
    let corpus = home.join("corpus/selector");
    fs::create_dir_all(&corpus)?;
    for (place, selector) in SELECTORS.iter().enumerate() {
        fs::write(corpus.join(format!("selector-{place}")), selector)?;
    }
    let corpus = home.join("corpus/storage");
    fs::create_dir_all(&corpus)?;
    for (place, delta) in deltas.lines().enumerate() {
        let records = records(delta.as_bytes());
        let (first, rest) = records.split_at(records.len() / 2);
        let mut batches = vec![0; 4];
        for batch in [&records, first, rest] {
            batches.extend(u16::try_from(batch.len())?.to_le_bytes());
            batches.extend(batch);
        }
        fs::write(corpus.join(format!("delta-{place}")), batches)?;
    }
    Ok(())
}

/// What a store keeps of a message.
fn records(message: &[u8]) -> Vec<u8> {
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    let limits = Limits { names: NameScheme::Utf8, ..Limits::default() };
    for delta in decode_exact(message, &limits).deltas.iter().flatten() {
        // What is refused leaves no trace.
        registry.apply(delta, Policy::default().source(), Timestamp(1_700_000_000_000)).ok();
    }
    let (cut, ()) = registry.cut(|| ());
    cut.records().flatten().collect()
}

/// Selectors of all sorts.
const SELECTORS: &[&str] = &[
    "up",
    r#"up{job="x",path!="y",code=~"5..|429",host!~"(?i)db.*",}"#,
    r#"{__name__=~"http_.+",le=""}"#,
    r#"{"my.metric", 'a label'='\x\x41\u00e9\n' # why
    , raw=`\d+`}"#,
];

/// What a step sends, if it sends a message.
fn body(step: &Value) -> Result<Option<Vec<u8>>, base64::DecodeError> {
    match (step["body"].as_str(), step["body_b64"].as_str()) {
        (Some(text), _) => Ok(Some(text.into())),
        (None, Some(encoded)) => STANDARD.decode(encoded).map(Some),
        (None, None) => Ok(None),
    }
}
