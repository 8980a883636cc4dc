//! Pushes.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Method as HttpMethod, Request, StatusCode, body::Incoming};
use serde_json::json;
use tokio::time::timeout;

use super::{
    Context,
    reply::{self, Reply},
};
use crate::{
    clock,
    ingest::{Broken, Outcome},
    telemetry::{Code, Method, Reason, Telemetry, Transport},
};

pub(super) async fn respond(request: Request<Incoming>, context: &Arc<Context>) -> Reply {
    let begun = Instant::now();
    let telemetry = &context.telemetry;
    telemetry.record_push();
    let reply = match read_body(request.into_body(), context).await {
        Ok(body) => take_in(&body, context),
        Err(reply) => reply,
    };
    telemetry.record_request(Method::Post, Code::of(reply.status()), begun.elapsed());
    reply
}

pub(super) fn respond_not_a_post(method: &HttpMethod, context: &Arc<Context>) -> Reply {
    let begun = Instant::now();
    let reply = reply::method_not_allowed("POST");
    let method = Method::of(method);
    context.telemetry.record_request(method, Code::of(reply.status()), begun.elapsed());
    reply
}

/// Reads a body up to the limits of bytes and time; the error is the answer.
async fn read_body(body: Incoming, context: &Context) -> Result<Bytes, Reply> {
    let limit = context.ingest.limits().message_bytes;
    let refuse = |telemetry: &Telemetry, reason, status, text: &str| {
        telemetry.record_rejected(Transport::Http, reason);
        reply::last(reply::text(status, text))
    };
    match timeout(context.body_timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => {
            let body = collected.to_bytes();
            context.telemetry.record_bytes(Transport::Http, body.len());
            Ok(body)
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(refuse(
            &context.telemetry,
            Reason::TooLong,
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!(
                "the body is longer than the limit of {limit} bytes: send fewer deltas at once or \
                 raise -web.max-body-bytes\n"
            ),
        )),
        Ok(Err(_)) => Err(refuse(
            &context.telemetry,
            Reason::BodyAborted,
            StatusCode::BAD_REQUEST,
            "the body broke off\n",
        )),
        Err(_) => Err(refuse(
            &context.telemetry,
            Reason::BodyTimeout,
            StatusCode::REQUEST_TIMEOUT,
            &format!(
                "the body did not arrive within {:?}: send it at once or raise -web.body-timeout\n",
                context.body_timeout
            ),
        )),
    }
}

fn take_in(body: &[u8], context: &Context) -> Reply {
    match context.ingest.message(body, Transport::Http, Broken::Refuse, clock::now()) {
        Ok(outcome) => answer(&outcome),
        Err(_) => {
            let text = "pushprom failed; see its log\n";
            reply::last(reply::text(StatusCode::INTERNAL_SERVER_ERROR, text))
        }
    }
}

/// `ok`, or what was wrong: as a line of text for a single delta, as JSON for several.
fn answer(outcome: &Outcome) -> Reply {
    if let Some(error) = &outcome.broken {
        return reply::text(StatusCode::BAD_REQUEST, &format!("{error}\n"));
    }
    match (&*outcome.refused, outcome.deltas) {
        ([], _) => reply::ok(),
        ([(_, refusal)], 1) => reply::text(StatusCode::BAD_REQUEST, &format!("{refusal}\n")),
        (refused, _) => {
            let refused = refused
                .iter()
                .map(|(index, refusal)| json!({"index": index, "error": refusal.to_string()}))
                .collect::<Vec<_>>();
            let body = json!({"applied": outcome.applied, "rejected": refused});
            reply::json(StatusCode::BAD_REQUEST, &body)
        }
    }
}
