//! What Go calls things: suites, curves, versions, durations, and how its YAML library reads a text.

use std::time::Duration;

use rustls::{
    CipherSuite, SupportedCipherSuite, crypto::SupportedKxGroup, crypto::aws_lc_rs::cipher_suite,
    crypto::aws_lc_rs::kx_group,
};
use serde::Deserialize;

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Version {
    Tls12,
    Tls13,
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match &*name {
            "TLS12" => Ok(Self::Tls12),
            "TLS13" => Ok(Self::Tls13),
            "TLS10" | "TLS11" => Err(format!(
                "{name} is broken, and not offered here (RFC 8996): use TLS12 or TLS13"
            )),
            _ => Err(format!("unknown TLS version {}: use TLS12 or TLS13", quoted(&name))),
        }
    }
}

/// A cipher suite that may be listed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Suite(pub(super) SupportedCipherSuite);

/// Those that Go knows and we have.
const SUITES: [(&str, SupportedCipherSuite); 9] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_AES_128_GCM_SHA256", cipher_suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", cipher_suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
];

/// Those that Go takes by default and we do not have: they authenticate what is encrypted too late.
const CBC_SUITES: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
];

/// What is a good start for a list.
const SUITES_REMEDY: &str = "use TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
                             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or another of GCM or CHACHA20";

impl TryFrom<String> for Suite {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if let Some((_, suite)) = SUITES.into_iter().find(|(known, _)| *known == name) {
            return Ok(Self(suite));
        }
        let name = &*name;
        if CBC_SUITES.contains(&name) || name.contains("_CBC_") {
            return Err(format!(
                "{} is weak (CBC), and not offered here: {SUITES_REMEDY}",
                quoted(name)
            ));
        }
        if name.starts_with("TLS_RSA_WITH_") {
            return Err(format!(
                "{} has no forward secrecy (RSA key exchange), and is not offered here: {SUITES_REMEDY}",
                quoted(name)
            ));
        }
        Err(format!("unknown cipher {}: {SUITES_REMEDY}", quoted(name)))
    }
}

impl Suite {
    /// Whether it is of the suites of TLS 1.3, which are always all there.
    pub(super) fn is_of_tls13(self) -> bool {
        self.0.tls13().is_some()
    }

    /// Whether RFC 9113, 9.2.2, wants a server of HTTP/2 over TLS 1.2 to have it, or its twin.
    pub(super) fn is_of_http2(self) -> bool {
        matches!(
            self.0.suite(),
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        )
    }
}

/// A group for the exchange of keys.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Curve(pub(super) &'static dyn SupportedKxGroup);

impl TryFrom<String> for Curve {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match &*name {
            "CurveP256" => Ok(Self(kx_group::SECP256R1)),
            "CurveP384" => Ok(Self(kx_group::SECP384R1)),
            "X25519" => Ok(Self(kx_group::X25519)),
            "X25519MLKEM768" => Ok(Self(kx_group::X25519MLKEM768)),
            "CurveP521" => Err(format!(
                "{name} is not offered here: use X25519, CurveP256, CurveP384 or X25519MLKEM768"
            )),
            _ => Err(format!(
                "unknown curve {}: use X25519, CurveP256, CurveP384 or X25519MLKEM768",
                quoted(&name)
            )),
        }
    }
}

/// What is asked of the certificates of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum ClientAuth {
    /// Nothing.
    #[default]
    None,
    /// One, if there is one; any will do.
    Request,
    /// One; any will do.
    RequireAny,
    /// One of the client CA's, if there is one.
    VerifyIfGiven,
    /// One of the client CA's.
    RequireAndVerify,
}

impl ClientAuth {
    /// Whether it needs to know whose certificates to trust.
    pub(super) fn verifies(self) -> bool {
        match self {
            Self::VerifyIfGiven | Self::RequireAndVerify => true,
            Self::None | Self::Request | Self::RequireAny => false,
        }
    }

    /// Whether there is nobody without one.
    pub(super) fn requires(self) -> bool {
        match self {
            Self::RequireAny | Self::RequireAndVerify => true,
            Self::None | Self::Request | Self::VerifyIfGiven => false,
        }
    }
}

impl TryFrom<String> for ClientAuth {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match &*name {
            "" | "NoClientCert" => Ok(Self::None),
            "RequestClientCert" => Ok(Self::Request),
            "RequireAnyClientCert" | "RequireClientCert" => Ok(Self::RequireAny),
            "VerifyClientCertIfGiven" => Ok(Self::VerifyIfGiven),
            "RequireAndVerifyClientCert" => Ok(Self::RequireAndVerify),
            _ => Err(format!(
                "unknown client_auth_type {}: use NoClientCert, RequestClientCert, \
                 RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert",
                quoted(&name)
            )),
        }
    }
}

/// A duration as Go writes it, such as `1m30s` or `500ms`; a bare number is of nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct GoDuration(pub(super) Duration);

/// The units of Go, in nanoseconds. Of those that begin alike the longer comes first.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("\u{3bc}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Longer than any interval that makes sense.
const DURATION_MAX_SECONDS: f64 = 24.0 * 3600.0;

impl TryFrom<String> for GoDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let seconds = nanoseconds(&text).map(|nanoseconds| nanoseconds / 1e9);
        match seconds.filter(|seconds| (0.0..=DURATION_MAX_SECONDS).contains(seconds)) {
            Some(seconds) => Ok(Self(Duration::from_secs_f64(seconds))),
            None => Err(format!(
                "{} is no duration from 0 to a day: use one such as 500ms, 1s or 1m30s",
                quoted(&text)
            )),
        }
    }
}

fn nanoseconds(text: &str) -> Option<f64> {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    if !text.is_empty() && text.bytes().all(is_digit) {
        return text.parse().ok();
    }
    let mut left = text;
    let mut sum = 0.0;
    while !left.is_empty() || text.is_empty() {
        let digits = left.bytes().take_while(|byte| is_digit(*byte) || *byte == b'.').count();
        let (number, rest) = left.split_at(digits);
        let of = |(unit, worth)| rest.strip_prefix(unit).map(|rest| (worth, rest));
        let (worth, rest): (f64, &str) = UNITS.into_iter().find_map(of)?;
        if !number.bytes().any(is_digit) {
            return None;
        }
        sum += number.parse::<f64>().ok()? * worth;
        left = rest;
    }
    Some(sum)
}

/// A text of the file in an error: quoted, and cut at 64 characters.
pub(super) fn quoted(text: &str) -> String {
    const CHARACTERS_MAX: usize = 64;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_go() {
        for (text, want) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("1000000000", Some(1_000_000_000)),
            ("0s", Some(0)),
            ("1s", Some(1_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.5ms", Some(1_500_000)),
            ("1m30s", Some(90_000_000_000)),
            ("2us3ns", Some(2003)),
            ("2\u{b5}s", Some(2000)),
            ("24h", Some(86_400_000_000_000)),
            ("25h", None),
            ("", None),
            ("s", None),
            (".s", None),
            ("1", Some(1)),
            ("1s1", None),
            ("1.1.1s", None),
            ("-1s", None),
            ("1 s", None),
            ("1d", None),
        ] {
            let got = GoDuration::try_from(text.to_owned()).ok().map(|got| got.0.as_nanos());
            assert_eq!(got, want, "{text:?}");
        }
    }

    /// Names as Go has them, for those that we have.
    #[test]
    fn suites_have_their_names() {
        for (name, suite) in SUITES {
            let ours = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
            assert_eq!(ours, name);
        }
    }
}
