//! Reading the configuration again, one at a time: at SIGHUP, or when a request asks for it. What can be
//! followed is in force at once and as a whole; what cannot changes nothing.

use std::{env, ffi::OsString, fmt, io, sync::Arc, thread};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    access::{self, CheckError},
    clock,
    config::{self, ConfigError},
    live::Live,
    log, notify,
    telemetry::Telemetry,
    web::Web,
};

/// Reloads that wait for their turn.
const WAITING_MAX: usize = 16;

/// Asks for reloads, and for the end.
#[derive(Clone, Debug)]
pub struct Control {
    asks: mpsc::Sender<Ask>,
    quit: Arc<Notify>,
}

/// Who asks, and is told.
type Ask = oneshot::Sender<Result<Reloaded, ReloadError>>;

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Flags of which the configuration has other values than those in force, which only a start changes.
    pub kept: Vec<&'static str>,
}

/// Why nothing changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReloadError {
    /// There is nothing to read again.
    #[error("there is no -config.file to reload")]
    NoFile,
    /// What was read cannot be followed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Access cannot be granted as it says.
    #[error(transparent)]
    Access(#[from] CheckError),
    /// It has no rights any more. A file that is being written looks like that.
    #[error("the section access is gone, which would let everybody in: write it, or restart")]
    Opened,
    /// A fault of ours, or the end of the process.
    #[error("the reload came to no end; see the log")]
    Ended,
}

/// Starts the thread that reloads: reading files and resolving names takes its time.
pub fn spawn(
    live: Arc<Live>,
    web: Option<Arc<Web>>,
    telemetry: Arc<Telemetry>,
) -> io::Result<Control> {
    let (asks, mut asked) = mpsc::channel::<Ask>(WAITING_MAX);
    telemetry.record_reload(clock::now());
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let run = move || {
        while let Some(ask) = asked.blocking_recv() {
            let reloaded = notify::reloading(|| reload(&live, web.as_deref(), &arguments));
            report(&reloaded, &telemetry);
            // Who asked may have gone.
            ask.send(reloaded).ok();
        }
    };
    thread::Builder::new().name("reload".to_owned()).spawn(run)?;
    Ok(Control { asks, quit: Arc::default() })
}

impl Control {
    /// Reloads, after those who asked before.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let (ask, told) = oneshot::channel();
        self.asks.send(ask).await.map_err(|_| ReloadError::Ended)?;
        told.await.map_err(|_| ReloadError::Ended)?
    }

    /// Asks for the end of the process.
    pub fn quit(&self) {
        self.quit.notify_one();
    }

    /// Waits until the end is asked for.
    pub async fn quit_requested(&self) {
        self.quit.notified().await;
    }
}

fn reload(live: &Live, web: Option<&Web>, arguments: &[OsString]) -> Result<Reloaded, ReloadError> {
    let old = live.settings();
    if old.config.file.is_none() {
        return Err(ReloadError::NoFile);
    }
    let environment = |name: &str| env::var(name).ok();
    let (new, kept) = config::reload(arguments.iter().cloned(), environment, &old.config)?;
    access::check(&new, web)?;
    if old.config.access.is_some() && new.access.is_none() {
        return Err(ReloadError::Opened);
    }
    log::set_level(new.log_level);
    live.replace(new);
    Ok(Reloaded { kept })
}

fn report(reloaded: &Result<Reloaded, ReloadError>, telemetry: &Telemetry) {
    match reloaded {
        Ok(reloaded) => {
            telemetry.record_reload(clock::now());
            tracing::info!("configuration reloaded");
            if !reloaded.kept.is_empty() {
                tracing::warn!(keys = %reloaded, "changes that need a restart have no effect yet");
            }
        }
        Err(error @ ReloadError::NoFile) => tracing::warn!(%error, "nothing was reloaded"),
        Err(
            error @ (ReloadError::Config(_)
            | ReloadError::Access(_)
            | ReloadError::Opened
            | ReloadError::Ended),
        ) => {
            telemetry.record_failed_reload();
            tracing::error!(%error, "the configuration could not be reloaded; the old one stays");
        }
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kept.join(", "))
    }
}
