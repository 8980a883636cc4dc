//! Bodies: how many bytes of them are held, and how long they may take.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{self, Poll, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{Context, connections::Connection};

/// Bytes of a body that need no leave: more than a delta commonly has.
const SMALL_BODY_BYTES: usize = 16 * 1024;

/// The same of a body that comes over HTTP/2 and not whole at once, since a connection may have many.
const SMALL_STREAM_BYTES: usize = 2 * 1024;

/// Bytes beyond that of all bodies being read at a time, so that slow senders of large bodies cannot
/// fill the memory. A further large body is answered with 503.
const LARGE_BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a body that are read for nothing: of most pushes all.
const DISCARDED_BYTES_MAX: usize = 64 * 1024;

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

    /// Room for bytes that are held beside a body that is being read, if there is any.
    pub(super) fn beside(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        self.bytes_left.try_acquire_many(u32::try_from(bytes).ok()?).ok()
    }
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is, or says it will be, longer than the limit.
    TooLong,
    /// Too many bodies of more than so many bytes are being read.
    Busy {
        /// So many need no leave.
        free: usize,
    },
    /// Its sender broke it off.
    Aborted,
    /// It did not arrive in time.
    Late,
}

/// Reads a body whole, up to a limit of bytes and of time.
pub(super) async fn read(
    body: Incoming,
    limit: usize,
    context: &Context,
    connection: &Connection,
) -> Result<Bytes, BodyError> {
    let free = if connection.is_multiplexed() { SMALL_STREAM_BYTES } else { SMALL_BODY_BYTES };
    // Pinned here, so that it is not moved from one future into the next.
    let collected = pin!(collect(body, limit, free, &context.large_bodies));
    in_time(collected, context.body_timeout, connection).await.unwrap_or(Err(BodyError::Late))
}

/// Reads a body of no use, if it is short and comes in time, and keeps nothing of it. Of HTTP/2 some clients take
/// an answer that comes before the end of their request for an error, and do not show it.
pub(super) async fn discard(mut body: Incoming, limit: Duration, connection: &Connection) {
    let reading = async {
        let mut left = DISCARDED_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(less) = left.checked_sub(length) else { break };
            left = less;
        }
    };
    // Whatever comes of it, the answer is given.
    in_time(reading, limit, connection).await.ok();
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
            let more = large_bodies.try_acquire_many(more).map_err(|_| BodyError::Busy { free })?;
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

/// A body did not arrive in time.
struct Late;

/// Waits for what is read from a body, and from nothing else, for as long as it may take.
async fn in_time<T>(
    reading: impl Future<Output = T>,
    limit: Duration,
    connection: &Connection,
) -> Result<T, Late> {
    if connection.is_multiplexed() {
        // Each request has a task of its own, and its body a time.
        timeout(limit, reading).await.map_err(|_| Late)
    } else {
        unwoken(reading, connection).await
    }
}

/// Nobody needs waking for a body of HTTP/1.1: the task that waits for it here is the one that hyper reads it on,
/// and having read some of it, hyper polls this again. To be woken for that meant to be polled once more, for
/// nothing, after each request.
async fn unwoken<T>(reading: impl Future<Output = T>, connection: &Connection) -> Result<T, Late> {
    let waiting = connection.body();
    let mut reading = pin!(reading);
    poll_fn(|_| {
        let mut asleep = task::Context::from_waker(Waker::noop());
        match reading.as_mut().poll(&mut asleep) {
            Poll::Ready(read) => Poll::Ready(Ok(read)),
            Poll::Pending if waiting.is_late() => Poll::Ready(Err(Late)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
