//! The words every room speaks: names, labels, kinds, changes, deltas, values.
//!
//! A value of these types is valid by construction: private fields, one fallible constructor, no
//! setters. What a client sent is checked here once and trusted from then on.

mod bounds;
mod buckets;
mod change;
mod delta;
mod exemplar;
mod exponential;
mod key;
mod kind;
mod label_sets;
mod labels;
mod layout;
mod name;
mod number;
mod objectives;
mod quote;
mod readings;
mod summary;
mod time;
mod window;

pub use bounds::{Bounds, BoundsError, DEFAULT_BOUNDS};
pub use buckets::{Buckets, CountsMismatch, HistogramChange};
pub use change::{Amount, Change, GaugeChange, Incomposable, NegativeAmount, Value};
pub use delta::{Delta, InvalidDelta};
pub use exemplar::{Exemplar, ExemplarError};
pub use exponential::{Exponential, ExponentialBucket, ZERO_THRESHOLD};
pub use key::{Key, KeyError};
pub use kind::{Kind, collision};
pub use label_sets::{LabelSets, LabelsChange, LabelsChanges, Lines, Walk};
pub use labels::{
    LabelError, LabelPairs, LabelSet, Labels, escape_value, split_label, unescape_name,
    unescape_value,
};
pub use layout::{Layout, Resolution, ResolutionError, SCHEMA_COARSEST, SCHEMA_FINEST};
pub use name::{MetricName, NameError, is_legacy_label_name, is_legacy_metric_name};
pub use number::{count_as_f64, whole};
pub use objectives::{Objectives, ObjectivesError};
pub use quote::Quoted;
pub use readings::{Readings, ReadingsError, Times};
pub use summary::{Observations, Summary, SummaryChange};
pub use time::Timestamp;
pub use window::{Span, Window};
