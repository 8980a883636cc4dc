//! Bodies, and how long they may take.

use std::{
    future::poll_fn,
    pin::pin,
    task::{self, Poll, Waker},
    time::Duration,
};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::connections::Connection;

/// Bytes of a body that are read for nothing: of most pushes all.
const DISCARDED_BYTES_MAX: usize = 64 * 1024;

/// A body did not arrive in time.
pub(super) struct Late;

/// Waits for what is read from a body, and from nothing else, for as long as it may take.
pub(super) async fn in_time<T>(
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

/// Reads a body of no use, if it is short and comes in time. Of HTTP/2 some clients take an answer that comes
/// before the end of their request for an error, and do not show it.
pub(super) async fn discard(body: Incoming, limit: Duration, connection: &Connection) {
    let reading = Limited::new(body, DISCARDED_BYTES_MAX).collect();
    // Whatever comes of it, the answer is given.
    in_time(reading, limit, connection).await.ok();
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
