//! TLS, as `curl`, `openssl` and Prometheus see it.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use crate::support::{Server, Site, inc, pki, wait_for};

/// A server with a certificate, and whatever else is in `tls_server_config`.
fn start(site: &Site, more: &str) -> Server {
    site.start(
        &format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{more}"),
        &[],
    )
}

#[test]
fn every_version_of_tls_and_http_is_served() {
    let site = Site::new();
    let server = start(&site, "");
    for (arguments, version) in [
        (&["--http2", "--tlsv1.3"][..], "2"),
        (&["--http1.1", "--tlsv1.3"], "1.1"),
        (&["--http2", "--tls-max", "1.2"], "2"),
        (&["--http1.1", "--tls-max", "1.2"], "1.1"),
        (&["--no-alpn"], "1.1"),
    ] {
        let push = inc("pushed");
        let pushed = site.curl(&server, "/", &[arguments, &["-d", &push]].concat());
        assert_eq!((pushed.status, &*pushed.version), (200, version), "{arguments:?} {pushed:?}");
        assert!(pushed.text.ends_with("\r\n\r\nok"), "{pushed:?}");
        let page = site.curl(&server, "/metrics", arguments);
        assert_eq!((page.status, &*page.version), (200, version), "{arguments:?} {page:?}");
        assert!(page.text.contains("pushprom_build_info{"), "{page:?}");
    }
    let page = site.curl(&server, "/metrics", &[]);
    assert!(page.text.contains("\npushed 5\n"), "{}", page.text);
}

#[test]
fn http2_can_be_switched_off() {
    let site = Site::new();
    let server = start(&site, "http_server_config:\n  http2: false\n");
    let got = site.curl(&server, "/health", &["--http2"]);
    assert_eq!((got.status, &*got.version), (200, "1.1"), "{got:?}");
}

#[test]
fn whoever_speaks_http_to_tls_is_told() {
    let site = Site::new();
    let server = start(&site, "");
    let reply = server.request("GET", "/", None);
    assert_eq!((reply.status, &*reply.text()), (400, "this port speaks TLS: use https\n"));
    wait_for("the count of it", || {
        let page = site.curl(&server, "/metrics", &[]).text;
        page.contains("pushprom_tls_handshake_failures_total{reason=\"peer\"} 1\n").then_some(())
    });
}

/// Which client gets in with which certificate: of the authority, of nobody, of the past, or none.
#[test]
fn certificates_of_clients_are_asked_for_as_the_policy_says() {
    let site = Site::new();
    let ca = "  client_ca_file: ca.pem\n";
    let sans = "  client_allowed_sans: [client.example]\n";
    for (policy, more, none, client, stranger, expired, other) in [
        ("NoClientCert", "", true, true, true, true, true),
        ("RequestClientCert", "", true, true, true, true, true),
        ("RequireAnyClientCert", "", false, true, true, true, true),
        ("RequireClientCert", "", false, true, true, true, true),
        ("VerifyClientCertIfGiven", ca, true, true, false, false, true),
        ("RequireAndVerifyClientCert", ca, false, true, false, false, true),
        ("RequireAnyClientCert", sans, false, true, true, true, false),
        ("RequireAndVerifyClientCert", &format!("{ca}{sans}"), false, true, false, false, false),
    ] {
        let server = start(&site, &format!("  client_auth_type: {policy}\n{more}"));
        for (name, wanted) in [
            ("", none),
            ("client", client),
            ("stranger", stranger),
            ("expired", expired),
            ("other", other),
        ] {
            for version in ["1.2", "1.3"] {
                let (cert, key) = (format!("{name}.crt"), format!("{name}.key"));
                let mut arguments = vec!["--tls-max", version];
                if !name.is_empty() {
                    arguments.extend(["--cert", &cert, "--key", &key]);
                }
                let got = site.curl(&server, "/health", &arguments);
                let is_in = got.status == 200;
                assert_eq!(is_in, wanted, "{policy} {more:?} {name:?} {version} {got:?}");
            }
        }
    }
}

#[test]
fn an_alternative_name_is_compared_as_a_whole() {
    let site = Site::new();
    for (allowed, name, is_in) in [
        ("client.example", "client", true),
        ("10.1.2.3", "client", true),
        ("2001:db8::1", "client", true),
        ("2001:0db8::1", "client", false),
        ("CLIENT.example", "client", false),
        ("example", "client", false),
        // The common name does not count.
        ("client", "client", false),
        ("push@shop.example", "other", true),
        ("spiffe://shop.example/push", "other", true),
        ("spiffe://shop.example/", "other", false),
    ] {
        let more = format!(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
             client_allowed_sans: [nobody.example, '{allowed}']\n"
        );
        let server = start(&site, &more);
        let (cert, key) = (format!("{name}.crt"), format!("{name}.key"));
        let got = site.curl(&server, "/health", &["--cert", &cert, "--key", &key]);
        assert_eq!(got.status == 200, is_in, "{allowed} {name} {got:?}");
    }
}

