//! The fast path: one pass over a message of the usual kind.
//!
//! It gives up at anything that it would have to think about: invalid UTF-8, a key that is not spelled as
//! documented, a value of another type, any error of syntax.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{
    Field, Item, Items, Reading, Recall,
    fields::Fields,
    scan::Cursor,
    value::{Value, unescape},
};
use crate::limits::{DELTAS_PER_MESSAGE_MAX, NameScheme};

/// Levels of nesting around a field, at most: an array of deltas, and the delta.
const DEPTH_OF_FIELD: usize = 2;

/// Decodes a message but for the deltas that `recall` knows by their text.
pub(super) fn decode<'a, H, M>(
    message: &'a [u8],
    names: NameScheme,
    recall: impl FnMut(&'a [u8]) -> Recall<H, M>,
) -> Option<Items<'a, H, M>> {
    let text = std::str::from_utf8(message).ok()?;
    let cursor = Cursor::new(message);
    let mut decoder = Decoder { text, names, cursor, recall, items: SmallVec::new() };
    decoder.values()?;
    (!decoder.items.is_empty()).then_some(decoder.items)
}

struct Decoder<'a, H, M, F> {
    text: &'a str,
    names: NameScheme,
    /// A place in `text`.
    cursor: Cursor<'a>,
    recall: F,
    items: Items<'a, H, M>,
}

