//! The binary: flags, logs, then the application. Exit codes: 0 stopped or asked for help, 1 could not
//! start or had to cut off work at the end, 2 wrong usage.

use std::{
    env,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
};

use pushprom::{
    app,
    config::{self, ConfigError, Invocation, Task},
    log,
    store::tool::{self, Streams},
    version,
};

fn main() -> ExitCode {
    let environment = |name: &str| env::var(name).ok();
    let config = match config::parse(env::args_os().skip(1), environment) {
        Ok(Invocation::Run(config)) => config,
        Ok(Invocation::Help) => {
            tell(io::stderr(), &config::usage());
            return ExitCode::SUCCESS;
        }
        Ok(Invocation::Version) => {
            let (version, revision, rustc) = (version::VERSION, version::REVISION, version::RUSTC);
            let text =
                format!("pushprom, version {version} (revision: {revision}, rustc: {rustc})\n");
            tell(io::stdout(), &text);
            return ExitCode::SUCCESS;
        }
        Err(error @ ConfigError::Usage(_)) => {
            tell(io::stderr(), &format!("{error}\n{}", config::usage()));
            return ExitCode::from(2);
        }
        Ok(Invocation::Check(path)) => return check(&path),
        Ok(Invocation::Storage(task, path)) => return storage(task, &path),
        Err(error @ (ConfigError::Address { .. } | ConfigError::File(_))) => {
            tell(io::stderr(), &format!("{error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let _flushed_at_the_end = log::init(config.log_level, config.log_format);
    match app::run(*config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether a file could be run with.
fn check(path: &Path) -> ExitCode {
    let checked = config::check(path).map_err(|error| error.to_string()).and_then(|config| {
        app::check(&config).map_err(|error| error.to_string())?;
        Ok(config.summary())
    });
    match checked {
        Ok(summary) => {
            tell(io::stdout(), &format!("ok: {summary}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(io::stderr(), &format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Does something with the store in a directory.
fn storage(task: Task, path: &Path) -> ExitCode {
    let mut output = BufWriter::new(io::stdout().lock());
    let (mut input, mut notes) = (io::stdin().lock(), io::stderr());
    let streams = Streams { input: &mut input, output: &mut output, notes: &mut notes };
    match tool::run(task, path, streams) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(notes, &format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a text for people. Where nobody can be told, the exit code says it all.
fn tell(mut stream: impl Write, text: &str) {
    stream.write_all(text.as_bytes()).ok();
}
