//! What has to be there before anything is pushed or read: what was stored, and what is declared.

use std::{io, path::Path, sync::Arc, thread};

use pushprom_core::{policy::Policy, registry::Registry, rules::Rules};
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
    let (registry, rules) = (ingest.registry(), &settings.rules);
    let open = |path: &Path| store::open(path, registry, ingest.answers(), rules, storage);
    let stored = settings.config.storage.as_ref();
    let store = stored.map(|stored| open(&stored.path)).transpose()?;
    declare_all(&settings.config, rules, registry)?;
    Ok(store)
}

/// Applies what files declare.
pub(super) fn declare_all(
    config: &Config,
    rules: &Arc<Rules>,
    registry: &Registry,
) -> Result<(), RunError> {
    let policy = Policy::open(Arc::clone(rules));
    for path in &config.declare_files {
        let declared = declare(path, registry, &policy, &config.limits, clock::now());
        let deltas = declared
            .map_err(|error| RunError::Declare { path: path.display().to_string(), error })?;
        tracing::info!(path = %path.display(), deltas, "declared");
    }
    Ok(())
}
