//! The life of connections: how many there are, how long each may take for what, and when one has to go.
//!
//! At the limit a new connection takes the place of an idle one: peers that open connections and stay
//! silent cannot keep others out. Which one goes is decided as the clock algorithm decides on pages of
//! memory: in the order of acceptance, but a connection that has begun a request since it was last looked
//! at is passed over, and so is one of a client that has few: whoever has many makes room first.
//!
//! Deadlines are looked at all together, now and then, by [`Connections::tick`]. A timer for each header
//! and each body cost more than handling the body.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{
            AtomicBool, AtomicU8, AtomicU64, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    task::Context,
    time::{Duration, Instant},
};

use atomic_waker::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clients::{Client, Clients, Counted};

/// How often deadlines are looked at, and so how late one may be noticed.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// All connections, of all threads.
pub(super) struct Connections {
    max: usize,
    timeouts: Timeouts,
    open: AtomicUsize,
    clients: Arc<Clients>,
    /// In the order of acceptance, closed ones among them until they come to the front.
    queue: Mutex<VecDeque<Weak<Connection>>>,
    /// When this began; what deadlines are counted from.
    begun: Instant,
    /// Milliseconds since then, as of the last tick.
    now: AtomicU64,
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a header, from the connection or the answer before.
    pub(super) header: Duration,
    /// For a body, from its header.
    pub(super) body: Duration,
    /// For a page over HTTP/2, from when it was made. [`super::stream`] watches what goes to the kernel.
    pub(super) write: Duration,
}

/// One connection; its place is free when this is dropped.
pub(super) struct Connection {
    all: Arc<Connections>,
    counted: Counted,
    /// Whether a request began since this connection was last looked at for eviction.
    used: AtomicBool,
    /// Requests that have begun and are not answered yet: over HTTP/2 there may be several.
    in_request: AtomicUsize,
    /// Whether an answer is on its way to the kernel.
    writing: AtomicBool,
    /// Pages that are being made for it: then it is we who take our time.
    held: AtomicUsize,
    /// Pages of its answers that are still to be written.
    pages_left: AtomicUsize,
    /// Whether it is HTTP/2: then many requests are on their way at once.
    multiplexed: AtomicBool,
    /// When the client has to be done with what it sends, in milliseconds as [`Connections`] counts them;
    /// [`NEVER`] if nothing is waited for.
    deadline: AtomicU64,
    /// Whether the deadline passed while a body was waited for.
    body_late: AtomicBool,
    told: AtomicU8,
    /// Of the task that serves it.
    task: AtomicWaker,
    /// Told when the client has gone while a page was being made for it.
    left: Notify,
}

/// No deadline.
const NEVER: u64 = u64::MAX;

/// What a connection has been told to do. The later ones override the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// To go on.
    Stay,
    /// To end with the answer to the request that has begun.
    Finish,
    /// To go, because the time for a header is over, or because nobody serves any more.
    Leave,
    /// To make room.
    Yield,
}

impl Connections {
    pub(super) fn new(max: usize, timeouts: Timeouts) -> Arc<Self> {
        Arc::new(Self {
            max,
            timeouts,
            open: AtomicUsize::new(0),
            clients: Arc::default(),
            queue: Mutex::default(),
            begun: Instant::now(),
            now: AtomicU64::new(0),
        })
    }

    /// A place for a new connection of a client; at the limit another connection is told to go.
    pub(super) fn admit_from(self: &Arc<Self>, client: Client) -> Arc<Connection> {
        let mut queue = self.queue.lock();
        let open = self.open.load(Relaxed);
        if open >= self.max {
            evict_one(&mut queue, open, self.clients.len());
        }
        // Closed connections behind an open one would pile up.
        if queue.len() >= 2 * self.max {
            queue.retain(|connection| connection.strong_count() > 0);
        }
        self.open.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            counted: self.clients.count(client),
            used: AtomicBool::new(false),
            in_request: AtomicUsize::new(0),
            writing: AtomicBool::new(false),
            held: AtomicUsize::new(0),
            pages_left: AtomicUsize::new(0),
            multiplexed: AtomicBool::new(false),
            deadline: AtomicU64::new(self.deadline_in(self.timeouts.header)),
            body_late: AtomicBool::new(false),
            told: AtomicU8::new(Order::Stay as u8),
            task: AtomicWaker::new(),
            left: Notify::new(),
        });
        queue.push_back(Arc::downgrade(&connection));
        connection
    }

    /// Looks at the clock, and at all deadlines.
    pub(super) fn tick(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(NEVER);
        self.now.store(now, Relaxed);
        for connection in self.queue.lock().iter().filter_map(Weak::upgrade) {
            connection.check(now);
        }
    }

    /// Tells all connections to end: at once, but for those that a request has come on.
    pub(super) fn finish_all(&self) {
        for connection in self.queue.lock().iter().filter_map(Weak::upgrade) {
            connection.tell(if connection.is_busy() { Order::Finish } else { Order::Leave });
        }
    }

    /// A moment so far from now, and not earlier: of the tick that is going on it is not known how much is
    /// over.
    fn deadline_in(&self, timeout: Duration) -> u64 {
        let timeout = u64::try_from((timeout + TICK).as_millis()).unwrap_or(NEVER);
        self.now.load(Relaxed).saturating_add(timeout)
    }
}

