//! HTTP: pushes in, pages out.
//!
//! One thread with its own single-threaded runtime per core; all accept from the same sockets. A
//! connection is served where it was accepted. What takes long, making a page, is done on threads apart,
//! so that no push waits for a scrape.

mod connections;
mod page;
mod path;
mod push;
mod reply;
mod route;
mod scrape;
mod server;
mod stream;

use std::{sync::Arc, time::Duration};

use hyper::{Request, body::Incoming};
pub use server::{bind, spawn};
use tokio::sync::Semaphore;

use self::{connections::Connection, reply::Reply, route::Route};
use crate::{ingest::Ingest, telemetry::Telemetry};

/// Pages made at once; a further scrape is answered with 503.
const PAGES_BEING_MADE_MAX: usize = 8;

/// Bytes of all pages on their way to scrapers; a further scrape is answered with 503. A longer page can
/// be sent, alone.
const PAGE_BYTES_MAX: u32 = 512 * 1024 * 1024;

/// What every request is served from.
pub struct Context {
    ingest: Arc<Ingest>,
    telemetry: Arc<Telemetry>,
    body_timeout: Duration,
    pages_being_made: Arc<Semaphore>,
    page_bytes: Arc<Semaphore>,
    /// Bytes of large bodies that may still be read.
    large_bodies: Semaphore,
}

impl Context {
    /// Serves from `ingest`.
    pub fn new(ingest: Arc<Ingest>, telemetry: Arc<Telemetry>, body_timeout: Duration) -> Self {
        let pages_being_made = Arc::new(Semaphore::new(PAGES_BEING_MADE_MAX));
        let page_bytes = Arc::new(Semaphore::new(PAGE_BYTES_MAX as usize));
        let large_bodies = Semaphore::new(push::LARGE_BODIES_BYTES_MAX);
        Self { ingest, telemetry, body_timeout, pages_being_made, page_bytes, large_bodies }
    }
}

/// Answers one request.
async fn respond(
    request: Request<Incoming>,
    context: &Arc<Context>,
    connection: &Connection,
) -> Reply {
    let _in_request = connection.request();
    match route::route(request.method(), request.uri(), request.headers(), request.version()) {
        Route::Push => push::respond(request, context).await,
        Route::Metrics => {
            connection.set_held(true);
            let reply = scrape::respond(request.headers(), context).await;
            connection.set_held(false);
            reply
        }
        Route::Health => reply::ok(),
        Route::NotAPush => push::respond_not_a_post(request.method(), context),
        Route::MethodNotAllowed { allow } => reply::method_not_allowed(allow),
        Route::Options => reply::empty(hyper::StatusCode::OK),
        Route::Moved { location } => reply::moved(&location),
        Route::NotFound => reply::text(hyper::StatusCode::NOT_FOUND, "not found\n"),
        Route::BadRequest { problem } => {
            reply::text(hyper::StatusCode::BAD_REQUEST, &format!("{problem}\n"))
        }
        Route::ExpectationFailed => reply::empty(hyper::StatusCode::EXPECTATION_FAILED),
    }
}
