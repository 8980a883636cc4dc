//! The file of `-config.file`: what it sets, how it is checked, and how it is read again.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;

use crate::support::{BINARY, Client, Page, Server, inc, succeed};

/// A folder with a file in it.
struct File(TempDir);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().expect("a temporary folder"));
        file.write(text);
        file
    }

    fn path(&self) -> String {
        self.0.path().join("pushprom.yml").to_str().expect("a plain path").to_owned()
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).expect("it can be written");
    }

    fn flag(&self) -> String {
        format!("-config.file={}", self.path())
    }
}

#[test]
fn a_file_sets_what_flags_would() {
    let file = File::new("series:\n  limit: 1\nweb: {max_body_bytes: 60}\n");
    let server = Server::start(&[&file.flag()]);
    server.push_ok(r#"{"type":"counter","name":"a","method":"inc"}"#);
    assert_eq!(server.push(r#"{"type":"counter","name":"b","method":"inc"}"#).status, 400);
    assert_eq!(server.push(" ".repeat(61)).status, 413);
    let server = Server::start(&[&file.flag(), "-web.max-body-bytes=70"]);
    assert_eq!(server.push(" ".repeat(61)).status, 400, "a flag wins");
}

#[test]
fn a_file_can_be_checked() {
    let file = File::new("series:\n  limit: 1\n");
    let check = |arguments: &[&str]| {
        let output = Command::new(BINARY).arg("check-config").args(arguments).output();
        let output = output.expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let path = file.path();
    assert_eq!(
        check(&[&path]),
        (Some(0), "ok: 1 settings, 0 rules, 0 principals\n".to_owned(), String::new())
    );
    file.write("series:\n  limit: 1\n  colour: red\n");
    let (code, stdout, stderr) = check(&[&path]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    let problem = "there is no key \"series.colour\"; see docs/configuration.md";
    assert_eq!(stderr, format!("{path}:3:3: {problem}\n"));
    let (code, _, stderr) = check(&[]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("check-config takes one argument"), "{stderr}");
    assert!(stderr.contains("  check-config file\n"), "{stderr}");
}

/// All that a start would stumble over is found, but for the sockets.
#[test]
fn what_a_start_would_refuse_is_found_before() {
    let file = File::new("");
    let declared = r#"{"type":"counter","name":"a","method":"declare"}"#;
    fs::write(file.0.path().join("good.json"), declared).expect("it can be written");
    fs::write(file.0.path().join("bad.json"), inc("a")).expect("it can be written");
    let target = "target_label \"a-b\" is never the name of a label";
    for (text, problem) in [
        ("declare: {file: good.json}", ""),
        ("declare: {file: [good.json, none.json]}", "none.json lists: No such file or directory"),
        ("declare: {file: bad.json}", "changes a value: use the method declare"),
        ("rules: [{match: a, limit: }]", "1:25: invalid u64"),
        ("rules: [{match: a, relabel: [{target_label: a-b}]}]", target),
        (
            "{names: {validation_scheme: utf8}, rules: [{match: a, relabel: [{target_label: a-b}]}]}",
            "",
        ),
        (
            "access: {principals: [{name: a, networks: [unix], rights: [scrape]}]}",
            "principal \"a\" is known by networks alone",
        ),
    ] {
        file.write(text);
        let output = Command::new(BINARY).args(["check-config", &file.path()]).output();
        let output = output.expect("the binary runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.success(), problem.is_empty(), "{text}: {stderr}");
        assert!(stderr.contains(problem), "{text}: {stderr}");
    }
}

/// Those of flags begin where the server was started, which is elsewhere.
#[test]
fn paths_in_a_file_begin_where_it_is() {
    let text = "web: {config: {file: web.yml}}\ndeclare: {file: declared.json}\n\
                unix_listen_address: push.sock\n";
    let file = File::new(text);
    let declared = r#"{"type":"counter","name":"a","method":"declare"}"#;
    fs::write(file.0.path().join("declared.json"), declared).expect("it can be written");
    let headers = "http_server_config: {headers: {X-Frame-Options: deny}}\n";
    fs::write(file.0.path().join("web.yml"), headers).expect("it can be written");
    let server = Server::start(&[&file.flag()]);
    let reply = server.request("GET", "/metrics", None);
    assert!(reply.text().contains("\na 0\n"), "{}", reply.text());
    let header = reply.headers.iter().find(|(name, _)| name == "x-frame-options");
    assert_eq!(header.map(|(_, value)| &**value), Some("deny"));
    assert!(file.0.path().join("push.sock").exists());
}

#[test]
fn a_signal_or_a_request_puts_another_file_in_force() {
    let file = File::new("series: {limit: 1}\n");
    let server = Server::start(&[&file.flag(), "-web.enable-lifecycle"]);
    server.push_ok(inc("a"));
    assert_eq!(server.push(inc("b")).status, 400);
    let successful = |page: &Page| page.value("pushprom_config_last_reload_successful");
    let page = server.scrape();
    assert_eq!(successful(&page), Some(1.0));
    let read_at = page.value("pushprom_config_last_reload_success_timestamp_seconds");
    assert!(read_at > Some(1e9), "{read_at:?}");

    file.write("series: {limit: 2}\n");
    server.signal("HUP");
    server.wait_for_log("a reload", |event| event["message"] == "configuration reloaded");
    server.push_ok(inc("b"));

    file.write("series:\n  limits: 3\n");
    let reply = server.request("POST", "/-/reload", None);
    let problem = format!("{}:2:3: there is no key \"series.limits\"", file.path());
    let problem = format!("failed to reload config: {problem}; see docs/configuration.md\n");
    assert_eq!((reply.status, reply.text()), (500, problem));
    server.wait_for_log("the failure", |event| {
        event["message"] == "the configuration could not be reloaded; the old one stays"
            && event["level"] == "ERROR"
    });
    assert_eq!(successful(&server.scrape()), Some(0.0));
    assert_eq!(server.push(inc("c")).status, 400, "the old one stays");

    file.write(
        "series: {limit: 3}\nlog: {level: warn}\nopenmetrics: {created: true}\nudp: {sockets: 2}\n",
    );
    let reply = server.request("PUT", "/-/reload", None);
    let text = "reloaded; these change at a restart alone: udp.sockets, openmetrics.created\n";
    assert_eq!((reply.status, &*reply.text()), (200, text));
    assert_eq!(successful(&server.scrape()), Some(1.0));
    server.push_ok(inc("c"));
    let events = server.events().len();
    let reply = server.request("PUT", "/-/reload", None);
    assert_eq!(reply.status, 200);
    server.wait_for_log("a warning", |event| event["keys"] == "udp.sockets, openmetrics.created");
    let later = &server.events()[events..];
    assert!(later.iter().all(|event| event["level"] != "INFO"), "the level changed: {later:?}");
    assert_eq!(server.request("GET", "/-/reload", None).status, 405);
}

#[test]
fn no_push_is_lost_while_files_come_and_go() {
    let file = File::new("rules: []\n");
    let server = Server::start(&[&file.flag(), "-web.enable-lifecycle"]);
    let is_over = AtomicBool::new(false);
    let pushed = thread::scope(|scope| {
        let pushing: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(server.http);
                    let mut pushed = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let reply = client.request("POST", "/", &[], Some(inc("a").as_bytes()));
                        assert_eq!(reply.expect("an answer").status, 200);
                        pushed += 1;
                    }
                    pushed
                })
            })
            .collect();
        for round in 0..40 {
            let text = match round % 4 {
                0 => "rules: [{match: a, help: one}]\n",
                1 => "rules: [{match: 'b.*', drop: true}]\n",
                2 => "series: {limit: 5}\n",
                _ => "rules: [\n",
            };
            file.write(text);
            let want = if round % 4 == 3 { 500 } else { 200 };
            assert_eq!(server.request("POST", "/-/reload", None).status, want, "{text}");
        }
        is_over.store(true, Ordering::Relaxed);
        pushing.into_iter().map(|one| one.join().expect("it pushes")).sum::<u32>()
    });
    assert_eq!(server.scrape().value("a"), Some(f64::from(pushed)));
}

#[test]
fn rules_change_with_the_file() {
    let file = File::new("rules: [{match: 'old_(.*)', rename: 'new_$1'}]\n");
    let server = Server::start(&[&file.flag()]);
    for _ in 0..3 {
        server.push_ok(inc("old_x"));
    }
    assert_eq!(server.scrape().value("new_x"), Some(3.0));
    file.write("rules: [{match: old_x, drop: true}]\n");
    server.signal("HUP");
    server.wait_for_log("a reload", |event| event["message"] == "configuration reloaded");
    server.push_ok(inc("old_x"));
    let page = server.scrape();
    assert_eq!((page.value("new_x"), page.value("old_x")), (Some(3.0), None));
    assert_eq!(page.value("pushprom_deltas_dropped_total"), Some(1.0));
}

#[test]
fn the_end_can_be_asked_for() {
    let mut server = Server::start(&["-web.enable-lifecycle"]);
    let reply = server.request("POST", "/-/reload", None);
    let problem = "failed to reload config: there is no -config.file to reload\n";
    assert_eq!((reply.status, &*reply.text()), (500, problem));
    server.signal("HUP");
    server.wait_for_log("a note", |event| event["message"] == "nothing was reloaded");
    let site = "this was sent by a page of another site, which may not change anything here\n";
    for (header, value) in [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
        for path in ["/-/reload", "/-/quit"] {
            let mut client = Client::connect(server.http);
            let reply = client.request("POST", path, &[(header, value)], Some(b""));
            let reply = reply.expect("an answer");
            assert_eq!((reply.status, &*reply.text()), (403, site), "{path} {header}: {value}");
        }
    }
    let reply = server.request("PUT", "/-/quit", None);
    assert_eq!((reply.status, &*reply.text()), (200, "shutting down\n"));
    assert!(server.wait().success());
    let server = Server::start(&[]);
    assert_eq!(server.request("PUT", "/-/quit", None).status, 405, "it is a switch");
    assert_eq!(server.push("").status, 400);
}

/// What a start would refuse a reload refuses too, and it lets nobody in whom nothing lets in.
#[test]
fn a_reload_opens_nothing_by_a_slip() {
    let access = "access: {principals: [{name: a, token: t, rights: [push, admin]}]}\n";
    let file = File::new(access);
    let server = Server::start(&[&file.flag(), "-web.enable-lifecycle"]);
    let reload = || {
        let mut client = Client::connect(server.http);
        let reply = client.request("POST", "/-/reload", &[("Authorization", "Bearer t")], None);
        let reply = reply.expect("an answer");
        (reply.status, reply.text())
    };
    for (text, problem) in [
        ("", "the section access is gone, which would let everybody in: write it, or restart"),
        (
            "access: {principals: [{name: a, user: ghost, rights: [admin]}]}\n",
            "user \"ghost\" of principal \"a\" in -config.file has no password_hash, and there is no \
             -web.config.file",
        ),
    ] {
        file.write(text);
        assert_eq!(reload(), (500, format!("failed to reload config: {problem}\n")));
        assert_eq!(server.push(inc("a")).status, 401, "the old one stays");
    }
    // A pipe would be waited for, for ever.
    fs::remove_file(file.path()).expect("it is there");
    succeed(Command::new("mkfifo").arg(file.path()));
    let (status, text) = reload();
    assert!(
        status == 500 && text.ends_with(": cannot be read: it is no file\n"),
        "{status} {text}"
    );
    fs::remove_file(file.path()).expect("it is there");
    file.write(access);
    assert_eq!(reload(), (200, "reloaded\n".to_owned()));
}

/// Access is held against the users of the other file, which may be broken just then.
#[test]
fn a_reload_names_what_is_wrong_with_the_other_file() {
    let users =
        "basic_auth_users: {a: $2y$04$TNlXC1W9pxwE9J0V5tbxn.kMvQJUaGNPpG1TcdZGB5ohhLVs8AkVu}\n";
    let file = File::new("access: {principals: [{name: a, user: a, rights: [push]}]}\n");
    let web = file.0.path().join("web.yml");
    fs::write(&web, users).expect("it can be written");
    let server = Server::start(&[&file.flag(), &format!("-web.config.file={}", web.display())]);
    fs::write(&web, "basic_auth_users: {a: b}\n").expect("it can be written");
    server.signal("HUP");
    let event = server.wait_for_log("a failure", |event| {
        event["message"] == "the configuration could not be reloaded; the old one stays"
    });
    let error = event["error"].as_str().expect("it says why");
    let invalid = "-web.config.file is invalid, so that access cannot be checked against it: ";
    let place = format!("{}:1:", web.display());
    assert!(error.starts_with(invalid) && error.contains(&place), "{error}");
    fs::write(&web, users).expect("it can be written");
    server.signal("HUP");
    server.wait_for_log("a reload", |event| event["message"] == "configuration reloaded");
}