/// Tells a connection to go. Each is looked at three times at most: the first look forgets that it was
/// used, and the third spares not even those that pages are being made for, so that nobody keeps others
/// out by scraping, nor those of clients that have few.
fn evict_one(queue: &mut VecDeque<Weak<Connection>>, open: usize, clients: usize) {
    let connections = queue.len();
    for look in 0..3 * connections {
        let Some(connection) = queue.pop_front().and_then(|connection| connection.upgrade()) else {
            continue;
        };
        let is_spared = connection.used.swap(false, Relaxed)
            || connection.is_held()
            || connection.counted.is_of_few(open, clients);
        if !is_spared || look >= 2 * connections {
            connection.evict();
            return;
        }
        queue.push_back(Arc::downgrade(&connection));
    }
}

impl Connection {
    /// A request has begun, its header is complete; it is answered when the returned value is dropped.
    pub(super) fn request(&self) -> InRequest<'_> {
        self.used.store(true, Relaxed);
        self.in_request.fetch_add(1, Relaxed);
        self.deadline.store(NEVER, Release);
        InRequest(self)
    }

    /// The body of a request is waited for, until the returned value is dropped.
    pub(super) fn body(&self) -> InBody<'_> {
        self.body_late.store(false, Relaxed);
        self.deadline.store(self.all.deadline_in(self.all.timeouts.body), Relaxed);
        InBody(self)
    }

    /// Whether a request has begun whose answer is not on its way as a whole.
    pub(super) fn is_busy(&self) -> bool {
        self.is_asked() || self.is_writing()
    }

    /// How long it may take for what.
    pub(super) fn timeouts(&self) -> Timeouts {
        self.all.timeouts
    }

    fn is_asked(&self) -> bool {
        self.in_request.load(Acquire) > 0
    }

    /// Says that it is HTTP/2, from here on.
    pub(super) fn set_multiplexed(&self) {
        self.multiplexed.store(true, Relaxed);
    }

    /// Whether it is HTTP/2.
    pub(super) fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Relaxed)
    }

    /// Says whether an answer is on its way to the kernel.
    pub(super) fn set_writing(&self, writing: bool) {
        self.writing.store(writing, Relaxed);
    }

    /// A page is being made for this connection, until the returned value is dropped.
    pub(super) fn hold(&self) -> OnHold<'_> {
        self.held.fetch_add(1, Relaxed);
        OnHold(self)
    }

    /// Whether a page is being made for this connection.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Relaxed) > 0
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

    /// Says that a page of an answer is to be written.
    pub(super) fn add_page(&self) {
        self.pages_left.fetch_add(1, Relaxed);
    }

    /// Says that such a page has been written, or never will be.
    pub(super) fn drop_page(&self) {
        self.pages_left.fetch_sub(1, Relaxed);
    }

    /// Whether a page of its answer is still to be written.
    pub(super) fn is_page_left(&self) -> bool {
        self.pages_left.load(Relaxed) > 0
    }

    /// Tells it that its time is over.
    pub(super) fn expire(&self) {
        self.tell(Order::Leave);
    }

    /// Tells it to make room.
    pub(super) fn evict(&self) {
        self.tell(Order::Yield);
    }

    fn tell(&self, order: Order) {
        self.told.fetch_max(order as u8, AcqRel);
        self.task.wake();
    }

    /// What it has been told. The task of `context` is woken when it is told something else, or is late.
    pub(super) fn order(&self, context: &Context<'_>) -> Order {
        self.task.register(context.waker());
        let told = self.told.load(Acquire);
        let orders = [Order::Finish, Order::Leave, Order::Yield];
        orders.into_iter().find(|order| *order as u8 == told).unwrap_or(Order::Stay)
    }

    fn check(&self, now: u64) {
        let deadline = self.deadline.load(Relaxed);
        if deadline > now {
            return;
        }
        // It is missed once; and if what was waited for has just come after all, it is not missed.
        if self.deadline.compare_exchange(deadline, NEVER, AcqRel, Relaxed).is_err() {
            return;
        }
        if self.is_asked() {
            self.body_late.store(true, Relaxed);
            self.task.wake();
        } else if !self.is_writing() {
            self.tell(Order::Leave);
        }
    }

    /// An answer has gone to the kernel: from now on the next request is waited for.
    pub(super) fn written(&self) {
        self.set_writing(false);
        // Over HTTP/2 we write without being asked for anything that takes an answer: whoever pings us for
        // ever shall not stay for ever.
        let waits_already = self.is_multiplexed() && self.deadline.load(Relaxed) != NEVER;
        if !self.is_asked() && !waits_already {
            self.wait_for_header();
        }
    }

    fn wait_for_header(&self) {
        self.deadline.store(self.all.deadline_in(self.all.timeouts.header), Relaxed);
    }
}

