//! Flags and environment, as data.

use super::{flags::FLAGS, *};

/// Parses a command line and an environment, both split at spaces, and shows what `show` picks.
#[track_caller]
fn check(line: &str, show: impl Fn(&Config) -> String, want: Result<&str, &str>) {
    check_in("", line, show, want);
}

#[track_caller]
fn check_in(
    environment: &str,
    line: &str,
    show: impl Fn(&Config) -> String,
    want: Result<&str, &str>,
) {
    let variables: Vec<(&str, &str)> =
        environment.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
    let lookup = |name: &str| {
        variables
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let got = parse(line.split_whitespace().map(OsString::from), lookup);
    let got = got.map_err(|error| error.to_string()).map(|invocation| match invocation {
        Invocation::Run(config) => show(&config),
        Invocation::Help => "help".to_owned(),
        Invocation::Version => "version".to_owned(),
        Invocation::Check(path) => format!("check {}", path.display()),
        Invocation::Storage(task, path) => format!("{task:?} {}", path.display()),
    });
    assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{environment} {line}");
}

fn http(config: &Config) -> String {
    config.http_listen[0].to_string()
}

fn level(config: &Config) -> String {
    config.log_level.to_string()
}

#[test]
fn flags_are_read_as_go_reads_them() {
    check("", http, Ok("[::]:9091"));
    for line in [
        "-http-listen-address 127.0.0.1:1",
        "-http-listen-address=127.0.0.1:1",
        "--http-listen-address 127.0.0.1:1",
        "--http-listen-address=127.0.0.1:1",
        "-http-listen-address :7 -http-listen-address 127.0.0.1:1",
        "-http-listen-address 127.0.0.1:1 stray -http-listen-address :7",
        "-http-listen-address 127.0.0.1:1 -- -http-listen-address :7",
    ] {
        check(line, http, Ok("127.0.0.1:1"));
    }
    check("-h", http, Ok("help"));
    check("-help", http, Ok("help"));
    check("--help", http, Ok("help"));
    check("-version", http, Ok("version"));
    check("-nope", http, Err("flag provided but not defined: -nope"));
    check("-nope=1", http, Err("flag provided but not defined: -nope"));
    check("-log.level", http, Err("flag needs an argument: -log.level"));
    check(
        "-http-listen-address nowhere",
        http,
        Err("cannot listen where flag -http-listen-address says: \"nowhere\" has no port; write \
             host:port"),
    );
}

#[test]
fn what_is_acknowledged_on_disk_needs_one() {
    let ack = |config: &Config| format!("{:?}", config.storage.as_ref().map(|it| it.ack));
    check("-storage.ack=memory", ack, Ok("None"));
    check("-storage.ack=commit -storage.path=/d", ack, Ok("Some(Commit)"));
    for line in ["-storage.ack=commit", "-storage.ack=commit -storage.path="] {
        let expected = "invalid value \"commit\" for flag -storage.ack: say with -storage.path where to commit to";
        check(line, ack, Err(expected));
    }
}

#[test]
fn switches_take_a_value_after_an_equals_sign_alone() {
    check("-debug", level, Ok("debug"));
    check("-debug=T", level, Ok("debug"));
    check("-debug=false", level, Ok("info"));
    check("-debug -debug=false", level, Ok("info"));
    check("-debug=false -debug", level, Ok("debug"));
    check("-debug false -log.level=error", level, Ok("debug"));
    check("-debug=maybe", level, Err("invalid value \"maybe\" for flag -debug: use true or false"));
}

#[test]
fn names_are_linted_on_demand() {
    let linting = |config: &Config| format!("{:?}", config.linting);
    check("", linting, Ok("Off"));
    check("-lint.warn", linting, Ok("Warn"));
    check("-lint.warn=false", linting, Ok("Off"));
    check_in("PUSHPROM_LINT_WARN=1", "", linting, Ok("Warn"));
}

#[test]
fn former_flags_of_the_original_work() {
    check("-log-level warn", level, Ok("warn"));
    check("-log-level fatal", level, Ok("error"));
    check("-log-level warn -log.level error", level, Ok("error"));
    check("-log.level error -log-level warn", level, Ok("warn"));
    check(
        "-log-level loud",
        level,
        Err("invalid value \"loud\" for flag -log-level: use debug, info, warn or error"),
    );
}

#[test]
fn a_flag_wins_over_the_environment() {
    check_in("PUSHPROM_LOG_LEVEL=warn", "", level, Ok("warn"));
    check_in("PUSHPROM_LOG_LEVEL=warn", "-log.level=error", level, Ok("error"));
    check_in("PUSHPROM_DEBUG=true", "", level, Ok("debug"));
    check_in("PUSHPROM_LOG_LEVEL=", "", level, Ok("info"));
    check_in("PUSHPROM_VERSION=1.2.3 PUSHPROM_HELP=me", "", level, Ok("info"));
    check_in(
        "PUSHPROM_SERIES_LIMIT=0",
        "",
        level,
        Err("invalid value \"0\" for environment variable PUSHPROM_SERIES_LIMIT: use a whole \
             number of at least 1"),
    );
}

#[test]
fn a_file_fills_in_what_is_left_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pushprom.yml");
    let path = path.to_str().expect("a plain path");
    let line = |rest: &str| format!("-config.file={path} {rest}");
    std::fs::write(path, "log: {level: warn}\nseries:\n  limit: 7\n").expect("it can be written");
    let series = |config: &Config| format!("{} {}", level(config), config.rules.limits.all);
    check(&line(""), series, Ok("warn 7"));
    check(&line("-log.level=error"), series, Ok("error 7"));
    check_in("PUSHPROM_LOG_LEVEL=error", &line(""), series, Ok("error 7"));
    check_in("PUSHPROM_LOG_LEVEL=debug", &line("-log.level=error"), series, Ok("error 7"));
    check_in(&format!("PUSHPROM_CONFIG_FILE={path}"), "", series, Ok("warn 7"));
    let files = |config: &Config| format!("{:?} {}", config.file, config.summary());
    check("", files, Ok("None 0 settings, 0 rules, 0 principals"));
    check(
        &line("-series.limit=8"),
        files,
        Ok(&format!("Some({path:?}) 1 settings, 0 rules, 0 principals")),
    );
    check(&format!("check-config {path}"), level, Ok(&format!("check {path}")));
    for wrong in ["check-config", "check-config a b"] {
        let problem =
            "check-config takes one argument, the file: pushprom check-config pushprom.yml";
        check(wrong, level, Err(problem));
    }
    check("-debug check-config", level, Ok("debug"));
    std::fs::write(path, "series:\n  limit: 0\n").expect("it can be written");
    let problem = "invalid value \"0\" for series.limit: use a whole number of at least 1";
    check(&line(""), series, Err(&format!("{path}:2:3: {problem}")));
    check(&line("-series.limit=8"), series, Ok("info 8"));
    std::fs::remove_file(path).expect("it is there");
    let problem = "cannot be read: No such file or directory (os error 2)";
    check(&line(""), series, Err(&format!("{path}: {problem}")));
    std::fs::write(path, vec![b'#'; 1024 * 1024 + 1]).expect("it can be written");
    let problem = "is longer than the limit of 1048576 bytes: is it the right file?";
    check(&line(""), series, Err(&format!("{path}: {problem}")));
    std::fs::write(path, b"# \xff").expect("it can be written");
    check(&line(""), series, Err(&format!("{path}: is no UTF-8")));
}

