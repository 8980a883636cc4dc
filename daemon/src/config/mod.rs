//! What the operator asked for, from flags, environment and file, checked whole before anything binds.

mod access;
mod address;
mod file;
mod flags;
mod idempotency;
mod origins;
mod read;
mod rules;
mod task;
mod usage;
mod yaml;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

pub use access::{Granted, Mark, Named, Principals, Right, Rights};
pub use address::{Address, Endpoint};
pub use origins::Origins;
use pushprom_core::{
    answers::Retention,
    expose,
    limits::{Limits, SeriesLimits},
    model::Span,
    registry::SchemaConflicts,
    rules::Rules,
};
use tracing::level_filters::LevelFilter;

use self::{
    file::File,
    flags::Values,
    read::{
        parse_ack, parse_count, parse_duration, parse_expiry, parse_files, parse_level,
        parse_log_format, parse_mode, parse_name_scheme, parse_optional_count,
        parse_optional_duration, parse_optional_path, parse_schema_conflicts, parse_up_to,
    },
    task::STORAGE,
};
pub use self::{
    file::FileError,
    task::Task,
    usage::{markdown_table, usage},
};

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
    /// Where series outlive the process, if anywhere.
    pub storage: Option<Storage>,
    /// How much is remembered of messages with keys.
    pub keys: Retention,
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
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    /// Whether a request may reload or stop the process.
    pub lifecycle: Lifecycle,
    /// Whether operators can look at what is held over HTTP, and delete some of it.
    pub admin_api: AdminApi,
    /// Who may do what; without it everybody may do everything.
    pub access: Option<Principals>,
    /// Origins whose pages may push.
    pub origins: Origins,
    /// How many rules are from the file.
    file_rules: usize,
    /// The file without its secrets.
    yaml: String,
    /// What was given for each flag.
    values: Values,
}

/// Where series outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The directory.
    pub path: PathBuf,
    /// When a push is answered.
    pub ack: Ack,
    /// How long a change waits at most until it is being written.
    pub commit_interval: Duration,
    /// How long a write may take before it counts as failing.
    pub write_timeout: Duration,
}

/// When an HTTP push is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// When it is applied.
    Memory,
    /// When it is on disk.
    Commit,
}

/// Whether a request may reload or stop the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// No.
    Off,
    /// `/-/reload` and `/-/quit` are there.
    On,
}

/// Where sockets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// We bind them.
    Own,
    /// systemd has bound them.
    Systemd,
}

/// Whether operators can look at what is held over HTTP, and delete some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminApi {
    /// They cannot.
    Off,
    /// They can.
    On,
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
    /// To say whether a file could be run with.
    Check(PathBuf),
    /// To do something with the store in a directory.
    Storage(Task, PathBuf),
    /// To print [`usage()`].
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
    /// The file of `-config.file` cannot be followed.
    #[error("{0}")]
    File(#[from] FileError),
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
    /// The subcommand, and not one argument more.
    #[error("check-config takes one argument, the file: pushprom check-config pushprom.yml")]
    Check,
    /// The other subcommand, with what it does and a directory.
    #[error(
        "storage takes check, repair, export, import or compact, and a directory: pushprom storage check DIR"
    )]
    Storage,
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

/// The first argument that asks for [`Invocation::Check`].
const CHECK: &str = "check-config";

/// Reads flags, which win, environment variables, and the file that these name.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Invocation, ConfigError> {
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == CHECK).is_some() {
        return match (arguments.next(), arguments.next()) {
            (Some(path), None) => Ok(Invocation::Check(path.into())),
            (Some(_) | None, _) => Err(UsageError::Check.into()),
        };
    }
    if arguments.next_if(|first| first == STORAGE).is_some() {
        let (task, path) = task::parse(arguments)?;
        return Ok(Invocation::Storage(task, path));
    }
    let values = Values::parse(arguments, environment)?;
    if values.switch("help")? {
        return Ok(Invocation::Help);
    }
    if values.switch("version")? {
        return Ok(Invocation::Version);
    }
    let (values, path, file) = fill_in(values)?;
    Config::of(values, path, &file).map(|config| Invocation::Run(Box::new(config)))
}

/// What a file by itself asks for, for who wants to know whether it could be run with.
pub fn check(path: &Path) -> Result<Config, ConfigError> {
    let file = file::load(path)?;
    let mut values = Values::parse([], |_| None)?;
    values.fill_in(path, &file);
    Config::of(values, Some(path.to_owned()), &file)
}

/// Reads everything again for a process that runs with `old`, and says which flags keep their old values
/// because only a start changes them.
pub fn reload(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
    old: &Config,
) -> Result<(Config, Vec<&'static str>), ConfigError> {
    let (mut values, path, file) = fill_in(Values::parse(arguments, environment)?)?;
    // As at a start: what only a start changes is checked too.
    let new = Config::of(values.clone(), path.clone(), &file)?;
    let kept = values.keep_fixed(&old.values);
    let new = if kept.is_empty() { new } else { Config::of(values, path, &file)? };
    Ok((new, kept))
}

/// Reads the file, if one is named, and with it what flags and environment leave open.
fn fill_in(mut values: Values) -> Result<(Values, Option<PathBuf>, File), ConfigError> {
    let path = values.get("config.file", |text| Ok(PathBuf::from(text)))?;
    if path.as_os_str().is_empty() {
        return Ok((values, None, File::default()));
    }
    let file = file::load(&path)?;
    values.fill_in(&path, &file);
    Ok((values, Some(path), file))
}

