//! `/-/reload` and `/-/quit`, as Prometheus has them.

use hyper::{HeaderMap, StatusCode};

use super::{
    Context,
    gate::Caller,
    origin,
    reply::{self, Reply},
};

/// As the API answers.
const CROSS_SITE: &str =
    "this was sent by a page of another site, which may not change anything here";

pub(super) async fn reload(headers: &HeaderMap, caller: &Caller, context: &Context) -> Reply {
    if origin::is_cross_site(headers) {
        return reply::refused(StatusCode::FORBIDDEN, CROSS_SITE);
    }
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

pub(super) fn quit(headers: &HeaderMap, caller: &Caller, context: &Context) -> Reply {
    if origin::is_cross_site(headers) {
        return reply::refused(StatusCode::FORBIDDEN, CROSS_SITE);
    }
    tracing::info!(principal = caller.name(), "the end was requested");
    context.control.quit();
    reply::last(reply::text(StatusCode::OK, "shutting down\n"))
}