#[test]
fn a_store_can_be_looked_after() {
    check("storage check d", level, Ok("Check d"));
    for wrong in ["storage", "storage check", "storage chec d", "storage check d e"] {
        let expected = "storage takes check, repair, export, import or compact, and a directory: \
                        pushprom storage check DIR";
        check(wrong, level, Err(expected));
    }
}

#[test]
fn durations_have_units() {
    let body = |config: &Config| format!("{:?}", config.body_timeout);
    check("-web.body-timeout 1m30s", body, Ok("90s"));
    check("-web.body-timeout 250ms", body, Ok("250ms"));
    for bad in ["0s", "5", "soon", "25h", "500000000000years"] {
        check(
            &format!("-web.body-timeout {bad}"),
            body,
            Err(&format!(
                "invalid value {bad:?} for flag -web.body-timeout: use a duration above zero, of \
                 a day at most, such as 500ms, 10s or 1m"
            )),
        );
    }
}

#[test]
fn counts_have_bounds() {
    let buffer = |config: &Config| config.udp_receive_buffer_bytes.to_string();
    check("", buffer, Ok("16777216"));
    check("-udp.receive-buffer-bytes 1", buffer, Ok("1"));
    check("-udp.receive-buffer-bytes 1073741823", buffer, Ok("1073741823"));
    let sockets = |config: &Config| config.udp_sockets.to_string();
    check("", sockets, Ok("1"));
    check("-udp.sockets 1024", sockets, Ok("1024"));
    for (flag, bad, max) in [
        ("udp.receive-buffer-bytes", "0", 1_073_741_823),
        ("udp.receive-buffer-bytes", "1073741824", 1_073_741_823),
        ("udp.sockets", "0", 1024),
        ("udp.sockets", "-1", 1024),
        ("udp.sockets", "1025", 1024),
        ("web.max-body-bytes", "1073741825", 1_073_741_824),
    ] {
        let problem = format!("use a whole number from 1 to {max}");
        let problem = format!("invalid value {bad:?} for flag -{flag}: {problem}");
        check(&format!("-{flag} {bad}"), http, Err(&problem));
    }
}

#[test]
fn modes_are_octal() {
    let mode = |config: &Config| format!("{:o}", config.unix_mode);
    check("", mode, Ok("660"));
    check("-unix.mode 0600", mode, Ok("600"));
    check("-unix.mode 777", mode, Ok("777"));
    for bad in ["1000", "8", "rw", "+7", "0o660"] {
        let problem = "use an octal number from 0 to 0777, such as 0660";
        let problem = format!("invalid value {bad:?} for flag -unix.mode: {problem}");
        check(&format!("-unix.mode {bad}"), mode, Err(&problem));
    }
}

#[test]
fn what_pages_show_is_chosen() {
    let created = |config: &Config| config.pages.created.to_string();
    check("-openmetrics.created", created, Ok("true"));
    check("-openmetrics.created=false", created, Ok("false"));
    let names = |config: &Config| format!("{:?}", config.limits.names);
    check("-names.validation-scheme=utf8", names, Ok("Utf8"));
    check("-names.validation-scheme=legacy", names, Ok("Legacy"));
    let problem = "use legacy or utf8";
    let problem = format!("invalid value \"utf-8\" for flag -names.validation-scheme: {problem}");
    check("-names.validation-scheme=utf-8", names, Err(&problem));
}

#[test]
fn defaults_are_those_of_the_limits() {
    let Ok(Invocation::Run(config)) = parse([], |_| None) else { panic!("the defaults are valid") };
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.schema_conflicts, SchemaConflicts::Adopt);
    assert_eq!(config.pages, expose::Options::default());
    let usage = usage();
    for flag in FLAGS {
        assert!(flag.names().all(|name| usage.contains(&format!("-{name}"))), "{usage}");
    }
}
