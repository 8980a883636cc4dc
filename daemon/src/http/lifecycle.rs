//! `/-/reload` and `/-/quit`, as Prometheus has them.

use hyper::StatusCode;

use super::{
    Context,
    gate::Caller,
    reply::{self, Reply},
};

/// Why a page of another site may do neither; the API says the same.
pub(super) const CROSS_SITE: &str =
    "this was sent by a page of another site, which may not change anything here";

pub(super) async fn reload(caller: &Caller, context: &Context) -> Reply {
    tracing::info!(principal = caller.name(), "a reload was requested");
    match context.control.reload().await {
        Ok(reloaded) if reloaded.kept.is_empty() => reply::text(StatusCode::OK, "reloaded\n"),
        Ok(reloaded) => {
            let text = format!("reloaded; these change at a restart alone: {reloaded}\n");
            reply::text(StatusCode::OK, &text)
        }
        Err(error) => {
            let text = format!("failed to reload config: {error}\n");
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, &text)
        }
    }
}

pub(super) fn quit(caller: &Caller, context: &Context) -> Reply {
    tracing::info!(principal = caller.name(), "the end was requested");
    context.control.quit();
    reply::last(reply::text(StatusCode::OK, "shutting down\n"))
}
