//! What an operator asks of a running server, in JSON as Prometheus answers: how it is configured, what it
//! holds, what it refuses; and to delete series.
//!
//! What looks through families and series does so on a thread apart, one request at a time, for some seconds
//! at most, and with nothing locked that a push waits for (`walk`). Lists come in pages, bounded in items and
//! bytes (`listing`).

mod cursor;
mod endpoint;
mod failure;
mod families;
mod labels;
mod listing;
mod parameters;
mod rates;
mod rejections;
mod remove;
mod series;
mod status;
mod value;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
pub(super) use endpoint::Endpoint;
use http_body_util::{Either, Full};
use hyper::{
    StatusCode,
    body::{Body, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use serde_json::{Value, json};

pub(super) use self::rates::watch;
use self::{
    failure::Failure,
    parameters::Parameters,
    rates::Rates,
    remove::{Wanted, Who},
    walk::{PAGE_TIME_MAX, WHOLE_TIME_MAX, Walks},
};
use super::{
    Context,
    body::{self, BodyError},
    connections::Connection,
    gate::Caller,
    origin,
    readiness::STARTING,
    reply::{self, Reply},
};
use crate::{
    clock,
    config::{AdminApi, Config},
    store::NotCommitted,
    telemetry::ApiCode,
};

/// Bytes of a form.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a method that an answer repeats: a method may be as long as a header, and answers wait to be taken.
const METHOD_BYTES_SHOWN_MAX: usize = 32;

/// The type of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// This interface, for programs.
const OPENAPI: &str = include_str!("../../../../docs/openapi.yaml");

const YAML: HeaderValue = HeaderValue::from_static("application/yaml");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What all serving threads share.
pub(super) struct Api {
    admin: AdminApi,
    walks: Walks,
    rates: Rates,
}

impl Api {
    pub(super) fn new(config: &Config) -> Self {
        Self { admin: config.admin_api, walks: Walks::new(), rates: Rates::default() }
    }

    /// Whether more than the status is there.
    pub(super) fn admin(&self) -> AdminApi {
        self.admin
    }
}

pub(super) async fn respond(
    endpoint: Endpoint,
    head: &Parts,
    body: Incoming,
    caller: &Caller,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Reply {
    let reply = match answer(endpoint, head, body, caller, context, connection).await {
        Ok(reply) => reply,
        Err(failure) => failure.reply(),
    };
    context.telemetry.record_api_request(ApiCode::of(reply.status()));
    reply
}

/// The answer as long as there is nothing to look at.
pub(super) fn refuse_while_starting() -> Reply {
    Failure::Unavailable(STARTING).reply()
}

async fn answer(
    endpoint: Endpoint,
    parts: &Parts,
    form: Incoming,
    caller: &Caller,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Result<Reply, Failure> {
    let api = &context.api;
    if !endpoint.is_served(api.admin) {
        return Err(Failure::Disabled);
    }
    if !endpoint.has(&parts.method) {
        let method = parts.method.as_str();
        let method = method.get(..METHOD_BYTES_SHOWN_MAX).unwrap_or(method).to_owned();
        return Err(Failure::Method { method, allow: endpoint.allow() });
    }
    if endpoint.changes() && origin::is_cross_site(&parts.uri, &parts.headers) {
        return Err(Failure::CrossSite);
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let form = if endpoint.changes() {
        read_form(parts, form, &query, context, connection).await?
    } else {
        Bytes::new()
    };
    let parameters = Parameters::read(&query, &form, endpoint.parameters())?;
    let held = Arc::clone(context);
    let bytes = match endpoint {
        Endpoint::BuildInfo => return Ok(success(&status::build_info())),
        Endpoint::Flags => return Ok(success(&status::flags(&caller.settings.config))),
        Endpoint::Config => return Ok(success(&status::config(&caller.settings.config))),
        Endpoint::RuntimeInfo => {
            let limits = &caller.settings.rules.limits;
            let info = status::runtime_info(context.ingest.registry(), limits, &context.telemetry);
            return Ok(success(&info));
        }
        Endpoint::OpenApi => {
            let mut reply = body(Bytes::from_static(OPENAPI.as_bytes()));
            reply.headers_mut().insert(CONTENT_TYPE, YAML);
            return Ok(reply);
        }
        Endpoint::Families => {
            let query = families::Query::read(&parameters)?;
            let work = move |walk: &mut _| {
                families::list(held.ingest.registry(), &held.api.rates, &query, walk)
            };
            api.walks.run(connection, PAGE_TIME_MAX, work).await?
        }
        Endpoint::Series => {
            let query = series::Query::read(&parameters)?;
            let now = clock::now();
            let work =
                move |walk: &mut _| Ok(series::list(held.ingest.registry(), &query, now, walk));
            api.walks.run(connection, PAGE_TIME_MAX, work).await?
        }
        Endpoint::TopFamilies => {
            let top = families::Top::read(&parameters)?;
            let work = move |walk: &mut _| {
                families::top(held.ingest.registry(), &held.api.rates, &top, walk)
            };
            api.walks.run(connection, WHOLE_TIME_MAX, work).await?
        }
        Endpoint::TopLabels => {
            let query = labels::Query::read(&parameters)?;
            let work = move |walk: &mut _| labels::top(held.ingest.registry(), &query, walk);
            api.walks.run(connection, WHOLE_TIME_MAX, work).await?
        }
        Endpoint::Rejections => {
            let query = rejections::Query::read(&parameters)?;
            let work = move |_: &mut _| Ok(rejections::list(&held.telemetry, &query));
            api.walks.run(connection, PAGE_TIME_MAX, work).await?
        }
        Endpoint::Delete => {
            remove(Wanted::read(&parameters)?, Who::of(caller), context, connection).await?
        }
        Endpoint::Wipe => remove(Wanted::All, Who::of(caller), context, connection).await?,
    };
    Ok(body(bytes))
}

/// Deletes series; says so when that is as safe as a push has to be.
async fn remove(
    wanted: Wanted,
    who: Who,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Result<Bytes, Failure> {
    if !context.acks.can_be_had() {
        return Err(Failure::Unavailable(
            "nothing can be deleted in -storage.path now, see /-/ready: try again later",
        ));
    }
    let held = Arc::clone(context);
    let work = move |walk: &mut _| {
        Ok(remove::remove(held.ingest.registry(), &held.telemetry, &wanted, &who, walk))
    };
    let bytes = context.api.walks.run(connection, WHOLE_TIME_MAX, work).await?;
    match context.acks.wait_for(context.ingest.registry().epoch()).await {
        Ok(()) => Ok(bytes),
        Err(NotCommitted) => Err(Failure::Unavailable(
            "what was deleted may come back with a restart, see /-/ready: try again later",
        )),
    }
}

/// A value, in the envelope of Prometheus.
fn success(data: &Value) -> Reply {
    reply::json(StatusCode::OK, &json!({"status": "success", "data": data}))
}

/// JSON that is there as bytes.
fn body(bytes: Bytes) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    reply.headers_mut().insert(CONTENT_TYPE, JSON);
    *reply.body_mut() = Either::Left(Full::new(bytes));
    reply
}

/// The body of a form that comes with a query, or none.
async fn read_form(
    head: &Parts,
    body: Incoming,
    query: &str,
    context: &Context,
    connection: &Connection,
) -> Result<Bytes, Failure> {
    let media_type = head.headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    let media_type = media_type.split(|byte| *byte == b';').next().unwrap_or_default();
    let is_form = media_type.trim_ascii().eq_ignore_ascii_case(FORM);
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // A connection may have many such requests, and a query is as long as a header may be.
    let _beside = context.large_bodies.beside(query.len()).ok_or(Failure::Busy)?;
    let read = body::read(body, FORM_BYTES_MAX, context, connection).await;
    let form = read.map_err(|error| match error {
        BodyError::TooLong => Failure::TooLong(FORM_BYTES_MAX),
        BodyError::Busy { .. } => Failure::Busy,
        BodyError::Aborted => Failure::Left,
        BodyError::Late => Failure::BodyTimeout,
    })?;
    if form.is_empty() || is_form { Ok(form) } else { Err(Failure::MediaType) }
}
