//! Values inside a delta, once the scanner has been over them.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{DeltaError, Field, JsonKind, scan::Cursor};
use crate::model::{LabelPairs, Quoted};

/// Adds an object of strings to `labels`; nothing for `null`.
pub(super) fn decode_labels<'a>(
    field: Field,
    value: Value<'a>,
    labels: &mut LabelPairs<'a>,
) -> Result<(), DeltaError> {
    match value.kind() {
        Some(JsonKind::Object) => {
            for (name, value) in value.members() {
                match value.kind() {
                    Some(JsonKind::String) => labels.push((name, value.text())),
                    None => labels.push((name, Cow::Borrowed(""))),
                    Some(found) => return Err(DeltaError::WrongType { field, found }),
                }
            }
            Ok(())
        }
        // PHP writes an empty array for an empty map.
        Some(JsonKind::Array) if value.elements().next().is_none() => Ok(()),
        None => Ok(()),
        Some(found) => Err(DeltaError::WrongType { field, found }),
    }
}

/// An array of numbers, each given, or `None` for `null`.
pub(super) fn decode_numbers(
    field: Field,
    value: Value<'_>,
) -> Result<Option<SmallVec<[f64; 1]>>, DeltaError> {
    match value.kind() {
        Some(JsonKind::Array) => {
            let numbers = value.elements().map(|element| {
                match element.kind() {
                    Some(JsonKind::Number) | None => {}
                    Some(found) => return Err(DeltaError::WrongElement { field, found }),
                }
                decode_number(field, element)?.ok_or(DeltaError::NullElement(field))
            });
            numbers.collect::<Result<_, _>>().map(Some)
        }
        None => Ok(None),
        Some(found) => Err(DeltaError::WrongType { field, found }),
    }
}

/// A number, or `None` for `null`. Too small a number is 0, as in Go; too large a one is refused.
pub(super) fn decode_number(field: Field, value: Value<'_>) -> Result<Option<f64>, DeltaError> {
    match value.kind() {
        Some(JsonKind::Number) => {
            let literal = String::from_utf8_lossy(value.0);
            match literal.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                Ok(_) | Err(_) => {
                    Err(DeltaError::OutOfRange { field, literal: Quoted::new(&literal) })
                }
            }
        }
        None => Ok(None),
        Some(found) => Err(DeltaError::WrongType { field, found }),
    }
}

/// The text of one value that the scanner has been over, without space around it.
#[derive(Clone, Copy)]
pub(super) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// What lies between two places that [`Cursor::skip_value`] has led from one to the other.
    pub(super) fn new(end: &Cursor<'a>, start: &Cursor<'a>) -> Self {
        Self(end.since(start))
    }

    /// Its text.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is `true`.
    pub(super) fn is_true(self) -> bool {
        self.0 == b"true"
    }

    /// Its type, `None` for `null`.
    pub(super) fn kind(self) -> Option<JsonKind> {
        match self.0.first()? {
            b'{' => Some(JsonKind::Object),
            b'[' => Some(JsonKind::Array),
            b'"' => Some(JsonKind::String),
            b't' | b'f' => Some(JsonKind::Bool),
            b'n' => None,
            _ => Some(JsonKind::Number),
        }
    }

    /// The keys and values of an object.
    pub(super) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let mut parts = self.parts();
        std::iter::from_fn(move || Some((parts.next()?.text(), parts.next()?)))
    }

    /// The elements of an array.
    pub(super) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.parts()
    }

    /// The values directly inside an object or array, keys among them.
    fn parts(self) -> impl Iterator<Item = Value<'a>> {
        let mut cursor = Cursor::new(self.0);
        cursor.step();
        std::iter::from_fn(move || {
            cursor.skip_space();
            while matches!(cursor.peek(), Some(b',' | b':')) {
                cursor.step();
                cursor.skip_space();
            }
            let start = cursor;
            // The closing bracket is no value; nothing else can fail, the scanner has been here.
            cursor.skip_value(0).ok()?;
            Some(Value(cursor.since(&start)))
        })
    }

    /// The characters of a string.
    pub(super) fn text(self) -> Cow<'a, str> {
        let inner = self.0.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        let inner = inner.unwrap_or_default();
        match std::str::from_utf8(inner) {
            Ok(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
            Ok(_) | Err(_) => Cow::Owned(unescape(inner)),
        }
    }
}

/// Resolves escapes; every invalid byte and every half of a surrogate pair becomes one U+FFFD.
pub(super) fn unescape(inner: &[u8]) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut pieces = inner.split(|&byte| byte == b'\\');
    push_utf8(&mut text, pieces.next().unwrap_or_default());
    let mut high_surrogate: Option<u32> = None;
    while let Some(piece) = pieces.next() {
        let (escape, mut rest) = piece.split_first().unwrap_or((&b'\\', &[]));
        let mut unit = None;
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let (digits, after) = rest.split_at_checked(4).unwrap_or((rest, &[]));
                rest = after;
                unit = Some(hex(digits));
            }
            // An empty piece: the backslash that split it off was escaped by the one before, and what
            // follows up to the next one is plain.
            _ if piece.is_empty() => {
                text.push('\\');
                rest = pieces.next().unwrap_or_default();
            }
            literal => text.push(char::from(*literal)),
        }
        if let Some(unit) = unit {
            push_unit(&mut text, unit, high_surrogate);
        }
        // A high half waits for the low half that follows it directly.
        high_surrogate = unit.filter(|unit| rest.is_empty() && is_high(*unit));
        push_utf8(&mut text, rest);
    }
    text
}

/// Appends one UTF-16 unit. A high half has been written as U+FFFD when its low half comes; together
/// they replace it.
fn push_unit(text: &mut String, unit: u32, high_surrogate: Option<u32>) {
    match (high_surrogate, char::from_u32(unit)) {
        (Some(high), None) if !is_high(unit) => {
            text.pop();
            let code = 0x1_0000 + ((high & 0x3ff) << 10) + (unit & 0x3ff);
            text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        (_, Some(character)) => text.push(character),
        (_, None) => text.push(char::REPLACEMENT_CHARACTER),
    }
}

fn is_high(unit: u32) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn hex(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |code, &digit| (code << 4) | char::from(digit).to_digit(16).unwrap_or_default())
}

fn push_utf8(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
