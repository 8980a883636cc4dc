//! Pushes.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    Method as HttpMethod, Request, StatusCode,
    body::{Body, Incoming},
};
use pushprom_core::intake::{Broken, Outcome};
use scopeguard::{ScopeGuard, guard};
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Context,
    body::{self, Late},
    connections::Connection,
    gate::Caller,
    reply::{self, Reply},
    unpack::{self, Packing, UnpackError},
};
use crate::{
    clock,
    ingest::Arrival,
    store::NotCommitted,
    telemetry::{Code, Method, Reason, Transport},
};

/// Bytes of a body that need no leave: more than a delta commonly has.
const SMALL_BODY_BYTES: usize = 16 * 1024;

/// The same of a body that comes over HTTP/2 and not whole at once, since a connection may have many.
const SMALL_STREAM_BYTES: usize = 2 * 1024;

/// Bytes beyond that of all bodies being read at a time, so that slow senders of large bodies cannot
/// fill the memory. A further large body is answered with 503.
const LARGE_BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The room that all large bodies share.
pub(super) struct Room {
    bytes_left: Semaphore,
    bytes: AtomicUsize,
}

impl Default for Room {
    fn default() -> Self {
        let bytes = LARGE_BODIES_BYTES_MAX;
        Self { bytes_left: Semaphore::new(bytes), bytes: AtomicUsize::new(bytes) }
    }
}

impl Room {
    /// What is left of it, where a body may have so many bytes: one of that length can be read, alone. A
    /// reload may raise that limit.
    fn for_bodies_of(&self, limit: usize) -> &Semaphore {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        if self.bytes.load(Relaxed) < limit {
            let before = self.bytes.fetch_max(limit, Relaxed);
            self.bytes_left.add_permits(limit.saturating_sub(before));
        }
        &self.bytes_left
    }
}

pub(super) async fn respond(
    request: Request<Incoming>,
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
    let reply = match read_body(request, caller, context, connection).await {
        Ok(message) => match take_in(&message, caller, context) {
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
    request: Request<Incoming>,
    caller: &Caller,
    context: &Context,
    connection: &Connection,
) -> Result<Bytes, Reply> {
    let Ok(packing) = Packing::of(request.headers()) else {
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
    let free = if connection.is_multiplexed() { SMALL_STREAM_BYTES } else { SMALL_BODY_BYTES };
    let collected = collect(request.into_body(), limit, free, &context.large_bodies);
    let read = body::in_time(collected, context.body_timeout, connection).await;
    let (reason, status, text) = match read {
        Ok(Ok(body)) => {
            context.telemetry.record_bytes(Transport::Http, body.len());
            return unpack::unpack(body, packing, limit)
                .map_err(|error| refuse_packed(error, limit, caller, context));
        }
        Ok(Err(BodyError::TooLong)) => (
            Reason::TooLong,
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is longer than the limit of {limit} bytes: send fewer deltas at once or \
                 raise -web.max-body-bytes\n"
            ),
        ),
        Ok(Err(BodyError::Busy)) => (
            Reason::Busy,
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "too many bodies of more than {free} bytes at once: send fewer deltas at \
                 once or try again later\n"
            ),
        ),
        Ok(Err(BodyError::Aborted)) => {
            (Reason::BodyAborted, StatusCode::BAD_REQUEST, "the body broke off\n".to_owned())
        }
        Err(Late) => (
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

/// Why a body could not be read.
enum BodyError {
    /// It is, or says it will be, longer than the limit.
    TooLong,
    /// Too many large bodies are being read.
    Busy,
    /// Its sender broke it off.
    Aborted,
}

/// Reads a body whole. What it has beyond its `free` bytes it takes from the room that all large bodies share,
/// and gives back when it is read. A short one that is there at once needs none.
async fn collect(
    mut body: Incoming,
    limit: usize,
    free: usize,
    large_bodies: &Room,
) -> Result<Bytes, BodyError> {
    let large_bodies = large_bodies.for_bodies_of(limit);
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > limit) {
        return Err(BodyError::TooLong);
    }
    let mut collected = BytesMut::new();
    let mut shared: Option<SemaphorePermit<'_>> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Aborted)?.into_data() else {
            // Trailers say nothing to us.
            continue;
        };
        let length = collected.len() + data.len();
        if length > limit {
            return Err(BodyError::TooLong);
        }
        if collected.is_empty() && length <= SMALL_BODY_BYTES && body.is_end_stream() {
            return Ok(data);
        }
        let held = shared.as_ref().map_or(0, SemaphorePermit::num_permits);
        if let Some(more) = length.checked_sub(free + held).filter(|more| *more > 0) {
            let more = u32::try_from(more).map_err(|_| BodyError::TooLong)?;
            let more = large_bodies.try_acquire_many(more).map_err(|_| BodyError::Busy)?;
            match &mut shared {
                Some(shared) => shared.merge(more),
                None => shared = Some(more),
            }
        }
        if collected.is_empty() && body.is_end_stream() {
            // One frame is the whole body, as of most pushes: nothing is copied.
            return Ok(data);
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// The answer to a push that falls into `epoch`, when it may be given.
async fn acknowledged(reply: Reply, epoch: u64, context: &Context) -> Reply {
    match &context.acks {
        None => reply,
        Some(storage) => match storage.committed(epoch).await {
            Ok(()) => reply,
            Err(NotCommitted) => not_stored(),
        },
    }
}

/// The answer while what is pushed could be lost.
fn not_stored() -> Reply {
    let text = "what was pushed cannot be written to -storage.path: try again later\n";
    reply::try_again(text)
}

/// Applies a message; returns the answer and the epoch that it falls into, if it does.
fn take_in(body: &[u8], caller: &Caller, context: &Context) -> (Reply, Option<u64>) {
    if context.acks.as_ref().is_some_and(|storage| !storage.is_well()) {
        let problem = "-storage.path cannot be written to";
        reject(Reason::NotStored, &problem, body, caller, context);
        return (not_stored(), None);
    }
    let (mut intake, now) = (context.intake.lock(), clock::now());
    let arrival = Arrival {
        source: caller.source(),
        limits: &caller.settings.config.limits,
        transport: Transport::Http,
        broken: Broken::Refuse,
    };
    match context.ingest.message(&mut intake, body, arrival, now) {
        Ok(outcome) => {
            context.telemetry.record_tally(Transport::Http, &outcome.tally);
            for (_, refusal) in &outcome.refused {
                keep(Reason::from(refusal), refusal, body, caller, context);
            }
            if let Some(error) = &outcome.broken {
                keep(Reason::from(error), error, body, caller, context);
            }
            (answer(&outcome), Some(outcome.epoch))
        }
        Err(_) => {
            let text = "pushprom failed; see its log\n";
            keep(Reason::Panic, &text.trim_end(), body, caller, context);
            (reply::last(reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)), None)
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
            let body = json!({"applied": outcome.applied(), "rejected": refused});
            reply::json(StatusCode::BAD_REQUEST, &body)
        }
    }
}
