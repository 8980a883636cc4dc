//! What this server is and how it stands.

use std::env;

use procfs::process::Process;
use serde_json::{Map, Value, json};

use super::value;
use crate::{clock, config::Config, ingest::Ingest, telemetry::Telemetry, version};

/// What does not change while it runs.
pub(super) struct Status {
    flags: Map<String, Value>,
}

impl Status {
    pub(super) fn new(config: &Config) -> Self {
        let flags = config.flags.iter();
        Self { flags: flags.map(|(name, value)| ((*name).to_owned(), json!(value))).collect() }
    }

    /// Each flag and its value in force.
    pub(super) fn flags(&self) -> Value {
        Value::Object(self.flags.clone())
    }
}

/// The configuration file as it is in force: there is none.
pub(super) fn config() -> Value {
    json!({"yaml": ""})
}

/// What this build is.
pub(super) fn build_info() -> Value {
    json!({
        "version": version::VERSION,
        "revision": version::REVISION,
        "rustcVersion": version::RUSTC,
    })
}

/// Since when it runs, where, and how much it holds.
pub(super) fn runtime_info(ingest: &Ingest, telemetry: &Telemetry) -> Value {
    let (registry, limits) = (ingest.registry(), &ingest.policy().rules().limits);
    let directory = env::current_dir().map(|path| path.display().to_string());
    let resident = Process::myself().and_then(|process| process.stat());
    json!({
        "startTime": value::time(telemetry.started()),
        "serverTime": value::time(clock::now()),
        "CWD": directory.unwrap_or_default(),
        "familyCount": registry.family_count(),
        "seriesCount": registry.series_count(),
        "seriesLimit": limits.all,
        "seriesBytes": registry.bytes(),
        "seriesBytesLimit": limits.bytes,
        "residentMemoryBytes": resident.ok().map(|stat| stat.rss * procfs::page_size()),
    })
}
