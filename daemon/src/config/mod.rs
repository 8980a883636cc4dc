//! What the operator asked for, from flags and environment, checked whole before anything binds.

mod address;
mod flags;
mod rules;

use std::{ffi::OsString, num::NonZeroU32, path::PathBuf, time::Duration};

pub use address::{Address, Endpoint};
use pushprom_core::{
    expose,
    limits::{Limits, NameScheme, SeriesLimits},
    model::Span,
    registry::SchemaConflicts,
    rules::Rules,
};
use tracing::level_filters::LevelFilter;

use self::flags::{FLAGS, Values};

/// The longest of any waiting time: more is a slip, and clocks cannot add up just any.
const DURATION_MAX: Duration = Duration::from_hours(24);

/// The most that `-web.max-body-bytes` may allow: a body is held in memory whole.
const BODY_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// The most that `-udp.receive-buffer-bytes` may ask for: the kernel doubles it and counts in 32 bits.
const RECEIVE_BUFFER_BYTES_MAX: usize = 1024 * 1024 * 1024 - 1;

/// The most that `-udp.sockets` may ask for: more threads than any machine has cores for.
const UDP_SOCKETS_MAX: usize = 1024;

/// The most slices that `-summary.age-buckets` may divide a window into: each has a sketch of its own.
const AGE_BUCKETS_MAX: usize = 60;

/// The settings in force; nothing is left undecided.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP listens.
    pub http_listen: Vec<Endpoint>,
    /// Where UDP listens.
    pub udp_listen: Vec<Address>,
    /// Where unix datagrams are received.
    pub unix_listen: Vec<PathBuf>,
    /// Permissions of the files of unix sockets.
    pub unix_mode: u32,
    /// Bytes that the kernel is asked to hold for each UDP socket.
    pub udp_receive_buffer_bytes: usize,
    /// Sockets and threads of each UDP address.
    pub udp_sockets: usize,
    /// What a differing help text or label set does.
    pub schema_conflicts: SchemaConflicts,
    /// How families are kept, how long series live, and how many there may be.
    pub rules: Rules,
    /// Until a series that is counted shows more than 0, from its birth, in text formats.
    pub first_scrape_zero: Option<Duration>,
    /// Where declarations are read from at the start.
    pub declare_files: Vec<PathBuf>,
    /// What is done about names that break the conventions.
    pub linting: Linting,
    /// Limits of messages and of the registry.
    pub limits: Limits,
    /// What pages show.
    pub pages: expose::Options,
    /// The file of TLS, users and headers for HTTP.
    pub web_config_file: Option<PathBuf>,
    /// Where sockets come from.
    pub sockets: Sockets,
    /// HTTP connections open at once.
    pub connections_max: usize,
    /// Scrapes that wait for their page at once.
    pub scrapes_max: usize,
    /// Until a request's header is complete, from the connection or the answer before.
    pub header_timeout: Duration,
    /// Until a request's body is complete, from its header.
    pub body_timeout: Duration,
    /// Until a client has taken its answer, from when it first made us wait.
    pub write_timeout: Duration,
    /// Until work in flight is cut off at shutdown.
    pub shutdown_timeout: Duration,
    /// The least severe events that are logged.
    pub log_level: LevelFilter,
    /// How a log line is laid out.
    pub log_format: LogFormat,
}

/// Where sockets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// We bind them.
    Own,
    /// systemd has bound them.
    Systemd,
}

/// What is done about names that break the conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linting {
    /// Nothing.
    Off,
    /// They are logged, and listed on a page.
    Warn,
}

/// How a log line is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// A JSON object a line.
    Json,
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// To serve.
    Run(Box<Config>),
    /// To print [`usage`].
    Help,
    /// To print the version.
    Version,
}

/// Why the command line or the environment cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is written wrongly.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// It is well written, but there is nowhere to listen at such an address.
    #[error("cannot listen where {origin} says: {problem}")]
    Address {
        /// The flag or environment variable that names the address.
        origin: String,
        /// What is wrong.
        problem: String,
    },
}

/// What is wrong with how a command line or the environment is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// A flag that is none. The text is that of the original.
    #[error("flag provided but not defined: -{0}")]
    Unknown(String),
    /// A flag without its value.
    #[error("flag needs an argument: -{0}")]
    NoValue(String),
    /// A value that its flag does not take.
    #[error("invalid value {value:?} for {origin}: {problem}")]
    Invalid {
        /// The value.
        value: String,
        /// The flag or environment variable that brought it.
        origin: String,
        /// What is wrong.
        problem: String,
    },
}

