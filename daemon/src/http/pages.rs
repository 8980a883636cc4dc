//! Pages: made once for all scrapes that wait for the same one, and bounded in memory until they are
//! taken.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    io, mem,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use pushprom_core::expose::Shape;
use tokio::{
    runtime::Handle,
    sync::{self, OwnedSemaphorePermit, Semaphore},
    task::{self, AbortHandle},
    time::{sleep, timeout},
};

use super::connections::Connection;

/// Bytes of all pages that wait to be taken. Where there is no room for another, connections that have
/// been taking theirs for longest are closed. A longer page can be sent, alone.
pub(super) const BYTES_MAX: u32 = 512 * 1024 * 1024;

/// How long a page waits for room before connections are closed, and after each such time more.
const ROOM_WAIT: Duration = Duration::from_millis(20);

/// How often it does. Whoever has been told to go has been heard by then.
const ROOM_WAITS_MAX: usize = 100;

/// Bytes handed over at a time, which takes less than a hundred microseconds. Between two frames the other
/// connections of the thread have their turn. A page is held until the last of them.
const FRAME_BYTES: usize = 256 * 1024;

/// Bytes given back to the kernel at a time. All other threads that want memory wait that long, which is
/// some fifty microseconds; for the page of a million series it would be some milliseconds.
const RELEASE_BYTES: usize = 1024 * 1024;

/// Pages being made at once, each of another shape. How long one becomes is not known before, so that it has no
/// room of its own yet; and each takes a core.
pub(super) const MAKING_MAX: usize = 3;

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPage {
    /// The memory for pages did not get free in time.
    NoRoom,
    /// A fault of ours, which has been counted and logged.
    Failed,
}

/// The pages that are being made and sent.
pub(super) struct Pages {
    /// Of each shape that was asked for: as many as there are shapes at most.
    latest: Mutex<HashMap<Shape, Arc<sync::Mutex<Latest>>>>,
    making: Arc<Semaphore>,
    bytes_max: u32,
    room: Arc<Semaphore>,
    /// Connections that pages have been given to, the longest ago first.
    takers: Mutex<VecDeque<Weak<Connection>>>,
}

/// The page made last in one shape. Locked while one is made: the next scrape waits.
#[derive(Default)]
struct Latest {
    begun: Option<Instant>,
    /// Gone when all have taken it.
    page: Weak<Shared>,
}

struct Shared {
    page: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Drop for Shared {
    /// On a thread apart: this one may serve pushes.
    fn drop(&mut self) {
        let (page, room) = (mem::take(&mut self.page), self.room.take());
        let release = move || {
            release(page);
            drop(room);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(release)),
            Err(_) => release(),
        }
    }
}

/// Gives the memory of a page back bit by bit.
fn release(mut page: Vec<u8>) {
    while page.len() > RELEASE_BYTES {
        page.truncate(page.len() - RELEASE_BYTES);
        page.shrink_to_fit();
        thread::yield_now();
    }
}

/// Owns the bytes of a page on behalf of one that takes it: the room is given back when the last slice of
/// them is gone, wherever that is queued.
struct Owner(Arc<Shared>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.page
    }
}

impl Pages {
    /// No page yet, and room for `bytes_max` bytes of them.
    pub(super) fn new(bytes_max: u32) -> Self {
        Self {
            bytes_max,
            latest: Mutex::default(),
            making: Arc::new(Semaphore::new(MAKING_MAX)),
            room: Arc::new(Semaphore::new(bytes_max as usize)),
            takers: Mutex::default(),
        }
    }

