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
    match format {
        Format::Text => text::encode(snapshot, page, |_| ()),
    }
}

/// Hands the page of `snapshot` over piece by piece, each of at least `piece_bytes` but for the last.
pub fn encode_in_pieces(
    format: Format,
    snapshot: &Snapshot,
    piece_bytes: usize,
    mut take: impl FnMut(&[u8]),
) {
    let mut piece = Vec::with_capacity(piece_bytes);
    match format {
        Format::Text => text::encode(snapshot, &mut piece, |piece| {
            if piece.len() >= piece_bytes {
                take(piece);
                piece.clear();
            }
        }),
    }
    take(&piece);
}
