//! How much of anything one message may bring. Nothing here is unbounded.
//!
//! The defaults lie above everything that the recorded cases of the original accept, so that an old
//! client meets none of them.

/// Bytes of one HTTP body.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of the payload of one UDP datagram: 65,535 less 8 of UDP header over IPv6, and 20 less for the
/// IP header over IPv4 (RFC 768, RFC 791, RFC 8200).
pub const DATAGRAM_BYTES_MAX: usize = 65_527;

/// Deltas in one message.
pub const DELTAS_PER_MESSAGE_MAX: usize = 10_000;

/// Levels of nesting of one message: the limit of the original's decoder.
pub const NESTING_MAX: usize = 10_000;

/// Bytes of a metric name.
pub const METRIC_NAME_BYTES_MAX: usize = 512;

/// Bytes of a help text.
pub const HELP_BYTES_MAX: usize = 8 * 1024;

/// Labels of one series.
pub const LABELS_PER_SERIES_MAX: usize = 64;

/// Bytes of a label name.
pub const LABEL_NAME_BYTES_MAX: usize = 256;

/// Bytes of a label value.
pub const LABEL_VALUE_BYTES_MAX: usize = 32 * 1024;

/// Upper bounds of one histogram, `+Inf` not counted.
pub const BOUNDS_PER_HISTOGRAM_MAX: usize = 256;

/// Observations that one delta lists.
pub const READINGS_PER_DELTA_MAX: usize = 65_536;

/// Times that a client may say it observed the same.
pub const TIMES_MAX: u64 = 1_000_000_000;

/// Buckets of one native histogram that hold observations, at least and at most what may be asked for.
pub const NATIVE_BUCKETS_MIN: u16 = 8;
/// See [`NATIVE_BUCKETS_MIN`].
pub const NATIVE_BUCKETS_MAX: u16 = 1024;

/// Quantiles of one summary.
pub const OBJECTIVES_PER_SUMMARY_MAX: usize = 32;

/// Characters of the label names and values of one exemplar together (`OpenMetrics` 1.0.0, Exemplars).
pub const EXEMPLAR_CHARS_MAX: usize = 128;

/// Bytes of a selector of series.
pub const SELECTOR_BYTES_MAX: usize = 16 * 1024;

/// Matchers of one selector: enough for a name and each label that a series can have.
pub const MATCHERS_PER_SELECTOR_MAX: usize = 2 * LABELS_PER_SERIES_MAX;

/// Bytes of the program of one regular expression in a selector, and of what is remembered while it runs.
pub const REGEX_BYTES_MAX: usize = 256 * 1024;

/// Series held in all.
pub const SERIES_MAX: usize = 2_000_000;

/// Bytes that all series may take: what two million ordinary ones do, four times over.
pub const SERIES_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

/// One part in so many of the bytes that series may take is for overflow series alone.
const OVERFLOW_PART: usize = 8;

/// The label of a series that takes what would be a series too many.
pub const OVERFLOW_LABEL: &str = "pushprom_overflow";

const _: () = assert!(LABEL_VALUE_BYTES_MAX < DATAGRAM_BYTES_MAX, "a datagram can carry any label");

/// The limits that an operator may set. The rest are the constants of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message; default [`MESSAGE_BYTES_MAX`].
    pub message_bytes: usize,
    /// Which names of metrics and labels are taken; default [`NameScheme::Legacy`].
    pub names: NameScheme,
}

/// Which texts are names. The words are those of Prometheus 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameScheme {
    /// Letters, digits, underscores, and colons in names of metrics.
    #[default]
    Legacy,
    /// Any text but none.
    Utf8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: MESSAGE_BYTES_MAX, names: NameScheme::Legacy }
    }
}

/// How many series there may be. What would be one more goes to the overflow series of its family, if it can
/// be added up there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesLimits {
    /// In all; default [`SERIES_MAX`].
    pub all: usize,
    /// Of each family, where no rule says otherwise.
    pub per_family: Option<usize>,
    /// That each client may begin.
    pub per_client: Option<usize>,
    /// Bytes that all of them may take, as estimated; default [`SERIES_BYTES_MAX`].
    pub bytes: usize,
}

impl SeriesLimits {
    /// Bytes that all but overflow series may take, and whatever else is counted with series: what is too many
    /// finds room for its totals then, whoever has filled the rest with what.
    pub const fn ordinary_bytes(&self) -> usize {
        self.bytes - self.bytes / OVERFLOW_PART
    }
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self { all: SERIES_MAX, per_family: None, per_client: None, bytes: SERIES_BYTES_MAX }
    }
}
