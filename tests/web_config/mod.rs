//! Files for `-web.config.file`, each with the verdict of exporter-toolkit, and with ours. The cases are made
//! after what its own test files are about (its folder `web/testdata`, by whose names they go here); the
//! differences are those of `docs/web-config.md`.

mod cases;

use std::{fs, process::Command};

use pushprom::web::Web;

use self::cases::{CASES, Ours, Toolkit};
use crate::support::{Site, read};

/// What a file came to: nothing, or what is wrong with it.
fn verdict(site: &Site, yaml: &str) -> Result<(), String> {
    site.write("web.yml", &filled(site, yaml));
    Web::open(&site.path("web.yml"), |_| {}).map(drop).map_err(|error| error.to_string())
}

/// With the texts of certificate and key, indented, where it asks for them.
fn filled(site: &Site, yaml: &str) -> String {
    let indented = |name| site.read(name).replace('\n', "\n    ");
    let yaml = yaml.replace("<CERT>", indented("server.crt").trim_end());
    yaml.replace("<KEY>", indented("server.key").trim_end())
}

#[track_caller]
fn check(name: &str, got: Result<(), String>, want: Result<(), &str>) {
    match (got, want) {
        (Ok(()), Ok(())) => {}
        (Err(got), Err(want)) if got.contains(want) => {}
        (got, want) => panic!("{name}: {got:?}, not {want:?}"),
    }
}

#[test]
fn a_file_has_the_verdict_of_the_toolkit_or_a_reason() {
    let site = Site::new();
    let reasons = read("docs/web-config.md");
    for case in CASES {
        let got = verdict(&site, case.yaml);
        match (case.toolkit, case.ours) {
            (Toolkit::Good, Ours::Same) => check(case.name, got, Ok(())),
            (Toolkit::Bad, Ours::Bad(problem)) => check(case.name, got, Err(problem)),
            (Toolkit::Good, Ours::Differs { problem, reason, mended }) => {
                check(case.name, got, Err(problem));
                assert!(reasons.contains(&format!("\n### {reason}\n")), "no reason {reason:?}");
                // But for the difference it is good.
                check(case.name, verdict(&site, mended), Ok(()));
            }
            (Toolkit::Bad, Ours::Same | Ours::Differs { .. }) | (Toolkit::Good, Ours::Bad(_)) => {
                panic!("{}: a bad file is bad for a reason, and a good one is not", case.name)
            }
        }
    }
}

#[test]
fn there_is_a_case_for_each_file_of_the_toolkit() {
    let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 41);
}

/// The toolkit itself, as it is in Debian's `promtool`, says what the cases say that it says, as far as it is
/// new enough to know what they are about.
#[test]
fn the_toolkit_says_so_itself() {
    let site = Site::new();
    let mut asked = 0;
    for case in CASES {
        fs::write(site.path("web.yml"), filled(&site, case.yaml)).expect("it can be written");
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "web-config"]).arg(site.path("web.yml"));
        let output = promtool.output().expect("promtool is installed");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_new = ["rate_limit", "client_allowed_sans", "cert", "key", "client_ca"]
            .iter()
            .any(|key| said.contains(&format!("field {key} not found")));
        // What its server refuses at the start, and `promtool` does not look for.
        let is_late = case.name == "web_config_noAuth_noHTTP2Cipher.bad";
        if is_new || is_late {
            continue;
        }
        asked += 1;
        assert_eq!(output.status.success(), case.toolkit == Toolkit::Good, "{}: {said}", case.name);
    }
    assert!(asked >= 30, "{asked}");
}

/// What the file names may be wrong as well, or say more than one thing.
#[test]
fn certificates_and_keys_are_what_they_should_be() {
    let site = Site::new();
    let tls = |more: &str| format!("tls_server_config:\n{more}");
    site.write("empty.pem", "");
    site.write("text.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    for (text, want) in [
        ("  cert_file: server.crt\n  key_file: client.key\n", Err("key")),
        ("  cert_file: server.key\n  key_file: server.key\n", Err("holds no certificate")),
        ("  cert_file: server.crt\n  key_file: server.crt\n", Err("key_file holds no PEM of one")),
        ("  cert_file: empty.pem\n  key_file: server.key\n", Err("holds no certificate")),
        ("  cert_file: text.pem\n  key_file: server.key\n", Err("cert_file holds no PEM of one")),
        ("  cert_file: .\n  key_file: server.key\n", Err("it is no file")),
        ("  cert_file: /dev/zero\n  key_file: server.key\n", Err("it is no file")),
        (
            "  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: empty.pem\n  \
             client_auth_type: RequireAndVerifyClientCert\n",
            Err("client_ca_file holds no certificate"),
        ),
        ("  cert_file: server.crt\n  key_file: server.key\n", Ok(())),
    ] {
        check(text, verdict(&site, &tls(text)), want);
    }
}