impl Config {
    /// Every flag with the text of its value in force.
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.all()
    }

    /// The file without its secrets; empty if there is none.
    pub fn yaml(&self) -> &str {
        &self.yaml
    }

    /// What the file brought, in numbers.
    pub fn summary(&self) -> String {
        let (settings, rules) = (self.values.count_of_file(), self.file_rules);
        let principals = self.access.as_ref().map_or(0, |access| access.named.len());
        format!("{settings} settings, {rules} rules, {principals} principals")
    }

    fn of(values: Values, path: Option<PathBuf>, file: &File) -> Result<Self, ConfigError> {
        let names = values.get("names.validation-scheme", parse_name_scheme)?;
        let mut rules = rules(&values)?;
        let in_file = |problem| FileError::new(path.as_deref().unwrap_or(Path::new("")), problem);
        let mut file_rules = file.rules(names).map_err(in_file)?;
        let rules_of_file = file_rules.len();
        rules.list.append(&mut file_rules);
        let folder = path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let access = file.principals(folder, names).map_err(in_file)?;
        let origins = values.get("web.cors.origins", |text| match text.parse()? {
            Origins::Any if access.is_some() => {
                Err("* is for open access alone: list the origins".to_owned())
            }
            origins @ (Origins::Listed(_) | Origins::Any) => Ok(origins),
        })?;
        let log_level = if values.switch("debug")? {
            LevelFilter::DEBUG
        } else {
            values.get("log.level", parse_level)?
        };
        Ok(Self {
            http_listen: addresses(&values, "http-listen-address", address::parse_endpoints)?,
            udp_listen: addresses(&values, "udp-listen-address", |_, text| {
                address::parse_list(text)
            })?,
            unix_listen: addresses(&values, "unix-listen-address", address::parse_paths)?,
            unix_mode: values.get("unix.mode", parse_mode)?,
            udp_receive_buffer_bytes: values.get("udp.receive-buffer-bytes", |text| {
                parse_up_to(RECEIVE_BUFFER_BYTES_MAX, text)
            })?,
            udp_sockets: values.get("udp.sockets", |text| parse_up_to(UDP_SOCKETS_MAX, text))?,
            schema_conflicts: values.get("schema.conflicts", parse_schema_conflicts)?,
            rules,
            first_scrape_zero: values.get("counter.first-scrape-zero", parse_optional_duration)?,
            declare_files: values.get_paths("declare.file", parse_files)?,
            storage: storage(&values)?,
            keys: idempotency::retention(&values)?,
            linting: if values.switch("lint.warn")? { Linting::Warn } else { Linting::Off },
            limits: Limits {
                message_bytes: values
                    .get("web.max-body-bytes", |text| parse_up_to(BODY_BYTES_MAX, text))?,
                names,
            },
            pages: expose::Options { created: values.switch("openmetrics.created")? },
            web_config_file: values.get_paths("web.config.file", parse_optional_path)?,
            sockets: if values.switch("web.systemd-socket")? {
                Sockets::Systemd
            } else {
                Sockets::Own
            },
            connections_max: values.get("web.max-connections", parse_count)?,
            scrapes_max: values.get("web.max-scrapes", parse_count)?,
            header_timeout: values.get("web.header-timeout", parse_duration)?,
            body_timeout: values.get("web.body-timeout", parse_duration)?,
            write_timeout: values.get("web.write-timeout", parse_duration)?,
            shutdown_timeout: values.get("shutdown.timeout", parse_duration)?,
            log_level,
            log_format: values.get("log.format", parse_log_format)?,
            lifecycle: if values.switch("web.enable-lifecycle")? {
                Lifecycle::On
            } else {
                Lifecycle::Off
            },
            admin_api: if values.switch("web.enable-admin-api")? {
                AdminApi::On
            } else {
                AdminApi::Off
            },
            access,
            origins,
            file: path,
            file_rules: rules_of_file,
            yaml: file.shown.clone(),
            values,
        })
    }
}

fn addresses<T>(
    values: &Values,
    flag: &str,
    read: impl Fn(&Path, &str) -> Result<Vec<T>, String>,
) -> Result<Vec<T>, ConfigError> {
    values.get_paths(flag, read).map_err(|error| match error {
        ConfigError::Usage(UsageError::Invalid { origin, problem, .. }) => {
            ConfigError::Address { origin, problem }
        }
        other @ (ConfigError::Usage(_) | ConfigError::File(_) | ConfigError::Address { .. }) => {
            other
        }
    })
}

fn rules(values: &Values) -> Result<Rules, ConfigError> {
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

fn storage(values: &Values) -> Result<Option<Storage>, ConfigError> {
    let path = values.get_paths("storage.path", parse_optional_path)?;
    let ack = values.get("storage.ack", |text| match parse_ack(text)? {
        Ack::Commit if path.is_none() => {
            Err("say with -storage.path where to commit to".to_owned())
        }
        ack @ (Ack::Memory | Ack::Commit) => Ok(ack),
    })?;
    let commit_interval = values.get("storage.commit-interval", parse_duration)?;
    let write_timeout = values.get("storage.write-timeout", parse_duration)?;
    Ok(path.map(|path| Storage { path, ack, commit_interval, write_timeout }))
}

fn span(values: &Values) -> Result<Span, ConfigError> {
    let age = values.get("summary.max-age", parse_duration)?;
    let slices = values.get("summary.age-buckets", |text| parse_up_to(AGE_BUCKETS_MAX, text))?;
    let milliseconds = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    Ok(Span::new(milliseconds, u64::try_from(slices).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
