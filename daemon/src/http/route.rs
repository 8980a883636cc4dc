//! The route table, the original's with a few corrections (`docs/compatibility.md`). A pure function.

use hyper::{
    HeaderMap, Method, Uri, Version,
    header::{EXPECT, HOST, HeaderValue, TRANSFER_ENCODING},
};

use super::{api::Endpoint, cors, path};
use crate::config::{AdminApi, Lifecycle, Linting, Origins, Right};

/// What answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A push.
    Push,
    /// The page.
    Metrics,
    /// What is odd about names.
    Lint,
    /// What an operator asks.
    Api(Endpoint),
    /// `ok`.
    Health,
    /// `ok`, or what is not as it should be.
    Ready,
    /// Read the configuration again.
    Reload,
    /// End the process.
    Quit,
    /// A browser's question whether a page may push.
    Preflight,
    /// Another method than POST where pushes go; the original counts these with the pushes.
    NotAPush,
    /// Another method than the path has.
    MethodNotAllowed {
        /// Those that it has.
        allow: &'static str,
    },
    /// `OPTIONS *`.
    Options,
    /// The path has a plainer spelling.
    Moved {
        /// That one.
        location: String,
    },
    /// No path at all.
    NotFound,
    /// No request that could be answered.
    BadRequest {
        /// Why.
        problem: &'static str,
    },
    /// A body of whose end there may be another reading.
    NotImplemented {
        /// Why.
        problem: &'static str,
    },
    /// An expectation other than `100-continue`.
    ExpectationFailed,
}

/// What there is beside what there always is.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) linting: Linting,
    pub(super) admin: AdminApi,
    pub(super) lifecycle: Lifecycle,
    /// Whose pages may push.
    pub(super) origins: &'a Origins,
}

impl Route {
    /// The right that it takes, if it is not open to everybody.
    pub(super) const fn right(&self) -> Option<Right> {
        match self {
            Self::Push | Self::NotAPush => Some(Right::Push),
            Self::Metrics | Self::Lint => Some(Right::Scrape),
            Self::Reload | Self::Quit => Some(Right::Admin),
            Self::Api(endpoint) => Some(endpoint.right()),
            Self::Health
            | Self::Ready
            | Self::Preflight
            | Self::MethodNotAllowed { .. }
            | Self::Options
            | Self::Moved { .. }
            | Self::NotFound
            | Self::BadRequest { .. }
            | Self::NotImplemented { .. }
            | Self::ExpectationFailed => None,
        }
    }
}

/// Where the list of problems is, if names are linted.
const LINT_PATH: &str = "/-/lint";

pub(super) fn route(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    version: Version,
    offer: Offer<'_>,
) -> Route {
    let hosts = headers.get_all(HOST).iter().count();
    // HTTP/2 has the host in the target.
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        return Route::BadRequest { problem: "send exactly one Host header" };
    }
    if !is_transfer_plain(headers) {
        let problem = "Transfer-Encoding may be chunked, once, and nothing else";
        return Route::NotImplemented { problem };
    }
    let expects = headers.get(EXPECT).map(|expect| expect.as_bytes().to_ascii_lowercase());
    if expects.is_some_and(|expects| expects != b"100-continue" && !expects.is_empty()) {
        return Route::ExpectationFailed;
    }
    if uri.path() == "*" {
        return match *method {
            Method::OPTIONS => Route::Options,
            _ => Route::BadRequest { problem: "the target * is for OPTIONS alone" },
        };
    }
    if *method == Method::CONNECT && !uri.path().starts_with('/') {
        return Route::NotFound;
    }
    let Some(path) = path::decode(uri.path()) else {
        return Route::BadRequest { problem: "the path has a broken percent-escape" };
    };
    let clean = path::clean(&path);
    if clean != path && *method != Method::CONNECT {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Route::Moved { location: path::encode(&clean) + &query };
    }
    // A push goes to any path, but for those that are something else.
    let endpoint = Endpoint::of(&path)
        .filter(|endpoint| endpoint.is_served(offer.admin) || *method != Method::POST);
    if let Some(endpoint) = endpoint {
        return Route::Api(endpoint);
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let has_lint = match offer.linting {
        Linting::Off => false,
        Linting::Warn => true,
    };
    let has_lifecycle = match offer.lifecycle {
        Lifecycle::Off => false,
        Lifecycle::On => true,
    };
    let is_order = matches!(*method, Method::PUT | Method::POST);
    match &*path {
        "/-/reload" if has_lifecycle && is_order => Route::Reload,
        "/-/quit" if has_lifecycle && is_order => Route::Quit,
        "/-/reload" | "/-/quit" if has_lifecycle => Route::MethodNotAllowed { allow: "POST, PUT" },
        LINT_PATH if has_lint && is_read => Route::Lint,
        LINT_PATH if has_lint => Route::MethodNotAllowed { allow: "GET, HEAD" },
        "/metrics" if is_read => Route::Metrics,
        "/-/healthy" if is_read => Route::Health,
        "/-/ready" if is_read => Route::Ready,
        "/metrics" | "/-/healthy" | "/-/ready" => Route::MethodNotAllowed { allow: "GET, HEAD" },
        "/health" => Route::Health,
        _ if *method == Method::POST => Route::Push,
        _ if cors::is_preflight(method, headers, offer.origins) => Route::Preflight,
        _ => Route::NotAPush,
    }
}

