//! Work that looks through what is held: on a thread apart, one at a time, with an end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use pushprom_core::selector::Selector;
use scopeguard::guard;
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};

use super::failure::Failure;
use crate::http::connections::Connection;

/// How long one may look for a page. Then it says how far it got.
pub(super) const PAGE_TIME_MAX: Duration = Duration::from_secs(5);

/// How long one may look where half an answer would be none. On a machine that is busy most of it is waiting.
pub(super) const WHOLE_TIME_MAX: Duration = Duration::from_secs(30);

/// Walks at once, over all serving threads: each takes a core.
const WALKS_MAX: usize = 1;

/// Requests that wait for their walk. A further one is answered with 503.
const WAITING_MAX: usize = 16;

/// Bytes of answers that wait to be taken. A list has 8 MiB, and the bytes of one series beyond.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Work between two pauses.
const TIME_BETWEEN_PAUSES: Duration = Duration::from_micros(300);

/// Steps between two looks at the clock: some ten microseconds.
const STEPS_BETWEEN_LOOKS: usize = 64;

/// Bytes that are compared in the time of a step, or of some thousand where a regular expression is slow.
const BYTES_PER_STEP: usize = 1024;

const TOO_MANY: &str = "too many requests for lists at once: try again later";
const NO_ROOM: &str = "too many answers have not been taken: try again later";

/// Who looks, and what waits to be taken.
pub(super) struct Walks {
    waiting: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

/// How far a walk may go.
pub(super) struct Walk {
    until: Instant,
    is_left: Arc<AtomicBool>,
    steps: usize,
    paused: Instant,
}

/// An answer, and the room that it takes until the kernel has it.
struct Owned {
    answer: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

impl Walks {
    pub(super) fn new() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            turn: Arc::new(Semaphore::new(WALKS_MAX)),
            room: Arc::new(Semaphore::new(ANSWER_BYTES_MAX)),
        }
    }

    /// Runs `work` when its turn has come, and gives it so long. It goes on without its client, and is told so.
    pub(super) async fn run(
        &self,
        connection: &Connection,
        time: Duration,
        work: impl FnOnce(&mut Walk) -> Result<Vec<u8>, Failure> + Send + 'static,
    ) -> Result<Bytes, Failure> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let _waiting = waiting.map_err(|_| Failure::Unavailable(TOO_MANY))?;
        let is_left = Arc::new(AtomicBool::new(false));
        let left = Arc::clone(&is_left);
        let _left = guard((), move |()| left.store(true, Relaxed));
        let _on_hold = connection.hold();
        select! {
            biased;
            () = connection.left() => Err(Failure::Left),
            answer = self.take_turn(time, is_left, work) => answer,
        }
    }

    async fn take_turn(
        &self,
        time: Duration,
        is_left: Arc<AtomicBool>,
        work: impl FnOnce(&mut Walk) -> Result<Vec<u8>, Failure> + Send + 'static,
    ) -> Result<Bytes, Failure> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Failure::Internal)?;
        let work = move || {
            // Held to the end of the work, whether or not somebody still waits for it.
            let _turn = turn;
            work(&mut Walk::new(time, is_left))
        };
        // What ends by a panic has been counted and logged.
        let answer = task::spawn_blocking(work).await.map_err(|_| Failure::Internal)??;
        let bytes = u32::try_from(answer.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        let room = room.map_err(|_| Failure::Unavailable(NO_ROOM))?;
        Ok(Bytes::from_owner(Owned { answer, _room: room }))
    }
}

impl Walk {
    fn new(time: Duration, is_left: Arc<AtomicBool>) -> Self {
        let paused = Instant::now();
        Self { until: paused + time, is_left, steps: 0, paused }
    }

