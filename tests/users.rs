//! Users, headers, and the rate of requests; and what happens when the file changes.

use std::{process::Command, thread};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::{BINARY, Client, Prometheus, Reply, Server, Site, inc, wait_for};

/// Of the passwords `alice's` and `bob's`, at the least cost.
fn users() -> String {
    let hash = |name: &str| bcrypt::hash(format!("{name}'s"), 4).expect("it hashes");
    format!("basic_auth_users:\n  alice: {}\n  bob: {}\n", hash("alice"), hash("bob"))
}

fn ask(server: &Server, login: Option<(&str, &str)>, method: &str, body: Option<&[u8]>) -> Reply {
    let mut client = Client::connect(server.http);
    let login = login
        .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    let headers: Vec<_> = login.iter().map(|login| ("Authorization", &**login)).collect();
    let path = if body.is_some() { "/" } else { "/metrics" };
    client.request(method, path, &headers, body).expect("an answer")
}

#[test]
fn a_password_is_asked_of_every_request() {
    let site = Site::new();
    let server = site.start(&users(), &[]);
    for (login, status) in [
        (Some(("alice", "alice's")), 200),
        (Some(("bob", "bob's")), 200),
        (Some(("alice", "bob's")), 401),
        (Some(("alice", "")), 401),
        (Some(("carol", "alice's")), 401),
        (Some(("", "")), 401),
        (None, 401),
    ] {
        // Once to compare, and once to remember.
        for _ in 0..2 {
            for (method, body) in [("GET", None), ("POST", Some(inc("m")))] {
                let body = body.as_ref().map(String::as_bytes);
                let reply = ask(&server, login, method, body);
                assert_eq!(reply.status, status, "{login:?} {method} {}", reply.text());
                let asks = reply.header("www-authenticate");
                assert_eq!(asks, (status == 401).then_some("Basic"), "{login:?} {method}");
            }
        }
    }
    let page = ask(&server, Some(("alice", "alice's")), "GET", None).text();
    assert!(page.contains("\nm 4\n"), "{page}");
    assert!(page.contains("pushprom_http_refused_total{reason=\"unauthorized\"} 20\n"), "{page}");
    let refused = server.wait_for_log("a refused login", |event| {
        event["message"] == "login refused" && event["user"] == "carol"
    });
    assert!(refused["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")));
    let log = server.log_lines().concat();
    assert!(!log.contains("'s"), "a password is in the log: {log}");
}

/// Two users who choose the same key by chance do not lose what they push.
#[test]
fn users_have_idempotency_keys_of_their_own() {
    let site = Site::new();
    let server = site.start(&users(), &[]);
    let message = r#"{"id":"k","deltas":[{"type":"counter","name":"m","method":"inc"}]}"#;
    for _ in 0..2 {
        for user in ["alice", "bob"] {
            let password = format!("{user}'s");
            let login = Some((user, &*password));
            assert_eq!(ask(&server, login, "POST", Some(message.as_bytes())).status, 200);
        }
    }
    let page = ask(&server, Some(("alice", "alice's")), "GET", None).text();
    assert!(page.contains("\nm 2\n"), "{page}");
}

