//! Scrapes.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Instant,
};

use flate2::{Compression, write::GzEncoder};
use http_body_util::Either;
use hyper::{
    HeaderMap, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY},
};
use pushprom_core::expose::{self, Format};
use tokio::task;

use super::{
    Context, PAGE_BYTES_MAX,
    page::Page,
    reply::{self, Reply},
};
use crate::telemetry::ScrapeCode;

pub(super) async fn respond(headers: &HeaderMap, context: &Arc<Context>) -> Reply {
    let begun = Instant::now();
    let gzip = accepts_gzip(headers);
    let (code, reply) = match make(gzip, context).await {
        Ok(page) => (ScrapeCode::Ok, page_reply(page, gzip)),
        Err(ScrapeError::Busy) => {
            let text = "too many scrapes at once: try again later\n";
            (ScrapeCode::ServiceUnavailable, reply::text(StatusCode::SERVICE_UNAVAILABLE, text))
        }
        Err(ScrapeError::Failed) => {
            let text = "pushprom failed to make the page; see its log\n";
            let reply = reply::text(StatusCode::INTERNAL_SERVER_ERROR, text);
            (ScrapeCode::InternalServerError, reply)
        }
    };
    context.telemetry.record_scrape(code, begun.elapsed());
    reply
}

/// Why there is no page.
enum ScrapeError {
    /// Too many are being made or sent.
    Busy,
    /// A fault of ours, which has been counted and logged.
    Failed,
}

/// Makes a page on a thread apart, and room for it while it is being sent.
async fn make(gzip: bool, context: &Arc<Context>) -> Result<Page, ScrapeError> {
    let making = Arc::clone(&context.pages_being_made).try_acquire_owned();
    let making = making.map_err(|_| ScrapeError::Busy)?;
    let maker = Arc::clone(context);
    let page = task::spawn_blocking(move || {
        let _in_flight = maker.telemetry.scrape_in_flight();
        let page = page(&maker, gzip);
        drop(making);
        page
    });
    let page = page.await.map_err(|_| ScrapeError::Failed)?.map_err(|_| ScrapeError::Failed)?;
    let bytes = u32::try_from(page.len()).unwrap_or(u32::MAX).min(PAGE_BYTES_MAX);
    let room = Arc::clone(&context.page_bytes).try_acquire_many_owned(bytes);
    Ok(Page::new(page, room.map_err(|_| ScrapeError::Busy)?))
}

/// The page of this instant: the clients' families and our own.
fn page(context: &Context, gzip: bool) -> io::Result<Vec<u8>> {
    let registry = context.ingest.registry();
    let mut snapshot = registry.snapshot();
    snapshot.add(context.telemetry.families(registry));
    let mut page = Vec::new();
    expose::encode(Format::Text, &snapshot, &mut page);
    drop(snapshot);
    if !gzip {
        return Ok(page);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&page)?;
    encoder.finish()
}

fn page_reply(page: Page, gzip: bool) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    *reply.body_mut() = Either::Right(page);
    let headers = reply.headers_mut();
    let content_type = Format::Text.content_type();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    reply
}

/// Whether the client names gzip among the codings it accepts, and not with a weight of 0 (RFC 9110,
/// 12.5.3). `*` is not taken for it: such clients are people with curl, who want to read.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_gzip && weight.is_none_or(|weight| weight.parse() != Ok(0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_negotiated() {
        for (accept, want) in [
            ("gzip", true),
            ("br;q=1.0, GZIP;q=0.8, *;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("deflate, br", false),
            ("identity", false),
            ("*", false),
            ("x-gzip", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(accepts_gzip(&headers), want, "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
