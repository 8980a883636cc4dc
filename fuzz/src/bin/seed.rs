//! Writes the bodies of the recorded conformance cases where the targets that read messages look for their
//! corpus.

use std::{error::Error, fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = fs::read_to_string(home.join("../tests/conformance/cases.jsonl"))?;
    for target in ["json_fast", "json_exact", "intake"] {
        let corpus = home.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
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
    Ok(())
}

/// What a step sends, if it sends a message.
fn body(step: &Value) -> Result<Option<Vec<u8>>, base64::DecodeError> {
    match (step["body"].as_str(), step["body_b64"].as_str()) {
        (Some(text), _) => Ok(Some(text.into())),
        (None, Some(encoded)) => STANDARD.decode(encoded).map(Some),
        (None, None) => Ok(None),
    }
}