#[test]
fn headers_are_on_every_answer() {
    let site = Site::new();
    let headers = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    \
                   X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n    \
                   Content-Security-Policy: default-src 'self'\n    \
                   Strict-Transport-Security: max-age=31536000; includeSubDomains\n";
    let server = site.start(&format!("{headers}{}", users()), &[]);
    for login in [Some(("alice", "alice's")), None] {
        let reply = ask(&server, login, "GET", None);
        for (name, value) in [
            ("x-frame-options", "deny"),
            ("x-content-type-options", "nosniff"),
            ("x-xss-protection", "1"),
            ("content-security-policy", "default-src 'self'"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{login:?}");
        }
    }
}

#[test]
fn requests_beyond_the_rate_are_refused() {
    let site = Site::new();
    let server = site.start("rate_limit:\n  interval: 1h\n  burst: 3\n", &[]);
    let statuses: Vec<u16> =
        (0..5).map(|_| server.request("GET", "/health", None).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    // It is fixed at the start.
    site.write("web.yml", "");
    assert_eq!(server.request("GET", "/health", None).status, 429);
    let server = site.start("rate_limit:\n  interval: 1h\n", &[]);
    assert_eq!(server.request("GET", "/health", None).status, 429);
    let server = site.start("rate_limit:\n  interval: 0\n  burst: 0\n", &[]);
    assert!((0..10).all(|_| server.request("GET", "/health", None).status == 200));
}

#[test]
fn an_invalid_file_keeps_everybody_out_until_it_is_mended() {
    let site = Site::new();
    let good = users();
    let server = site.start(&good, &[]);
    let alice = Some(("alice", "alice's"));
    let status = || ask(&server, alice, "GET", None).status;
    assert_eq!(status(), 200);
    for bad in ["basic_auth_users:\n  alice: secret\n", "nothing: 1\n", "nothing", "[]"] {
        site.write("web.yml", bad);
        assert_eq!(status(), 500, "{bad:?}");
        assert_eq!(status(), 500, "{bad:?}");
        site.write("web.yml", &good);
        assert_eq!(status(), 200, "after {bad:?}");
    }
    std::fs::remove_file(site.path("web.yml")).expect("it is there");
    assert_eq!(status(), 500);
    let text = ask(&server, alice, "GET", None).text();
    assert_eq!(text, "the file of -web.config.file is invalid; see the log\n");
    server.wait_for_log("what is wrong, and where", |event| {
        event["error"].as_str().is_some_and(|error| error.contains("web.yml:2:10: the value is no"))
    });
    // Users come and go without a restart.
    site.write("web.yml", &good.replace("alice:", "carol:"));
    assert_eq!(status(), 401);
    site.write("web.yml", "");
    let page = server.scrape();
    assert_eq!(page.value("pushprom_web_config_last_reload_successful"), Some(1.0));
    assert!(page.value("pushprom_web_config_last_reload_success_timestamp_seconds") > Some(1e9));
    assert_eq!(page.value("pushprom_http_refused_total{reason=\"web_config\"}"), Some(10.0));
}

#[test]
fn tls_fails_while_its_files_are_of_no_use() {
    let site = Site::new();
    let text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    let server = site.start(text, &[]);
    let status = || site.curl(&server, "/health", &[]).status;
    let key = site.read("server.key");
    assert_eq!(status(), 200);
    for (file, bad) in [
        ("server.key", site.read("client.key")),
        ("server.key", "nothing".to_owned()),
        ("web.yml", "nothing: 1\n".to_owned()),
        ("web.yml", String::new()),
    ] {
        site.write(file, &bad);
        let got = site.curl(&server, "/health", &[]);
        assert_eq!(got.status, 0, "{file} {bad:?} {got:?}");
        assert!(got.complaint.contains("alert internal error"), "{got:?}");
        site.write("server.key", &key);
        site.write("web.yml", text);
        assert_eq!(status(), 200, "after {file} {bad:?}");
    }
    let page = site.curl(&server, "/metrics", &[]).text;
    let count = "pushprom_tls_handshake_failures_total{reason=\"web_config\"} 4\n";
    assert!(page.contains(count), "{page}");
}

#[test]
fn an_invalid_file_ends_the_start() {
    let site = Site::new();
    for (text, want) in [
        ("nothing: 1\n", "web.yml:1:1: unknown field `nothing`"),
        ("basic_auth_users:\n  alice: secret\n", "web.yml:2:10: the value is no bcrypt hash"),
        (
            "tls_server_config:\n  cert_file: no.crt\n  key_file: server.key\n",
            "no.crt\\\" cannot be read",
        ),
    ] {
        site.write("web.yml", text);
        let mut command = Command::new(BINARY);
        command.args(["-http-listen-address=127.0.0.1:0", "-udp-listen-address=127.0.0.1:0"]);
        command.arg(format!("-web.config.file={}", site.path("web.yml").display()));
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(want), "{said}");
        assert!(!said.contains("listening"), "{said}");
    }
}

#[test]
fn many_logins_are_compared_one_at_a_time() {
    let site = Site::new();
    let hash = bcrypt::hash("right", 10).expect("it hashes");
    let server = site.start(&format!("basic_auth_users:\n  alice: {hash}\n"), &[]);
    thread::scope(|scope| {
        let guesses: Vec<_> = (0..80)
            .map(|guess: u32| {
                let server = &server;
                scope.spawn(move || {
                    ask(server, Some(("alice", &guess.to_string())), "GET", None).status
                })
            })
            .collect();
        let statuses: Vec<u16> =
            guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect();
        let count = |status| statuses.iter().filter(|got| **got == status).count();
        assert_eq!(count(401) + count(503), 80, "{statuses:?}");
        assert!(count(503) > 0, "{statuses:?}");
    });
    assert_eq!(ask(&server, Some(("alice", "right")), "GET", None).status, 200);
}

/// Prometheus as it logs in, by name and password, and with a certificate. A bearer token is no password.
#[test]
fn a_real_prometheus_logs_in() {
    let site = Site::new();
    let tls = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
               client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
               client_allowed_sans: [client.example]\n";
    let server = site.start(&format!("{tls}{}", users()), &[]);
    let (ca, cert, key) = (site.path("ca.pem"), site.path("client.crt"), site.path("client.key"));
    let tls = format!(
        "  scheme: https\n  tls_config:\n    ca_file: {}\n    cert_file: {}\n    key_file: {}\n",
        ca.display(),
        cert.display(),
        key.display()
    );
    let right = "  basic_auth:\n    username: alice\n    password: alice's\n";
    let bearer = "  authorization:\n    credentials: alice's\n";
    let prometheus = Prometheus::scraping_with(&[server.http], &format!("{tls}{right}"), &[]);
    wait_for("a scrape", || (prometheus.query("up") == Some(1.0)).then_some(()));
    wait_for("a value", || prometheus.query("pushprom_build_info"));
    let wrong = "  basic_auth:\n    username: alice\n    password: bob's\n";
    let no_certificate = format!("  scheme: https\n  tls_config:\n    ca_file: {}\n", ca.display());
    for config in
        [format!("{tls}{wrong}"), format!("{tls}{bearer}"), format!("{no_certificate}{right}")]
    {
        let prometheus = Prometheus::scraping_with(&[server.http], &config, &[]);
        wait_for("a failed scrape", || (prometheus.query("up") == Some(0.0)).then_some(()));
    }
}

/// Pages of any origin may push while everybody may, and read nothing of those who have to say who they are.
#[test]
fn pages_of_any_origin_end_where_users_begin() {
    let site = Site::new();
    let server = site.start("", &["-web.cors.origins=*"]);
    let login = format!("Basic {}", STANDARD.encode("alice:alice's"));
    let push = |method: &str, login: &[(&str, &str)]| {
        let page = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST")];
        let mut client = Client::connect(server.http);
        let body = (method == "POST").then(|| inc("m").into_bytes());
        let reply = client.request(method, "/", &[&page, login].concat(), body.as_deref());
        let reply = reply.expect("an answer");
        (reply.status, reply.header("access-control-allow-origin").map(str::to_owned))
    };
    let any = Some("*".to_owned());
    assert_eq!(push("POST", &[]), (200, any.clone()));
    assert_eq!(push("OPTIONS", &[]), (204, any.clone()));
    site.write("web.yml", &users());
    assert_eq!(push("POST", &[("Authorization", &login)]), (200, None));
    assert_eq!(push("POST", &[]), (401, None));
    assert_eq!(push("OPTIONS", &[]), (401, None));
    site.write("web.yml", "");
    assert_eq!(push("POST", &[]), (200, any));
}

#[test]
fn each_user_is_a_client() {
    let site = Site::new();
    let server = site.start(&users(), &["-series.limit-per-client=2"]);
    for (user, label) in
        [("alice", 1), ("alice", 2), ("alice", 3), ("bob", 4), ("bob", 5), ("bob", 6), ("bob", 7)]
    {
        let delta =
            format!(r#"{{"type":"counter","name":"c","method":"inc","labels":{{"n":"{label}"}}}}"#);
        let login = Some((user, &*format!("{user}'s")));
        assert_eq!(ask(&server, login, "POST", Some(delta.as_bytes())).text(), "ok");
    }
    let page = ask(&server, Some(("bob", "bob's")), "GET", None).text();
    let shown = ["1", "2", "4", "5"].map(|n| format!("c{{n=\"{n}\"}} 1\n"));
    let overflow = "c{pushprom_overflow=\"true\"} 3\n".to_owned();
    for line in shown.iter().chain([&overflow]) {
        assert!(page.contains(line), "{line}{page}");
    }
}
