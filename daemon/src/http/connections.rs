//! The limit of connections. At the limit a new connection takes the place of one that keeps us waiting,
//! the earliest accepted first: peers that open connections and stay silent cannot keep others out.

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
    /// Whether we wait for its peer: for a request, or the rest of one.
    waiting: AtomicBool,
    evicted: Notify,
}

/// What became of a new connection.
pub(super) enum Admission {
    /// There was room.
    Admitted(Arc<Connection>),
    /// Another connection has been told to go.
    InPlaceOfAnother(Arc<Connection>),
    /// All connections are being answered at this moment.
    Refused,
}

impl Connections {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, open: AtomicUsize::new(0), queue: Mutex::default() })
    }

    pub(super) fn admit(self: &Arc<Self>) -> Admission {
        let mut queue = self.queue.lock();
        let evicts = self.open.load(Relaxed) >= self.max;
        if evicts && !evict_one(&mut queue) {
            return Admission::Refused;
        }
        // Closed connections behind an open one would pile up.
        if queue.len() >= 2 * self.max {
            queue.retain(|connection| connection.strong_count() > 0);
        }
        self.open.fetch_add(1, Relaxed);
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            waiting: AtomicBool::new(true),
            evicted: Notify::new(),
        });
        queue.push_back(Arc::downgrade(&connection));
        if evicts {
            Admission::InPlaceOfAnother(connection)
        } else {
            Admission::Admitted(connection)
        }
    }
}

/// Tells the first connection that keeps us waiting to go. Those that do not go to the back.
fn evict_one(queue: &mut VecDeque<Weak<Connection>>) -> bool {
    for _ in 0..queue.len() {
        let Some(connection) = queue.pop_front().and_then(|connection| connection.upgrade()) else {
            continue;
        };
        if connection.waiting.load(Relaxed) {
            connection.evicted.notify_one();
            return true;
        }
        queue.push_back(Arc::downgrade(&connection));
    }
    false
}

impl Connection {
    /// Says whether we wait for its peer. A push is answered as soon as it is complete, so only making
    /// a page is not waiting.
    pub(super) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Relaxed);
    }

    /// Waits until it is told to go.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
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

    fn admitted(admission: Admission) -> Arc<Connection> {
        match admission {
            Admission::Admitted(connection) => connection,
            Admission::InPlaceOfAnother(_) | Admission::Refused => panic!("there was room"),
        }
    }

    #[tokio::test]
    async fn the_earliest_waiting_connection_makes_room() {
        let all = Connections::new(2);
        let busy = admitted(all.admit());
        let waiting = admitted(all.admit());
        busy.set_waiting(false);
        let Admission::InPlaceOfAnother(third) = all.admit() else { panic!("one waits") };
        waiting.evicted().await;
        drop(waiting);
        third.set_waiting(false);
        assert!(matches!(all.admit(), Admission::Refused), "none waits");
        drop(third);
        drop(admitted(all.admit()));
        assert_eq!(all.open.load(Relaxed), 1);
    }

    #[test]
    fn closed_connections_do_not_pile_up() {
        let all = Connections::new(10);
        let _first = admitted(all.admit());
        for _ in 0..1000 {
            drop(admitted(all.admit()));
        }
        assert!(all.queue.lock().len() <= 20);
    }
}
