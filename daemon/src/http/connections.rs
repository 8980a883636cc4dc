//! The limit of connections. At the limit a new connection takes the place of an idle one: peers that
//! open connections and stay silent cannot keep others out.
//!
//! Which one goes is decided as the clock algorithm decides on pages of memory: in the order of
//! acceptance, but a connection that has begun a request since it was last looked at is passed over.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// All connections, of all threads.
pub(super) struct Connections {
    max: usize,
    open: AtomicUsize,
    /// In the order of acceptance, closed ones among them until they come to the front.
    queue: Mutex<VecDeque<Weak<Connection>>>,
}

/// One connection; its place is free when this is dropped.
pub(super) struct Connection {
    all: Arc<Connections>,
    /// Whether a request began since this connection was last looked at for eviction.
    used: AtomicBool,
    /// Whether a request has begun and is not answered yet.
    in_request: AtomicBool,
    /// Whether an answer is on its way to the kernel.
    writing: AtomicBool,
    /// Whether a page is being made for it: then it is we who take our time.
    held: AtomicBool,
    /// Whether a page of its answer is still to be written.
    page_left: AtomicBool,
    evicted: Notify,
    left: Notify,
}

impl Connections {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, open: AtomicUsize::new(0), queue: Mutex::default() })
    }

    /// A place for a new connection; at the limit another connection is told to go.
    pub(super) fn admit(self: &Arc<Self>) -> Arc<Connection> {
        let mut queue = self.queue.lock();
        if self.open.load(Relaxed) >= self.max {
            evict_one(&mut queue);
        }
        // Closed connections behind an open one would pile up.
        if queue.len() >= 2 * self.max {
            queue.retain(|connection| connection.strong_count() > 0);
        }
        self.open.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            used: AtomicBool::new(false),
            in_request: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            held: AtomicBool::new(false),
            page_left: AtomicBool::new(false),
            evicted: Notify::new(),
            left: Notify::new(),
        });
        queue.push_back(Arc::downgrade(&connection));
        connection
    }
}

/// Tells a connection to go. Each is looked at three times at most: the first look forgets that it was
/// used, and the third spares not even those that pages are being made for, so that nobody keeps others
/// out by scraping.
fn evict_one(queue: &mut VecDeque<Weak<Connection>>) {
    let connections = queue.len();
    for look in 0..3 * connections {
        let Some(connection) = queue.pop_front().and_then(|connection| connection.upgrade()) else {
            continue;
        };
        let is_spared = connection.used.swap(false, Relaxed) || connection.is_held();
        if !is_spared || look >= 2 * connections {
            connection.evict();
            return;
        }
        queue.push_back(Arc::downgrade(&connection));
    }
}

impl Connection {
    /// A request has begun; it is answered when the returned value is dropped.
    pub(super) fn request(&self) -> InRequest<'_> {
        self.used.store(true, Relaxed);
        self.in_request.store(true, Relaxed);
        InRequest(self)
    }

    /// Whether a request has begun whose answer is not on its way as a whole.
    pub(super) fn is_busy(&self) -> bool {
        self.in_request.load(Relaxed) || self.is_writing()
    }

    /// Says whether an answer is on its way to the kernel.
    pub(super) fn set_writing(&self, writing: bool) {
        self.writing.store(writing, Relaxed);
    }

    /// Says whether a page is being made for this connection.
    pub(super) fn set_held(&self, held: bool) {
        self.held.store(held, Relaxed);
    }

    /// Whether a page is being made for this connection.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Relaxed)
    }

    /// Says that the client has closed it.
    pub(super) fn leave(&self) {
        self.left.notify_one();
    }

    /// Waits until the client has closed it, which is looked for while a page is being made.
    pub(super) async fn left(&self) {
        self.left.notified().await;
    }

    /// Whether an answer is on its way to the kernel.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.load(Relaxed) || self.is_page_left()
    }

    /// Says whether a page of its answer is still to be written.
    pub(super) fn set_page_left(&self, left: bool) {
        self.page_left.store(left, Relaxed);
    }

    /// Whether a page of its answer is still to be written.
    pub(super) fn is_page_left(&self) -> bool {
        self.page_left.load(Relaxed)
    }

    /// Tells it to go.
    pub(super) fn evict(&self) {
        self.evicted.notify_one();
    }

    /// Waits until it is told to go.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

/// A request that is not answered yet.
pub(super) struct InRequest<'a>(&'a Connection);

impl Drop for InRequest<'_> {
    fn drop(&mut self) {
        self.0.in_request.store(false, Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_idle_connection_makes_room() {
        let all = Connections::new(3);
        let [held, used, idle] = [(); 3].map(|()| all.admit());
        held.set_held(true);
        drop(used.request());
        let fourth = all.admit();
        idle.evicted().await;
        drop(idle);
        // Unused since it was passed over, and accepted before the fourth.
        let fifth = all.admit();
        used.evicted().await;
        drop(used);
        fourth.set_held(true);
        fifth.set_held(true);
        drop(all.admit());
        fourth.evicted().await;
    }

    #[test]
    fn closed_connections_do_not_pile_up() {
        let all = Connections::new(10);
        let _first = all.admit();
        for _ in 0..1000 {
            drop(all.admit());
        }
        assert!(all.queue.lock().len() <= 20);
    }
}
