use super::*;

/// A file of this text comes to an error, or to `good`.
#[track_caller]
fn check(text: &str, want: &str) {
    let got = parse(Path::new("/etc/web.yml"), text.as_bytes());
    let got = got.map_or_else(|error| error.to_string(), |_| "good".to_owned());
    let got = got.strip_prefix("/etc/web.yml:").unwrap_or(&got);
    assert!(got.starts_with(want), "{text:?}: {got}");
}

#[test]
fn what_is_wrong_has_a_place() {
    for (text, want) in [
        ("", "good"),
        ("# nothing\n", "good"),
        ("---\n", "good"),
        ("tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n", "good"),
        ("text\n", "1:1: expected mapping"),
        ("- list\n", "1:1: expected mapping"),
        ("basic_auth_users: [a]\n", "1:19: expected mapping"),
        ("users: {}\n", "1:1: unknown field `users`"),
        ("rate_limit: {rate: 1}\n", "1:14: unknown field `rate`"),
        ("http_server_config:\n  http3: true\n", "2:3: unknown field `http3`"),
        ("http_server_config:\n  http2: maybe\n", "2:10: invalid boolean"),
        ("rate_limit:\n  burst: 1\n  burst: 2\n", "3:3: duplicate mapping key: burst"),
        ("rate_limit:\n  burst: -1\n", "2:10: invalid u32"),
        ("rate_limit:\n  interval: -1s\n", "2:13: \"-1s\" is no duration"),
        ("rate_limit:\n  interval: 1m30s\n  burst: 5\n", "good"),
        ("basic_auth_users:\n  a: b\n", "2:6: the value is no bcrypt hash"),
        ("basic_auth_users:\n  a: {}\n", "2:6: "),
        (
            "http_server_config:\n  headers: {X-Powered-By: x}\n",
            "2:27: the header \"X-Powered-By\"",
        ),
        ("http_server_config:\n  headers: {x-frame-options: deny}\n", "2:30: the header"),
        (
            "http_server_config:\n  headers: {X-XSS-Protection: \"a\\nb\"}\n",
            "2:31: \"a\\nb\" cannot",
        ),
    ] {
        check(text, want);
    }
}

/// The same for lines in `tls_server_config`.
#[track_caller]
fn check_tls(lines: &str, want: &str) {
    check(&format!("tls_server_config:\n  cert_file: a\n  key_file: b\n{lines}"), want);
}

#[test]
fn what_makes_no_whole_has_a_place() {
    for (lines, want) in [
        ("", "good"),
        ("  cert: text\n", "2:14: it is given twice"),
        ("  key: text\n", "3:13: it is given twice"),
        ("  cert: ''\n  client_ca: ''\n", "good"),
        ("  client_auth_type: Any\n", "4:21: unknown client_auth_type \"Any\""),
        ("  client_auth_type: ''\n", "good"),
        ("  client_auth_type: VerifyClientCertIfGiven\n", "4:21: this client_auth_type verifies"),
        ("  client_auth_type: NoClientCert\n  client_ca: x\n", "4:21: a client CA is of no use"),
        ("  client_allowed_sans: [x]\n", "4:24: client_allowed_sans is of no use"),
        (
            "  client_allowed_sans: [x]\n  client_auth_type: RequestClientCert\n",
            "4:24: client_allowed_sans is of no use while clients get in without a certificate: set \
             client_auth_type to RequireAndVerifyClientCert or RequireAnyClientCert",
        ),
        (
            "  client_allowed_sans: [x]\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca: x\n",
            "4:24: client_allowed_sans is of no use",
        ),
        ("  client_allowed_sans: [x]\n  client_auth_type: RequireAnyClientCert\n", "good"),
        ("  min_version: TLS10\n", "4:16: TLS10 is broken"),
        ("  max_version: TLS11\n", "4:16: TLS11 is broken"),
        ("  max_version: SSL30\n", "4:16: unknown TLS version \"SSL30\""),
        ("  min_version: TLS13\n  max_version: TLS12\n", "4:16: min_version is above"),
        ("  cipher_suites: []\n  curve_preferences: []\n", "good"),
        (
            "  cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n",
            "4:19: \"TLS_RSA_WITH_AES_128_GCM_SHA256\" has no forward",
        ),
        (
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
            "4:19: \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\" is weak",
        ),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", "4:18: HTTP/2 over TLS 1.2 needs"),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  min_version: TLS13\n", "good"),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\nhttp_server_config: {http2: false}\n", "good"),
        (
            "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\nhttp_server_config: {http2: false}\n",
            "4:18: none of these suites is one of TLS 1.2",
        ),
        ("  curve_preferences: [CurveP521]\n", "4:23: CurveP521 is not offered"),
        ("  curve_preferences: [X25519MLKEM768, X25519]\n", "good"),
    ] {
        check_tls(lines, want);
    }
    check("tls_server_config:\n  min_version: TLS13\n", "good");
    check("tls_server_config:\n  client_auth_type: NoClientCert\n", "2:21: TLS needs a cert");
    check("tls_server_config:\n  key: x\n", "2:8: TLS needs a cert");
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = "tls_server_config:\n  cert_file: a.crt\n  key_file: /b.key\n";
    let settings = parse(Path::new("/etc/web.yml"), text.as_bytes()).expect("it is good");
    let tls = settings.tls.expect("it asks for it");
    assert_eq!(tls.cert, Source::File("/etc/a.crt".into()));
    assert_eq!(tls.key, Source::File("/b.key".into()));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{list}]\n");
    }
    let got = parse(Path::new("web.yml"), text.as_bytes());
    assert!(got.is_err());
}
