//! Measures a pushprom binary on this machine, over loopback. Each number stands beside a yardstick that
//! was measured in the same run: a program that does the same with the kernel and nothing else. The
//! ratio of the two is what the budgets are about; it survives a change of machine, a time does not.
//!
//! In reading order: [`arguments`]; [`rows`], one module per workload and the table they end in;
//! [`micro`], the counts of the micro-benchmarks; [`page`], which keeps both;
//! [`workload`], the deltas; [`load`], what sends them; [`sinks`], the yardsticks, which run as children
//! of this very binary; [`target`], a child under measurement; the small ones below.

mod arguments;
mod micro;
mod page;
mod rows;
mod workload;

mod load;
mod sinks;
mod target;

mod client;
mod http;
mod machine;
mod numbers;
mod sys;
mod wait;

use std::{env, error::Error, fmt, fs, path::Path, process::ExitCode};

use arguments::{Invocation, Options};

/// What goes wrong here ends the run with one line for a person; nobody tells the errors apart.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table and errors are for people"
)]
fn main() -> ExitCode {
    let done = match arguments::parse(env::args().skip(1)) {
        Ok(Invocation::Measure(options)) => measure(&options).map(|table| println!("{table}")),
        Ok(Invocation::Count(path)) => {
            micro::read(&path).map(|counts| println!("{}", micro::to_markdown(&counts)))
        }
        Ok(Invocation::Sink(sink)) => sinks::run(sink),
        Ok(Invocation::Help) => {
            eprint!("{}", arguments::usage());
            Ok(())
        }
        Err(error) => {
            eprint!("{error}\n{}", arguments::usage());
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pushprom-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all workloads; returns the tables.
fn measure(options: &Options) -> Result<String> {
    let machine = machine::describe()?;
    // First, since a file that is not there should not be found out after minutes.
    let counts = options.micro.as_deref().map(micro::read).transpose()?;
    let rows = rows::measure_all(options)?;
    let mut tables = format!("{machine}\n\n{}", rows::to_markdown(&rows));
    let counted = counts.as_deref().map(micro::to_markdown).unwrap_or_default();
    if let Some(path) = &options.json {
        let mut report = rows::to_json(&rows, &machine, options.seconds);
        report["micro"] = counts.as_deref().map(micro::to_json).into();
        fs::write(path, format!("{report:#}\n")).map_err(about(path))?;
    }
    if let Some(path) = &options.page {
        let page = fs::read_to_string(path).map_err(about(path))?;
        let page = page::replace(&page, page::ROWS, &tables).map_err(about(path))?;
        let page = page::replace(&page, page::MICRO, &counted).map_err(about(path))?;
        fs::write(path, page).map_err(about(path))?;
    }
    if counts.is_some() {
        tables.push_str(&format!("\n{counted}"));
    }
    Ok(tables)
}

/// Adds to an error which file it is about.
fn about<E: fmt::Display>(path: &Path) -> impl Fn(E) -> String {
    move |error| format!("{}: {error}", path.display())
}
