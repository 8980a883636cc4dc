//! HTTP: pushes in, pages out.
//!
//! One thread with its own single-threaded runtime per core, and its own listening sockets. A connection is
//! served where it was accepted. What takes long, making a page, is done on threads apart, so that no push
//! waits for a scrape.

mod acks;
mod api;
mod body;
mod clients;
mod connections;
mod cors;
mod gate;
mod handshake;
mod hold;
mod key;
mod lifecycle;
mod lint;
mod listener;
mod origin;
mod pages;
mod path;
mod push;
mod readiness;
mod reply;
mod route;
mod scrape;
mod server;
mod stream;
mod unpack;

use std::{sync::Arc, time::Duration};

pub use gate::Gate;
use hyper::{
    Request, StatusCode,
    body::{Body, Incoming},
    http::request::Parts,
};
pub use listener::Listener;
use parking_lot::Mutex;
use pushprom_core::{expose, intake::Intake};
pub use server::{spawn, threads};
use tokio::sync::Semaphore;

use self::{
    acks::Acks,
    api::Api,
    body::Room,
    connections::Connection,
    gate::Caller,
    hold::Hold,
    lint::Lint,
    listener::Remote,
    pages::Pages,
    reply::Reply,
    route::{Offer, Route},
};
use crate::{
    config::Ack, ingest::Ingest, live::Live, reload::Control, store::Storage, telemetry::Telemetry,
};

/// What the requests of one serving thread are served from.
pub struct Context {
    gate: Arc<Gate>,
    ingest: Arc<Ingest>,
    live: Arc<Live>,
    control: Control,
    /// Of this thread alone: nobody waits for the lock.
    intake: Mutex<Intake>,
    telemetry: Arc<Telemetry>,
    body_timeout: Duration,
    /// What is young shows as 0, if that is asked for.
    hold: Option<Arc<Hold>>,
    pages: Arc<Pages>,
    lint: Arc<Lint>,
    api: Arc<Api>,
    options: expose::Options,
    /// Scrapes that may still come.
    scrapes: Arc<Semaphore>,
    /// Bytes of large bodies that may still be read.
    large_bodies: Arc<Room>,
    storage: Arc<Storage>,
    acks: Acks,
}

impl Context {
    /// Serves from `ingest`, as `live` says.
    pub fn new(
        ingest: Arc<Ingest>,
        live: Arc<Live>,
        control: Control,
        telemetry: Arc<Telemetry>,
        gate: Gate,
        storage: Arc<Storage>,
    ) -> Self {
        let settings = live.settings();
        let config = &settings.config;
        let ack = config.storage.as_ref().map_or(Ack::Memory, |storage| storage.ack);
        Self {
            gate: Arc::new(gate),
            ingest,
            live,
            control,
            intake: Mutex::default(),
            telemetry,
            body_timeout: config.body_timeout,
            hold: config.first_scrape_zero.map(|age| Arc::new(Hold::new(age))),
            pages: Arc::new(Pages::new(pages::BYTES_MAX)),
            lint: Arc::new(Lint::new(config.linting)),
            api: Arc::new(Api::new(config)),
            options: config.pages,
            scrapes: Arc::new(Semaphore::new(config.scrapes_max.min(Semaphore::MAX_PERMITS))),
            large_bodies: Arc::default(),
            acks: match ack {
                Ack::Memory => Acks::of_memory(),
                Ack::Commit => Acks::of_commits(&storage),
            },
            storage,
        }
    }

    /// The same for another thread.
    fn for_another_thread(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            ingest: Arc::clone(&self.ingest),
            live: Arc::clone(&self.live),
            control: self.control.clone(),
            intake: Mutex::default(),
            telemetry: Arc::clone(&self.telemetry),
            body_timeout: self.body_timeout,
            hold: self.hold.clone(),
            pages: Arc::clone(&self.pages),
            lint: Arc::clone(&self.lint),
            api: Arc::clone(&self.api),
            options: self.options,
            scrapes: Arc::clone(&self.scrapes),
            large_bodies: Arc::clone(&self.large_bodies),
            storage: Arc::clone(&self.storage),
            acks: self.acks.clone(),
        }
    }
}

/// Answers one request, if it is let in.
async fn respond(
    request: Request<Incoming>,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
    remote: &Remote,
) -> Reply {
    let _in_request = connection.request();
    // Apart, because what is handed on from one future to the next is copied.
    let (head, body) = request.into_parts();
    let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
    let settings = context.live.settings();
    let offer = Offer {
        linting: context.lint.linting(),
        admin: context.api.admin(),
        lifecycle: settings.config.lifecycle,
        origins: context.gate.origins(&settings.config),
    };
    let route = route::route(method, uri, headers, head.version, offer);
    let origin = cors::allowed(&route, headers, offer.origins);
    let is_over = body.is_end_stream();
    let admitted = match context.gate.admit(&route, headers, remote, settings).await {
        Ok(caller) => match readiness::admit(&route, context).await {
            Ok(()) => Ok(caller),
            Err(reply) => Err(caller.adorn(reply)),
        },
        Err(reply) => Err(reply),
    };
    let reply = match admitted {
        Ok(caller) => {
            let reply = answer(route, &head, body, &caller, context, connection).await;
            caller.adorn(reply)
        }
        Err(reply) if is_over => reply,
        Err(reply) if connection.is_multiplexed() => {
            // A connection may have many: what is waited for is not to hold its target and its headers.
            drop((route, head));
            Box::pin(body::discard(body, context.body_timeout, connection)).await;
            reply
        }
        // Its body is not worth reading.
        Err(reply) => reply::last(reply),
    };
    cors::name(origin, reply)
}

/// Answers a request that has been let in.
async fn answer(
    route: Route,
    head: &Parts,
    body: Incoming,
    caller: &Caller,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Reply {
    // What answers anything but pushes lies apart: the future of a push is moved, and is not to be the larger for
    // it.
    match route {
        Route::Push => push::respond(head, body, caller, context, connection).await,
        Route::Api(endpoint) => {
            Box::pin(api::respond(endpoint, head, body, caller, context, connection)).await
        }
        Route::Metrics => {
            Box::pin(scrape::respond(&head.headers, caller, context, connection)).await
        }
        Route::Lint => Box::pin(lint::respond(context, connection)).await,
        Route::Health => reply::ok(),
        Route::Ready => readiness::respond(context),
        Route::Reload | Route::Quit if origin::is_cross_site(&head.uri, &head.headers) => {
            reply::refused(StatusCode::FORBIDDEN, lifecycle::CROSS_SITE)
        }
        Route::Reload => Box::pin(lifecycle::reload(caller, context)).await,
        Route::Quit => lifecycle::quit(caller, context),
        Route::Preflight => cors::preflight(),
        Route::NotAPush => push::respond_not_a_post(&head.method, context),
        Route::MethodNotAllowed { allow } => reply::method_not_allowed(allow),
        Route::Options => reply::empty(StatusCode::OK),
        Route::Moved { location } => reply::moved(&location),
        Route::NotFound => reply::text(StatusCode::NOT_FOUND, "not found\n"),
        Route::BadRequest { problem } => reply::refused(StatusCode::BAD_REQUEST, problem),
        Route::NotImplemented { problem } => reply::refused(StatusCode::NOT_IMPLEMENTED, problem),
        Route::ExpectationFailed => reply::last(reply::empty(StatusCode::EXPECTATION_FAILED)),
    }
}
