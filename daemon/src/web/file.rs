//! The schema of the file, and what it comes to.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use rustls::{SupportedCipherSuite, crypto::SupportedKxGroup};
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{
    go::{ClientAuth, Curve, GoDuration, Suite, Version, quoted},
    users::{Hash, Users},
};
use crate::file;

/// Bytes of the file, and of each that it names: far more than a thousand users or certificates take.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the file comes to.
#[derive(Debug)]
pub struct Settings {
    /// Set on answers.
    pub headers: HeaderMap,
    /// Who may come; with none, everybody.
    pub users: Users,
    /// TLS, if it is asked for.
    pub(super) tls: Option<TlsSettings>,
    /// Whether clients of TLS are offered HTTP/2.
    pub http2: Http2,
    /// Requests: one each interval, on top of a burst.
    pub rate_limit: Option<(Duration, u32)>,
}

impl Settings {
    /// Whether the names in clients' certificates are known to be true.
    pub fn verifies_clients(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.client_auth.verifies())
    }
}

/// Whether clients of TLS are offered HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    /// They are.
    Offered,
    /// They have to do with HTTP/1.1.
    Off,
}

/// What TLS is made from.
#[derive(Debug)]
pub(super) struct TlsSettings {
    pub(super) cert: Source,
    pub(super) key: Source,
    pub(super) client_ca: Option<Source>,
    pub(super) client_auth: ClientAuth,
    /// Names of which a client's certificate has to have one.
    pub(super) allowed_sans: Option<Vec<String>>,
    pub(super) min: Version,
    pub(super) max: Version,
    /// Those of TLS 1.2; all that there are, if none are listed.
    pub(super) suites: Option<Vec<SupportedCipherSuite>>,
    pub(super) curves: Option<Vec<&'static dyn SupportedKxGroup>>,
    pub(super) prefers_own_order: bool,
}

/// Where a PEM text is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// In the file itself.
    Inline(String),
    /// In another one.
    File(PathBuf),
}

/// It may hold a key.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("<inline>"),
            Self::File(path) => path.fmt(f),
        }
    }
}

/// What is wrong with the file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{place}: {problem}", .path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// `:line:column`, both from 1, or nothing where that does not tell anything.
    place: String,
    /// What is wrong.
    problem: String,
}

impl FileError {
    /// The file cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self { path: path.to_owned(), place: String::new(), problem: error.to_string() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Root {
    tls_server_config: Option<Tls>,
    http_server_config: Option<Http>,
    basic_auth_users: Option<BTreeMap<String, Hash>>,
    rate_limit: Option<RateLimit>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    cert: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    client_ca: Option<Spanned<String>>,
    cert_file: Option<Spanned<String>>,
    key_file: Option<Spanned<String>>,
    client_auth_type: Option<Spanned<ClientAuth>>,
    client_ca_file: Option<Spanned<String>>,
    client_allowed_sans: Option<Spanned<Vec<String>>>,
    cipher_suites: Option<Spanned<Vec<Suite>>>,
    curve_preferences: Option<Vec<Curve>>,
    min_version: Option<Spanned<Version>>,
    max_version: Option<Spanned<Version>>,
    prefer_server_cipher_suites: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    http2: Option<bool>,
    headers: Option<BTreeMap<String, Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RateLimit {
    interval: Option<GoDuration>,
    burst: Option<u32>,
}

/// Reads what is at `path`: a file, of a bearable length.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// Makes sense of a text that is at `path`.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Settings, FileError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    root(text).and_then(|root| settle(root, folder)).map_err(|Problem { at, problem }| {
        let place = at.filter(|at| *at != Location::UNKNOWN);
        let place = place.map(|at| format!(":{}:{}", at.line(), at.column()));
        FileError { path: path.to_owned(), place: place.unwrap_or_default(), problem }
    })
}

/// What is wrong, and where.
struct Problem {
    at: Option<Location>,
    problem: String,
}

impl Problem {
    fn at(at: Location, problem: impl Into<String>) -> Self {
        Self { at: Some(at), problem: problem.into() }
    }
}

fn root(text: &[u8]) -> Result<Root, Problem> {
    let options = serde_saphyr::options! { with_snippet: false };
    let read: Result<Option<Root>, _> = serde_saphyr::from_slice_with_options(text, options);
    // A file of nothing asks for nothing.
    let root = read.map_err(|error| {
        let at = error.location();
        let text = error.to_string();
        // The place stands before the text instead.
        let end = at.map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        let problem = end.and_then(|end| text.strip_suffix(&end).map(str::to_owned));
        Problem { at, problem: problem.unwrap_or(text) }
    })?;
    Ok(root.unwrap_or_default())
}

fn settle(root: Root, folder: &Path) -> Result<Settings, Problem> {
    let http = root.http_server_config.unwrap_or_default();
    let http2 = if http.http2.unwrap_or(true) { Http2::Offered } else { Http2::Off };
    let limit = root.rate_limit.unwrap_or_default();
    let interval = limit.interval.unwrap_or_default().0;
    let burst = limit.burst.unwrap_or_default();
    Ok(Settings {
        headers: headers(http.headers.unwrap_or_default())?,
        users: Users::new(root.basic_auth_users.unwrap_or_default()),
        tls: tls(root.tls_server_config.unwrap_or_default(), http2, folder)?,
        http2,
        rate_limit: (!interval.is_zero()).then_some((interval, burst)),
    })
}

/// The headers that may be set, and to what, if not to anything.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

