//! One observation that stands for others, with labels that lead to its trace.

use super::{LabelError, LabelSet, Labels, Quoted, Timestamp, whole};
use crate::limits::EXEMPLAR_CHARS_MAX;

/// An exemplar, as `OpenMetrics` 1.0.0 has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    labels: LabelSet,
    /// What was observed or added.
    pub value: f64,
    /// When, if the client says so.
    pub timestamp: Option<Timestamp>,
}

/// Why parts are no exemplar.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExemplarError {
    /// Its labels are none.
    #[error("exemplar: {0}")]
    Label(#[from] LabelError),
    /// It was observed at no time that can be.
    #[error("timestamp {0:?} of the exemplar is out of range: use seconds since 1970")]
    Timestamp(f64),
    /// It has no value, and there are several that could be meant, or none.
    #[error("the exemplar has no value: give it the one that it stands for")]
    NoValue,
    /// Its labels are longer than `OpenMetrics` allows.
    #[error(
        "the labels of the exemplar, {start} and so on, have {chars} characters; the limit is \
         {EXEMPLAR_CHARS_MAX}: keep to an id of the trace"
    )]
    TooLong {
        /// The first name.
        start: Quoted,
        /// The length of all names and values.
        chars: usize,
    },
}

impl Exemplar {
    /// Checks the length of `labels`. `seconds` since 1970 say when, to the millisecond.
    pub fn new(
        labels: &Labels<'_>,
        value: f64,
        seconds: Option<f64>,
    ) -> Result<Self, ExemplarError> {
        let timestamp = seconds.map(timestamp).transpose()?;
        let chars = chars(labels.iter());
        if chars > EXEMPLAR_CHARS_MAX {
            let start = labels.iter().next().map(|(name, _)| name).unwrap_or_default();
            return Err(ExemplarError::TooLong { start: Quoted::new(start), chars });
        }
        Ok(Self { labels: labels.into(), value, timestamp })
    }

    /// The same, at `now` if the client does not say when.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { timestamp: self.timestamp.or(Some(now)), ..self.clone() }
    }

    /// The same with other labels, unless these are too long.
    pub fn with_labels(&self, labels: LabelSet) -> Option<Self> {
        let fits = chars(labels.iter()) <= EXEMPLAR_CHARS_MAX;
        fits.then(|| Self { labels, ..self.clone() })
    }

    /// Its labels, which are none of its series'.
    pub const fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

/// Characters of names and values.
fn chars<T: AsRef<str>>(labels: impl Iterator<Item = (T, T)>) -> usize {
    let count = |text: T| text.as_ref().chars().count();
    labels.map(|(name, value)| count(name) + count(value)).sum()
}

/// Seconds in ten thousand years.
const SECONDS_MAX: f64 = 315_360_000_000.0;

fn timestamp(seconds: f64) -> Result<Timestamp, ExemplarError> {
    let milliseconds = whole((seconds * 1000.0).round()).filter(|_| seconds < SECONDS_MAX);
    milliseconds.map(Timestamp).ok_or(ExemplarError::Timestamp(seconds))
}
