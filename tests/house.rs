//! The house keeps its order: who may import whom, what core may depend on, how long a file may be.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{read, repository};

/// Lines of a source file, its tests included.
const FILE_LINES_MAX: usize = 500;

/// Which rooms each room of a crate may import. A room is a module at the top of the crate.
type Imports = &'static [(&'static str, &'static [&'static str])];

const CORE: Imports = &[
    ("limits", &[]),
    ("model", &["limits"]),
    ("wire", &["limits", "model"]),
    ("atomic", &["model"]),
    ("rules", &["limits", "model"]),
    ("selector", &["limits", "model"]),
    ("policy", &["model", "rules"]),
    ("record", &["model"]),
    ("registry", &["atomic", "limits", "model", "policy", "record", "rules", "snapshot"]),
    ("memo", &[]),
    ("answers", &["limits", "model", "record"]),
    ("intake", &["answers", "limits", "memo", "model", "policy", "registry", "wire"]),
    ("snapshot", &["model"]),
    ("expose", &["model", "snapshot"]),
    ("lint", &["limits", "model", "snapshot"]),
];

const DAEMON: Imports = &[
    ("clock", &[]),
    ("file", &[]),
    ("config", &["file", "web"]),
    ("access", &["config", "web"]),
    ("live", &["access", "config"]),
    ("reload", &["access", "clock", "config", "live", "log", "notify", "telemetry", "web"]),
    ("datagram", &[]),
    ("declare", &["file"]),
    ("notify", &[]),
    ("shutdown", &[]),
    ("version", &[]),
    ("log", &["config"]),
    ("socket", &["config"]),
    ("web", &["file"]),
    ("telemetry", &["clock", "datagram", "log", "version"]),
    (
        "ingest",
        &[
            "access",
            "clock",
            "config",
            "datagram",
            "live",
            "log",
            "shutdown",
            "socket",
            "telemetry",
        ],
    ),
    ("store", &["config", "ingest", "notify", "telemetry"]),
    ("upkeep", &["clock", "ingest", "live", "log", "shutdown", "telemetry"]),
    (
        "http",
        &[
            "access",
            "clock",
            "config",
            "ingest",
            "live",
            "log",
            "reload",
            "shutdown",
            "socket",
            "store",
            "telemetry",
            "version",
            "web",
        ],
    ),
    (
        "app",
        &[
            "access",
            "clock",
            "config",
            "declare",
            "http",
            "ingest",
            "live",
            "notify",
            "reload",
            "shutdown",
            "socket",
            "store",
            "telemetry",
            "upkeep",
            "version",
            "web",
        ],
    ),
];

/// What core is built from. Nothing here does I/O, reads a clock or logs.
const CORE_DEPENDENCIES: &[&str] = &[
    "foldhash",
    "hashbrown",
    "itoa",
    "memchr",
    "parking_lot",
    "postcard",
    "regex",
    "serde",
    "sha2",
    "siphasher",
    "smallvec",
    "thiserror",
    "zmij",
];

#[test]
fn imports_point_one_way() {
    check("core/src", CORE);
    check("daemon/src", DAEMON);
}

/// Every import is in the table, and every entry of the table is an import.
#[track_caller]
fn check(source: &str, table: Imports) {
    let rooms: BTreeSet<&str> = table.iter().map(|(room, _)| *room).collect();
    for (room, allowed) in table {
        let root = repository(source);
        let mut files = Vec::new();
        sources(&root.join(room), &mut files);
        // The tests of a room may look through the whole crate.
        files.retain(|file| file.file_name().is_none_or(|name| name != "tests.rs"));
        files.extend(Some(root.join(format!("{room}.rs"))).filter(|file| file.exists()));
        assert!(!files.is_empty(), "{source} has no room {room}");
        let found: BTreeSet<String> =
            files.iter().flat_map(|file| paths(file, "crate::")).collect();
        let found: BTreeSet<&str> =
            found.iter().map(String::as_str).filter(|import| import != room).collect();
        let unknown: Vec<_> = found.difference(&rooms).collect();
        assert!(unknown.is_empty(), "{source}/{room} imports {unknown:?}, which is no room");
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(found, allowed, "what {source}/{room} imports (left) and may import (right)");
    }
    let mut all = Vec::new();
    sources(&repository(source), &mut all);
    for file in all {
        let relative = file.strip_prefix(repository(source)).expect("it is inside").to_owned();
        let first = relative.components().next().expect("a name").as_os_str().to_string_lossy();
        let room = first.trim_end_matches(".rs");
        let known = rooms.contains(room) || matches!(room, "lib" | "main");
        assert!(known, "{} is in no room of the import table", file.display());
    }
}

