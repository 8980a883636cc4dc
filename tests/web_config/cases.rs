//! The cases. `<CERT>` and `<KEY>` stand for PEM texts.

/// What exporter-toolkit says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toolkit {
    /// It serves by it.
    Good,
    /// It does not.
    Bad,
}

/// What we say of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ours {
    /// The same: it is good.
    Same,
    /// The same: it is bad, with this in the text.
    Bad(&'static str),
    /// We refuse it, with this in the text, for a reason that is a heading of the page; mended in this one
    /// respect it is good.
    Differs { problem: &'static str, reason: &'static str, mended: &'static str },
}

pub(super) struct Case {
    /// The file of the toolkit that is about the same, without its ending.
    pub(super) name: &'static str,
    pub(super) yaml: &'static str,
    pub(super) toolkit: Toolkit,
    pub(super) ours: Ours,
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "tls_config_noAuth.requireandverifyclientcert.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.crt\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "tls_config_noAuth.requireanyclientcert.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAnyClientCert\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "tls_config_noAuth.requireanyclientcertkeyinline.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key: |\n    <KEY>\n  client_auth_type: RequireAnyClientCert\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_auth_clientCAs_invalid.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: nowhere.pem\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad(""),
    },
    Case {
        name: "web_config_auth_clientCAs_missing.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n",
        },
    },
    Case {
        name: "web_config_auth_client_san.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans:\n    - nobody.example\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_auth_client_san.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_allowed_sans:\n    - client.example\n  client_auth_type: RequestClientCert\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "client_allowed_sans is of no use while clients get in without a certificate",
            reason: "Names without certificates are refused",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_allowed_sans:\n    - client.example\n  client_auth_type: RequireAnyClientCert\n",
        },
    },
    Case {
        name: "web_config_auth_client_san.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_allowed_sans:\n    - client.example\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "client_allowed_sans is of no use while clients get in without a certificate",
            reason: "Names without certificates are refused",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_allowed_sans:\n    - client.example\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n",
        },
    },
    Case {
        name: "web_config_auth_client_san.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_allowed_sans:\n    - one\n    - client.example\n    - two\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_auth_user_list_invalid.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\nbasic_auth_users:\n  ann: secret\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:5:8: the value is no bcrypt hash"),
    },
    Case { name: "web_config_empty", yaml: "", toolkit: Toolkit::Good, ours: Ours::Same },
    Case {
        name: "web_config_headers.good",
        yaml: "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n    Strict-Transport-Security: max-age=600\n    Content-Security-Policy: \"default-src 'none'\"\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_headers_content_type_options.bad",
        yaml: "http_server_config:\n  headers:\n    X-Content-Type-Options: guess\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad(
            "web.yml:3:29: \"guess\" is no value of X-Content-Type-Options: use nosniff",
        ),
    },
    Case {
        name: "web_config_headers_extra_header.bad",
        yaml: "http_server_config:\n  headers:\n    Server: none\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:3:13: the header \"Server\" cannot be set"),
    },
    Case {
        name: "web_config_headers_frame_options.bad",
        yaml: "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad(
            "web.yml:3:22: \"allow\" is no value of X-Frame-Options: use deny or sameorigin",
        ),
    },
    Case {
        name: "web_config_junk",
        yaml: "this is\nno mapping\nat all\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:1:1: expected mapping"),
    },
    Case {
        name: "web_config_junk_key",
        yaml: "tls_server_config:\n  certificate: server.crt\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:2:3: unknown field `certificate`"),
    },
    Case {
        name: "web_config_noAuth.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: /dev/null\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:2:14: a client CA is of no use without a policy"),
    },
    Case {
        name: "web_config_noAuth.good.blocking",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n",
        },
    },
    Case {
        name: "web_config_noAuth.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n",
        },
    },
    Case {
        name: "web_config_noAuth_allCiphers.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n  - TLS_AES_128_GCM_SHA256\n  - TLS_AES_256_GCM_SHA384\n  - TLS_CHACHA20_POLY1305_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n  - TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA\n  - TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\n  - TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "is weak (CBC)",
            reason: "TLS 1.0, TLS 1.1, weak suites and CurveP521 are refused",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n  - TLS_AES_128_GCM_SHA256\n  - TLS_AES_256_GCM_SHA384\n  - TLS_CHACHA20_POLY1305_SHA256\n",
        },
    },
    Case {
        name: "web_config_noAuth_allCurves.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  curve_preferences:\n  - CurveP256\n  - CurveP384\n  - CurveP521\n  - X25519\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "CurveP521 is not offered here",
            reason: "TLS 1.0, TLS 1.1, weak suites and CurveP521 are refused",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  curve_preferences:\n  - CurveP256\n  - CurveP384\n  - X25519\n",
        },
    },
    Case {
        name: "web_config_noAuth_certPath_empty.bad",
        yaml: "tls_server_config:\n  cert_file: \"\"\n  key_file: server.key\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:3:13: TLS needs a cert: set cert_file or cert"),
    },
    Case {
        name: "web_config_noAuth_certPath_invalid.bad",
        yaml: "tls_server_config:\n  cert_file: nowhere.crt\n  key_file: server.key\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("nowhere.crt\" cannot be read: No such file"),
    },
    Case {
        name: "web_config_noAuth_certPath_keyPath_empty.bad",
        yaml: "tls_server_config:\n  cert_file: \"\"\n  key_file: \"\"\n  client_auth_type: NoClientCert\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:4:21: TLS needs a cert"),
    },
    Case {
        name: "web_config_noAuth_certPath_keyPath_invalid.bad",
        yaml: "tls_server_config:\n  cert_file: nowhere.crt\n  key_file: nowhere.key\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("nowhere.crt\" cannot be read"),
    },
    Case {
        name: "web_config_noAuth_cert_empty.bad",
        yaml: "tls_server_config:\n  cert: \"\"\n  key_file: server.key\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("TLS needs a cert"),
    },
    Case {
        name: "web_config_noAuth_inventedCiphers.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_512_GCM_SHA1\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:7:5: unknown cipher \"TLS_ECDHE_ECDSA_WITH_AES_512_GCM_SHA1\""),
    },
    Case {
        name: "web_config_noAuth_inventedCurves.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  curve_preferences:\n  - CurveP111\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:7:5: unknown curve \"CurveP111\""),
    },
    Case {
        name: "web_config_noAuth_keyPath_empty.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: \"\"\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:2:14: TLS needs a key: set key_file or key"),
    },
    Case {
        name: "web_config_noAuth_keyPath_invalid.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: nowhere.key\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("key_file \""),
    },
    Case {
        name: "web_config_noAuth_key_empty.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key: \"\"\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("TLS needs a key"),
    },
    Case {
        name: "web_config_noAuth_noHTTP2.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  max_version: TLS12\nhttp_server_config:\n  http2: false\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  max_version: TLS12\nhttp_server_config:\n  http2: false\n",
        },
    },
    Case {
        name: "web_config_noAuth_noHTTP2Cipher.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  max_version: TLS12\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:7:5: HTTP/2 over TLS 1.2 needs"),
    },
    Case {
        name: "web_config_noAuth_someCiphers.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  min_version: TLS12\n  max_version: TLS12\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  min_version: TLS12\n  max_version: TLS12\n",
        },
    },
    Case {
        name: "web_config_noAuth_someCiphers_noOrder.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  prefer_server_cipher_suites: false\n  min_version: TLS12\n  max_version: TLS12\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  prefer_server_cipher_suites: false\n  min_version: TLS12\n  max_version: TLS12\n",
        },
    },
    Case {
        name: "web_config_noAuth_someCurves.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  min_version: TLS13\n  curve_preferences:\n  - CurveP521\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "CurveP521 is not offered here",
            reason: "TLS 1.0, TLS 1.1, weak suites and CurveP521 are refused",
            mended: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  min_version: TLS13\n  curve_preferences:\n  - CurveP384\n",
        },
    },
    Case {
        name: "web_config_noAuth_tlsInline.good",
        yaml: "tls_server_config:\n  cert: |\n    <CERT>\n  key: |\n    <KEY>\n  client_auth_type: VerifyClientCertIfGiven\n",
        toolkit: Toolkit::Good,
        ours: Ours::Differs {
            problem: "this client_auth_type verifies certificates, and nothing says whose",
            reason: "A policy that verifies needs a client CA",
            mended: "tls_server_config:\n  cert: |\n    <CERT>\n  key: |\n    <KEY>\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n",
        },
    },
    Case {
        name: "web_config_noAuth_wrongTLSVersion.bad",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n  min_version: TLS9\n",
        toolkit: Toolkit::Bad,
        ours: Ours::Bad("web.yml:6:16: unknown TLS version \"TLS9\""),
    },
    Case {
        name: "web_config_rate_limiter_nonblocking",
        yaml: "rate_limit:\n  interval: 0\n  burst: 0\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_rate_limiter_one_second",
        yaml: "rate_limit:\n  interval: \"1s\"\n  burst: 0\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_users.good",
        yaml: "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\nbasic_auth_users:\n  ann: $2y$10$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n  ben: $2y$18$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n  cem: $2y$04$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
    Case {
        name: "web_config_users_noTLS.good",
        yaml: "basic_auth_users:\n  ann: $2y$10$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n  ben: $2y$18$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n  cem: $2y$04$h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.\n",
        toolkit: Toolkit::Good,
        ours: Ours::Same,
    },
];
