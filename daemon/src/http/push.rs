//! Pushes.

use std::{fmt, time::Instant};

use bytes::Bytes;
use hyper::{Method as HttpMethod, StatusCode, body::Incoming, http::request::Parts};
use pushprom_core::{
    intake::{Broken, KeyMisuse, Taken, Terms},
    model::Key,
};
use scopeguard::{ScopeGuard, guard};
use serde_json::json;

use super::{
    Context,
    body::{self, BodyError},
    connections::Connection,
    gate::Caller,
    key::{self, HeaderError},
    reply::{self, Reply},
    unpack::{self, Packing, UnpackError},
};
use crate::{
    clock,
    ingest::Panicked,
    store::NotCommitted,
    telemetry::{Code, Method, Reason, Transport},
};

pub(super) async fn respond(
    head: &Parts,
    body: Incoming,
    caller: &Caller,
    context: &Context,
    connection: &Connection,
) -> Reply {
    let begun = Instant::now();
    let telemetry = &context.telemetry;
    telemetry.record_push();
    // Its connection may be told to go at any moment; then this ends where it waits.
    let given_up =
        guard((), |()| telemetry.record_rejected(Transport::Http, Reason::ConnectionClosed));
    let key = key::of(&head.headers);
    let reply = match read_body(head, body, caller, context, connection).await {
        Ok(message) => match take_in(&message, key, caller, context) {
            (reply, Some(epoch)) => acknowledged(reply, epoch, context).await,
            (reply, None) => reply,
        },
        Err(reply) => reply,
    };
    ScopeGuard::into_inner(given_up);
    telemetry.record_request(Method::Post, Code::of(reply.status()), begun.elapsed());
    reply
}

pub(super) fn respond_not_a_post(method: &HttpMethod, context: &Context) -> Reply {
    let begun = Instant::now();
    let reply = reply::method_not_allowed("POST");
    let method = Method::of(method);
    context.telemetry.record_request(method, Code::of(reply.status()), begun.elapsed());
    reply
}

/// Reads a body up to the limits of bytes and time, and unpacks it; the error is the answer.
async fn read_body(
    head: &Parts,
    body: Incoming,
    caller: &Caller,
    context: &Context,
    connection: &Connection,
) -> Result<Bytes, Reply> {
    let Ok(packing) = Packing::of(&head.headers) else {
        reject(
            Reason::ContentEncoding,
            &"the Content-Encoding is none of ours",
            &[],
            caller,
            context,
        );
        return Err(reply::last(reply::unsupported_coding(unpack::CODINGS)));
    };
    let limit = caller.settings.config.limits.message_bytes;
    let read = body::read(body, limit, context, connection).await;
    let (reason, status, text) = match read {
        Ok(body) => {
            context.telemetry.record_bytes(Transport::Http, body.len());
            return unpack::unpack(body, packing, limit)
                .map_err(|error| refuse_packed(error, limit, caller, context));
        }
        Err(BodyError::TooLong) => (
            Reason::TooLong,
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is longer than the limit of {limit} bytes: send fewer deltas at once or \
                 raise -web.max-body-bytes\n"
            ),
        ),
        Err(BodyError::Busy { free }) => (
            Reason::Busy,
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "too many bodies of more than {free} bytes at once: send fewer deltas at \
                 once or try again later\n"
            ),
        ),
        Err(BodyError::Aborted) => {
            (Reason::BodyAborted, StatusCode::BAD_REQUEST, "the body broke off\n".to_owned())
        }
        Err(BodyError::Late) => (
            Reason::BodyTimeout,
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not arrive within {:?}: send it at once or raise -web.body-timeout\n",
                context.body_timeout
            ),
        ),
    };
    reject(reason, &text.trim_end(), &[], caller, context);
    Err(reply::last(reply::text(status, &text)))
}

/// Counts a message that was refused as a whole, and keeps it in mind.
fn reject(
    reason: Reason,
    error: &dyn fmt::Display,
    message: &[u8],
    caller: &Caller,
    context: &Context,
) {
    context.telemetry.record_rejected(Transport::Http, reason);
    keep(reason, error, message, caller, context);
}

/// Keeps in mind what was refused, and counted.
fn keep(
    reason: Reason,
    error: &dyn fmt::Display,
    message: &[u8],
    caller: &Caller,
    context: &Context,
) {
    let (now, peer) = (clock::now(), || caller.peer.to_string());
    context.telemetry.keep_rejection(now, Transport::Http, peer, reason, error, message);
}

