//! The shapes that a page can have: its format, what becomes of names that not all of Prometheus knows, and
//! how it is packed.

use std::fmt;

/// An exposition format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// The Prometheus text format 0.0.4, in the layout of the original to the byte.
    #[default]
    TextV0,
    /// The Prometheus text format 1.0.0: the same, but that names may be quoted.
    TextV1,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    Protobuf,
}

/// What becomes of names outside `[a-zA-Z_:][a-zA-Z0-9_:]*` (Prometheus 3, "Content negotiation").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Escaping {
    /// They stay as they are, in quotes where the format is text.
    AllowUtf8,
    /// Each such character becomes an underscore.
    #[default]
    Underscores,
    /// Dots become `_dot_`, underscores are doubled, the rest becomes two underscores.
    Dots,
    /// `U__`, and then each such character as its code between underscores.
    Values,
}

/// How a page is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Coding {
    /// Not at all.
    #[default]
    Identity,
    /// As gzip.
    Gzip,
    /// As zstd.
    Zstd,
}

/// All that is negotiated of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// The format.
    pub format: Format,
    /// What becomes of names.
    pub escaping: Escaping,
    /// How it is packed.
    pub coding: Coding,
}

/// The content type of a literal, by the escaping that it is to name.
macro_rules! content_type {
    ($format:literal, $named:expr) => {
        match $named {
            None => $format,
            Some(Escaping::AllowUtf8) => concat!($format, "; escaping=allow-utf-8"),
            Some(Escaping::Underscores) => concat!($format, "; escaping=underscores"),
            Some(Escaping::Dots) => concat!($format, "; escaping=dots"),
            Some(Escaping::Values) => concat!($format, "; escaping=values"),
        }
    };
}

impl Format {
    /// The `Content-Type` of a page for a scraper that named an escaping, or none. Of none nothing is said,
    /// as before there were any, but in the format that is never without.
    pub const fn content_type(self, named: Option<Escaping>) -> &'static str {
        match self {
            Self::TextV0 => content_type!("text/plain; version=0.0.4; charset=utf-8", named),
            Self::TextV1 => {
                let named = match named {
                    None => Some(Escaping::Underscores),
                    Some(_) => named,
                };
                content_type!("text/plain; version=1.0.0; charset=utf-8", named)
            }
            Self::OpenMetrics => {
                content_type!("application/openmetrics-text; version=1.0.0; charset=utf-8", named)
            }
            Self::Protobuf => content_type!(
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited",
                named
            ),
        }
    }
}

impl Shape {
    /// The shape of the same page where all names are legacy ones, which no escaping changes: scrapers that
    /// ask for different ones can share it.
    #[must_use]
    pub fn of_legacy_names(self) -> Self {
        Self { escaping: Escaping::default(), ..self }
    }
}

impl Escaping {
    /// The escaping that a word of `Accept` names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values]
            .into_iter()
            .find(|escaping| escaping.as_str() == word)
    }

    /// The word of `Accept` and `Content-Type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}

impl Coding {
    /// The word of `Accept-Encoding` and `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Escaping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
