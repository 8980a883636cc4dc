//! The labels of one series after another, as `LabelPair` messages.

use super::sink::Sink;
use crate::model::{Walk, split_label, unescape_name, unescape_value};

/// The field of a label in the messages that have labels.
pub(super) const LABEL: u8 = 1;

/// The fields of `LabelPair`.
const NAME: u8 = 1;
const VALUE: u8 = 2;

/// Labels as they stand in a message. What a series shares with the one before is kept from that.
#[derive(Default)]
pub(super) struct Pairs<S> {
    encoded: S,
    ends: Vec<End>,
}

/// Where a label ends.
#[derive(Clone, Copy, Default)]
struct End {
    /// In the text of the label set.
    text: usize,
    /// In what is encoded.
    encoded: usize,
}

impl<S: Sink> Pairs<S> {
    /// Goes to the next label set.
    pub(super) fn next(&mut self, labels: &mut Walk<'_>) -> Option<&S> {
        let (labels, shared) = labels.next_shared()?;
        self.set(labels.as_str(), shared);
        Some(&self.encoded)
    }

    /// Takes a label set, whose first bytes are those of the one before.
    fn set(&mut self, text: &str, shared: usize) {
        while self.ends.last().is_some_and(|end| end.text > shared) {
            self.ends.pop();
        }
        let mut end = self.ends.last().copied().unwrap_or_default();
        self.encoded.truncate(end.encoded);
        let mut rest = text.get(end.text..).unwrap_or_default();
        rest = rest.strip_prefix(',').unwrap_or(rest);
        while let Some((name, value, after)) = split_label(rest) {
            write_pair(&mut self.encoded, name, value);
            // The comma between two labels is of neither.
            let comma = usize::from(!after.is_empty());
            end = End { text: text.len() - after.len() - comma, encoded: self.encoded.len() };
            self.ends.push(end);
            rest = after;
        }
    }
}

/// Writes a label that stands so in the text of a label set.
pub(super) fn write_pair<S: Sink>(sink: &mut S, name: &str, value: &str) {
    let (name, value) = (unescape_name(name), unescape_value(value));
    sink.message(LABEL, |pair| {
        pair.text(NAME, &name);
        pair.text(VALUE, &value);
    });
}
