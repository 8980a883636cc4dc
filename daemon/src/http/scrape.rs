//! Scrapes.

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
    time::Instant,
};

use flate2::{Compression, write::GzEncoder};
use http_body_util::Either;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY},
};
use pushprom_core::{
    expose::{self, Options, Shape},
    snapshot::Snapshot,
};
use scopeguard::{ScopeGuard, guard};
use tokio::select;

use super::{
    Context, accept,
    connections::Connection,
    pages::{Coding, NoPage, Page},
    reply::{self, Reply},
};
use crate::{clock, telemetry::ScrapeCode};

/// Bytes that a page has room for from the start. Memory of this size comes from the kernel and goes back
/// there, where the allocator would keep it; what is not used of it costs nothing. (glibc's `mallopt`:
/// `M_MMAP_THRESHOLD` rises to 32 MiB at most.)
const PAGE_BYTES_MIN: usize = 33 * 1024 * 1024;

/// Bytes of a page that are made, and packed, at a time. Then threads that wait for a core may have it: a
/// push should not wait for the end of a time slice, which can be four milliseconds.
const PIECE_BYTES: usize = 512 * 1024;

/// What is said to who gets no page.
pub(super) const TOO_MANY: &str =
    "too many scrapes at once: try again later, or raise -web.max-scrapes\n";
pub(super) const NO_ROOM: &str = "no memory is left for pages: try again later\n";
pub(super) const FAILED: &str = "pushprom failed to make the page; see its log\n";
pub(super) const LEFT: &str =
    "the connection was closed before the page was made: keep both halves open\n";

/// The level of zstd: the fastest of the ordinary ones, which packs a page denser than gzip does.
const ZSTD_LEVEL: i32 = 1;

pub(super) async fn respond(
    headers: &HeaderMap,
    context: &Arc<Context>,
    connection: &Arc<Connection>,
) -> Reply {
    let begun = Instant::now();
    let telemetry = &context.telemetry;
    let _in_flight = telemetry.scrape_in_flight();
    let Ok(_admitted) = context.scrapes.try_acquire() else {
        telemetry.record_failed_scrape(ScrapeCode::ServiceUnavailable);
        return reply::try_again(TOO_MANY);
    };
    let coding = accept::coding(headers);
    // Its connection may be told to go at any moment; then this ends where it waits.
    let given_up = guard((), |()| telemetry.record_abandoned_scrape());
    let maker = Arc::clone(context);
    connection.set_held(true);
    let page = select! {
        biased;
        () = connection.left() => None,
        page = context.pages.page(coding, connection, move || make(&maker, coding)) => Some(page),
    };
    connection.set_held(false);
    ScopeGuard::into_inner(given_up);
    match page {
        Some(Ok(page)) => {
            telemetry.record_scrape(begun.elapsed());
            page_reply(page, coding)
        }
        Some(Err(NoPage::NoRoom)) => {
            telemetry.record_failed_scrape(ScrapeCode::ServiceUnavailable);
            reply::try_again(NO_ROOM)
        }
        Some(Err(NoPage::Failed)) => {
            telemetry.record_failed_scrape(ScrapeCode::InternalServerError);
            reply::text(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
        }
        None => {
            telemetry.record_abandoned_scrape();
            // Who has closed one half only can read what the matter is.
            reply::last(reply::text(StatusCode::BAD_REQUEST, LEFT))
        }
    }
}

/// The page of this instant: the clients' families and our own.
fn make(context: &Context, coding: Coding) -> io::Result<Vec<u8>> {
    let registry = context.ingest.registry();
    let now = clock::now();
    let mut snapshot = registry.snapshot_pausing(now, thread::yield_now);
    context.lint.report(&snapshot);
    if let Some(age) = context.first_scrape_zero {
        snapshot.zero_born_after(now.before(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
    }
    snapshot.add(context.telemetry.families(registry));
    let mut page = Vec::with_capacity(PAGE_BYTES_MIN);
    match coding {
        Coding::Identity => {
            let rest = |_: &mut Vec<u8>| thread::yield_now();
            expose::encode_pausing(
                Shape::default(),
                Options::default(),
                &snapshot,
                &mut page,
                PIECE_BYTES,
                rest,
            );
        }
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(page, Compression::fast());
            pack(&snapshot, &mut encoder)?;
            page = encoder.finish()?;
        }
        Coding::Zstd => {
            let mut encoder = zstd::Encoder::new(page, ZSTD_LEVEL)?;
            pack(&snapshot, &mut encoder)?;
            page = encoder.finish()?;
        }
    }
    Ok(page)
}

/// Packs a page while it is made: it is never there unpacked as a whole. The first failure is that of all.
fn pack(snapshot: &Snapshot, encoder: &mut impl Write) -> io::Result<()> {
    let mut packed = Ok(());
    let mut pack = |piece: &mut Vec<u8>| {
        if packed.is_ok() {
            packed = encoder.write_all(piece);
        }
        piece.clear();
        thread::yield_now();
    };
    let mut left = Vec::with_capacity(2 * PIECE_BYTES);
    let (shape, options) = (Shape::default(), Options::default());
    expose::encode_pausing(shape, options, snapshot, &mut left, PIECE_BYTES, &mut pack);
    pack(&mut left);
    packed
}

fn page_reply(page: Page, coding: Coding) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    *reply.body_mut() = Either::Right(page);
    let headers = reply.headers_mut();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    match coding {
        Coding::Identity => {}
        Coding::Gzip | Coding::Zstd => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
        }
    }
    reply
}
