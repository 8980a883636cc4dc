use super::*;

#[test]
fn probe() {
    for text in [
        "",
        "# x\n",
        "junk\n",
        "tls_server_config:\n  cert_filse: x\n",
        "basic_auth_users:\n  john: doe\n",
        "tls_server_config:\n  cert_file: a\n  min_version: TLS11\n",
        "rate_limit: {interval: 0, burst: 0}\n",
        "rate_limit: {interval: 1s, burst: -1}\n",
        "http_server_config:\n  headers:\n    X-XSS-Protection: 1\n    X-Frame-Options: foo\n",
        "http_server_config:\n  http2: yes\n",
        "http_server_config:\n",
        "a: [\n",
        "rate_limit:\n  burst: 1\n  burst: 2\n",
        "tls_server_config:\n  cert_file: a\n",
        "tls_server_config:\n  cipher_suites: [TLS_X]\n",
        "http_server_config:\n  http2: maybe\n",
        "---\na\n---\nb\n",
        "basic_auth_users: {a: 1}\n",
        "basic_auth_users: [a]",
        "a: 1\nb: \"\u{1}\"",
    ] {
        let got = parse(Path::new("/etc/web.yml"), text.as_bytes());
        let got =
            got.map(|settings| format!("{settings:?}")).unwrap_or_else(|error| error.to_string());
        println!("{text:?}\n   {got}");
    }
}
