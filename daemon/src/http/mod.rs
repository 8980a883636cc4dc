//! HTTP: pushes in, pages out.
//!
//! One thread with its own single-threaded runtime per core, and its own listening sockets. A connection is
//! served where it was accepted. What takes long, making a page, is done on threads apart, so that no push
//! waits for a scrape.

mod clients;
mod connections;
mod gate;
mod handshake;
mod hold;
mod lint;
mod listener;
mod pages;
mod path;
mod push;
mod reply;
mod route;
mod scrape;
mod server;
mod stream;
mod unpack;

use std::{sync::Arc, time::Duration};

use hyper::{
    Request, StatusCode,
    body::{Body, Incoming},
};
pub use listener::Listener;
use parking_lot::Mutex;
use pushprom_core::{expose, intake::Intake};
pub use server::{spawn, threads};
use tokio::sync::Semaphore;

use self::{
    connections::Connection, gate::Gate, hold::Hold, lint::Lint, listener::Remote, pages::Pages,
    reply::Reply, route::Route,
};
use crate::{config::Config, ingest::Ingest, telemetry::Telemetry, web::Web};

/// What the requests of one serving thread are served from.
pub struct Context {
    gate: Arc<Gate>,
    ingest: Arc<Ingest>,
    /// Of this thread alone: nobody waits for the lock.
    intake: Mutex<Intake>,
    telemetry: Arc<Telemetry>,
    body_timeout: Duration,
    /// What is young shows as 0, if that is asked for.
    hold: Option<Arc<Hold>>,
    pages: Arc<Pages>,
    lint: Arc<Lint>,
    options: expose::Options,
    /// Scrapes that may still come.
    scrapes: Arc<Semaphore>,
    /// Bytes of large bodies that may still be read.
    large_bodies: Arc<Semaphore>,
}

impl Context {
    /// Serves from `ingest`, within the limits of `config`, whom `web` lets in.
    pub fn new(
        ingest: Arc<Ingest>,
        telemetry: Arc<Telemetry>,
        config: &Config,
        web: Option<Arc<Web>>,
    ) -> Self {
        // A body of the greatest length can be read, alone.
        let large_bodies = push::LARGE_BODIES_BYTES_MAX.max(ingest.limits().message_bytes);
        let large_bodies = Semaphore::new(large_bodies.min(Semaphore::MAX_PERMITS));
        Self {
            gate: Arc::new(Gate::new(web, Arc::clone(&telemetry))),
            ingest,
            intake: Mutex::default(),
            telemetry,
            body_timeout: config.body_timeout,
            hold: config.first_scrape_zero.map(|age| Arc::new(Hold::new(age))),
            pages: Arc::new(Pages::new(pages::BYTES_MAX)),
            lint: Arc::new(Lint::new(config.linting)),
            options: config.pages,
            scrapes: Arc::new(Semaphore::new(config.scrapes_max.min(Semaphore::MAX_PERMITS))),
            large_bodies: Arc::new(large_bodies),
        }
    }

    /// The same for another thread.
    fn for_another_thread(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            ingest: Arc::clone(&self.ingest),
            intake: Mutex::default(),
            telemetry: Arc::clone(&self.telemetry),
            body_timeout: self.body_timeout,
            hold: self.hold.clone(),
            pages: Arc::clone(&self.pages),
            lint: Arc::clone(&self.lint),
            options: self.options,
            scrapes: Arc::clone(&self.scrapes),
            large_bodies: Arc::clone(&self.large_bodies),
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
    let is_over = request.body().is_end_stream();
    match context.gate.admit(request.headers(), remote).await {
        Ok(caller) => caller.adorn(answer(request, context, connection).await),
        Err(reply) if is_over => reply,
        // Its body is not worth reading.
        Err(reply) => reply::last(reply),
    }
}

async fn answer(
    request: Request<Incoming>,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Reply {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    match route::route(method, uri, headers, request.version(), context.lint.linting()) {
        Route::Push => push::respond(request, context, connection).await,
        Route::Metrics => scrape::respond(request.headers(), context, connection).await,
        Route::Lint => lint::respond(context, connection).await,
        Route::Health => reply::ok(),
        Route::NotAPush => push::respond_not_a_post(request.method(), context),
        Route::MethodNotAllowed { allow } => reply::method_not_allowed(allow),
        Route::Options => reply::empty(StatusCode::OK),
        Route::Moved { location } => reply::moved(&location),
        Route::NotFound => reply::text(StatusCode::NOT_FOUND, "not found\n"),
        Route::BadRequest { problem } => reply::refused(StatusCode::BAD_REQUEST, problem),
        Route::NotImplemented { problem } => reply::refused(StatusCode::NOT_IMPLEMENTED, problem),
        Route::ExpectationFailed => reply::last(reply::empty(StatusCode::EXPECTATION_FAILED)),
    }
}