/// Whether a body is sent as it is, or in chunks and nothing else, as in Go. hyper looks at the last coding
/// alone; of whatever stands before, a proxy may think otherwise.
fn is_transfer_plain(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked =
        |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    codings.next().is_none_or(is_chunked) && codings.next().is_none()
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[track_caller]
    fn check(line: &str, want: &Route) {
        check_offering(NOTHING, line, want);
    }

    const NOTHING: Offer<'_> = Offer {
        linting: Linting::Off,
        admin: AdminApi::Off,
        lifecycle: Lifecycle::Off,
        origins: &Origins::Listed(Vec::new()),
    };

    #[track_caller]
    fn check_offering(offer: Offer<'_>, line: &str, want: &Route) {
        let mut parts = line.split(' ');
        let (method, uri) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut request = Request::builder().method(method).uri(uri).header(HOST, "x");
        for header in parts {
            let (name, value) = header.split_once(':').expect("a header is name:value");
            request = request.header(name, value);
        }
        let request = request.body(()).expect("the request is well-formed");
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let got = route(method, uri, headers, request.version(), offer);
        assert_eq!(got, *want, "{line}");
    }

    #[test]
    fn a_request_finds_its_route() {
        let reads = Route::MethodNotAllowed { allow: "GET, HEAD" };
        check("POST /", &Route::Push);
        check("POST /any/path?q=1", &Route::Push);
        check("POST /metrics/", &Route::Push);
        check("POST /-/", &Route::Push);
        check("POST http://x/", &Route::Push);
        check("GET /metrics", &Route::Metrics);
        check("HEAD /metric%73?x", &Route::Metrics);
        check("POST /metrics", &reads);
        check("GET /-/ready", &Route::Ready);
        check("POST /-/healthy", &reads);
        check("FOO /health", &Route::Health);
        check("GET /", &Route::NotAPush);
        check("post /", &Route::NotAPush);
        check("CONNECT /", &Route::NotAPush);
        check("CONNECT x:80", &Route::NotFound);
        check("OPTIONS *", &Route::Options);
        check("POST //x?y=1", &Route::Moved { location: "/x?y=1".to_owned() });
        check("GET /%2e%2e/x", &Route::Moved { location: "/x".to_owned() });
        let problem = "the path has a broken percent-escape";
        check("GET /%zz", &Route::BadRequest { problem });
        check("POST / host:y", &Route::BadRequest { problem: "send exactly one Host header" });
        check("POST / expect:100-Continue", &Route::Push);
        check("POST / expect:wat", &Route::ExpectationFailed);
        check("POST / transfer-encoding:Chunked", &Route::Push);
        let problem = "Transfer-Encoding may be chunked, once, and nothing else";
        for codings in ["gzip,chunked", "chunked,chunked", "chunked transfer-encoding:chunked", ""]
        {
            let line = format!("POST / transfer-encoding:{codings}");
            check(&line, &Route::NotImplemented { problem });
        }
    }

    #[test]
    fn the_list_of_problems_is_there_on_demand() {
        let reads = Route::MethodNotAllowed { allow: "GET, HEAD" };
        for (line, off, warn) in [
            ("GET /-/lint", Route::NotAPush, Route::Lint),
            ("HEAD /-/lint?x", Route::NotAPush, Route::Lint),
            ("POST /-/lint", Route::Push, reads.clone()),
            ("PUT /-/lint", Route::NotAPush, reads),
            ("POST /-/lint/x", Route::Push, Route::Push),
        ] {
            check(line, &off);
            check_offering(Offer { linting: Linting::Warn, ..NOTHING }, line, &warn);
        }
    }

    #[test]
    fn the_process_is_ruled_on_demand() {
        let orders = Route::MethodNotAllowed { allow: "POST, PUT" };
        for (line, off, on) in [
            ("POST /-/reload", Route::Push, Route::Reload),
            ("PUT /-/reload", Route::NotAPush, Route::Reload),
            ("GET /-/reload", Route::NotAPush, orders.clone()),
            ("POST /-/quit?x", Route::Push, Route::Quit),
            ("PUT /-/quit", Route::NotAPush, Route::Quit),
            ("DELETE /-/quit", Route::NotAPush, orders),
        ] {
            check(line, &off);
            check_offering(Offer { lifecycle: Lifecycle::On, ..NOTHING }, line, &on);
        }
    }

    #[test]
    fn browsers_are_answered_on_demand() {
        let origins: Origins = "https://a".parse().expect("an origin");
        for (line, want) in [
            ("OPTIONS /x origin:https://a access-control-request-method:POST", Route::Preflight),
            ("OPTIONS /x origin:https://b access-control-request-method:POST", Route::NotAPush),
            ("OPTIONS /x origin:https://a", Route::NotAPush),
            ("OPTIONS /x access-control-request-method:POST", Route::NotAPush),
            ("POST /x origin:https://a", Route::Push),
        ] {
            check(line, if want == Route::Push { &Route::Push } else { &Route::NotAPush });
            check_offering(Offer { origins: &origins, ..NOTHING }, line, &want);
        }
    }

    #[test]
    fn what_the_api_does_not_take_is_a_push() {
        let api = Route::Api;
        for (line, off, on) in [
            ("GET /api/v1/status/flags", api(Endpoint::Flags), api(Endpoint::Flags)),
            ("POST /api/v1/status/flags", api(Endpoint::Flags), api(Endpoint::Flags)),
            ("GET /api/v1/%73eries?x", api(Endpoint::Series), api(Endpoint::Series)),
            ("POST /api/v1/series", Route::Push, api(Endpoint::Series)),
            ("POST /api/v1/admin/wipe", Route::Push, api(Endpoint::Wipe)),
            ("PUT /api/v1/admin/wipe", api(Endpoint::Wipe), api(Endpoint::Wipe)),
            ("POST /api/v1/whatever", Route::Push, Route::Push),
            ("POST /api/v1/series/", Route::Push, Route::Push),
            ("GET /api/v1", Route::NotAPush, Route::NotAPush),
        ] {
            check(line, &off);
            check_offering(Offer { admin: AdminApi::On, ..NOTHING }, line, &on);
        }
    }
}
