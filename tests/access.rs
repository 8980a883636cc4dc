//! Who may do what, by the section `access` of the file, as each sort of principal finds it.

use std::{fs, net::UdpSocket, os::unix::net::UnixDatagram, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use tempfile::TempDir;

use crate::support::{BINARY, Client, Prometheus, Reply, Server, Site, inc, succeed, wait_for};

/// A server with a file, in a folder of its own.
fn serve(text: &str, flags: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pushprom.yml");
    fs::write(&path, text).expect("it can be written");
    fs::write(folder.path().join("token"), "of-file\n").expect("it can be written");
    let file = format!("-config.file={}", path.display());
    let mut all = vec![&*file];
    all.extend(flags);
    (Server::start(&all), folder)
}

fn ask(server: &Server, method: &str, path: &str, token: Option<&str>, body: &str) -> Reply {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> =
        authorization.iter().map(|value| ("Authorization", &**value)).collect();
    let body = (method == "POST").then_some(body.as_bytes());
    Client::connect(server.http).request(method, path, &headers, body).expect("an answer")
}

/// Stands for the SHA-256 of `of-boss`.
const SUM: &str = "5b5a65ec6b4c1ccfc6a5b6ed83b4e83fa65ae7cd94d4ce0b62a7d2ba39d4aa8e";

const FILE: &str = "
web: {enable_lifecycle: true}
access:
  principals:
    - {name: app, token: of-app, rights: [push]}
    - {name: prom, token_file: token, rights: [scrape]}
    - name: boss
      token_sha256: 5b5a65ec6b4c1ccfc6a5b6ed83b4e83fa65ae7cd94d4ce0b62a7d2ba39d4aa8e
      rights: [push, scrape, admin]
    - name: shop
      token: of-shop
      rights: [push]
      metrics: ['shop_.*', jobs]
      labels: {tenant: shop-a}
      series_limit: 2
";

#[test]
fn each_may_do_what_it_was_granted() {
    let sum = succeed(Command::new("sh").args(["-c", "printf of-boss | sha256sum"]));
    let sum = sum.split(' ').next().expect("a sum");
    let (server, _folder) = serve(&FILE.replace(SUM, sum), &[]);
    for (who, push, scrape, reload) in [
        (None, 401, 401, 401),
        (Some("nobody's"), 401, 401, 401),
        (Some("of-app"), 200, 403, 403),
        (Some("of-file"), 403, 200, 403),
        (Some("of-boss"), 200, 200, 200),
    ] {
        let status = |method, path| ask(&server, method, path, who, &inc("a")).status;
        assert_eq!(
            (status("POST", "/"), status("GET", "/metrics"), status("POST", "/-/reload")),
            (push, scrape, reload),
            "{who:?}"
        );
        for open in ["/-/healthy", "/-/ready", "/health"] {
            assert_eq!(status("GET", open), 200, "{who:?} {open}");
        }
    }
    let reply = ask(&server, "GET", "/metrics", Some("of-app"), "");
    let text = "\"app\" has no right to scrape: ask whoever runs this server for it\n";
    assert_eq!(reply.text(), text);
    let reply = ask(&server, "POST", "/", None, &inc("a"));
    let challenges = reply.headers.iter().filter(|(name, _)| name == "www-authenticate");
    let challenges: Vec<&str> = challenges.map(|(_, value)| &**value).collect();
    assert_eq!(challenges, ["Basic", "Bearer"]);
    let page = ask(&server, "GET", "/metrics", Some("of-boss"), "").text();
    for line in [
        "a 2\n",
        "pushprom_http_refused_total{reason=\"forbidden\"} 5\n",
        "pushprom_http_refused_total{reason=\"unauthorized\"} 7\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}

#[test]
fn a_tenant_stays_within_its_own() {
    let (server, _folder) = serve(FILE, &["-series.limit-per-client=50"]);
    let push = |body: &str| ask(&server, "POST", "/", Some("of-shop"), body);
    let forged =
        r#"{"type":"counter","name":"jobs","labels":{"tenant":"b","a":"1"},"method":"inc"}"#;
    assert_eq!(push(forged).status, 200);
    assert_eq!(push(forged).status, 200);
    let reply = push(&inc("orders"));
    assert_eq!(reply.status, 400);
    assert!(
        reply.text().contains("is not among the names that \"shop\" may push"),
        "{}",
        reply.text()
    );
    assert_eq!(push(&inc("shop_orders")).status, 200);
    let reply = push(r#"{"type":"gauge","name":"shop_carts","method":"set","value":1}"#);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("the limit of 2 for this client"), "{}", reply.text());
    let page = ask(&server, "GET", "/metrics", Some("of-file"), "").text();
    assert!(page.contains("jobs{a=\"1\",tenant=\"shop-a\"} 2\n"), "{page}");
    assert!(page.contains("shop_orders{tenant=\"shop-a\"} 1\n"), "{page}");
}

/// The status of a request by a user.
fn by_user(server: &Server, login: &str, method: &str, path: &str) -> u16 {
    let login = format!("Basic {}", STANDARD.encode(login));
    let body = (method == "POST").then(|| inc("a").into_bytes());
    let headers = [("Authorization", &*login), ("Connection", "close")];
    let mut client = Client::connect(server.http);
    client.request(method, path, &headers, body.as_deref()).expect("an answer").status
}

fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).expect("it hashes")
}

#[test]
fn users_have_passwords_in_either_file() {
    let here = format!(
        "access: {{principals: [{{name: app, user: a, password_hash: '{}', rights: [push]}}, \
         {{name: prom, token: t, rights: [scrape]}}]}}",
        hash("secret")
    );
    let (server, _folder) = serve(&here, &[]);
    for _ in 0..2 {
        for (login, push, scrape) in
            [("a:secret", 200, 403), ("a:wrong", 401, 401), ("b:secret", 401, 401), (":", 401, 401)]
        {
            let got =
                (by_user(&server, login, "POST", "/"), by_user(&server, login, "GET", "/metrics"));
            assert_eq!(got, (push, scrape), "{login}");
        }
    }
    assert_eq!(ask(&server, "GET", "/metrics", Some("t"), "").status, 200);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let web = folder.path().join("web.yml");
    let users = format!("basic_auth_users: {{a: '{}', b: '{}'}}", hash("a"), hash("b"));
    fs::write(&web, users).expect("it can be written");
    let web = format!("-web.config.file={}", web.display());
    let there = "access: {principals: [{name: app, user: a, rights: [push]}], \
                 anonymous: {rights: [scrape]}}";
    let (server, _folder) = serve(there, &[&web]);
    assert_eq!(by_user(&server, "a:a", "POST", "/"), 200);
    assert_eq!(by_user(&server, "a:a", "GET", "/metrics"), 403);
    assert_eq!(by_user(&server, "b:b", "POST", "/"), 403, "a user without rights of its own");
    assert_eq!(by_user(&server, "b:b", "GET", "/metrics"), 200, "has those of all");
    assert_eq!(by_user(&server, "a:b", "GET", "/health"), 401, "the other file is asked first");
}

#[test]
fn who_could_never_be_known_stops_the_start() {
    let site = Site::new();
    let path = |name: &str| site.path(name).display().to_string();
    site.write("web.yml", &format!("basic_auth_users: {{b: '{}'}}", hash("b")));
    for (name, policy) in [("asks", "RequestClientCert"), ("verifies", "VerifyClientCertIfGiven")] {
        let ca = if name == "asks" { "" } else { "client_ca_file: ca.pem, " };
        let policy = format!("{ca}client_auth_type: {policy}");
        let tls = format!("{{cert_file: server.crt, key_file: server.key, {policy}}}");
        site.write(name, &format!("tls_server_config: {tls}\n"));
    }
    let unverified = "certificate \"a\" of principal \"p\" in -config.file would be no use: -web.config.file \
                      verifies no certificates of clients; set client_auth_type to \
                      VerifyClientCertIfGiven or RequireAndVerifyClientCert";
    for (web, mark, problem) in [
        (
            "",
            "user: a",
            "user \"a\" of principal \"p\" in -config.file has no password_hash, and there is no -web.config.file",
        ),
        (
            "web.yml",
            "user: a",
            "user \"a\" of principal \"p\" in -config.file has no password_hash, and is none of -web.config.file",
        ),
        (
            "web.yml",
            "token: a",
            "token of principal \"p\" in -config.file would be no use: -web.config.file has users, and takes nothing but theirs",
        ),
        ("none.yml", "token: a", "none.yml"),
        (
            "",
            "certificates: [a]",
            "certificate \"a\" of principal \"p\" in -config.file would be no use: there is no \
             -web.config.file to ask clients for certificates",
        ),
        ("web.yml", "certificates: [a]", unverified),
        ("asks", "certificates: [a]", unverified),
        ("verifies", "certificates: [a]", ""),
        ("web.yml", "user: b", ""),
        (
            "web.yml'}, cors: {origins: '*",
            "user: b",
            "invalid value \"*\" for web.cors.origins: * is for open access alone: list the origins",
        ),
    ] {
        let web = if web.is_empty() { String::new() } else { path(web) };
        let text = format!(
            "web: {{config: {{file: '{web}'}}}}\n\
             access: {{principals: [{{name: p, {mark}, rights: [push]}}]}}\n"
        );
        site.write("pushprom.yml", &text);
        let output = Command::new(BINARY).args(["check-config", &path("pushprom.yml")]).output();
        let output = output.expect("the binary runs");
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        let code = i32::from(!problem.is_empty());
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(problem), "{stderr}");
    }
}

#[test]
fn a_certificate_says_who_somebody_is_if_it_is_verified() {
    let site = Site::new();
    let file = site.path("pushprom.yml");
    let text = "access: {principals: [{name: app, certificates: [client], rights: [push]}], \
                anonymous: {rights: [scrape]}}";
    site.write("pushprom.yml", text);
    let of = |name: &str| {
        ["--cert", "--key"]
            .map(str::to_owned)
            .into_iter()
            .zip([
                site.path(&format!("{name}.crt")).display().to_string(),
                site.path(&format!("{name}.key")).display().to_string(),
            ])
            .flat_map(|(flag, path)| [flag, path])
            .collect::<Vec<_>>()
    };
    let tls = |policy: &str| {
        format!("tls_server_config: {{cert_file: server.crt, key_file: server.key, {policy}}}\n")
    };
    let verified = "client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem";
    let server = site.start(&tls(verified), &[&format!("-config.file={}", file.display())]);
    for (policy, client, other, stranger) in
        [(verified, 200, 401, 0), ("client_auth_type: RequestClientCert", 401, 401, 401)]
    {
        // A start with the second is refused, but the file may change later.
        site.write("web.yml", &tls(policy));
        let push = inc("a");
        for (name, want) in [("client", client), ("other", other), ("stranger", stranger)] {
            let arguments = of(name);
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            arguments.extend(["-d", &push]);
            let got = site.curl(&server, "/", &arguments);
            assert_eq!(got.status, want, "{policy} {name}: {got:?}");
        }
        assert_eq!(site.curl(&server, "/metrics", &[]).status, 200, "{policy}");
    }
}

/// Where each request has to be a user's, a certificate says who those are who are no principals.
#[test]
fn certificates_go_with_users() {
    let site = Site::new();
    let text = "access: {principals: [{name: app, certificates: [client], rights: [push]}, \
                {name: prom, user: b, rights: [scrape]}]}";
    site.write("pushprom.yml", text);
    let web = format!(
        "tls_server_config: {{cert_file: server.crt, key_file: server.key, client_ca_file: ca.pem, \
         client_auth_type: VerifyClientCertIfGiven}}\nbasic_auth_users: {{a: '{}', b: '{}'}}\n",
        hash("a"),
        hash("b")
    );
    let file = site.path("pushprom.yml");
    let server = site.start(&web, &[&format!("-config.file={}", file.display())]);
    let push = inc("a");
    for (shown, want, text) in [
        ("--cert client.crt --key client.key", 401, "unauthorized: "),
        ("-u a:a --cert client.crt --key client.key", 200, ""),
        ("-u a:a", 403, "\"a\" has no right to push"),
        ("-u b:b --cert client.crt --key client.key", 403, "\"prom\" has no right to push"),
        ("-u a:b --cert client.crt --key client.key", 401, "unauthorized: "),
    ] {
        let mut arguments: Vec<&str> = shown.split_whitespace().collect();
        arguments.extend(["-d", &push]);
        let got = site.curl(&server, "/", &arguments);
        assert_eq!(got.status, want, "{shown}: {got:?}");
        assert!(got.text.contains(text), "{shown}: {got:?}");
    }
}

/// By a token, over TLS.
#[test]
fn a_real_prometheus_shows_its_token() {
    let site = Site::new();
    let file = site.path("pushprom.yml");
    let text = "access: {principals: [{name: prom, token: of-prom, rights: [scrape]}, \
                {name: app, token: of-app, rights: [push]}]}";
    site.write("pushprom.yml", text);
    let tls = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    let server = site.start(tls, &[&format!("-config.file={}", file.display())]);
    let scraping = |token: &str| {
        let config = format!(
            "  scheme: https\n  tls_config: {{ca_file: {}}}\n  \
             authorization: {{type: Bearer, credentials: {token}}}\n",
            site.path("ca.pem").display()
        );
        Prometheus::scraping_with(&[server.http], &config, &[])
    };
    let prometheus = scraping("of-prom");
    wait_for("a scrape", || (prometheus.query("up") == Some(1.0)).then_some(()));
    wait_for("a value", || prometheus.query("pushprom_build_info"));
    for token in ["of-app", "of-nobody"] {
        let prometheus = scraping(token);
        wait_for("a failed scrape", || (prometheus.query("up") == Some(0.0)).then_some(()));
    }
}

#[test]
fn a_datagram_is_of_the_network_it_comes_from() {
    let text = "
access:
  principals:
    - {name: lan, networks: [127.0.0.0/8], rights: [push], labels: {net: lan}}
    - {name: other, networks: [127.0.0.2], rights: []}
    - {name: local, networks: [unix], rights: [push], labels: {net: local}}
  anonymous: {rights: [scrape]}
";
    let sockets = tempfile::tempdir().expect("a temporary folder");
    let path = sockets.path().join("socket");
    let (server, _folder) = serve(text, &[&format!("-unix-listen-address={}", path.display())]);
    let send = |from: &str| {
        let socket = UdpSocket::bind((from, 0)).expect("loopback has many addresses");
        socket.send_to(inc("a").as_bytes(), server.udp).expect("it is taken");
    };
    send("127.0.0.2");
    send("127.0.0.1");
    send("127.0.0.3");
    let unix = UnixDatagram::unbound().expect("a socket");
    unix.send_to(inc("a").as_bytes(), &path).expect("it is taken");
    let page = wait_for("three deltas", || {
        let page = server.scrape();
        let (lan, local) = (page.value("a{net=\"lan\"}"), page.value("a{net=\"local\"}"));
        (lan == Some(2.0) && local == Some(1.0)).then_some(page)
    });
    let refused = "pushprom_deltas_rejected_total{reason=\"forbidden\",transport=\"udp\"}";
    assert_eq!(page.value(refused), Some(1.0));
    let event = server.wait_for_log("the refusal", |event| event["reason"] == "forbidden");
    let error = "\"other\" has no right to push: ask whoever runs this server for it";
    assert_eq!(event["error"], error);
}

#[test]
fn rights_change_with_the_file() {
    let (server, folder) = serve(FILE, &[]);
    let push = |token| ask(&server, "POST", "/", Some(token), &inc("a")).status;
    assert_eq!((push("of-app"), push("new")), (200, 401));
    let path = folder.path().join("pushprom.yml");
    fs::write(path, FILE.replace("token: of-app", "token: new")).expect("it can be written");
    fs::write(folder.path().join("token"), "other").expect("it can be written");
    server.signal("HUP");
    server.wait_for_log("a reload", |event| event["message"] == "configuration reloaded");
    assert_eq!((push("of-app"), push("new")), (401, 200));
    let scrape = |token| ask(&server, "GET", "/metrics", Some(token), "").status;
    assert_eq!((scrape("of-file"), scrape("other")), (401, 200));
}

#[test]
fn open_access_beyond_loopback_is_warned_of_once() {
    let warnings = |server: &Server| {
        let events = server.events().into_iter();
        events
            .filter(|event| event["message"].as_str().is_some_and(|m| m.contains("may push")))
            .count()
    };
    let server = Server::start(&[]);
    assert_eq!(warnings(&server), 0, "loopback alone");
    let server = Server::start(&["-udp-listen-address=:0,127.0.0.1:0", "-http-listen-address=:0"]);
    assert_eq!(warnings(&server), 1);
    let (server, _folder) = serve(FILE, &["-udp-listen-address=:0"]);
    assert_eq!(warnings(&server), 0);
}

/// The status, and the headers that CORS has.
fn cors(server: &Server, method: &str, origin: &str, asks: bool) -> (u16, String) {
    let mut headers = vec![("Origin", origin), ("Connection", "close")];
    if asks {
        headers.push(("Access-Control-Request-Method", "POST"));
    }
    let body = (method == "POST").then(|| inc("a").into_bytes());
    let mut client = Client::connect(server.http);
    let reply = client.request(method, "/push", &headers, body.as_deref()).expect("an answer");
    let listed = reply
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("access-control-") || name == "vary");
    let listed: Vec<String> = listed.map(|(name, value)| format!("{name}: {value}")).collect();
    (reply.status, listed.join("; "))
}

