//! Totals to pages: one module per exposition format, siblings of one another.

mod escape;
mod family;
mod negotiate;
mod number;
mod openmetrics;
mod protobuf;
mod samples;
mod shape;
mod text;
mod unit;

pub use negotiate::{Negotiated, negotiate};
pub use number::number;
pub use shape::{Coding, Escaping, Format, Shape};

use crate::snapshot::Snapshot;

/// What an operator decides about pages, and no scraper asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether `OpenMetrics` shows when each series was born, as samples of the name with `_created`.
    pub created: bool,
}

/// Appends the page of `snapshot` to `page`.
pub fn encode(shape: Shape, options: Options, snapshot: &Snapshot, page: &mut Vec<u8>) {
    encode_pausing(shape, options, snapshot, page, usize::MAX, |_| ());
}

/// Does the same, but lets `pause` do what it likes whenever the page has grown by so many bytes: take what
/// is there, or rest.
pub fn encode_pausing(
    shape: Shape,
    options: Options,
    snapshot: &Snapshot,
    page: &mut Vec<u8>,
    piece_bytes: usize,
    mut pause: impl FnMut(&mut Vec<u8>),
) {
    let mut next = page.len().saturating_add(piece_bytes);
    let written = |page: &mut Vec<u8>| {
        if page.len() >= next {
            pause(page);
            next = page.len().saturating_add(piece_bytes);
        }
    };
    let families = escape::Families::of(snapshot, shape);
    match shape.format {
        Format::TextV0 | Format::TextV1 => text::encode(&families, page, written),
        Format::OpenMetrics => openmetrics::encode(&families, options, page, written),
        Format::Protobuf => protobuf::encode(&families, page, written),
    }
}
