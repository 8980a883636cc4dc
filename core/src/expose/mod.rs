//! Totals to pages: one module per exposition format, siblings of one another.

mod number;
mod text;

use crate::snapshot::Snapshot;

/// An exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Prometheus text format 0.0.4, in the layout of the original to the byte.
    Text,
}

impl Format {
    /// The `Content-Type` of a page in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Appends the page of `snapshot` to `page`.
pub fn encode(format: Format, snapshot: &Snapshot, page: &mut Vec<u8>) {
    encode_pausing(format, snapshot, page, usize::MAX, |_| ());
}

/// Does the same, but lets `pause` do what it likes whenever the page has grown by so many bytes: take what
/// is there, or rest.
pub fn encode_pausing(
    format: Format,
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
    match format {
        Format::Text => text::encode(snapshot, page, written),
    }
}
