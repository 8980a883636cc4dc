//! The words every room speaks: names, labels, kinds, changes, deltas, values.
//!
//! A value of these types is valid by construction: private fields, one fallible constructor, no
//! setters. What a client sent is checked here once and trusted from then on.

mod bounds;
mod change;
mod delta;
mod kind;
mod label_sets;
mod labels;
mod name;
mod number;
mod quote;
mod time;

pub use bounds::{Bounds, BoundsError, DEFAULT_BOUNDS};
pub use change::{
    Amount, Buckets, Change, GaugeChange, HistogramChange, Incomposable, NegativeAmount,
    Observations, Value,
};
pub use delta::{Delta, InvalidDelta};
pub use kind::{Kind, collision};
pub use label_sets::{LabelSets, Lines, Walk};
pub use labels::{LabelError, LabelPairs, LabelSet, Labels};
pub use name::{MetricName, NameError};
pub use number::{count_as_f64, whole};
pub use quote::Quoted;
pub use time::Timestamp;