/// Reads flags, which win, and environment variables.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Invocation, ConfigError> {
    let values = Values::parse(arguments, environment)?;
    if values.switch("help")? {
        return Ok(Invocation::Help);
    }
    if values.switch("version")? {
        return Ok(Invocation::Version);
    }
    let log_level = if values.switch("debug")? {
        LevelFilter::DEBUG
    } else {
        values.get("log.level", parse_level)?
    };
    Ok(Invocation::Run(Box::new(Config {
        http_listen: addresses(&values, "http-listen-address", address::parse_endpoints)?,
        udp_listen: addresses(&values, "udp-listen-address", address::parse_list)?,
        unix_listen: addresses(&values, "unix-listen-address", address::parse_paths)?,
        unix_mode: values.get("unix.mode", parse_mode)?,
        udp_receive_buffer_bytes: values
            .get("udp.receive-buffer-bytes", |text| parse_up_to(RECEIVE_BUFFER_BYTES_MAX, text))?,
        udp_sockets: values.get("udp.sockets", |text| parse_up_to(UDP_SOCKETS_MAX, text))?,
        schema_conflicts: values.get("schema.conflicts", parse_schema_conflicts)?,
        rules: rules(&values)?,
        first_scrape_zero: values.get("counter.first-scrape-zero", parse_optional_duration)?,
        declare_files: values.get("declare.file", parse_files)?,
        linting: if values.switch("lint.warn")? { Linting::Warn } else { Linting::Off },
        limits: Limits {
            message_bytes: values
                .get("web.max-body-bytes", |text| parse_up_to(BODY_BYTES_MAX, text))?,
            names: values.get("names.validation-scheme", parse_name_scheme)?,
        },
        pages: expose::Options { created: values.switch("openmetrics.created")? },
        web_config_file: values.get("web.config.file", parse_optional_path)?,
        sockets: if values.switch("web.systemd-socket")? { Sockets::Systemd } else { Sockets::Own },
        connections_max: values.get("web.max-connections", parse_count)?,
        scrapes_max: values.get("web.max-scrapes", parse_count)?,
        header_timeout: values.get("web.header-timeout", parse_duration)?,
        body_timeout: values.get("web.body-timeout", parse_duration)?,
        write_timeout: values.get("web.write-timeout", parse_duration)?,
        shutdown_timeout: values.get("shutdown.timeout", parse_duration)?,
        log_level,
        log_format: values.get("log.format", parse_log_format)?,
    })))
}

/// The text of `-h`, made from the table of flags.
pub fn usage() -> String {
    let mut text = "Usage of pushprom:\n".to_owned();
    for flag in FLAGS {
        let value = if flag.default.is_some() { " value" } else { "" };
        let names: Vec<String> = flag.names().map(|name| format!("-{name}{value}")).collect();
        text += &format!("  {}\n", names.join(", "));
        for line in flag.help.lines() {
            text += &format!("    \t{line}\n");
        }
        let default = flag.default.map(|default| format!("default {default:?}"));
        let variable = flag.variable().map(|variable| format!("environment {variable}"));
        let facts: Vec<String> = default.into_iter().chain(variable).collect();
        if !facts.is_empty() {
            text += &format!("    \t({})\n", facts.join(", "));
        }
    }
    text
}

/// The table of flags as a Markdown page shows it; `docs/configuration.md` holds a copy.
pub fn markdown_table() -> String {
    let mut text =
        "| flag | default | environment | what it does |\n|---|---|---|---|\n".to_owned();
    for flag in FLAGS {
        let names: Vec<String> = flag.names().map(|name| format!("`-{name}`")).collect();
        let default = flag.default.filter(|default| !default.is_empty());
        let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
        let help = flag.help.replace('\n', " ").replace('|', "\\|");
        let variable = flag.variable().map(|variable| format!("`{variable}`")).unwrap_or_default();
        let names = names.join(", ");
        text += &format!("| {names} | {default} | {variable} | {help} |\n");
    }
    text
}

fn addresses<T>(
    values: &Values,
    flag: &str,
    read: impl Fn(&str) -> Result<Vec<T>, String>,
) -> Result<Vec<T>, ConfigError> {
    values.get(flag, read).map_err(|error| match error {
        UsageError::Invalid { origin, problem, .. } => ConfigError::Address { origin, problem },
        other @ (UsageError::Unknown(_) | UsageError::NoValue(_)) => other.into(),
    })
}