impl<'a, H, M, F: FnMut(&'a [u8]) -> Recall<H, M>> Decoder<'a, H, M, F> {
    fn values(&mut self) -> Option<()> {
        loop {
            self.cursor.skip_space();
            match self.cursor.peek() {
                Some(b'{') => self.delta()?,
                Some(b'[') => self.array()?,
                Some(_) => return None,
                None => return Some(()),
            }
        }
    }

    fn array(&mut self) -> Option<()> {
        self.cursor.step();
        if self.cursor.take(b']') {
            return Some(());
        }
        loop {
            self.cursor.skip_space();
            self.delta()?;
            if !self.cursor.take(b',') {
                return self.cursor.take(b']').then_some(());
            }
        }
    }

    fn delta(&mut self) -> Option<()> {
        if self.items.len() == DELTAS_PER_MESSAGE_MAX {
            return None;
        }
        let item = match (self.recall)(self.cursor.rest()) {
            Recall::Hit { item, bytes } => {
                self.cursor.skip(bytes);
                Item::Recalled(item)
            }
            Recall::Miss(note) => Item::Read(Box::new(self.read()?), note),
        };
        self.items.push(item);
        Some(())
    }

    fn read(&mut self) -> Option<Reading<'a>> {
        let start = self.cursor;
        if !self.cursor.take(b'{') {
            return None;
        }
        let mut fields = Fields::default();
        let mut number_at = None;
        if !self.cursor.take(b'}') {
            loop {
                let Cow::Borrowed(key) = self.string()? else { return None };
                let field = Field::from_plain_key(key)?;
                if !self.cursor.take(b':') {
                    return None;
                }
                self.cursor.skip_space();
                match field {
                    Field::Type | Field::Name | Field::Help | Field::Method => {
                        if !self.null() {
                            fields.set_text(field, self.string()?);
                        }
                    }
                    Field::Value if self.cursor.peek() == Some(b'[') => {
                        self.more(field, &mut fields)?;
                        number_at = None;
                    }
                    Field::Value => {
                        let (number, at) = self.number()?;
                        if let Some(number) = number {
                            fields.set_value(number);
                            number_at = Some(at);
                        }
                    }
                    Field::Labels => self.labels(&mut fields)?,
                    Field::Buckets => self.buckets(&mut fields)?,
                    Field::Count
                    | Field::Counts
                    | Field::Sum
                    | Field::Native
                    | Field::Objectives
                    | Field::Exemplar => self.more(field, &mut fields)?,
                }
                if !self.cursor.take(b',') {
                    break;
                }
            }
            if !self.cursor.take(b'}') {
                return None;
            }
        }
        let start_at = start.position();
        let from_start = |at: usize| at.saturating_sub(start_at);
        let number_at = number_at.map(|(from, to)| (from_start(from), from_start(to)));
        let (delta, recipe) = match fields.finish(self.names) {
            Ok((delta, recipe)) => (Ok(delta), recipe),
            Err(error) => (Err(error), None),
        };
        Some(Reading { delta, text: self.cursor.since(&start), recipe, number_at })
    }

    /// A field that few deltas have: read as the exact path does.
    fn more(&mut self, field: Field, fields: &mut Fields<'a>) -> Option<()> {
        let start = self.cursor;
        self.cursor.skip_value(DEPTH_OF_FIELD).ok()?;
        fields.decode_more(field, Value::new(&self.cursor, &start)).ok()
    }

    fn labels(&mut self, fields: &mut Fields<'a>) -> Option<()> {
        if self.null() {
            fields.clear_labels();
            return Some(());
        }
        if self.cursor.take(b'[') {
            // PHP writes an empty array for an empty map.
            return self.cursor.take(b']').then_some(());
        }
        if !self.cursor.take(b'{') {
            return None;
        }
        if self.cursor.take(b'}') {
            return Some(());
        }
        loop {
            let name = self.string()?;
            if !self.cursor.take(b':') {
                return None;
            }
            self.cursor.skip_space();
            let value = if self.null() { Cow::Borrowed("") } else { self.string()? };
            fields.add_label(name, value);
            if !self.cursor.take(b',') {
                return self.cursor.take(b'}').then_some(());
            }
        }
    }

    fn buckets(&mut self, fields: &mut Fields<'a>) -> Option<()> {
        if self.null() {
            fields.buckets().clear();
            return Some(());
        }
        if !self.cursor.take(b'[') {
            return None;
        }
        fields.buckets().begin();
        if !self.cursor.take(b']') {
            loop {
                self.cursor.skip_space();
                let (bound, _) = self.number()?;
                fields.buckets().push(bound);
                if !self.cursor.take(b',') {
                    break;
                }
            }
            if !self.cursor.take(b']') {
                return None;
            }
        }
        fields.buckets().end();
        Some(())
    }

    /// A string, borrowed where it has no escapes.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.cursor.skip_space();
        let quote = self.cursor;
        if !self.cursor.take(b'"') {
            return None;
        }
        let rest = self.cursor.rest();
        let length = plain_bytes(rest);
        let start = self.cursor.position();
        if rest.get(length) == Some(&b'"') {
            let end = start.checked_add(length)?;
            self.cursor.skip(length.checked_add(1)?);
            return Some(Cow::Borrowed(self.text.get(start..end)?));
        }
        self.cursor = quote;
        self.cursor.skip_string().ok()?;
        let inner = self.cursor.since(&quote).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some(Cow::Owned(unescape(inner)))
    }

    /// A number, and where it stands, or `null`.
    fn number(&mut self) -> Option<(Option<f64>, (usize, usize))> {
        let start = self.cursor.position();
        if self.null() {
            return Some((None, (start, start)));
        }
        self.cursor.skip_number().ok()?;
        let end = self.cursor.position();
        let number = self.text.get(start..end)?.parse::<f64>().ok()?;
        number.is_finite().then_some((Some(number), (start, end)))
    }

    /// Steps over `null`, if that is what stands here.
    fn null(&mut self) -> bool {
        let is_null = self.cursor.rest().starts_with(b"null");
        if is_null {
            self.cursor.skip(4);
        }
        is_null
    }
}

/// How many bytes stand in a string as they are: up to a quote, a backslash, a control character or the
/// end. Eight at a time: this is where a decoder spends its time.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const TOPS: u64 = ONES << 7;
    // The top bit of each byte below `limit`, and maybe of some after the first such one.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & TOPS;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quotes = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslashes = below(word ^ (ONES * u64::from(b'\\')), 1);
        let special = quotes | backslashes | below(word, 0x20);
        if special != 0 {
            let first = special.trailing_zeros() / 8;
            return plain + usize::try_from(first).unwrap_or_default();
        }
        plain += 8;
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..0x20);
    plain + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_bytes_are_counted_right(bytes in "[\\x00-\\x23\\x5b-\\x5d\\x7f-\u{81}]{0,3}[ -~\u{e9}]{0,30}") {
            let bytes = bytes.as_bytes();
            let want = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            prop_assert_eq!(plain_bytes(bytes), want.unwrap_or(bytes.len()));
        }
    }
}