/// What `openssl s_client` agrees on with a server: protocol and suite, as it names them.
fn agreed(server: &Server, arguments: &[&str]) -> Option<(String, String)> {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &server.http.to_string()]).args(arguments);
    let output = command.stdin(Stdio::null()).output().expect("openssl is installed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find_map(|line| line.strip_prefix("New, "))?;
    let (protocol, suite) = line.split_once(", Cipher is ")?;
    (suite != "(NONE)").then(|| (protocol.to_owned(), suite.to_owned()))
}

#[test]
fn versions_suites_and_curves_are_those_of_the_file() {
    let site = Site::new();
    let tls12 = "  min_version: TLS12\n  max_version: TLS12\n";
    let two = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
               TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n";
    let both = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    let clients = "  prefer_server_cipher_suites: false\n";
    let p384 = "  curve_preferences: [CurveP384]\n";
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    for (file, arguments, want) in [
        ("", &["-tls1_3"][..], Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384"))),
        ("", &["-tls1_2"], Some(("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))),
        ("", &old, None),
        ("  min_version: TLS13\n", &["-tls1_2"], None),
        (tls12, &["-tls1_3"], None),
        (tls12, &[], Some(("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))),
        (two, &["-tls1_2", "-cipher", both], Some(("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"))),
        (
            &format!("{two}{clients}"),
            &["-tls1_2", "-cipher", both],
            Some(("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")),
        ),
        (two, &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], None),
        (two, &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], None),
        // They are about TLS 1.2 alone.
        (
            two,
            &["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
            Some(("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")),
        ),
        (p384, &["-groups", "P-384"], Some(("TLSv1.3", "TLS_AES_256_GCM_SHA384"))),
        (p384, &["-groups", "P-256:X25519"], None),
    ] {
        let server = start(&site, file);
        let got = agreed(&server, arguments);
        let got = got.as_ref().map(|(protocol, suite)| (&**protocol, &**suite));
        assert_eq!(got, want, "{file:?} {arguments:?}");
    }
}

/// Certificate and key are replaced, one after the other, again and again, while new connections come in:
/// each is served, and in the end with the new certificate.
#[test]
fn a_certificate_is_renewed_under_load() {
    const RENEWALS: usize = 20;
    let site = Site::new();
    let server = start(&site, "");
    let (enough, scraped) = (AtomicBool::new(false), AtomicUsize::new(0));
    let roots = site.client_config();
    let seen = thread::scope(|scope| {
        let scrapers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = Vec::new();
                    while !enough.load(Relaxed) {
                        let (status, certificate) = scrape_once(&server, &roots);
                        assert_eq!(status, "HTTP/1.1 200 OK");
                        scraped.fetch_add(1, Relaxed);
                        if seen.last() != Some(&certificate) {
                            seen.push(certificate);
                        }
                    }
                    seen
                })
            })
            .collect();
        for number in 0..RENEWALS {
            let (certificate, key) = site.renewed(&format!("renewal-{number}"));
            site.write("server.crt", &certificate);
            // Some connections come in between.
            let half_way = scraped.load(Relaxed);
            if number % 2 == 0 {
                thread::yield_now();
            }
            site.write("server.key", &key);
            wait_for("connections with the new certificate", || {
                (scraped.load(Relaxed) > half_way + 6).then_some(())
            });
        }
        enough.store(true, Relaxed);
        scrapers
            .into_iter()
            .map(|scraper| scraper.join().expect("no scrape fails"))
            .collect::<Vec<_>>()
    });
    let last = site.read("server.crt");
    for seen in seen {
        assert!(seen.len() > RENEWALS / 2, "{} certificates were seen", seen.len());
        let (_, certificate) = scrape_once(&server, &roots);
        assert_eq!(certificate, pki::der(&last));
        drop(seen);
    }
}

/// A scrape on a connection of its own: the first line of the answer, and the certificate.
fn scrape_once(server: &Server, config: &Arc<rustls::ClientConfig>) -> (String, Vec<u8>) {
    use std::io::{BufRead, BufReader, Write};
    let name = "localhost".try_into().expect("a name");
    let session = rustls::ClientConnection::new(Arc::clone(config), name).expect("a session");
    let socket = std::net::TcpStream::connect(server.http).expect("the server accepts");
    let mut stream = rustls::StreamOwned::new(session, socket);
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("it is sent");
    let mut line = String::new();
    BufReader::new(&mut stream).read_line(&mut line).expect("an answer");
    let certificate = stream.conn.peer_certificates().and_then(|chain| chain.first());
    (line.trim().to_owned(), certificate.expect("it has one").to_vec())
}