    /// To be told of each comparison of selectors with `bytes`: it may cost far more than a step.
    pub(super) fn charge<'a>(
        &mut self,
        selectors: impl IntoIterator<Item = &'a Selector>,
        bytes: usize,
    ) {
        let values: usize = selectors.into_iter().map(Selector::matcher_count).sum();
        self.steps = self.steps.saturating_add(values.saturating_mul(bytes) / BYTES_PER_STEP);
    }

    /// After each thing that was looked at: gives way every so often, and says whether it is time to end.
    pub(super) fn is_over(&mut self) -> bool {
        self.steps = self.steps.saturating_add(1);
        if self.steps < STEPS_BETWEEN_LOOKS {
            return false;
        }
        self.is_late() || self.is_left.load(Relaxed)
    }

    /// The same at once, of what goes on without its client.
    pub(super) fn is_late(&mut self) -> bool {
        self.steps = 0;
        let now = Instant::now();
        if now >= self.paused + TIME_BETWEEN_PAUSES {
            thread::yield_now();
            self.paused = Instant::now();
        }
        now >= self.until
    }
}

#[cfg(test)]
impl Walk {
    /// One that has so long.
    pub(super) fn lasting(time: Duration) -> Self {
        Self::new(time, Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::JoinSet;

    use super::*;
    use crate::http::connections::Connections;

    fn connection() -> Arc<Connection> {
        Connections::patient(100).admit()
    }

    #[tokio::test]
    async fn one_walks_and_few_wait() {
        let walks = Arc::new(Walks::new());
        let (go, wait) = mpsc::channel::<()>();
        let (begun, mut is_begun) = tokio::sync::mpsc::channel(1);
        let (asked, first) = (Arc::clone(&walks), connection());
        let slow = tokio::spawn(async move {
            let work = move |_: &mut Walk| {
                begun.blocking_send(()).expect("it is waited for");
                wait.recv().expect("it is told to go on");
                Ok(b"slow".to_vec())
            };
            asked.run(&first, PAGE_TIME_MAX, work).await
        });
        is_begun.recv().await.expect("it begins");
        let mut others = JoinSet::new();
        for _ in 1..WAITING_MAX {
            let walks = Arc::clone(&walks);
            others.spawn(async move {
                walks.run(&connection(), PAGE_TIME_MAX, |_| Ok(Vec::new())).await
            });
        }
        while walks.waiting.available_permits() > 0 {
            task::yield_now().await;
        }
        let beyond = walks.run(&connection(), PAGE_TIME_MAX, |_| Ok(Vec::new())).await;
        assert_eq!(beyond, Err(Failure::Unavailable(TOO_MANY)));
        assert!(others.try_join_next().is_none(), "they wait");
        go.send(()).expect("it waits");
        let slow = slow.await.expect("it ends").expect("it is made");
        assert_eq!(&*slow, b"slow");
        while let Some(other) = others.join_next().await {
            assert_eq!(other.expect("it ends"), Ok(Bytes::new()));
        }
        assert_eq!(walks.room.available_permits(), ANSWER_BYTES_MAX - 4);
        drop(slow);
        assert_eq!(walks.room.available_permits(), ANSWER_BYTES_MAX, "given back when it is taken");
    }

    #[tokio::test]
    async fn who_leaves_is_not_waited_for() {
        let walks = Walks::new();
        let connection = connection();
        let (tell, told) = mpsc::channel();
        let (begun, mut is_begun) = tokio::sync::mpsc::channel(1);
        let work = move |walk: &mut Walk| {
            begun.blocking_send(()).expect("it is waited for");
            while !walk.is_over() {}
            tell.send(()).expect("it is waited for");
            Ok(Vec::new())
        };
        let leave = async {
            is_begun.recv().await.expect("it begins");
            connection.leave();
        };
        let (answer, ()) = tokio::join!(walks.run(&connection, PAGE_TIME_MAX, work), leave);
        assert_eq!(answer, Err(Failure::Left));
        told.recv_timeout(PAGE_TIME_MAX / 2).expect("it ends before its time");
        assert_eq!(walks.waiting.available_permits(), WAITING_MAX);
    }
}