#[test]
fn pages_of_other_origins_push_if_they_are_listed() {
    let server = Server::start(&["-web.cors.origins=https://a.example,http://localhost:8080"]);
    let headers = "access-control-allow-methods: POST; \
                   access-control-allow-headers: Authorization, Content-Encoding, Content-Type; \
                   access-control-max-age: 600";
    let named = |origin| format!("access-control-allow-origin: {origin}; vary: Origin");
    for origin in ["https://a.example", "http://localhost:8080"] {
        let want = (204, format!("{headers}; {}", named(origin)));
        assert_eq!(cors(&server, "OPTIONS", origin, true), want);
        assert_eq!(cors(&server, "POST", origin, false), (200, named(origin)));
        assert_eq!(cors(&server, "OPTIONS", origin, false), (405, String::new()));
    }
    for origin in ["https://A.example", "https://a.example.evil", "null", "http://a.example", ""] {
        assert_eq!(cors(&server, "OPTIONS", origin, true), (405, String::new()));
        assert_eq!(cors(&server, "POST", origin, false), (200, String::new()));
    }
    let server = Server::start(&[]);
    assert_eq!(cors(&server, "OPTIONS", "https://a.example", true), (405, String::new()));
    assert_eq!(cors(&server, "POST", "https://a.example", false), (200, String::new()));
    let server = Server::start(&["-web.cors.origins=*"]);
    assert_eq!(cors(&server, "POST", "https://x", false), (200, named("*")));
    let (server, _folder) = serve(FILE, &["-web.cors.origins=https://a"]);
    assert_eq!(cors(&server, "POST", "https://a", false), (401, named("https://a")), "readable");
    assert_eq!(cors(&server, "OPTIONS", "https://a", true).0, 204, "a browser shows nothing yet");
}