fn rules(values: &Values) -> Result<Rules, UsageError> {
    let mut list = values.get("histogram.native", rules::parse_histograms)?;
    list.append(&mut values.get("summary.objectives", rules::parse_summaries)?);
    Ok(Rules {
        list,
        span: span(values)?,
        expire_after: values.get("series.expire-after", parse_expiry)?,
        limits: SeriesLimits {
            all: values.get("series.limit", parse_count)?,
            per_family: values.get("series.limit-per-family", parse_optional_count)?,
            per_client: values.get("series.limit-per-client", parse_optional_count)?,
            bytes: values.get("series.max-bytes", parse_count)?,
        },
        names: values.get("names.validation-scheme", parse_name_scheme)?,
    })
}

fn span(values: &Values) -> Result<Span, UsageError> {
    let age = values.get("summary.max-age", parse_duration)?;
    let slices = values.get("summary.age-buckets", |text| parse_up_to(AGE_BUCKETS_MAX, text))?;
    let milliseconds = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Ok(Span::new(milliseconds, u64::try_from(slices).unwrap_or(u64::MAX)))
}

fn parse_schema_conflicts(text: &str) -> Result<SchemaConflicts, String> {
    match text {
        "adopt" => Ok(SchemaConflicts::Adopt),
        "reject" => Ok(SchemaConflicts::Reject),
        _ => Err("use adopt or reject".to_owned()),
    }
}

fn parse_name_scheme(text: &str) -> Result<NameScheme, String> {
    match text {
        "legacy" => Ok(NameScheme::Legacy),
        "utf8" => Ok(NameScheme::Utf8),
        _ => Err("use legacy or utf8".to_owned()),
    }
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "logfmt" => Ok(LogFormat::Logfmt),
        "json" => Ok(LogFormat::Json),
        _ => Err("use logfmt or json".to_owned()),
    }
}

/// `fatal` is a level of the original; nothing of ours is logged above `error`.
fn parse_level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "error" | "fatal" | "panic" => Ok(LevelFilter::ERROR),
        _ => Err("use debug, info, warn or error".to_owned()),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("use a whole number of at least 1".to_owned()),
        Ok(count) => Ok(count),
    }
}

fn parse_optional_count(text: &str) -> Result<Option<usize>, String> {
    match text {
        "off" => Ok(None),
        text => match parse_count(text) {
            Ok(count) => Ok(Some(count)),
            Err(problem) => Err(format!("{problem}, or off")),
        },
    }
}

/// A time in whole seconds, or `off`.
fn parse_expiry(text: &str) -> Result<Option<NonZeroU32>, String> {
    if text == "off" {
        return Ok(None);
    }
    let seconds = humantime::parse_duration(text).ok().map(|time| time.as_secs());
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok()).and_then(NonZeroU32::new);
    let problem = "use a duration of at least a second, such as 90s, 1h or 30d, or off";
    seconds.map(Some).ok_or_else(|| problem.to_owned())
}

fn parse_up_to(max: usize, text: &str) -> Result<usize, String> {
    match parse_count(text) {
        Ok(count) if count <= max => Ok(count),
        Ok(_) | Err(_) => Err(format!("use a whole number from 1 to {max}")),
    }
}

/// File permissions as `chmod` takes them.
fn parse_mode(text: &str) -> Result<u32, String> {
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if is_octal && mode <= 0o777 => Ok(mode),
        Ok(_) | Err(_) => Err("use an octal number from 0 to 0777, such as 0660".to_owned()),
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() && duration <= DURATION_MAX => Ok(duration),
        Ok(_) | Err(_) => {
            Err("use a duration above zero, of a day at most, such as 500ms, 10s or 1m".to_owned())
        }
    }
}

fn parse_optional_duration(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "off" => Ok(None),
        text => match parse_duration(text) {
            Ok(duration) => Ok(Some(duration)),
            Err(problem) => Err(format!("{problem}, or off")),
        },
    }
}

/// A path; none for an empty text.
#[expect(clippy::unnecessary_wraps, reason = "all readers of values look the same")]
fn parse_optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Paths, comma-separated; none at all for an empty text.
fn parse_files(text: &str) -> Result<Vec<PathBuf>, String> {
    let files: Vec<&str> = text.split(',').map(str::trim).collect();
    match &*files {
        [""] => Ok(Vec::new()),
        files if files.contains(&"") => Err("a path is empty: leave out the comma".to_owned()),
        files => Ok(files.iter().map(PathBuf::from).collect()),
    }
}

#[cfg(test)]
mod tests;
