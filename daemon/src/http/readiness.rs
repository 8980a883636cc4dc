//! `/-/ready`, and what comes before it is.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    Context, api,
    reply::{self, Reply},
    route::Route,
};
use crate::{store::State, telemetry::Refused};

/// How long a request waits for a start to be over, before it is told to come again: so nobody notices a short one.
const START_WAIT: Duration = Duration::from_secs(1);

/// What is said to who comes too early.
pub(super) const STARTING: &str = "pushprom is starting, see /-/ready: try again later";

/// Whether it serves as it should, and if not, why.
pub(super) fn respond(context: &Context) -> Reply {
    match context.storage.progress().state {
        State::Starting(restoring) => reply::try_again(&format!("{restoring}\n")),
        State::Ready => match context.storage.hangs_for() {
            None => reply::ok(),
            Some(busy) => {
                let seconds = busy.as_secs();
                reply::try_again(&format!(
                    "a write to -storage.path has not ended for {seconds} s\n"
                ))
            }
        },
        State::Failed(error) => reply::try_again(&format!("{error}\n")),
    }
}

/// Lets a request in that has to do with series, when they are there; the error is the answer.
pub(super) async fn admit(route: &Route, context: &Context) -> Result<(), Reply> {
    let storage = &context.storage;
    if storage.has_started() || !needs_series(route) {
        return Ok(());
    }
    if timeout(START_WAIT, storage.started()).await.is_ok() {
        return Ok(());
    }
    context.telemetry.record_refused(Refused::Starting);
    let reply = reply::try_again(&format!("{STARTING}\n"));
    Err(if let Route::Api(_) = route { api::refuse_while_starting() } else { reply })
}

fn needs_series(route: &Route) -> bool {
    match route {
        Route::Push | Route::Metrics | Route::Lint | Route::Api(_) => true,
        Route::Health
        | Route::Ready
        | Route::Reload
        | Route::Quit
        | Route::Preflight
        | Route::NotAPush
        | Route::MethodNotAllowed { .. }
        | Route::Options
        | Route::Moved { .. }
        | Route::NotFound
        | Route::BadRequest { .. }
        | Route::NotImplemented { .. }
        | Route::ExpectationFailed => false,
    }
}
