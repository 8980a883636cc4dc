//! Tells the build which revision and compiler it is, for `-version` and `pushprom_build_info`.

use std::{env, process::Command};

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    set("PUSHPROM_RUSTC", output(&rustc, &["--version"]).split(' ').nth(1));
    set("PUSHPROM_REVISION", Some(&*output("git", &["rev-parse", "--short=12", "HEAD"])));
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/refs/heads");
}

fn set(name: &str, value: Option<&str>) {
    let value = value.filter(|value| !value.is_empty()).unwrap_or("unknown");
    println!("cargo::rustc-env={name}={value}");
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&stdout).trim().to_owned()
}
