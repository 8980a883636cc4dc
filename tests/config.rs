//! The file of `-config.file`: what it sets, how it is checked, and how it is read again.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::support::{BINARY, Server};

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
    assert_eq!(check(&[&path]), (Some(0), "ok: 1 settings\n".to_owned(), String::new()));
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
