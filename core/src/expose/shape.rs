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

impl Escaping {
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