    /// A page that shows everything applied before this call: the one that another scrape has begun
    /// since, or one that `make` makes on a thread apart.
    pub(super) async fn page(
        &self,
        shape: Shape,
        taker: &Arc<Connection>,
        make: impl FnOnce() -> io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Page, NoPage> {
        let arrived = Instant::now();
        let latest = Arc::clone(self.latest.lock().entry(shape).or_default());
        let mut latest = latest.lock_owned().await;
        let fresh =
            latest.begun.filter(|begun| *begun >= arrived).and_then(|_| latest.page.upgrade());
        let shared = match fresh {
            Some(shared) => shared,
            None => {
                let turn = Arc::clone(&self.making).acquire_owned().await;
                let turn = turn.map_err(|_| NoPage::Failed)?;
                let begun = Instant::now();
                // Lock and turn go along: should this scrape be abandoned, the next one waits all the same.
                let make = move || {
                    let page = make();
                    drop(turn);
                    (page, latest)
                };
                let done = task::spawn_blocking(make).await;
                let (page, relocked) = done.map_err(|_| NoPage::Failed)?;
                latest = relocked;
                // Already here: should this scrape be abandoned, its memory goes the same way.
                let mut shared = Shared { page: page.map_err(|_| NoPage::Failed)?, room: None };
                shared.room = Some(self.room_for(shared.page.len()).await?);
                let shared = Arc::new(shared);
                *latest = Latest { begun: Some(begun), page: Arc::downgrade(&shared) };
                shared
            }
        };
        self.note(taker);
        taker.add_page();
        let left = Bytes::from_owner(Owner(shared));
        Ok(Page { left, pause: None, watch: watch(taker), taker: Arc::clone(taker) })
    }

    async fn room_for(&self, length: usize) -> Result<OwnedSemaphorePermit, NoPage> {
        let bytes = u32::try_from(length).unwrap_or(u32::MAX).min(self.bytes_max);
        for _ in 0..ROOM_WAITS_MAX {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes);
            if let Ok(Ok(room)) = timeout(ROOM_WAIT, room).await {
                return Ok(room);
            }
            self.evict_slowest();
        }
        Err(NoPage::NoRoom)
    }

    /// Tells half of the connections that take pages to go, those that have been at it for longest: a page
    /// is gone when the last of those that share it has gone.
    fn evict_slowest(&self) {
        let mut takers = self.takers.lock();
        takers.retain(|taker| taker.upgrade().is_some_and(|taker| taker.is_writing()));
        let half = takers.len().div_ceil(2);
        for taker in takers.drain(..half).filter_map(|taker| taker.upgrade()) {
            taker.evict();
        }
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

/// Over HTTP/2 a client says how much of a page it takes, and may take nothing while it goes on to take all
/// that goes to the kernel. Whoever has not taken a page in time has to go.
fn watch(taker: &Arc<Connection>) -> Option<AbortHandle> {
    if !taker.is_multiplexed() {
        return None;
    }
    let (taker, timeout) = (Arc::downgrade(taker), taker.timeouts().write);
    let watch = async move {
        sleep(timeout).await;
        if let Some(taker) = taker.upgrade() {
            taker.expire();
        }
    };
    Some(task::spawn(watch).abort_handle())
}

/// The body of a scrape's answer.
pub(super) struct Page {
    left: Bytes,
    /// The turn of the others, after each frame.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Tells the taker to go when it takes too long.
    watch: Option<AbortHandle>,
    taker: Arc<Connection>,
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
        self.taker.drop_page();
    }
}

impl Body for Page {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let length = self.left.len().min(FRAME_BYTES);
        let frame = self.left.split_to(length);
        if !self.left.is_empty() {
            thread::yield_now();
            self.pause = Some(Box::pin(task::yield_now()));
        }
        Poll::Ready((length > 0).then_some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.left.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future,
        sync::{
            Barrier,
            atomic::{AtomicU32, Ordering::Relaxed},
        },
    };

    use pushprom_core::expose::{Coding, Format};
    use tokio::task::JoinSet;

    use super::{super::connections::Connections, *};

    /// A page of some bytes.
    async fn page(pages: &Pages, taker: &Arc<Connection>, bytes: usize) -> Result<Page, NoPage> {
        pages.page(Shape::default(), taker, move || Ok(vec![0; bytes])).await
    }

    /// Pages that are as long as they are many. The first is not done until [`Made::go_on`] is called.
    #[derive(Clone)]
    struct Made {
        pages: Arc<Pages>,
        taker: Arc<Connection>,
        count: Arc<AtomicU32>,
        gate: Arc<Barrier>,
    }

    impl Made {
        fn none_yet() -> Self {
            Self {
                pages: Arc::new(Pages::new(1000)),
                taker: Connections::patient(10).admit(),
                count: Arc::default(),
                gate: Arc::new(Barrier::new(2)),
            }
        }

