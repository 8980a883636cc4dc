//! What has been refused of late.

use serde_json::json;

use super::{
    failure::Failure,
    listing::Listing,
    parameters::{Parameters, invalid},
    value,
};
use crate::telemetry::Telemetry;

/// What is asked for.
pub(super) struct Query {
    limit: usize,
    /// The number of the last one of the page before: what comes meanwhile has greater ones.
    before: u64,
}

impl Query {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let before = match parameters.one("cursor")? {
            None => u64::MAX,
            Some(text) => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let id = text.parse().ok().filter(|_| digits);
                id.ok_or_else(|| {
                    invalid("cursor", "it is none: send the nextCursor of the page before")
                })?
            }
        };
        Ok(Self { limit: parameters.limit()?, before })
    }
}

/// The page that `query` asks for, the newest first.
pub(super) fn list(telemetry: &Telemetry, query: &Query) -> Vec<u8> {
    let kept = telemetry.rejections();
    let mut listing = Listing::new("rejections", query.limit);
    let mut rejections = kept.iter().filter(|rejection| rejection.id < query.before).peekable();
    let mut last = None;
    while listing.room() > 0
        && let Some(rejection) = rejections.next()
    {
        last = Some(rejection.id);
        listing.push(&json!({
            "id": rejection.id,
            "time": value::time(rejection.time),
            "transport": rejection.transport.as_str(),
            "peer": *rejection.peer,
            "reason": rejection.reason.as_str(),
            "error": *rejection.error,
            "sample": *rejection.sample,
            "suppressed": rejection.suppressed,
        }));
    }
    let next = last.filter(|_| rejections.peek().is_some()).map(|id| id.to_string());
    listing.finish(&[("nextCursor", json!(next))])
}
