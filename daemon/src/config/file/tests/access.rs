//! The section `access`, as data.

use std::fs;

use super::*;

/// The principals of a section, a line each, or the problem with its place.
#[track_caller]
fn check(text: &str, want: Result<&[&str], &str>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("token"), "secret\n").expect("it can be written");
    fs::write(folder.path().join("empty"), "\n").expect("it can be written");
    let principals =
        parse(text).and_then(|file| file.principals(folder.path(), NameScheme::Legacy));
    let got = principals.map(|principals| {
        let Principals { named, anonymous } = principals.expect("there is such a section");
        let named = named.iter().map(|named| {
            let marks: Vec<String> = named.marks.iter().map(ToString::to_string).collect();
            format!("{} by {}: {}", named.name, marks.join(", "), show(&named.granted))
        });
        named.chain([format!("anonymous: {}", show(&anonymous))]).collect::<Vec<_>>()
    });
    let got = got.map_err(|problem| super::show(&problem));
    let got = got.map_err(|text| text.replace(&folder.path().display().to_string(), "DIR"));
    let want = want.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
    assert_eq!(got, want.map_err(str::to_owned), "{text}");
}

fn show(granted: &Granted) -> String {
    let rights = Right::ALL.into_iter().filter(|right| granted.rights.has(*right));
    let rights: Vec<&str> = rights.map(Right::as_str).collect();
    let Granted { metrics, labels, series_max, .. } = granted;
    format!("{rights:?} {metrics:?} {labels:?} {series_max:?}")
}

/// A section with one principal, of the fields that `rest` has beside its name.
fn one(rest: &str) -> String {
    format!("access:\n  principals:\n  - name: shop\n    {rest}\n")
}

#[test]
fn principals_are_read() {
    check("access: {}", Ok(&["anonymous: [] None [] None"]));
    check("access: {anonymous: {rights: [scrape]}}", Ok(&["anonymous: [\"scrape\"] None [] None"]));
    let text = "
access:
  principals:
    - name: shop
      token_file: token
      certificates: [shop.example]
      networks: [10.0.0.0/8, 192.0.2.1, '2001:db8::/32', unix]
      rights: [push]
      metrics: ['shop_.*']
      labels: {tenant: shop-a}
      series_limit: 10
    - {name: prom, user: prometheus, rights: [scrape, admin]}
  anonymous: {rights: [push], metrics: [up], labels: {tenant: none}, series_limit: 1}
";
    check(
        text,
        Ok(&[
            "shop by token, certificate \"shop.example\", network 10.0.0.0/8, network 192.0.2.1/32, \
             network 2001:db8::/32, network unix: [\"push\"] Some([\"shop_.*\"]) \
             [(\"tenant\", \"shop-a\")] Some(10)",
            "prom by user \"prometheus\": [\"scrape\", \"admin\"] None [] None",
            "anonymous: [\"push\"] Some([\"up\"]) [(\"tenant\", \"none\")] Some(1)",
        ]),
    );
    let hash = "$2y$04$TNlXC1W9pxwE9J0V5tbxn.kMvQJUaGNPpG1TcdZGB5ohhLVs8AkVu";
    check(
        &one(&format!("user: a\n    password_hash: {hash}\n    rights: [push]")),
        Ok(&["shop by user \"a\": [\"push\"] None [] None", "anonymous: [] None [] None"]),
    );
}