        /// The page that a scrape gets now.
        async fn scrape(&self) -> Page {
            let (count, gate) = (Arc::clone(&self.count), Arc::clone(&self.gate));
            let make = move || {
                let made = count.fetch_add(1, Relaxed);
                if made == 0 {
                    gate.wait();
                }
                Ok(vec![0; 1 + made as usize])
            };
            match self.pages.page(Shape::default(), &self.taker, make).await {
                Ok(page) => page,
                Err(error) => panic!("there is room: {error:?}"),
            }
        }

        fn go_on(&self) {
            self.gate.wait();
        }
    }

    #[tokio::test]
    async fn scrapes_that_wait_share_the_next_page() {
        let made = Made::none_yet();
        let all_wait = async { made.go_on() };
        let (a, b, c, ()) = tokio::join!(made.scrape(), made.scrape(), made.scrape(), all_wait);
        // The second and third came before the second was begun.
        assert_eq!([a, b, c].each_ref().map(|page| page.left.len()), [1, 2, 2]);
        assert_eq!(made.scrape().await.left.len(), 3, "a later one is new");
    }

    #[tokio::test]
    async fn few_pages_are_made_at_once_and_each_shape_has_its_own() {
        let pages = Arc::new(Pages::new(1000));
        let taker = Connections::patient(10).admit();
        let [making, most] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        // Passed by as many as may be made at once, and no fewer.
        let gate = Arc::new(Barrier::new(MAKING_MAX));
        let mut scrapes = JoinSet::new();
        for format in [Format::TextV0, Format::OpenMetrics] {
            for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
                let shape = Shape { format, coding, ..Shape::default() };
                let (pages, taker) = (Arc::clone(&pages), Arc::clone(&taker));
                let (making, most) = (Arc::clone(&making), Arc::clone(&most));
                let (gate, bytes) = (Arc::clone(&gate), scrapes.len() + 1);
                let make = move || {
                    most.fetch_max(making.fetch_add(1, Relaxed) + 1, Relaxed);
                    gate.wait();
                    making.fetch_sub(1, Relaxed);
                    Ok(vec![0; bytes])
                };
                scrapes.spawn(async move {
                    let page = pages.page(shape, &taker, make).await;
                    page.map_or(0, |page| page.left.len())
                });
            }
        }
        let mut lengths = scrapes.join_all().await;
        lengths.sort_unstable();
        assert_eq!(lengths, [1, 2, 3, 4, 5, 6]);
        assert_eq!(most.load(Relaxed) as usize, MAKING_MAX);
    }

    #[tokio::test]
    async fn no_page_is_made_for_a_scrape_that_has_been_abandoned() {
        let made = Made::none_yet();
        let abandoned = async {
            tokio::select! {
                biased;
                _ = made.scrape() => panic!("the first is still being made"),
                () = future::ready(()) => made.go_on(),
            }
        };
        let (first, ()) = tokio::join!(made.scrape(), abandoned);
        assert_eq!(first.left.len(), 1);
        assert_eq!(made.scrape().await.left.len(), 2, "the second that was made");
    }

    #[tokio::test]
    async fn who_does_not_take_its_page_makes_room() {
        let (pages, connections) = (Pages::new(100), Connections::patient(10));
        let (slow, next) = (connections.admit(), connections.admit());
        let Ok(held) = page(&pages, &slow, 60).await else { panic!("there is room") };
        let gone = async {
            slow.yielded().await;
            drop(held);
        };
        let (room, ()) = tokio::join!(page(&pages, &next, 60), gone);
        assert!(room.is_ok(), "the room of the one that went");
        drop(room);
        assert!(page(&pages, &next, 1000).await.is_ok(), "a longer one, alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_does_not_go_leaves_no_room() {
        let (pages, connections) = (Pages::new(100), Connections::patient(10));
        let Ok(page_held) = page(&pages, &connections.admit(), 60).await else { panic!("room") };
        assert_eq!(page(&pages, &connections.admit(), 60).await.err(), Some(NoPage::NoRoom));
        drop(page_held);
        assert!(page(&pages, &connections.admit(), 60).await.is_ok());
    }
}
