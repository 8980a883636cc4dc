//! Files, as data.

mod access;
mod rules;

use super::*;
use crate::config::{
    Granted, Right,
    flags::{FLAGS, Flag},
};

/// A problem, after its place.
fn show(problem: &Problem) -> String {
    let Problem { place, text } = problem;
    // Which fields there are is no matter here.
    let text = text.split(", expected one of").next().unwrap_or_default();
    place.map_or(text.to_owned(), |place| format!("{place}: {text}"))
}

/// The texts that a file gives for flags, as `name=text`, or its problem with its place.
#[track_caller]
fn check(text: &str, want: Result<&[&str], &str>) {
    let got = parse(text).map(|file| {
        let given = FLAGS.iter().zip(file.given);
        let shown = |(flag, given): (&Flag, Option<(String, _)>)| {
            given.map(|(text, _)| format!("{}={text}", flag.name))
        };
        given.filter_map(shown).collect::<Vec<_>>()
    });
    let got = got.map_err(|problem| show(&problem));
    let want = want.map(|list| list.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(got, want.map_err(str::to_owned), "{text}");
}

#[test]
fn keys_are_nested_as_the_names_of_flags_are() {
    check("", Ok(&[]));
    check("# nothing\n---\n", Ok(&[]));
    check("series:\n  limit: 7\n", Ok(&["series.limit=7"]));
    check("{series: {limit: 7}, debug: true}", Ok(&["series.limit=7", "debug=true"]));
    check("unix: {mode: 0660}", Ok(&["unix.mode=0660"]));
    check("http_listen_address: :9091", Ok(&["http-listen-address=:9091"]));
    check("http_listen_address: [':1', '[::1]:2']", Ok(&["http-listen-address=:1,[::1]:2"]));
    check("log:\n  level: warn\n  format: json\n", Ok(&["log.level=warn", "log.format=json"]));
    check("histogram:\n  native: [a=classic, beside]", Ok(&["histogram.native=a=classic beside"]));
}

#[test]
fn what_is_no_key_is_named_with_its_place() {
    let see = "; see docs/configuration.md";
    check("wat: 1", Err(&format!("1:1: there is no key \"wat\"{see}")));
    check(
        "log:\n  level: info\n  colour: red\n",
        Err(&format!("3:3: there is no key \"log.colour\"{see}")),
    );
    check(
        "series.limit: 5",
        Err("1:1: \"series.limit\": write a mapping where the flag has a full stop"),
    );
    check("version: 1", Err(&format!("1:1: there is no key \"version\"{see}")));
    check("config: {file: x}", Err(&format!("1:1: there is no key \"config\"{see}")));
    check("a: [", Err(&format!("1:1: there is no key \"a\"{see}")));
}

#[test]
fn what_is_no_value_is_refused_with_its_place() {
    check("log: 5", Err("1:6: expected mapping start"));
    check("log:", Err("1:4: expected mapping start"));
    check("- 5", Err("1:1: expected mapping start"));
    check("series: {limit: [1]}", Err("1:17: expected string scalar"));
    check("series: {limit: }", Err("1:15: null is not allowed here"));
    let twice = "duplicate mapping key `limit` is not allowed here";
    check("series: {limit: 1, limit: 2}", Err(&format!("1:20: {twice}")));
    let problem = "1:22: \"b,c\" is empty or has a \",\" in it: list it apart";
    check("http_listen_address: [a, 'b,c']", Err(problem));
    let problem = "1:22: invalid type: map, expected a text or a sequence of texts";
    check("http_listen_address: {a: b}", Err(problem));
    assert!(parse("debug: true\n---\ndebug: false").is_err(), "one document");
}

#[test]
fn every_flag_has_a_key() {
    let without = ["config.file", "version", "help"];
    for flag in FLAGS {
        let Some(key) = flag.key() else {
            assert!(without.contains(&flag.name), "-{} has no key", flag.name);
            continue;
        };
        // A default may be empty, and no switch is a list.
        let value = flag.default.filter(|text| !text.is_empty()).unwrap_or("true");
        let opened = key.replace('.', ": {");
        let closed = "}".repeat(key.matches('.').count());
        let text = format!("{opened}: \"{value}\"{closed}");
        check(&text, Ok(&[&format!("{}={value}", flag.name)]));
        assert!(!["rules", "access"].contains(&&*key), "a section has this name");
    }
}

#[test]
fn aliases_do_not_multiply_without_end() {
    check(
        "log: {level: &a warn}\nschema: {conflicts: *a}",
        Ok(&["schema.conflicts=warn", "log.level=warn"]),
    );
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (this, last) in ('b'..='i').zip('a'..) {
        let aliases = vec![format!("*{last}"); 10].join(", ");
        bomb += &format!("{this}: &{this} [{aliases}]\n");
    }
    let lists = bomb.replacen("a: &a", "http_listen_address: &a", 1);
    for bomb in [bomb, lists, "[".repeat(100_000), "{a: ".repeat(100_000)] {
        assert!(parse(&bomb).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[a-z:{}&*\\[\\]\\- \n\"'|>#,.0-9]{0,80}") {
        let _outcome = parse(&text);
    }
}
