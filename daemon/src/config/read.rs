//! The values of flags, each from its text; the error says what to write instead.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use pushprom_core::{limits::NameScheme, registry::SchemaConflicts};
use tracing::level_filters::LevelFilter;

use super::{Ack, LogFormat};

/// The longest of any waiting time: more is a slip, and clocks cannot add up just any.
const DURATION_MAX: Duration = Duration::from_hours(24);

pub(super) fn parse_schema_conflicts(text: &str) -> Result<SchemaConflicts, String> {
    match text {
        "adopt" => Ok(SchemaConflicts::Adopt),
        "reject" => Ok(SchemaConflicts::Reject),
        _ => Err("use adopt or reject".to_owned()),
    }
}

pub(super) fn parse_name_scheme(text: &str) -> Result<NameScheme, String> {
    match text {
        "legacy" => Ok(NameScheme::Legacy),
        "utf8" => Ok(NameScheme::Utf8),
        _ => Err("use legacy or utf8".to_owned()),
    }
}

pub(super) fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "logfmt" => Ok(LogFormat::Logfmt),
        "json" => Ok(LogFormat::Json),
        _ => Err("use logfmt or json".to_owned()),
    }
}

pub(super) fn parse_ack(text: &str) -> Result<Ack, String> {
    match text {
        "memory" => Ok(Ack::Memory),
        "commit" => Ok(Ack::Commit),
        _ => Err("use memory or commit".to_owned()),
    }
}

/// `fatal` is a level of the original; nothing of ours is logged above `error`.
pub(super) fn parse_level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "error" | "fatal" | "panic" => Ok(LevelFilter::ERROR),
        _ => Err("use debug, info, warn or error".to_owned()),
    }
}

pub(super) fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("use a whole number of at least 1".to_owned()),
        Ok(count) => Ok(count),
    }
}

pub(super) fn parse_optional_count(text: &str) -> Result<Option<usize>, String> {
    match text {
        "off" => Ok(None),
        text => match parse_count(text) {
            Ok(count) => Ok(Some(count)),
            Err(problem) => Err(format!("{problem}, or off")),
        },
    }
}

/// A time in whole seconds, or `off`.
pub(super) fn parse_expiry(text: &str) -> Result<Option<NonZeroU32>, String> {
    if text == "off" {
        return Ok(None);
    }
    let seconds = humantime::parse_duration(text).ok().map(|time| time.as_secs());
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok()).and_then(NonZeroU32::new);
    let problem = "use a duration of at least a second, such as 90s, 1h or 30d, or off";
    seconds.map(Some).ok_or_else(|| problem.to_owned())
}

pub(super) fn parse_up_to(max: usize, text: &str) -> Result<usize, String> {
    match parse_count(text) {
        Ok(count) if count <= max => Ok(count),
        Ok(_) | Err(_) => Err(format!("use a whole number from 1 to {max}")),
    }
}

/// File permissions as `chmod` takes them.
pub(super) fn parse_mode(text: &str) -> Result<u32, String> {
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if is_octal && mode <= 0o777 => Ok(mode),
        Ok(_) | Err(_) => Err("use an octal number from 0 to 0777, such as 0660".to_owned()),
    }
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() && duration <= DURATION_MAX => Ok(duration),
        Ok(_) | Err(_) => {
            Err("use a duration above zero, of a day at most, such as 500ms, 10s or 1m".to_owned())
        }
    }
}

pub(super) fn parse_optional_duration(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "off" => Ok(None),
        text => match parse_duration(text) {
            Ok(duration) => Ok(Some(duration)),
            Err(problem) => Err(format!("{problem}, or off")),
        },
    }
}

/// A path, which begins at `folder` if it is relative; none for an empty text.
#[expect(clippy::unnecessary_wraps, reason = "all readers of values look the same")]
pub(super) fn parse_optional_path(folder: &Path, text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| folder.join(text)))
}

/// Paths, comma-separated, which begin at `folder` if they are relative; none at all for an empty text.
pub(super) fn parse_files(folder: &Path, text: &str) -> Result<Vec<PathBuf>, String> {
    let files: Vec<&str> = text.split(',').map(str::trim).collect();
    match &*files {
        [""] => Ok(Vec::new()),
        files if files.contains(&"") => Err("a path is empty: leave out the comma".to_owned()),
        files => Ok(files.iter().map(|file| folder.join(file)).collect()),
    }
}
