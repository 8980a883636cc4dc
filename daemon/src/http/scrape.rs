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

use super::{
    Context,
    connections::Connection,
    pages::{Coding, NoPage, Page},
    reply::{self, Reply},
};
use crate::telemetry::ScrapeCode;

pub(super) async fn respond(
    headers: &HeaderMap,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Reply {
    let begun = Instant::now();
    let _in_flight = context.telemetry.scrape_in_flight();
    let coding = if accepts_gzip(headers) { Coding::Gzip } else { Coding::Identity };
    let maker = Arc::clone(context);
    connection.set_held(true);
    let page = context.pages.page(coding, connection, move || make(&maker, coding)).await;
    connection.set_held(false);
    match page {
        Ok(page) => {
            context.telemetry.record_scrape(begun.elapsed());
            page_reply(page, coding)
        }
        Err(NoPage::NoRoom) => {
            context.telemetry.record_failed_scrape(ScrapeCode::ServiceUnavailable);
            let text = "no memory is left for pages: try again later\n";
            reply::text(StatusCode::SERVICE_UNAVAILABLE, text)
        }
        Err(NoPage::Failed) => {
            context.telemetry.record_failed_scrape(ScrapeCode::InternalServerError);
            let text = "pushprom failed to make the page; see its log\n";
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}

/// The page of this instant: the clients' families and our own.
fn make(context: &Context, coding: Coding) -> io::Result<Vec<u8>> {
    let registry = context.ingest.registry();
    let mut snapshot = registry.snapshot();
    snapshot.add(context.telemetry.families(registry));
    let mut page = Vec::new();
    expose::encode(Format::Text, &snapshot, &mut page);
    drop(snapshot);
    match coding {
        Coding::Identity => Ok(page),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&page)?;
            encoder.finish()
        }
    }
}

fn page_reply(page: Page, coding: Coding) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    *reply.body_mut() = Either::Right(page);
    let headers = reply.headers_mut();
    let content_type = Format::Text.content_type();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    match coding {
        Coding::Identity => {}
        Coding::Gzip => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
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
