//! The wire format of the original: JSON objects, alone, in an array, or one after another.
//!
//! It reads what Go's `encoding/json` reads, quirks included, because old clients lean on them: keys in
//! any case, later duplicates win, `labels` given twice merge, `null` is "not given", a lone surrogate
//! and every invalid byte become U+FFFD.
//!
//! There are two paths. [`decode_fast`] takes what well-behaved clients send, in one pass, and gives up at
//! anything unusual. [`decode_exact`] decides every leniency and every error. Whatever the fast path
//! takes, the exact path takes with the same result: the property test below and the fuzz target
//! `json_fast` hold them to it.
//!
//! A message may also be an envelope ([`open_envelope`]), which gives its deltas a key; what is in it is read as
//! any message.
//!
//! Who remembers deltas by their text need not have them decoded again: [`decode_recalling`] asks at
//! each, and [`Outliner`] finds their pieces.

mod envelope;
mod exact;
mod fast;
mod fields;
mod more;
mod outline;
mod recipe;
mod scan;
mod value;

pub use envelope::{Envelope, EnvelopeError, open as open_envelope};
pub use outline::{OUTLINE_BYTES_MAX, Outline, Outliner};
pub use recipe::Recipe;

use std::convert::Infallible;

use smallvec::SmallVec;

use super::Message;
use crate::{
    limits::{DELTAS_PER_MESSAGE_MAX, Limits, NESTING_MAX, TIMES_MAX},
    model::{Delta, InvalidDelta, Kind, Quoted},
};

/// A decoded JSON message.
pub type JsonMessage<'a> = Message<'a, DeltaError, MessageError>;

/// Why a message, or the rest of one, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It holds no delta.
    #[error("the message holds no delta: send a JSON object with type, name, help, method")]
    Empty,
    /// It is longer than it may be.
    #[error("the message is {bytes} bytes long; the limit is {limit}: send fewer deltas at once")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// It holds more deltas than it may.
    #[error("more than {DELTAS_PER_MESSAGE_MAX} deltas in one message: split it")]
    TooManyDeltas,
    /// It is no JSON.
    #[error("not JSON at byte {at}: {problem}")]
    Syntax {
        /// Offset from the start of the message.
        at: usize,
        /// What is wrong there.
        problem: SyntaxProblem,
    },
    /// It is an envelope that cannot be opened.
    #[error(transparent)]
    Envelope(EnvelopeError),
}

/// What is wrong at a byte of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxProblem {
    /// The message ends inside a value.
    #[error("the message ends inside a value")]
    UnexpectedEnd,
    /// A byte that cannot stand there.
    #[error("found {}, expected {wanted}", byte_text(*.found))]
    Unexpected {
        /// The byte.
        found: u8,
        /// What could have stood there.
        wanted: &'static str,
    },
    /// Too many levels.
    #[error("more than {NESTING_MAX} levels of nesting")]
    TooDeep,
}

