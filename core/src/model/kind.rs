//! The four kinds of metric.

use std::fmt;

/// What a family is; the `# TYPE` of its exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A total that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations sorted into buckets.
    Histogram,
    /// Observations as a sum and a count.
    Summary,
}

impl Kind {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 4] = [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary];

    /// The word of the wire and of `# TYPE`: lower case, compared exactly.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn place(self) -> usize {
        match self {
            Self::Counter => 0,
            Self::Gauge => 1,
            Self::Histogram => 2,
            Self::Summary => 3,
        }
    }

    /// The kind that a word of the wire names.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "summary" => Self::Summary,
            _ => return None,
        })
    }

    /// What a family of this kind appends to its name for its samples. A family `h` of a kind with the
    /// suffix `_count` also owns the sample name `h_count`.
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge => &[],
            Self::Histogram => &["_bucket", "_sum", "_count"],
            Self::Summary => &["_sum", "_count"],
        }
    }

    /// The label that the exposition itself writes on samples of this kind; a client may not.
    pub const fn own_label(self) -> Option<&'static str> {
        match self {
            Self::Counter | Self::Gauge => None,
            Self::Histogram => Some("le"),
            Self::Summary => Some("quantile"),
        }
    }
}

/// The family whose sample names a family `name` of kind `kind` would share, of those that `kind_of`
/// knows besides `name` itself. A histogram `h` and any family `h_count` collide, whichever came first.
pub fn collision(name: &str, kind: Kind, kind_of: impl Fn(&str) -> Option<Kind>) -> Option<String> {
    let suffixed = kind.suffixes().iter().map(|suffix| format!("{name}{suffix}"));
    let claimed = suffixed.into_iter().find(|sample| kind_of(sample).is_some());
    claimed.or_else(|| {
        Kind::ALL.into_iter().flat_map(Kind::suffixes).find_map(|suffix| {
            let owner = name.strip_suffix(suffix)?;
            kind_of(owner)?.suffixes().contains(suffix).then(|| owner.to_owned())
        })
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