/// What is named after `root` in the code of a file, in use lists too: `crate::` gives rooms.
fn paths(file: &Path, root: &str) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a source file is UTF-8");
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = Vec::new();
    for rest in code.split(root).skip(1) {
        match rest.strip_prefix('{') {
            None => found.extend(word(rest)),
            Some(list) => found.extend(heads(list)),
        }
    }
    found
}

/// The first word of each item of a use list, up to its closing brace.
fn heads(list: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut heads = Vec::new();
    let mut item = String::new();
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(word(&std::mem::take(&mut item))),
            other => item.push(other),
        }
    }
    heads.extend(word(&item));
    heads
}

fn word(text: &str) -> Option<String> {
    let word: String =
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// What core may take from the standard library: words, collections, atomics. What is not here could
/// act, read a clock or wait.
const CORE_STD: &[&str] = &[
    "array",
    "borrow",
    "cmp",
    "collections",
    "convert",
    "fmt",
    "hash",
    "iter",
    "mem",
    "num",
    "ops",
    "slice",
    "str",
    "sync",
];

#[test]
fn core_takes_nothing_from_the_standard_library_that_acts() {
    let mut files = Vec::new();
    sources(&repository("core/src"), &mut files);
    files.retain(|file| file.file_name().is_none_or(|name| name != "tests.rs"));
    for file in files {
        let shown = file.display();
        for taken in paths(&file, "std::") {
            assert!(CORE_STD.contains(&&*taken), "{shown} takes std::{taken}");
        }
        // `super` can leave a room too, past the import table: from its top file, or twice from below.
        let text =
            fs::read_to_string(&file).expect("a source file is UTF-8").replace("super::*", "");
        assert!(!text.contains("super::super"), "{shown} imports by super::super");
        let inside = file.strip_prefix(repository("core/src")).expect("it is inside");
        let is_top = inside.components().count() == 1
            || inside.components().count() == 2 && inside.ends_with("mod.rs");
        assert!(!is_top || !text.contains("super::"), "{shown} imports by super");
    }
}

#[test]
fn core_depends_on_nothing_that_acts() {
    let manifest = read("core/Cargo.toml");
    let section = manifest.split("[dependencies]\n").nth(1).expect("it has dependencies");
    let section = section.split("\n[").next().expect("a first part");
    let names: Vec<&str> = section
        .lines()
        .filter_map(|line| line.split('.').next())
        .filter(|n| !n.is_empty())
        .collect();
    assert_eq!(names, CORE_DEPENDENCIES);
}

#[test]
fn files_stay_short_and_finished() {
    let mut files = Vec::new();
    for folder in ["core", "daemon", "tests", "bench", "fuzz/src", "fuzz/seed", "fuzz/fuzz_targets"]
    {
        sources(&repository(folder), &mut files);
    }
    assert!(files.len() > 40, "{} files", files.len());
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is UTF-8");
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", file.display());
        for mark in marks {
            assert!(!text.contains(mark), "{} has a {mark}", file.display());
        }
    }
}

/// Where `unsafe` may stand, each with a reason in its file.
const UNSAFE: &[&str] = &["bench/src/sys.rs", "daemon/src/datagram.rs"];

#[test]
fn unsafe_stands_where_it_is_argued_for() {
    let mut files = Vec::new();
    for folder in ["core", "daemon", "tests", "bench", "fuzz/src", "fuzz/seed", "fuzz/fuzz_targets"]
    {
        sources(&repository(folder), &mut files);
    }
    let keyword = concat!("unsafe", " ");
    let code = |line: &&str| !line.trim_start().starts_with("//") && line.contains(keyword);
    let mut found: Vec<String> = files
        .iter()
        .filter(|file| {
            fs::read_to_string(file).expect("a source file is UTF-8").lines().any(|l| code(&l))
        })
        .map(|file| file.strip_prefix(repository("")).expect("it is inside").display().to_string())
        .collect();
    found.sort();
    assert_eq!(found, UNSAFE);
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