/// The answer to a body that came whole, but could not be unpacked.
fn refuse_packed(error: UnpackError, limit: usize, caller: &Caller, context: &Context) -> Reply {
    let (reason, status, text) = match error {
        UnpackError::TooLong => (
            Reason::TooLong,
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "unpacked, the body is longer than the limit of {limit} bytes: send fewer deltas at \
                 once or raise -web.max-body-bytes\n"
            ),
        ),
        UnpackError::Corrupt(packing) => (
            Reason::CorruptBody,
            StatusCode::BAD_REQUEST,
            format!(
                "the body is not {} from its beginning to its end: pack it again, whole, or leave out \
                 Content-Encoding\n",
                packing.as_str()
            ),
        ),
    };
    reject(reason, &text.trim_end(), &[], caller, context);
    reply::text(status, &text)
}

/// The answer to a push that falls into `epoch`, when it may be given.
async fn acknowledged(reply: Reply, epoch: u64, context: &Context) -> Reply {
    match context.acks.wait_for(epoch).await {
        Ok(()) => reply,
        Err(NotCommitted) => not_stored(),
    }
}

/// The answer while what is pushed could be lost.
fn not_stored() -> Reply {
    let text = "what was pushed cannot be written to -storage.path: try again later\n";
    reply::try_again(text)
}

/// Applies a message, unless it has come before; returns the answer, and the epoch that has to be on disk first
/// if that is asked for.
fn take_in(
    body: &[u8],
    key: Result<Option<Key<'static>>, HeaderError>,
    caller: &Caller,
    context: &Context,
) -> (Reply, Option<u64>) {
    let key = match key {
        Ok(key) => key,
        Err(error) => {
            reject(Reason::IdempotencyKey, &error, body, caller, context);
            return (reply::text(StatusCode::BAD_REQUEST, &format!("{error}\n")), None);
        }
    };
    if !context.acks.can_be_had() {
        let problem = "-storage.path cannot be written to";
        reject(Reason::NotStored, &problem, body, caller, context);
        return (not_stored(), None);
    }
    let (mut intake, now) = (context.intake.lock(), clock::now());
    let terms = Terms {
        source: caller.source(),
        limits: &caller.settings.config.limits,
        broken: Broken::Refuse,
        key: key.as_ref(),
    };
    match context.ingest.message(&mut intake, body, Transport::Http, terms, now) {
        Ok(Taken::Anew(outcome)) => {
            context.telemetry.record_tally(Transport::Http, &outcome.tally);
            for (_, refusal) in &outcome.refused {
                keep(Reason::from(refusal), refusal, body, caller, context);
            }
            if let Some(error) = &outcome.broken {
                keep(Reason::from(error), error, body, caller, context);
                return (reply::text(StatusCode::BAD_REQUEST, &format!("{error}\n")), None);
            }
            let reply = answer(outcome.deltas, outcome.applied(), &outcome.refused);
            (reply, Some(outcome.epoch))
        }
        Ok(Taken::Again(answered)) => {
            let first = answered.answer();
            (answer(first.deltas, first.applied, &first.refused), Some(answered.epoch()))
        }
        Ok(Taken::Refused(error)) => {
            keep(Reason::from(&error), &error, body, caller, context);
            let status = match error {
                KeyMisuse::Differs { .. } => StatusCode::BAD_REQUEST,
                KeyMisuse::Reused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (reply::text(status, &format!("{error}\n")), None)
        }
        Err(Panicked) => {
            let text = "pushprom failed; see its log\n";
            keep(Reason::Panic, &text.trim_end(), body, caller, context);
            (reply::last(reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)), None)
        }
    }
}

/// `ok`, or what was wrong: as a line of text for a single delta, as JSON for several.
fn answer(deltas: usize, applied: u64, refused: &[(usize, impl fmt::Display)]) -> Reply {
    match (refused, deltas) {
        ([], _) => reply::ok(),
        ([(_, refusal)], 1) => reply::text(StatusCode::BAD_REQUEST, &format!("{refusal}\n")),
        (refused, _) => {
            let refused = refused
                .iter()
                .map(|(index, refusal)| json!({"index": index, "error": refusal.to_string()}))
                .collect::<Vec<_>>();
            let body = json!({"applied": applied, "rejected": refused});
            reply::json(StatusCode::BAD_REQUEST, &body)
        }
    }
}
