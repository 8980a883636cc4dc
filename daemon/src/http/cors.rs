//! Pushes by pages of other origins (CORS, as the Fetch standard has it): opt-in, and never with what a
//! browser adds of its own to say who somebody is.

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
    },
};

use super::{
    reply::{self, Reply},
    route::Route,
};
use crate::config::Origins;

/// Headers that a page may set.
const HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Encoding, Content-Type, Idempotency-Key");

/// Seconds for which a browser may remember the answer to its question.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// Whether a browser asks if a page of an origin that may push can do so.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap, origins: &Origins) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && headers.get(ORIGIN).is_some_and(|origin| origins.allow(origin.as_bytes()))
}

/// The origin to name in the answer to a push, if that of the request may read it.
pub(super) fn allowed(
    route: &Route,
    headers: &HeaderMap,
    origins: &Origins,
) -> Option<HeaderValue> {
    if origins.is_none() || !matches!(route, Route::Push | Route::Preflight) {
        return None;
    }
    let origin = headers.get(ORIGIN).filter(|origin| origins.allow(origin.as_bytes()))?;
    match origins {
        Origins::Listed(_) => Some(origin.clone()),
        Origins::Any => Some(HeaderValue::from_static("*")),
    }
}

/// The answer to a preflight.
pub(super) fn preflight() -> Reply {
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    reply
}

/// The same answer, for pages of an origin to read.
pub(super) fn name(origin: Option<HeaderValue>, mut reply: Reply) -> Reply {
    if let Some(origin) = origin {
        reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        reply.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    }
    reply
}
