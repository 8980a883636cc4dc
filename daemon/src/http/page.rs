//! A page on its way to a scraper.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// Bytes handed over at a time. The page and its permit are held until the last of them.
const FRAME_BYTES: usize = 64 * 1024;

/// The body of a scrape's answer. It holds its part of the memory for pages while it is being sent.
pub(super) struct Page {
    left: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Page {
    pub(super) fn new(page: Vec<u8>, room: OwnedSemaphorePermit) -> Self {
        Self { left: page.into(), _room: room }
    }
}

impl Body for Page {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.len().min(FRAME_BYTES);
        let frame = self.left.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.left.len()).unwrap_or(u64::MAX))
    }
}
