//! The state of a registry, and what was answered, as a store keeps it: one record for each fact, in bytes.
//!
//! A record says what holds from then on; of two about the same thing the later one holds. So replaying records
//! in the order they were written leads to the state that the last of them describes, and replaying some twice
//! changes nothing.
//!
//! Layout: that of [postcard] 1, which is stable; `docs/storage.md` has the tables. A variant is never changed:
//! what has to say more becomes a new one at the end, so that what an older release wrote stays readable. The same
//! types read and write JSON, for export.
//!
//! [postcard]: https://postcard.jamesmunns.com/wire-format

use std::{borrow::Cow, iter, mem};

use serde::{Deserialize, Serialize};

use crate::model::Kind;

mod answer;
mod float;
mod value;

pub use answer::{AnswerRecord, RefusedRecord};
pub use float::Float;
pub use value::{BucketRecord, ExponentialRecord, SliceRecord, ValueRecord};

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record<'a> {
    /// There is such a family.
    #[serde(borrow)]
    Family(FamilyRecord<'a>),
    /// There is such a series, in a family that an earlier record is about.
    #[serde(borrow)]
    Series(SeriesRecord<'a>),
    /// What a series holds, that an earlier record is about.
    #[serde(borrow)]
    State(StateRecord<'a>),
    /// A series has been removed.
    SeriesGone {
        /// Its number.
        id: u64,
    },
    /// A family has been removed, after all its series.
    FamilyGone {
        /// Its number.
        id: u64,
    },
    /// A message that came with a key has been answered.
    #[serde(borrow)]
    Answer(AnswerRecord<'a>),
}

/// What all series of one name share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyRecord<'a> {
    /// Its number: of this one alone, for ever.
    pub id: u64,
    /// The metric name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The help text.
    #[serde(borrow)]
    pub help: Cow<'a, str>,
    /// The label names of the first delta, comma-separated, sorted.
    #[serde(borrow)]
    pub label_names: Cow<'a, str>,
    /// Its kind, and how its series are kept.
    pub form: FormRecord,
}

/// A kind, and how its series are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormRecord {
    /// Totals.
    Counter,
    /// Levels.
    Gauge,
    /// Observations in buckets.
    Histogram {
        /// The bounds of the classic buckets without `+Inf`; none if there are no classic buckets.
        bounds: Option<Vec<Float>>,
        /// The schema to begin with and the most buckets, of native ones.
        native: Option<(i8, u16)>,
    },
    /// Observations summed up.
    Summary {
        /// The quantiles that are shown.
        quantiles: Vec<Float>,
    },
}

impl FormRecord {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Counter => Kind::Counter,
            Self::Gauge => Kind::Gauge,
            Self::Histogram { .. } => Kind::Histogram,
            Self::Summary { .. } => Kind::Summary,
        }
    }
}

/// What never changes of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesRecord<'a> {
    /// Its number: of this one alone, for ever.
    pub id: u64,
    /// The number of its family.
    pub family: u64,
    /// Its labels in the order of their names.
    #[serde(borrow)]
    pub labels: Vec<LabelRecord<'a>>,
    /// When it was born, in milliseconds since 1970.
    pub born: u64,
    /// Whether it takes what would be series too many.
    pub is_overflow: bool,
    /// Who began it, if there was a limit of series for each client then.
    #[serde(borrow)]
    pub client: Option<ClientRecord<'a>>,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelRecord<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its value.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
}

/// Who began a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientRecord<'a> {
    /// An IPv6 address or network as a number; of IPv4 the mapped one.
    Address(u128),
    /// A principal, by name.
    #[serde(borrow)]
    Principal(Cow<'a, str>),
    /// Whoever reaches the unix sockets.
    Unix,
    /// A user of HTTP, by name.
    #[serde(borrow)]
    User(Cow<'a, str>),
}

/// What a series holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateRecord<'a> {
    /// The number of the series.
    pub id: u64,
    /// When the last delta came, in seconds since 1970.
    pub touched: u32,
    /// What it holds.
    pub value: ValueRecord,
    /// Exemplars that are kept.
    #[serde(borrow)]
    pub exemplars: Vec<ExemplarRecord<'a>>,
}

/// An exemplar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemplarRecord<'a> {
    /// The place of its bucket.
    pub bucket: u32,
    /// Its labels.
    #[serde(borrow)]
    pub labels: Vec<LabelRecord<'a>>,
    /// What was observed or added.
    pub value: Float,
    /// When, in milliseconds since 1970.
    pub timestamp: Option<u64>,
}

/// Bytes that are no record, or hold more than one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARecord(postcard::Error);

impl<'a> Record<'a> {
    /// Appends it to `bytes`.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        match postcard::to_extend(self, mem::take(bytes)) {
            Ok(extended) => *bytes = extended,
            Err(error) => debug_assert!(false, "a vector takes everything: {error}"),
        }
    }

    /// Takes the first one from the start of `bytes`, and what is left.
    pub fn read_from(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), NotARecord> {
        postcard::take_from_bytes(bytes).map_err(NotARecord)
    }

    /// All that stand in `bytes`; the first that is none ends them.
    pub fn all_in(bytes: &'a [u8]) -> impl Iterator<Item = Result<Self, NotARecord>> {
        let mut rest = bytes;
        iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let taken = Record::read_from(rest);
            rest = taken.as_ref().map(|(_, rest)| *rest).unwrap_or_default();
            Some(taken.map(|(record, _)| record))
        })
    }
}
