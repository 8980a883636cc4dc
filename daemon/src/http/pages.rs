//! Pages: made once for all scrapes that wait for the same one, and bounded in memory until they are
//! taken.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::{
    sync::{self, OwnedSemaphorePermit, Semaphore},
    task,
    time::timeout,
};

use super::connections::Connection;

/// Bytes of all pages that wait to be taken. Where there is no room for another, the connection that has
/// been taking its page for longest is closed. A longer page can be sent, alone.
const BYTES_MAX: u32 = 512 * 1024 * 1024;

/// How long a page waits for the room that a closed connection gives back.
const ROOM_WAIT: Duration = Duration::from_millis(20);

/// Bytes handed over at a time. A page is held until the last of them.
const FRAME_BYTES: usize = 64 * 1024;

/// How a page is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Not at all.
    Identity,
    /// As gzip.
    Gzip,
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPage {
    /// The memory for pages is taken by pages that cannot be given up.
    NoRoom,
    /// A fault of ours, which has been counted and logged.
    Failed,
}

/// The pages that are being made and sent.
pub(super) struct Pages {
    identity: Arc<sync::Mutex<Latest>>,
    gzip: Arc<sync::Mutex<Latest>>,
    room: Arc<Semaphore>,
    /// Connections that pages have been given to, the longest ago first.
    takers: Mutex<VecDeque<Weak<Connection>>>,
}

/// The page made last in one coding. Locked while one is made: the next scrape waits.
#[derive(Default)]
struct Latest {
    begun: Option<Instant>,
    /// Gone when all have taken it.
    page: Weak<Shared>,
}

struct Shared {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            identity: Arc::default(),
            gzip: Arc::default(),
            room: Arc::new(Semaphore::new(BYTES_MAX as usize)),
            takers: Mutex::default(),
        }
    }

    /// A page that shows everything applied before this call: the one that another scrape has begun
    /// since, or one that `make` makes on a thread apart.
    pub(super) async fn page(
        &self,
        coding: Coding,
        taker: &Arc<Connection>,
        make: impl FnOnce() -> io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Page, NoPage> {
        let arrived = Instant::now();
        let latest = match coding {
            Coding::Identity => &self.identity,
            Coding::Gzip => &self.gzip,
        };
        let mut latest = Arc::clone(latest).lock_owned().await;
        let fresh =
            latest.begun.filter(|begun| *begun >= arrived).and_then(|_| latest.page.upgrade());
        let shared = match fresh {
            Some(shared) => shared,
            None => {
                let begun = Instant::now();
                // The lock goes along: should this scrape be abandoned, the next one waits all the same.
                let done = task::spawn_blocking(move || (make(), latest)).await;
                let (page, relocked) = done.map_err(|_| NoPage::Failed)?;
                latest = relocked;
                let bytes = Bytes::from(page.map_err(|_| NoPage::Failed)?);
                let room = self.room_for(bytes.len()).await?;
                let shared = Arc::new(Shared { bytes, _room: room });
                *latest = Latest { begun: Some(begun), page: Arc::downgrade(&shared) };
                shared
            }
        };
        self.note(taker);
        Ok(Page { left: shared.bytes.clone(), _shared: shared })
    }

    async fn room_for(&self, length: usize) -> Result<OwnedSemaphorePermit, NoPage> {
        let bytes = u32::try_from(length).unwrap_or(u32::MAX).min(BYTES_MAX);
        loop {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes);
            if let Ok(Ok(room)) = timeout(ROOM_WAIT, room).await {
                return Ok(room);
            }
            let slowest = self.slowest_taker().ok_or(NoPage::NoRoom)?;
            slowest.evict();
        }
    }

    /// Takes the connection out that has been taking its page for longest.
    fn slowest_taker(&self) -> Option<Arc<Connection>> {
        let mut takers = self.takers.lock();
        std::iter::from_fn(|| takers.pop_front())
            .filter_map(|taker| taker.upgrade())
            .find(|taker| taker.is_writing())
    }

    fn note(&self, taker: &Arc<Connection>) {
        let mut takers = self.takers.lock();
        // As many as there are connections at most.
        takers.retain(|other| {
            other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(taker))
        });
        takers.push_back(Arc::downgrade(taker));
    }
}

/// The body of a scrape's answer.
pub(super) struct Page {
    left: Bytes,
    _shared: Arc<Shared>,
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
