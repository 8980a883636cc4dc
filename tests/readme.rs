//! The examples of pages, run as written.

use std::{fmt::Write as _, process::Command};

use crate::support::{BINARY, read, succeed};

/// An example that is run, or lines that it leaves on `/metrics`.
enum Block {
    Run(String),
    Metrics(String),
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for part in page.split("\n```").skip(1).step_by(2) {
        let (info, text) = part.split_once('\n').expect("a block has an info line");
        match info {
            "sh run" => blocks.push(Block::Run(text.to_owned())),
            "text metrics" => blocks.push(Block::Metrics(text.to_owned())),
            _ => {}
        }
    }
    blocks
}

/// Each example leaves the lines that the page shows, in a network of its own with the default ports.
#[test]
fn every_example_does_what_the_page_says() {
    for (page, least) in [("README.md", 4), ("docs/deltas.md", 4), ("docs/exactly-once.md", 2)] {
        check(page, least);
    }
}

#[track_caller]
fn check(page: &str, least: usize) {
    let blocks = blocks(&read(page));
    let runs = blocks.iter().filter(|block| matches!(block, Block::Run(_))).count();
    assert!(runs >= least, "{page} has {runs} examples");
    let mut script = format!(
        "set -eu\nip link set lo up\n{BINARY} 2>/dev/null &\npid=$!\ntrap 'kill $pid' EXIT\n\
         page() {{ curl -sS http://127.0.0.1:9091/metrics; }}\n\
         wait_for() {{ for _ in $(seq 400); do page 2>/dev/null | grep -qxF -- \"$1\" && return; \
         sleep 0.05; done; echo \"not on the page: $1\" >&2; page >&2; exit 1; }}\n\
         wait_for 'pushprom_panics_total 0'\n"
    );
    for block in &blocks {
        match block {
            Block::Run(example) => writeln!(script, "{example}").expect("a string grows"),
            Block::Metrics(lines) => {
                for line in lines.lines().filter(|line| !line.is_empty()) {
                    let quoted = line.replace('\'', r"'\''");
                    writeln!(script, "wait_for '{quoted}'").expect("a string grows");
                }
            }
        }
    }
    succeed(Command::new("unshare").args(["--net", "--map-root-user", "bash", "-c", &script]));
}
