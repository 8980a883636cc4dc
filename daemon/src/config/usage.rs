//! The command line, as it is described.

use super::{
    CHECK,
    flags::FLAGS,
    task::{STORAGE, TASKS},
};

/// The text of `-h`, made from the table of flags.
pub fn usage() -> String {
    let mut text = "Usage of pushprom:\n".to_owned();
    text +=
        &format!("  {CHECK} file\n    \tSay whether -config.file could be this file, and exit.\n");
    for (word, _, help) in TASKS {
        text += &format!("  {STORAGE} {word} directory\n    \t{help}\n");
    }
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
        "| flag | default | environment | key | what it does |\n|---|---|---|---|---|\n".to_owned();
    for flag in FLAGS {
        let names: Vec<String> = flag.names().map(|name| format!("`-{name}`")).collect();
        let default = flag.default.filter(|default| !default.is_empty());
        let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
        let help = flag.help.replace('\n', " ").replace('|', "\\|");
        let variable = flag.variable().map(|variable| format!("`{variable}`")).unwrap_or_default();
        let mark = if flag.is_reloadable() { " ↻" } else { "" };
        let key = flag.key().map(|key| format!("`{key}`{mark}")).unwrap_or_default();
        let names = names.join(", ");
        text += &format!("| {names} | {default} | {variable} | {key} | {help} |\n");
    }
    text
}