/// A request that is not answered yet.
pub(super) struct InRequest<'a>(&'a Connection);

impl Drop for InRequest<'_> {
    fn drop(&mut self) {
        if self.0.in_request.load(Relaxed) == 1 {
            self.0.wait_for_header();
        }
        self.0.in_request.fetch_sub(1, Release);
    }
}

/// A page that is being made.
pub(super) struct OnHold<'a>(&'a Connection);

impl Drop for OnHold<'_> {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Relaxed);
    }
}

/// A body that is waited for.
pub(super) struct InBody<'a>(&'a Connection);

impl InBody<'_> {
    /// Whether it is too late. The task that serves the connection is woken when it is.
    pub(super) fn is_late(&self) -> bool {
        self.0.body_late.load(Relaxed)
    }
}

impl Drop for InBody<'_> {
    fn drop(&mut self) {
        self.0.deadline.store(NEVER, Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
impl Connections {
    /// Connections that may take an hour for anything.
    pub(super) fn patient(max: usize) -> Arc<Self> {
        let hour = Duration::from_hours(1);
        Self::new(max, Timeouts { header: hour, body: hour, write: hour })
    }

    /// A place for a connection of no client in particular.
    pub(super) fn admit(self: &Arc<Self>) -> Arc<Connection> {
        self.admit_from(Client::Unix)
    }
}

#[cfg(test)]
impl Connection {
    /// Waits until it is told to make room.
    pub(super) async fn yielded(&self) {
        std::future::poll_fn(|context| match self.order(context) {
            Order::Yield => std::task::Poll::Ready(()),
            Order::Stay | Order::Finish | Order::Leave => std::task::Poll::Pending,
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[track_caller]
    fn check(connection: &Connection, want: Order) {
        assert_eq!(connection.order(&Context::from_waker(Waker::noop())), want);
    }

    #[test]
    fn an_idle_connection_makes_room() {
        let all = Connections::patient(3);
        let [held, used, idle] = [(); 3].map(|()| all.admit());
        let _held = held.hold();
        drop(used.request());
        let fourth = all.admit();
        check(&idle, Order::Yield);
        drop(idle);
        // Unused since it was passed over, and accepted before the fourth.
        let fifth = all.admit();
        check(&used, Order::Yield);
        drop(used);
        let _pages = (fourth.hold(), fifth.hold());
        drop(all.admit());
        check(&fourth, Order::Yield);
        check(&held, Order::Stay);
    }

    #[test]
    fn whoever_has_many_makes_room() {
        let all = Connections::patient(10);
        let single = all.admit();
        let mut many = VecDeque::new();
        for _ in 0..100 {
            many.push_back(all.admit_from(Client::V4([10, 0, 0, 1])));
            if many.len() > 9 {
                check(&many[0], Order::Yield);
                many.pop_front();
            }
        }
        check(&single, Order::Stay);
    }

    #[test]
    fn closed_connections_do_not_pile_up() {
        let all = Connections::patient(10);
        let _first = all.admit();
        for _ in 0..1000 {
            drop(all.admit());
        }
        assert!(all.queue.lock().len() <= 20);
    }

    #[test]
    fn whoever_takes_too_long_is_told() {
        let now = Duration::ZERO;
        let all = Connections::new(10, Timeouts { header: now, body: now, write: now });
        let [silent, answered, working, sending] = [(); 4].map(|()| all.admit());
        drop(answered.request());
        answered.set_writing(true);
        let _working = working.request();
        let _sending = sending.request();
        let body = sending.body();
        let later = u64::try_from(TICK.as_millis()).expect("it is short");
        for connection in [&silent, &answered, &working, &sending] {
            connection.check(later - 1);
            check(connection, Order::Stay);
        }
        assert!(!body.is_late());
        for connection in [&silent, &answered, &working, &sending] {
            connection.check(later);
        }
        assert!(body.is_late());
        check(&silent, Order::Leave);
        for connection in [&answered, &working, &sending] {
            check(connection, Order::Stay);
        }
        drop(body);
        sending.check(later);
        check(&sending, Order::Stay);
    }

    #[test]
    fn at_the_end_answers_are_given_to_those_who_asked() {
        let all = Connections::patient(10);
        let [silent, asking] = [(); 2].map(|()| all.admit());
        let _asking = asking.request();
        all.finish_all();
        check(&silent, Order::Leave);
        check(&asking, Order::Finish);
        asking.evict();
        check(&asking, Order::Yield);
    }
}
