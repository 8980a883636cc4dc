//! The command line.

use std::{path::PathBuf, time::Duration};

use getopts::Options as Grammar;

use crate::{rows, sinks::Sink};

/// How long each timed workload runs against each target, where `--seconds` does not say.
const SECONDS_DEFAULT: u64 = 5;

/// What the command line asks for.
pub(crate) enum Invocation {
    /// The measurement.
    Measure(Options),
    /// The instruction counts of a file alone.
    Count(PathBuf),
    /// One of the yardsticks; only this program itself asks for it, of its children.
    Sink(Sink),
    /// The usage.
    Help,
}

/// How to measure.
pub(crate) struct Options {
    /// The pushprom binary.
    pub(crate) server: PathBuf,
    /// Where the rows go as JSON.
    pub(crate) json: Option<PathBuf>,
    /// Where the micro-benchmarks have left their instruction counts.
    pub(crate) micro: Option<PathBuf>,
    /// The page whose tables are replaced.
    pub(crate) page: Option<PathBuf>,
    /// How long each timed workload runs against each target.
    pub(crate) seconds: Duration,
    /// The one group of workloads to run; all of them where it is `None`.
    pub(crate) only: Option<String>,
}

fn grammar() -> Grammar {
    let mut grammar = Grammar::new();
    grammar.optopt("", "server", "The pushprom binary to measure", "PATH");
    grammar.optopt("", "json", "Write the rows to this file too", "FILE");
    grammar.optopt("", "micro", "Show the instruction counts in this file too, or alone", "FILE");
    grammar.optopt("", "page", "Replace the tables in this Markdown page too", "FILE");
    let seconds = format!("How long each timed workload runs (default {SECONDS_DEFAULT})");
    grammar.optopt("", "seconds", &seconds, "N");
    let groups = rows::GROUPS.map(|(name, _)| name).join(", ");
    grammar.optopt("", "only", &format!("Run one group of workloads: {groups}"), "GROUP");
    grammar.optflag("h", "help", "Print this text and exit");
    grammar
}

/// How to call this program.
pub(crate) fn usage() -> String {
    grammar()
        .usage("Usage: pushprom-bench --server PATH [--micro FILE] [--json FILE] [--page FILE] [--seconds N] [--only GROUP]\n       pushprom-bench --micro FILE")
}

/// Reads the arguments; the error is for the one who typed them.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Invocation, String> {
    let given = grammar().parse(arguments).map_err(|fail| fail.to_string())?;
    if given.opt_present("help") {
        return Ok(Invocation::Help);
    }
    if let Some(word) = given.free.first() {
        let sink = Sink::ALL.into_iter().find(|sink| sink.word() == word);
        return sink.map(Invocation::Sink).ok_or_else(|| format!("unknown argument {word:?}"));
    }
    let path = |flag| given.opt_str(flag).map(PathBuf::from);
    let (server, micro) = match (path("server"), path("micro")) {
        (Some(server), micro) => (server, micro),
        (None, Some(micro)) => return Ok(Invocation::Count(micro)),
        (None, None) => return Err("--server is missing".to_owned()),
    };
    let seconds = match given.opt_str("seconds") {
        None => SECONDS_DEFAULT,
        Some(text) => match text.parse() {
            Ok(seconds @ 1..=60) => seconds,
            Ok(_) | Err(_) => return Err(format!("--seconds {text:?}: use a number from 1 to 60")),
        },
    };
    let seconds = Duration::from_secs(seconds);
    let only = given.opt_str("only");
    if let Some(name) = &only
        && rows::GROUPS.iter().all(|(group, _)| group != name)
    {
        return Err(format!("--only {name:?} is no group of workloads"));
    }
    let (json, page) = (path("json"), path("page"));
    if page.is_some() && (only.is_some() || micro.is_none()) {
        return Err(
            "--page takes both tables, whole: give --micro, and leave --only out".to_owned()
        );
    }
    Ok(Invocation::Measure(Options { server, json, micro, page, seconds, only }))
}
