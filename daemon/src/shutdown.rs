//! How the end is told to everything that runs, and how everything tells that it has ended.

use tokio::sync::{mpsc, watch};

/// Told once to end; asked by everything that runs.
#[derive(Clone, Debug)]
pub struct Shutdown {
    requested: watch::Receiver<bool>,
    /// Held by everything that still runs; the last one dropped tells [`Completion`].
    _running: mpsc::Sender<()>,
}

/// The other end of a [`Shutdown`].
#[derive(Debug)]
pub struct Completion {
    request: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

/// Makes both ends.
pub fn channel() -> (Shutdown, Completion) {
    let (request, requested) = watch::channel(false);
    let (running, ended) = mpsc::channel(1);
    (Shutdown { requested, _running: running }, Completion { request, ended })
}

impl Shutdown {
    /// Whether the end has been requested; for threads that poll.
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Waits until the end is requested.
    pub async fn requested(&mut self) {
        // An error means that the requester is gone, which is an end too.
        self.requested.wait_for(|requested| *requested).await.ok();
    }
}

impl Completion {
    /// Requests the end.
    pub fn request(&self) {
        self.request.send_replace(true);
    }

    /// Waits until everything that held a [`Shutdown`] has dropped it.
    pub async fn ended(&mut self) {
        // Nothing is ever sent; the channel closes.
        self.ended.recv().await;
    }
}
