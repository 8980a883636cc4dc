//! What has to be there before anything is pushed or read: what was stored, and what is declared.

use std::{io, path::Path, sync::Arc, thread};

use pushprom_core::policy::Policy;
use tokio::sync::oneshot;

use super::RunError;
use crate::{
    clock,
    config::Config,
    declare::declare,
    ingest::Ingest,
    live::Settings,
    store::{self, Storage, Store},
};

/// What is written to from then on, if anything.
pub(super) type Started = Result<Option<Box<dyn Store>>, RunError>;

/// Does it on a thread apart, since it may take long; HTTP says how far it has come.
pub(super) fn spawn(
    settings: Arc<Settings>,
    ingest: Arc<Ingest>,
    storage: Arc<Storage>,
) -> io::Result<oneshot::Receiver<Started>> {
    let (tell, started) = oneshot::channel();
    // Who waits may have gone.
    let run = move || drop(tell.send(start(&settings, &ingest, &storage)));
    thread::Builder::new().name("start".to_owned()).spawn(run)?;
    Ok(started)
}

fn start(settings: &Settings, ingest: &Ingest, storage: &Storage) -> Started {
    let Config { storage: stored, declare_files, limits, .. } = &settings.config;
    let open = |path: &Path| store::open(path, ingest.registry(), &settings.rules, storage);
    let store = stored.as_ref().map(|stored| open(&stored.path)).transpose()?;
    let policy = Policy::open(Arc::clone(&settings.rules));
    for path in declare_files {
        let declared = declare(path, ingest.registry(), &policy, limits, clock::now());
        let deltas = declared
            .map_err(|error| RunError::Declare { path: path.display().to_string(), error })?;
        tracing::info!(path = %path.display(), deltas, "declared");
    }
    Ok(store)
}
