//! The labels of one series after another, as `LabelPair` messages.

use super::sink::Sink;
use crate::model::{LabelsChanges, split_label, unescape_name, unescape_value};

/// The field of a label in the messages that have labels.
pub(super) const LABEL: u8 = 1;

/// The fields of `LabelPair`.
const NAME: u8 = 1;
const VALUE: u8 = 2;

/// Labels as they stand in a message. What a series shares with the one before is kept from that.
#[derive(Default)]
pub(super) struct Pairs<S> {
    /// The label set that is encoded.
    text: Vec<u8>,
    encoded: S,
    places: Vec<Place>,
}

/// Where a label is in the text of its set, and in what is encoded.
#[derive(Clone, Copy)]
struct Place {
    /// Where its value begins.
    value: usize,
    /// Where it ends: in a quote.
    end: usize,
    /// Where it ends in what is encoded: with its value.
    encoded_end: usize,
    /// Whether the value is encoded as it stands in the text.
    is_plain: bool,
}

impl<S: Sink> Pairs<S> {
    /// Goes to the next label set.
    pub(super) fn next(&mut self, changes: &mut LabelsChanges<'_>) -> Option<&S> {
        let change = changes.next()?;
        let own = change.own.as_bytes();
        if !change.has_same_shape || !self.replace(change.shared, own) {
            self.text.truncate(change.shared);
            self.text.extend_from_slice(own);
            self.encode_after(change.shared);
        }
        Some(&self.encoded)
    }

    /// Goes to a label set of the same shape that has other bytes after so many, if they differ in a single
    /// value: most neighbours do, and in some digits of it.
    fn replace(&mut self, shared: usize, own: &[u8]) -> bool {
        let Some(place) = self.places.iter().rfind(|place| place.value <= shared) else {
            return false;
        };
        let end = place.end.saturating_sub(shared);
        let (Some((own, own_after)), Some((text, text_after))) = (
            own.split_at_checked(end),
            self.text.get_mut(shared..).and_then(|text| text.split_at_mut_checked(end)),
        ) else {
            return false;
        };
        let has_more = !own_after.is_empty() && own_after != text_after;
        if !place.is_plain || end == 0 || has_more {
            return false;
        }
        text.copy_from_slice(own);
        // The label ends in a quote, and in what is encoded with its value.
        let value = own.get(..end - 1).unwrap_or_default();
        self.encoded.replace(place.encoded_end - value.len(), value);
        true
    }

    /// Encodes those labels of the text that end after so many bytes.
    fn encode_after(&mut self, shared: usize) {
        while self.places.last().is_some_and(|place| place.end > shared) {
            self.places.pop();
        }
        let (start, encoded) =
            self.places.last().map_or((0, 0), |place| (place.end, place.encoded_end));
        self.encoded.truncate(encoded);
        let rest = self.text.get(start..).unwrap_or_default();
        // Of label sets nothing else is taken or left than whole characters.
        let mut rest = str::from_utf8(rest).unwrap_or_default();
        rest = rest.strip_prefix(',').unwrap_or(rest);
        while let Some((name, value, after)) = split_label(rest) {
            let value_bytes = write_pair(&mut self.encoded, name, value);
            let start = self.text.len() - rest.len() + name.len() + "=\"".len();
            self.places.push(Place {
                value: start,
                end: start + value.len() + "\"".len(),
                encoded_end: self.encoded.len(),
                is_plain: value_bytes == value.len(),
            });
            rest = after;
        }
    }
}

/// Writes a label that stands so in the text of a label set. Returns the length of its value.
pub(super) fn write_pair<S: Sink>(sink: &mut S, name: &str, value: &str) -> usize {
    let (name, value) = (unescape_name(name), unescape_value(value));
    sink.message(LABEL, |pair| {
        pair.text(NAME, &name);
        pair.text(VALUE, &value);
    });
    value.len()
}