fn headers(asked: BTreeMap<String, Spanned<String>>) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, value) in asked {
        let at = value.referenced;
        let Some((_, allowed)) = HEADERS.into_iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = HEADERS.into_iter().map(|(known, _)| known).collect();
            let (name, known) = (quoted(&name), known.join(", "));
            return Err(Problem::at(at, format!("the header {name} cannot be set: use {known}")));
        };
        if !allowed.is_empty() && !allowed.contains(&&*value.value) {
            let (value, allowed) = (quoted(&value.value), allowed.join(" or "));
            return Err(Problem::at(at, format!("{value} is no value of {name}: use {allowed}")));
        }
        let bad = |_| Problem::at(at, format!("{} cannot stand in a header", quoted(&value.value)));
        let set = HeaderValue::from_str(&value.value).map_err(bad)?;
        // It is one of ours.
        let name =
            HeaderName::try_from(name).map_err(|error| Problem::at(at, error.to_string()))?;
        headers.insert(name, set);
    }
    Ok(headers)
}

/// TLS, if anything is said that only makes sense with it.
fn tls(tls: Tls, http2: Http2, folder: &Path) -> Result<Option<TlsSettings>, Problem> {
    let some_place = [&tls.cert, &tls.key, &tls.client_ca, &tls.cert_file, &tls.key_file]
        .into_iter()
        .chain([&tls.client_ca_file])
        .flatten()
        .find(|text| !text.value.is_empty())
        .map(|text| text.referenced)
        .or_else(|| tls.client_auth_type.as_ref().map(|policy| policy.referenced));
    let Some(some_place) = some_place else { return Ok(None) };
    let source = |inline: Option<Spanned<String>>, file: Option<Spanned<String>>| {
        let given = |text: &Spanned<String>| !text.value.is_empty();
        match (inline.filter(given), file.filter(given)) {
            (Some(_), Some(file)) => {
                let problem = "it is given twice, here and as a file: leave out one of them";
                Err(Problem::at(file.referenced, problem))
            }
            (Some(text), None) => Ok(Some(Source::Inline(text.value))),
            (None, Some(file)) => Ok(Some(Source::File(folder.join(file.value)))),
            (None, None) => Ok(None),
        }
    };
    let missing = |what: &str| {
        let problem = format!("TLS needs a {what}: set {what}_file or {what}");
        Problem::at(some_place, problem)
    };
    let cert = source(tls.cert, tls.cert_file)?.ok_or_else(|| missing("cert"))?;
    let key = source(tls.key, tls.key_file)?.ok_or_else(|| missing("key"))?;
    let client_ca = source(tls.client_ca, tls.client_ca_file)?;
    let policy_at = tls.client_auth_type.as_ref().map_or(some_place, |policy| policy.referenced);
    let client_auth = tls.client_auth_type.map(|policy| policy.value).unwrap_or_default();
    if client_auth.verifies() && client_ca.is_none() {
        let problem = "this client_auth_type verifies certificates, and nothing says whose: set \
                       client_ca_file or client_ca";
        return Err(Problem::at(policy_at, problem));
    }
    if client_auth == ClientAuth::None && client_ca.is_some() {
        let problem = "a client CA is of no use without a policy: set client_auth_type";
        return Err(Problem::at(policy_at, problem));
    }
    if let Some(sans) = tls.client_allowed_sans.as_ref().filter(|_| !client_auth.requires()) {
        let problem = "client_allowed_sans is of no use while clients get in without a certificate: set \
                       client_auth_type to RequireAndVerifyClientCert or RequireAnyClientCert";
        return Err(Problem::at(sans.referenced, problem));
    }
    let min = tls.min_version.as_ref().map_or(Version::Tls12, |version| version.value);
    let max = tls.max_version.as_ref().map_or(Version::Tls13, |version| version.value);
    let min = if let Some(suites) = &tls.cipher_suites {
        check_suites(suites, min, max, http2)?
    } else {
        min
    };
    if min > max {
        let at = tls.min_version.map_or(some_place, |version| version.referenced);
        return Err(Problem::at(at, "min_version is above max_version: raise that or lower this"));
    }
    Ok(Some(TlsSettings {
        cert,
        key,
        client_ca,
        client_auth,
        allowed_sans: tls.client_allowed_sans.map(|sans| sans.value),
        min,
        max,
        suites: tls.cipher_suites.filter(|suites| !suites.value.is_empty()).map(|suites| {
            let of_tls12 = suites.value.into_iter().filter(|suite| !suite.is_of_tls13());
            of_tls12.map(|suite| suite.0).collect()
        }),
        curves: tls
            .curve_preferences
            .filter(|curves| !curves.is_empty())
            .map(|curves| curves.into_iter().map(|curve| curve.0).collect()),
        prefers_own_order: tls.prefer_server_cipher_suites.unwrap_or(true),
    }))
}

/// Whether the suites do for the versions; the least version for which they do.
fn check_suites(
    suites: &Spanned<Vec<Suite>>,
    min: Version,
    max: Version,
    http2: Http2,
) -> Result<Version, Problem> {
    if suites.value.is_empty() || min == Version::Tls13 {
        return Ok(min);
    }
    if http2 == Http2::Offered && !suites.value.iter().any(|suite| suite.is_of_http2()) {
        let problem = "HTTP/2 over TLS 1.2 needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or \
                       TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: list one, or set http2: false or \
                       min_version: TLS13";
        return Err(Problem::at(suites.referenced, problem));
    }
    match (suites.value.iter().all(|suite| suite.is_of_tls13()), max) {
        (false, _) => Ok(min),
        (true, Version::Tls13) => Ok(Version::Tls13),
        (true, Version::Tls12) => {
            let problem = "none of these suites is one of TLS 1.2: list one, or raise max_version";
            Err(Problem::at(suites.referenced, problem))
        }
    }
}

#[cfg(test)]
mod tests;
