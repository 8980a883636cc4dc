//! What is answered where nothing can be.

use hyper::{
    StatusCode,
    header::{ALLOW, HeaderValue, RETRY_AFTER},
};
use serde_json::json;

use crate::http::reply::{self, Reply};

/// Why a request got no answer. The texts say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// A parameter that is none.
    #[error("{0}")]
    BadData(String),
    /// The interface is off.
    #[error("admin APIs disabled: start with -web.enable-admin-api")]
    Disabled,
    /// A page of another site sent it.
    #[error("this was sent by a page of another site, which may not change anything here")]
    CrossSite,
    /// Another method.
    #[error("{method} is no method of this path: use one of {allow}")]
    Method {
        /// That which came.
        method: String,
        /// Those that there are.
        allow: &'static str,
    },
    /// The body did not come in time.
    #[error("the body did not arrive in time: send it at once or raise -web.body-timeout")]
    BodyTimeout,
    /// A longer body than there may be.
    #[error("the body is longer than the limit of {0} bytes: use fewer parameters")]
    TooLong(usize),
    /// Too many bodies at once.
    #[error("too many large bodies at once: use fewer parameters or try again later")]
    Busy,
    /// A body that is no form.
    #[error("the body is no form: send application/x-www-form-urlencoded, or a query alone")]
    MediaType,
    /// Too much at once.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The client has gone.
    #[error("the connection was closed before there was an answer")]
    Left,
    /// A fault of ours.
    #[error("pushprom failed; see its log")]
    Internal,
}

impl Failure {
    /// Its status, and what sort it is in the words of Prometheus.
    fn sort(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadData(_) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Disabled => (StatusCode::FORBIDDEN, "unavailable"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "bad_data"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::TooLong(_) => (StatusCode::PAYLOAD_TOO_LARGE, "bad_data"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_data"),
            Self::Busy | Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Left => (StatusCode::BAD_REQUEST, "canceled"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// The answer.
    pub(super) fn reply(&self) -> Reply {
        let (status, sort) = self.sort();
        let body = json!({"status": "error", "errorType": sort, "error": self.to_string()});
        let mut reply = reply::json(status, &body);
        match self {
            Self::Method { allow, .. } => {
                reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
                reply
            }
            Self::Unavailable(_) => {
                reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                reply
            }
            Self::Busy => {
                reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                reply::last(reply)
            }
            // What is left of the request is not worth reading.
            Self::BodyTimeout
            | Self::TooLong(_)
            | Self::MediaType
            | Self::CrossSite
            | Self::Left => reply::last(reply),
            Self::BadData(_) | Self::Disabled | Self::Internal => reply,
        }
    }
}