#[test]
fn what_no_principal_can_be_is_refused_with_its_place() {
    let problem = "principal \"shop\" is known by nothing: give it a user, token, token_file, \
                   token_sha256, certificates or networks";
    check(&one("rights: [push]"), Err(&format!("3:11: {problem}")));
    check(&one("token: x"), Err("4:5: missing field `rights`"));
    let with = |field: &str| one(&format!("rights: [push]\n    {field}"));
    let cases = [
        ("tokens: x", "5:5: unknown field `tokens`"),
        ("token: ''", "5:12: token: use letters, digits and signs of ASCII, without spaces"),
        ("token: a b", "5:12: token: use letters, digits and signs of ASCII, without spaces"),
        (
            "token_file: empty",
            "5:17: token_file: use letters, digits and signs of ASCII, without spaces",
        ),
        (
            "token_file: none",
            "5:17: token_file: DIR/none cannot be read: No such file or directory (os error 2)",
        ),
        (
            "token_sha256: abc",
            "5:19: token_sha256: use the 64 hexadecimal digits that sha256sum writes",
        ),
        (
            "token_sha256: E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "5:19: token_sha256: it is that of nothing: use that of a token",
        ),
        ("password_hash: x", "5:20: password_hash needs a user"),
        ("user: 'a:b'", "5:11: user \"a:b\" is empty or has a colon in it"),
        ("certificates: ['']", "5:20: certificates: a name is empty"),
        (
            "networks: [10.0.0.1/8]",
            "5:16: networks: \"10.0.0.1/8\" has bits beyond its prefix: use 10.0.0.0/8",
        ),
        (
            "networks: ['::ffff:10.0.0.0/104']",
            "5:16: networks: \"::ffff:10.0.0.0/104\" stands for IPv4: write it so",
        ),
        (
            "networks: [here]",
            "5:16: networks: \"here\" is no network: use one such as 10.0.0.0/8, or unix",
        ),
        (
            "networks: [unix, unix]",
            "5:22: network unix of principal \"shop\" is one of \"shop\" already",
        ),
        (
            "labels: {__x: x}\n    token: x",
            "5:13: labels: label name \"__x\" is reserved for Prometheus: start it with at most one underscore",
        ),
        (
            "labels: {a: ''}\n    token: x",
            "5:13: labels: \"a\" has no value, which is as if it were not there",
        ),
        (
            "metrics: ['(']\n    token: x",
            "5:15: metrics: \"(\" is no regular expression: error: unclosed group",
        ),
        ("series_limit: 0\n    token: x", "5:19: series_limit: use a whole number of at least 1"),
    ];
    for (field, problem) in cases {
        check(&with(field), Err(problem));
    }
    let none = "access: {principals: [{name: a, token: x, rights: []}]}";
    check(none, Err("1:30: principal \"a\" has no rights: use push, scrape or admin"));
    let unusable =
        "access: {principals: [{name: a, networks: [10.0.0.0/8, unix], rights: [push, admin]}]}";
    let problem = "principal \"a\" is known by networks alone, from which datagrams push and do nothing \
                   else: leave out admin, or give it a token";
    check(unusable, Err(&format!("1:30: {problem}")));
    let shut_out = "access: {principals: [{name: a, networks: [10.0.0.0/8], rights: []}]}";
    let line = "a by network 10.0.0.0/8: [] None [] None";
    check(shut_out, Ok(&[line, "anonymous: [] None [] None"]));
    let wrong = "access: {principals: [{name: a, token: x, rights: [pull]}]}";
    check(wrong, Err("1:52: rights: \"pull\" is no right: use push, scrape or admin"));
    let nameless = "access: {principals: [{name: '', token: x, rights: [push]}]}";
    check(nameless, Err("1:30: \"\" is no name: use a word"));
    let twice = "access: {principals: [{name: a, token: x, rights: [push]}, {name: a, token: y, rights: [push]}]}";
    check(twice, Err("1:67: principal \"a\" is there twice"));
}

#[test]
fn what_two_are_known_by_is_refused() {
    for (first, second, problem) in [
        ("token: secret", "token_file: token", "token of principal \"b\" is one of \"a\" already"),
        ("user: x", "user: x", "user \"x\" of principal \"b\" is one of \"a\" already"),
        (
            "certificates: [x]",
            "certificates: [x]",
            "certificate \"x\" of principal \"b\" is one of \"a\" already",
        ),
        (
            "networks: [10.0.0.0/8]",
            "networks: [10.0.0.0/8]",
            "network 10.0.0.0/8 of principal \"b\" is one of \"a\" already",
        ),
    ] {
        let text = format!(
            "access:\n  principals:\n  - {{name: a, rights: [push], {first}}}\n  - {{name: b, rights: [push], {second}}}\n"
        );
        let problem = |place: &str| format!("{place}: {problem}");
        let column =
            4 + "- {name: b, rights: [push], ".len() - 1 + second.find(": ").expect("a field") + 2;
        let column = if second.contains('[') { column + 1 } else { column };
        check(&text, Err(&problem(&format!("4:{column}"))));
    }
}

#[test]
fn a_key_without_a_value_grants_nothing() {
    let keys = ["metrics", "labels", "series_limit", "password_hash", "token_file", "user"];
    for key in keys.into_iter().chain(["certificates", "networks"]) {
        let text = format!(
            "access:\n  principals:\n  - name: a\n    token: t\n    rights: [push]\n    {key}:\n"
        );
        let folder = Path::new("");
        let read = parse(&text).and_then(|file| file.principals(folder, NameScheme::Legacy));
        assert!(read.is_err(), "{key}: {read:?}");
    }
    for text in ["access:\n", "access:\n  principals:\n", "access:\n  anonymous:\n"] {
        let read = parse(text);
        assert!(read.is_err(), "{text}: {read:?}");
    }
}
