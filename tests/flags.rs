//! The command line, from outside: texts, streams and exit codes.

use std::process::{Command, Output};

use crate::support::{BINARY, Server, wait_for};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(BINARY).args(arguments).output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn help_goes_to_standard_error_and_is_a_success() {
    for flag in ["-h", "-help", "--help"] {
        let (code, stdout, stderr) = run(&[flag]);
        assert_eq!((code, &*stdout), (Some(0), ""));
        assert!(stderr.starts_with("Usage of pushprom:\n"), "{stderr}");
        assert!(stderr.contains("-udp-listen-address value\n"), "{stderr}");
        assert!(stderr.contains("environment PUSHPROM_UDP_LISTEN_ADDRESS"), "{stderr}");
    }
}

#[test]
fn the_version_goes_to_standard_output() {
    let (code, stdout, _) = run(&["-version"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("pushprom, version "), "{stdout}");
}

#[test]
fn an_unknown_flag_is_wrong_usage() {
    let (code, stdout, stderr) = run(&["-wat"]);
    assert_eq!((code, &*stdout), (Some(2), ""));
    assert!(stderr.starts_with("flag provided but not defined: -wat\nUsage of"), "{stderr}");
    let (code, _, stderr) = run(&["-log.format=xml"]);
    assert_eq!(code, Some(2));
    let problem = "invalid value \"xml\" for flag -log.format: use logfmt or json\n";
    assert!(stderr.starts_with(problem), "{stderr}");
}

#[test]
fn a_bad_address_stops_the_start_before_anything_binds() {
    for bad in ["127.0.0.1", "127.0.0.1:x", "::1:9090", "no.such.host.invalid:1"] {
        let (code, _, stderr) =
            run(&["-http-listen-address=127.0.0.1:0", "-udp-listen-address", bad]);
        assert_eq!(code, Some(1), "{bad}: {stderr}");
        let start = "cannot listen where flag -udp-listen-address says: ";
        assert!(stderr.starts_with(start), "{stderr}");
        assert!(!stderr.contains("listening"), "{stderr}");
    }
}

#[test]
fn a_taken_address_stops_the_start() {
    let server = Server::start(&[]);
    let (http, udp) = (server.http.to_string(), server.udp.to_string());
    let (code, _, stderr) =
        run(&["-http-listen-address", &http, "-udp-listen-address=127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("cannot listen for http on {http}: ")), "{stderr}");
    assert!(stderr.contains("-http-listen-address"), "{stderr}");
    let (code, _, stderr) = run(&["-http-listen-address=127.0.0.1:0", "-udp-listen-address", &udp]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("cannot listen for udp on {udp}: ")), "{stderr}");
}

#[test]
fn the_environment_sets_what_no_flag_does() {
    let mut command = Command::new(BINARY);
    command.env("PUSHPROM_HTTP_LISTEN_ADDRESS", "localhost:0");
    command.env("PUSHPROM_UDP_LISTEN_ADDRESS", "nowhere").env("PUSHPROM_LOG_FORMAT", "json");
    let server = Server::run(command.arg("--udp-listen-address=127.0.0.1:0"));
    assert!(server.http.ip().is_loopback());
    assert_eq!(server.request("GET", "/health", None).text(), "ok");
}

#[test]
fn debug_logs_more() {
    let server = Server::start(&["-debug"]);
    drop(std::net::TcpStream::connect(server.http).map(|mut stream| {
        std::io::Write::write_all(&mut stream, b"garbage\r\n\r\n").expect("it is sent");
    }));
    wait_for("a debug line", || {
        server.events().iter().any(|event| event["level"] == "DEBUG").then_some(())
    });
}