/// Why one delta of a message is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeltaError {
    /// The value is no object.
    #[error("a delta is a JSON object, not {found}")]
    NotAnObject {
        /// What stands there instead.
        found: JsonKind,
    },
    /// A field has a value of the wrong type.
    #[error("field {field} is {found}; it has to be {}", .field.wanted())]
    WrongType {
        /// The field, or the one that the value stands in.
        field: Field,
        /// What stands there instead.
        found: JsonKind,
    },
    /// A number beyond the range of a 64-bit float.
    #[error("field {field}: number {literal} is beyond the range of a 64-bit float")]
    OutOfRange {
        /// The field, or the one that the number stands in.
        field: Field,
        /// The number as written.
        literal: Quoted,
    },
    /// A type that is none.
    #[error("type {0} is unknown; use counter, gauge, histogram or summary")]
    UnknownType(Quoted),
    /// A method that the type does not have.
    #[error("method {method} is unknown for a {kind}; use {}", recipe::methods(*.kind))]
    UnknownMethod {
        /// The type.
        kind: Kind,
        /// The method.
        method: Quoted,
    },
    /// A field that the method does not have.
    #[error("field {field} means nothing for {method} of a {kind}: leave it out")]
    Misplaced {
        /// The field.
        field: Field,
        /// The type.
        kind: Kind,
        /// The method.
        method: Quoted,
    },
    /// A member of a field that has the wrong type.
    #[error("field {field}: {member} is {found}; it has to be {wanted}")]
    WrongMember {
        /// The field.
        field: Field,
        /// The key of the member.
        member: Quoted,
        /// What stands there instead.
        found: JsonKind,
        /// What should.
        wanted: &'static str,
    },
    /// A member that the field does not have.
    #[error("field {field} has no member {member}: it is {}", .field.wanted())]
    UnknownMember {
        /// The field.
        field: Field,
        /// The key of the member.
        member: Quoted,
    },
    /// Something else than a number in an array of observations or counts.
    #[error("field {field} has an element that is {found}: use numbers")]
    WrongElement {
        /// The field.
        field: Field,
        /// What stands there instead.
        found: JsonKind,
    },
    /// `null` in an array of observations or counts.
    #[error("field {0} has an element that is null: leave it out")]
    NullElement(Field),
    /// A count that is none.
    #[error("counts has an element {0:?}; use whole numbers from 0 to {TIMES_MAX}")]
    NoCount(f64),
    /// Counts without a sum.
    #[error("field counts comes without sum: send the sum of what is counted too")]
    NoSum,
    /// Both an array of observations and counts.
    #[error(
        "field value comes with counts: send what was observed, or how much of it is in each bucket"
    )]
    ValueAndCounts,
    /// A sum of nothing.
    #[error("field sum is {0:?}, but counts are all 0: what was not observed has no sum")]
    SumOfNothing(f64),
    /// Counts for native buckets.
    #[error("field counts comes with native: send what was observed, or buckets without native")]
    NativeAndCounts,
    /// The parts make no delta.
    #[error(transparent)]
    Invalid(#[from] InvalidDelta),
}

/// The fields of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `type`, a string.
    Type,
    /// `name`, a string.
    Name,
    /// `help`, a string.
    Help,
    /// `method`, a string.
    Method,
    /// `value`, a number, or an array of numbers.
    Value,
    /// `labels`, an object of strings.
    Labels,
    /// `buckets`, an array of numbers.
    Buckets,
    /// `count`, a number.
    Count,
    /// `counts`, an array of numbers.
    Counts,
    /// `sum`, a number.
    Sum,
    /// `native`, true or an object.
    Native,
    /// `objectives`, an object of numbers.
    Objectives,
    /// `exemplar`, an object.
    Exemplar,
}

/// The types of JSON values, `null` left out: it is always taken for "not given".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// What is known of the delta that a text begins with.
#[derive(Clone, Debug)]
pub enum Recall<H, M> {
    /// The text has come before, whole, and was a delta.
    Hit {
        /// What it was.
        item: H,
        /// Its length.
        bytes: usize,
    },
    /// Nothing; with a note that comes back with the delta.
    Miss(M),
}

/// One delta of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a, H, M> {
    /// It was known.
    Recalled(H),
    /// It was not.
    Read(Box<Reading<'a>>, M),
}

/// The deltas of a message; most have one.
pub type Items<'a, H, M> = SmallVec<[Item<'a, H, M>; 1]>;

/// What a delta was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<'a> {
    /// The delta, or why it is none.
    pub delta: Result<Delta<'a>, DeltaError>,
    /// Its text.
    pub text: &'a [u8],
    /// What it does with its number.
    pub recipe: Option<Recipe>,
    /// Where in the text the number stands that it has: from, and to before. `None` if it has none.
    pub number_at: Option<(usize, usize)>,
}

