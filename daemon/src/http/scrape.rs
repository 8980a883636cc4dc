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
    header::{
        ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
    },
};
use pushprom_core::{
    expose::{self, Coding, Format, Negotiated, Shape},
    limits::NameScheme,
};
use scopeguard::{ScopeGuard, guard};
use tokio::select;

use super::{
    Context,
    connections::Connection,
    gate::Caller,
    pages::{NoPage, Page},
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
    caller: &Caller,
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
    let negotiated = expose::negotiate(lines(headers, &ACCEPT), lines(headers, &ACCEPT_ENCODING));
    let shape = match caller.settings.config.limits.names {
        NameScheme::Legacy => negotiated.shape.of_legacy_names(),
        NameScheme::Utf8 => negotiated.shape,
    };
    // Its connection may be told to go at any moment; then this ends where it waits.
    let given_up = guard((), |()| telemetry.record_abandoned_scrape());
    let maker = Arc::clone(context);
    let on_hold = connection.hold();
    let page = select! {
        biased;
        () = connection.left() => None,
        page = context.pages.page(shape, connection, move || make(&maker, shape)) => Some(page),
    };
    drop(on_hold);
    ScopeGuard::into_inner(given_up);
    match page {
        Some(Ok(page)) => {
            telemetry.record_scrape(begun.elapsed());
            page_reply(page, negotiated)
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

/// The lines of a header that are text.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok())
}

/// The page of this instant: the clients' families and our own.
fn make(context: &Context, shape: Shape) -> io::Result<Vec<u8>> {
    let registry = context.ingest.registry();
    let now = clock::now();
    let mut snapshot = registry.snapshot_pausing(now, thread::yield_now);
    context.lint.report(&snapshot);
    let hold = match shape.format {
        Format::TextV0 | Format::TextV1 | Format::OpenMetrics => context.hold.as_deref(),
        // It says when a series began, from which Prometheus makes that 0 itself, if it is told to.
        Format::Protobuf => None,
    };
    if let Some(hold) = hold {
        snapshot.zero_born_after(hold.over_before(now));
    }
    let limits = context.live.settings().rules.limits;
    let answers = context.ingest.answers();
    snapshot.add(context.telemetry.families(registry, answers, &limits, context.storage.is_well()));
    let mut page = Vec::with_capacity(PAGE_BYTES_MIN);
    let encode = |page: &mut Vec<u8>, pause: &mut dyn FnMut(&mut Vec<u8>)| {
        expose::encode_pausing(shape, context.options, &snapshot, page, PIECE_BYTES, pause);
    };
    match shape.coding {
        Coding::Identity => encode(&mut page, &mut |_| thread::yield_now()),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(page, Compression::fast());
            pack(encode, &mut encoder)?;
            page = encoder.finish()?;
        }
        Coding::Zstd => {
            let mut encoder = zstd::Encoder::new(page, ZSTD_LEVEL)?;
            pack(encode, &mut encoder)?;
            page = encoder.finish()?;
        }
    }
    Ok(page)
}

/// Packs a page while it is made: it is never there unpacked as a whole. The first failure is that of all.
fn pack(
    encode: impl FnOnce(&mut Vec<u8>, &mut dyn FnMut(&mut Vec<u8>)),
    encoder: &mut impl Write,
) -> io::Result<()> {
    let mut packed = Ok(());
    let mut pack = |piece: &mut Vec<u8>| {
        if packed.is_ok() {
            packed = encoder.write_all(piece);
        }
        piece.clear();
        thread::yield_now();
    };
    let mut left = Vec::with_capacity(2 * PIECE_BYTES);
    encode(&mut left, &mut pack);
    pack(&mut left);
    packed
}

fn page_reply(page: Page, negotiated: Negotiated) -> Reply {
    let mut reply = reply::empty(StatusCode::OK);
    *reply.body_mut() = Either::Right(page);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(negotiated.content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    match negotiated.shape.coding {
        Coding::Identity => {}
        coding @ (Coding::Gzip | Coding::Zstd) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
        }
    }
    reply
}
