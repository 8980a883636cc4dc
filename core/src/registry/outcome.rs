//! What becomes of a delta.

use crate::{
    model::{Kind, Quoted},
    policy::Barred,
};

/// What applying a delta did besides changing a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The series is new.
    pub created: bool,
    /// The delta's help text replaced another one.
    pub help_replaced: bool,
    /// The delta's buckets, resolution or objectives are not those of the family, which it keeps.
    pub layout_ignored: bool,
    /// Where the delta went.
    pub destination: Destination,
}

/// Where a delta went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// To the series of its labels, or of those that rules gave it.
    #[default]
    Series,
    /// To the overflow series of its family: a limit of series is reached.
    Overflow,
    /// A rule drops such deltas: nothing has changed.
    Nowhere,
}

/// Why a delta was not applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// The family is of another kind.
    #[error("{name} is a {existing}, not a {pushed}: use another name or the type it has")]
    KindConflict {
        /// The family.
        name: Quoted,
        /// What it is.
        existing: Kind,
        /// What the delta takes it for.
        pushed: Kind,
    },
    /// The family's sample names and another family's overlap.
    #[error(
        "{name} cannot be a {kind}: its samples would collide with those of {other}; rename it"
    )]
    SuffixCollision {
        /// The family that would be new.
        name: Quoted,
        /// Its kind.
        kind: Kind,
        /// The family that is there.
        other: Quoted,
    },
    /// The name is, or was, one of our own.
    #[error("{0} is reserved, since it is or was one of pushprom's own metrics: rename yours")]
    ReservedName(Quoted),
    /// The family has another help text, and conflicts are refused.
    #[error(
        "{name} has the help text {existing}, not {pushed}: send the same, or start with \
         -schema.conflicts=adopt"
    )]
    HelpConflict {
        /// The family.
        name: Quoted,
        /// Its help text.
        existing: Quoted,
        /// The delta's.
        pushed: Quoted,
    },
    /// The family has other label names, and conflicts are refused.
    #[error(
        "{name} has the label names {existing}, not {pushed}: send the same, or start with \
         -schema.conflicts=adopt"
    )]
    LabelConflict {
        /// The family.
        name: Quoted,
        /// Its label names.
        existing: Quoted,
        /// The delta's.
        pushed: Quoted,
    },
    /// Counts per bucket came for other buckets than the family's.
    #[error("{0} has other buckets: send counts for the buckets it has")]
    BoundsConflict(Quoted),
    /// Counts per bucket came for a histogram that has native buckets.
    #[error(
        "{0} has native buckets, into which counts cannot be sorted: send what was observed, or let a \
         rule of -histogram.native make it classic"
    )]
    NativeConflict(Quoted),
    /// There are as many series as there may be, and this one cannot be added up with others.
    #[error("{name} would be one series more than {limit}")]
    TooManySeries {
        /// The family.
        name: Quoted,
        /// The limit in force.
        limit: SeriesLimit,
    },
    /// The policy of who pushed it does not let it in.
    #[error(transparent)]
    Barred(#[from] Barred),
}

/// A limit of series that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesLimit {
    /// Of all of them.
    #[error("the limit of {0}: use labels of fewer values or raise -series.limit")]
    All(usize),
    /// Of its family.
    #[error(
        "the limit of {0} for its family: use labels of fewer values, or raise -series.limit-per-family \
         or the limit of its rule"
    )]
    Family(usize),
    /// Of who pushed it.
    #[error(
        "the limit of {0} for this client: use labels of fewer values or raise -series.limit-per-client"
    )]
    Client(usize),
    /// Of the bytes that all of them may take.
    #[error("fits into {0} bytes: use fewer or shorter labels or raise -series.max-bytes")]
    Bytes(usize),
}
