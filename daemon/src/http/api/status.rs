//! What this server is and how it stands.

use std::env;

use procfs::process::Process;
use pushprom_core::{limits::SeriesLimits, registry::Registry};
use serde_json::{Value, json};

use super::value;
use crate::{clock, config::Config, telemetry::Telemetry, version};

/// Each flag and its value in force.
pub(super) fn flags(config: &Config) -> Value {
    let flags = config.flags().map(|(name, value)| (name.to_owned(), json!(value)));
    Value::Object(flags.collect())
}

/// The configuration file as it is in force, without its secrets; empty if there is none.
pub(super) fn config(config: &Config) -> Value {
    json!({"yaml": config.yaml()})
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
pub(super) fn runtime_info(
    registry: &Registry,
    limits: &SeriesLimits,
    telemetry: &Telemetry,
) -> Value {
    let directory = env::current_dir().map(|path| path.display().to_string());
    let resident = Process::myself().and_then(|process| process.stat());
    let (read_at, has_failed) = telemetry.last_reload();
    json!({
        "startTime": value::time(telemetry.started()),
        "serverTime": value::time(clock::now()),
        "reloadConfigSuccess": !has_failed,
        "lastConfigTime": value::time(read_at),
        "CWD": directory.unwrap_or_default(),
        "familyCount": registry.family_count(),
        "seriesCount": registry.series_count(),
        "seriesLimit": limits.all,
        "seriesBytes": registry.bytes(),
        "seriesBytesLimit": limits.bytes,
        "residentMemoryBytes": resident.ok().map(|stat| stat.rss * procfs::page_size()),
    })
}