/// Decodes a message: by the fast path if that takes it, else by the exact one.
pub fn decode<'a>(message: &'a [u8], limits: &Limits) -> JsonMessage<'a> {
    decode_fast(message, limits).unwrap_or_else(|| decode_exact(message, limits))
}

/// Decodes a message of the usual kind: valid UTF-8, known fields of the right types, no nesting beyond
/// theirs. `None` says nothing about the message but that [`decode_exact`] has to look at it.
pub fn decode_fast<'a>(message: &'a [u8], limits: &Limits) -> Option<JsonMessage<'a>> {
    let items = decode_recalling(message, limits, |_| Recall::<Infallible, ()>::Miss(()))?;
    let deltas = items.into_iter().map(|item| match item {
        Item::Read(reading, ()) => reading.delta,
        Item::Recalled(never) => match never {},
    });
    Some(Message { deltas: deltas.collect(), broken: None })
}

/// Decodes a message as [`decode_fast`] does, but for the deltas that `recall` knows. It is asked with the
/// message from the start of each delta on.
pub fn decode_recalling<'a, H, M>(
    message: &'a [u8],
    limits: &Limits,
    recall: impl FnMut(&'a [u8]) -> Recall<H, M>,
) -> Option<Items<'a, H, M>> {
    if message.len() > limits.message_bytes {
        return None;
    }
    fast::decode(message, limits.names, recall)
}

/// Decodes any message. What this says holds.
pub fn decode_exact<'a>(message: &'a [u8], limits: &Limits) -> JsonMessage<'a> {
    if message.len() > limits.message_bytes {
        let too_long = MessageError::TooLong { bytes: message.len(), limit: limits.message_bytes };
        return Message { deltas: Vec::new(), broken: Some(too_long) };
    }
    exact::decode(message, limits.names)
}

impl Field {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Name => "name",
            Self::Help => "help",
            Self::Method => "method",
            Self::Value => "value",
            Self::Labels => "labels",
            Self::Buckets => "buckets",
            Self::Count => "count",
            Self::Counts => "counts",
            Self::Sum => "sum",
            Self::Native => "native",
            Self::Objectives => "objectives",
            Self::Exemplar => "exemplar",
        }
    }

    const fn wanted(self) -> &'static str {
        match self {
            Self::Type | Self::Name | Self::Help | Self::Method => "a string",
            Self::Value => "a number, or for observe an array of numbers",
            Self::Count | Self::Sum => "a number",
            Self::Labels => "an object of strings",
            Self::Buckets | Self::Counts => "an array of numbers",
            Self::Native => "true, or an object of numbers: schema, max_buckets",
            Self::Objectives => "an object of numbers",
            Self::Exemplar => "an object of labels (strings), value, timestamp (numbers)",
        }
    }

    /// The field that `key` names in its documented spelling.
    fn from_plain_key(key: &str) -> Option<Self> {
        Some(match key {
            "type" => Self::Type,
            "name" => Self::Name,
            "help" => Self::Help,
            "method" => Self::Method,
            "value" => Self::Value,
            "labels" => Self::Labels,
            "buckets" => Self::Buckets,
            "count" => Self::Count,
            "counts" => Self::Counts,
            "sum" => Self::Sum,
            "native" => Self::Native,
            "objectives" => Self::Objectives,
            "exemplar" => Self::Exemplar,
            _ => return None,
        })
    }

    /// The field that `key` names: in any case, and by Go's folding also with U+017F for s and U+212A
    /// for k.
    fn from_key(key: &str) -> Option<Self> {
        let fold = |c: char| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        };
        Self::from_plain_key(key)
            .or_else(|| Self::from_plain_key(&key.chars().map(fold).collect::<String>()))
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl JsonKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl std::fmt::Display for JsonKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A byte of client text, safe to show.
fn byte_text(byte: u8) -> String {
    if byte.is_ascii() {
        format!("'{}'", char::from(byte).escape_default())
    } else {
        format!("byte {byte:#04x}")
    }
}

#[cfg(test)]
mod tests;
