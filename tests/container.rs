//! The container image, as `make container` builds it: started and scraped.

use std::{process::Command, sync::OnceLock};

use crate::support::{Server, inc, repository, succeed};

/// Builds the release binary and the image once.
fn image() -> &'static str {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        succeed(Command::new("make").arg("container").current_dir(repository("")));
    });
    "localhost/pushprom:latest"
}

#[test]
fn the_release_binary_needs_nothing() {
    image();
    let binary = repository("bin/pushprom");
    let kind = succeed(Command::new("file").arg(&binary));
    assert!(kind.contains("static-pie linked"), "{kind}");
    // In an empty root there is no libc, no /etc, no /proc.
    let root = tempfile::tempdir().expect("a temporary folder");
    std::fs::copy(&binary, root.path().join("pushprom")).expect("the binary is there");
    let listen = ["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"];
    let mut command = Command::new("chroot");
    command.arg(root.path()).arg("/pushprom").args(listen).arg("-log.format=json");
    let server = Server::run(&mut command);
    server.push_ok(inc("m"));
    assert_eq!(server.scrape().value("m"), Some(1.0));
}

#[test]
fn the_image_starts_and_is_scraped() {
    let script = repository("scripts/run-image");
    let mut command = Command::new(script);
    command.arg(image()).args([
        "-http-listen-address=127.0.0.1:0",
        "-udp-listen-address=127.0.0.1:0",
        "-log.format=json",
    ]);
    let mut server = Server::run(&mut command);
    server.send(inc("m"));
    server.push_ok(inc("m"));
    assert_eq!(server.catch_up().value("m"), Some(2.0));
    // A runtime stops a container by SIGTERM; the script passes it on and cleans up.
    server.signal("TERM");
    server.wait();
    server.wait_for_log("its end", |event| event["message"] == "stopped");
}
