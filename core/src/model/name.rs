//! Names of metrics and labels, as the Prometheus data model restricts them.

use std::borrow::Cow;

use super::Quoted;
use crate::limits::{LABEL_NAME_BYTES_MAX, METRIC_NAME_BYTES_MAX, NameScheme, OVERFLOW_LABEL};

/// A metric name of at most [`METRIC_NAME_BYTES_MAX`] bytes: `[a-zA-Z_:][a-zA-Z0-9_:]*`, or any text but
/// none where the scheme is that of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName<'a>(Cow<'a, str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A metric name with a character outside its alphabet, or none at all.
    #[error(
        "metric name {0} is invalid: use letters, digits, underscores and colons, no digit first"
    )]
    Metric(Quoted),
    /// No name of a metric or label at all.
    #[error("a name is empty: metrics and labels need one")]
    Empty,
    /// A metric name over its limit.
    #[error(
        "metric name {name} is {bytes} bytes long; the limit is {METRIC_NAME_BYTES_MAX}: shorten it"
    )]
    MetricTooLong {
        /// The start of the name.
        name: Quoted,
        /// Its length.
        bytes: usize,
    },
    /// A label name with a character outside its alphabet, or none at all.
    #[error("label name {0} is invalid: use letters, digits and underscores, no digit first")]
    Label(Quoted),
    /// A label name that starts with two underscores.
    #[error("label name {0} is reserved for Prometheus: start it with at most one underscore")]
    LabelReserved(Quoted),
    /// The label of overflow series.
    #[error("label name {OVERFLOW_LABEL} is pushprom's own: rename yours")]
    LabelOwn,
    /// A label that becomes that one for scrapers who take no names in UTF-8.
    #[error(
        "label name {0} shows as {OVERFLOW_LABEL} where names are escaped, which is pushprom's own: \
         rename yours"
    )]
    LabelAsOwn(Quoted),
    /// A label name over its limit.
    #[error(
        "label name {name} is {bytes} bytes long; the limit is {LABEL_NAME_BYTES_MAX}: shorten it"
    )]
    LabelTooLong {
        /// The start of the name.
        name: Quoted,
        /// Its length.
        bytes: usize,
    },
}

impl<'a> MetricName<'a> {
    /// Checks `text`.
    pub fn new(text: Cow<'a, str>, scheme: NameScheme) -> Result<Self, NameError> {
        if text.len() > METRIC_NAME_BYTES_MAX {
            return Err(NameError::MetricTooLong { name: Quoted::new(&text), bytes: text.len() });
        }
        match scheme {
            NameScheme::Legacy if !is_legacy_metric_name(&text) => {
                return Err(NameError::Metric(Quoted::new(&text)));
            }
            NameScheme::Utf8 if text.is_empty() => return Err(NameError::Empty),
            NameScheme::Legacy | NameScheme::Utf8 => {}
        }
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses what is no label name of at most [`LABEL_NAME_BYTES_MAX`] bytes, not starting with `__`:
/// `[a-zA-Z_][a-zA-Z0-9_]*`, or any text but none where the scheme is that of UTF-8.
pub(super) fn check_label_name(text: &str, scheme: NameScheme) -> Result<(), NameError> {
    if text.len() > LABEL_NAME_BYTES_MAX {
        return Err(NameError::LabelTooLong { name: Quoted::new(text), bytes: text.len() });
    }
    match scheme {
        NameScheme::Legacy if !is_legacy_label_name(text) => {
            return Err(NameError::Label(Quoted::new(text)));
        }
        NameScheme::Utf8 if text.is_empty() => return Err(NameError::Empty),
        NameScheme::Legacy | NameScheme::Utf8 => {}
    }
    if text.starts_with("__") {
        return Err(NameError::LabelReserved(Quoted::new(text)));
    }
    if text == OVERFLOW_LABEL {
        return Err(NameError::LabelOwn);
    }
    if scheme == NameScheme::Utf8 && shows_as_own(text) {
        return Err(NameError::LabelAsOwn(Quoted::new(text)));
    }
    Ok(())
}

/// Whether a label name is that of overflow series once what is not legal in it has become underscores. The other
/// ways to escape names make that of no other. It is asked of each delta that is read; most names differ at once.
fn shows_as_own(text: &str) -> bool {
    let legal = |character: char| character.is_ascii_alphanumeric();
    text.chars().map(|it| if legal(it) { it } else { '_' }).eq(OVERFLOW_LABEL.chars())
}

/// Whether a metric name is one of those that all of Prometheus knows.
pub fn is_legacy_metric_name(text: &str) -> bool {
    is_word(text, |byte| is_name_byte(byte) || byte == b':')
}

/// Whether a label name is one of those that all of Prometheus knows.
pub fn is_legacy_label_name(text: &str) -> bool {
    is_word(text, is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether `text` is not empty, starts with no digit and holds only bytes of its alphabet.
fn is_word(text: &str, in_alphabet: impl Fn(u8) -> bool) -> bool {
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && text.bytes().all(in_alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_metric(text: &str, want: Result<(), &str>) {
        let got = MetricName::new(text.into(), NameScheme::Legacy)
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "metric name {text:?}");
    }

    #[track_caller]
    fn check_label(text: &str, want: Result<(), &str>) {
        let got = check_label_name(text, NameScheme::Legacy).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "label name {text:?}");
    }

    #[test]
    fn metric_names() {
        for good in ["a", "_", ":", "a:b_C9", "__x"] {
            check_metric(good, Ok(()));
        }
        let remedy = "is invalid: use letters, digits, underscores and colons, no digit first";
        for bad in ["", "9a", "a-b", "a b", "\u{e9}", "a\n"] {
            let want = format!("metric name {} {remedy}", Quoted::new(bad));
            check_metric(bad, Err(&want));
        }
        check_metric(&"n".repeat(METRIC_NAME_BYTES_MAX), Ok(()));
        check_metric(
            &"n".repeat(METRIC_NAME_BYTES_MAX + 1),
            Err(&format!(
                "metric name \"{}...\" is 513 bytes long; the limit is 512: shorten it",
                "n".repeat(64)
            )),
        );
    }

    #[test]
    fn no_label_shows_as_that_of_overflow_series() {
        for (text, scheme, want) in [
            ("pushprom_overflow", NameScheme::Legacy, Err(NameError::LabelOwn)),
            ("pushprom_overflow", NameScheme::Utf8, Err(NameError::LabelOwn)),
            ("pushprom_overflows", NameScheme::Utf8, Ok(())),
            ("pushprom.overflo", NameScheme::Utf8, Ok(())),
            ("pushprom..overflow", NameScheme::Utf8, Ok(())),
            ("pushprom_dot_overflow", NameScheme::Utf8, Ok(())),
        ] {
            assert_eq!(check_label_name(text, scheme), want, "{text}");
        }
        for text in ["pushprom.overflow", "pushprom overflow", "pushprom\u{e9}overflow"] {
            let want = Err(NameError::LabelAsOwn(Quoted::new(text)));
            assert_eq!(check_label_name(text, NameScheme::Utf8), want, "{text}");
        }
    }

    #[test]
    fn label_names() {
        for good in ["a", "_", "_a", "a__b", "A9"] {
            check_label(good, Ok(()));
        }
        for bad in ["", "9", "a:b", "a-b", "\u{17f}"] {
            let want = format!(
                "label name {} is invalid: use letters, digits and underscores, no digit first",
                Quoted::new(bad)
            );
            check_label(bad, Err(&want));
        }
        check_label(
            "__name__",
            Err("label name \"__name__\" is reserved for Prometheus: start it with at most one \
                 underscore"),
        );
    }
}
