//! Answers.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{
    Response, StatusCode,
    header::{
        ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
    },
};

use super::pages::Page;

/// An answer.
pub(super) type Reply = Response<ReplyBody>;

/// A short text, or a page.
pub(super) type ReplyBody = Either<Full<Bytes>, Page>;

/// When to try again: by then a page is made, if few wait for it.
const RETRY_AFTER_SECONDS: &str = "1";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `ok`, which old clients take for the only sign of success.
pub(super) fn ok() -> Reply {
    let mut reply = text(StatusCode::OK, "");
    *reply.body_mut() = Either::Left(Full::from(&b"ok"[..]));
    reply
}

/// A text.
pub(super) fn text(status: StatusCode, text: &str) -> Reply {
    let mut reply = empty(status);
    reply.headers_mut().insert(CONTENT_TYPE, TEXT);
    *reply.body_mut() = Either::Left(Full::from(text.to_owned()));
    reply
}

/// To what is no request that could be answered: nothing that follows on its connection is looked at.
pub(super) fn refused(status: StatusCode, problem: &str) -> Reply {
    last(text(status, &format!("{problem}\n")))
}

/// A JSON value.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Reply {
    let mut reply = text(status, &format!("{value}\n"));
    reply.headers_mut().insert(CONTENT_TYPE, JSON);
    reply
}

/// A text for who came at a bad moment.
pub(super) fn try_again(problem: &str) -> Reply {
    let mut reply = text(StatusCode::SERVICE_UNAVAILABLE, problem);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    reply
}

/// No body.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Either::Left(Full::default()));
    *reply.status_mut() = status;
    reply
}

/// A method that the path does not have; the text of the original.
pub(super) fn method_not_allowed(allow: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    reply
}

/// A body in a coding that we do not have; those that we have are listed.
pub(super) fn unsupported_coding(codings: &'static str) -> Reply {
    let problem = format!("the Content-Encoding is none of ours: use one of {codings}, or none\n");
    let mut reply = text(StatusCode::UNSUPPORTED_MEDIA_TYPE, &problem);
    reply.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
    reply
}

/// Another path. A path that cannot stand in a header is answered without one.
pub(super) fn moved(location: &str) -> Reply {
    let mut reply = empty(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::from_str(location) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// The same answer, and then no further one on its connection: what is left of the request is not
/// worth reading.
pub(super) fn last(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}
