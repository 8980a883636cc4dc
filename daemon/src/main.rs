//! The binary: flags, logs, then the application. Exit codes: 0 stopped or asked for help, 1 could not
//! start or had to cut off work at the end, 2 wrong usage.

use std::{env, process::ExitCode};

use pushprom::{
    app,
    config::{self, ConfigError, Invocation},
    log, version,
};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "usage and version are for people")]
fn main() -> ExitCode {
    let environment = |name: &str| env::var(name).ok();
    let config = match config::parse(env::args_os().skip(1), environment) {
        Ok(Invocation::Run(config)) => config,
        Ok(Invocation::Help) => {
            eprint!("{}", config::usage());
            return ExitCode::SUCCESS;
        }
        Ok(Invocation::Version) => {
            let (version, revision, rustc) = (version::VERSION, version::REVISION, version::RUSTC);
            println!("pushprom, version {version} (revision: {revision}, rustc: {rustc})");
            return ExitCode::SUCCESS;
        }
        Err(error @ ConfigError::Usage(_)) => {
            eprintln!("{error}");
            eprint!("{}", config::usage());
            return ExitCode::from(2);
        }
        Err(error @ ConfigError::Address { .. }) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    log::init(config.log_level, config.log_format);
    match app::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
