//! What a service manager is told, if one listens: systemd with `Type=notify`, by `NOTIFY_SOCKET`.

use std::{
    fmt, io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use sd_notify::NotifyState;

/// Microseconds that each news of a start gives it beyond `TimeoutStartSec=`.
const MORE_TIME_MICROSECONDS: u32 = 60_000_000;

/// A reload that is over says that it is ready, which it would not be before this.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The start goes on, and may take longer.
pub fn starting(progress: &dyn fmt::Display) {
    let more = NotifyState::ExtendTimeoutUsec(MORE_TIME_MICROSECONDS);
    tell(&[NotifyState::Status(&progress.to_string()), more]);
}

/// All is served.
pub fn ready() {
    IS_READY.store(true, Relaxed);
    tell(&[NotifyState::Ready, NotifyState::Status("ready")]);
}

/// What the matter is, in a line.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// Runs a reload.
pub fn reloading<T>(reload: impl FnOnce() -> T) -> T {
    if !IS_READY.load(Relaxed) {
        return reload();
    }
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => complain(&error),
    }
    let reloaded = reload();
    tell(&[NotifyState::Ready]);
    reloaded
}

/// The end has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("shutting down")]);
}

fn tell(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        complain(&error);
    }
}

fn complain(error: &io::Error) {
    tracing::warn!(%error, "cannot tell the service manager at NOTIFY_SOCKET");
}
