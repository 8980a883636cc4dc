//! The fields of one delta while they are read: what both paths fill, so that only lexing is theirs.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{DeltaError, Field};
use crate::model::{
    Amount, Bounds, Change, Delta, GaugeChange, HistogramChange, InvalidDelta, Kind, Labels,
    MetricName, Observations, Quoted,
};

/// A delta's fields as far as they were given. A field that was not, or as `null`, has Go's zero value.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    help: Cow<'a, str>,
    method: Cow<'a, str>,
    value: f64,
    labels: SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>,
    buckets: Slice,
}

impl<'a> Fields<'a> {
    /// Gives a field that is a string. The others are given by the methods below.
    pub(super) fn set_text(&mut self, field: Field, text: Cow<'a, str>) {
        match field {
            Field::Type => self.kind = text,
            Field::Name => self.name = text,
            Field::Help => self.help = text,
            Field::Method => self.method = text,
            Field::Value | Field::Labels | Field::Buckets => {
                debug_assert!(false, "{field} is no text");
            }
        }
    }

    pub(super) fn set_value(&mut self, value: f64) {
        self.value = value;
    }

    /// Adds a label. `labels` given twice add up: nothing is cleared in between.
    pub(super) fn add_label(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.labels.push((name, value));
    }

    /// `"labels":null` forgets what labels were given before.
    pub(super) fn clear_labels(&mut self) {
        self.labels.clear();
    }

    pub(super) fn buckets(&mut self) -> &mut Slice {
        &mut self.buckets
    }

    /// Makes a delta of the fields.
    pub(super) fn finish(self) -> Result<Delta<'a>, DeltaError> {
        let Some(kind) = Kind::from_word(&self.kind) else {
            return Err(DeltaError::UnknownType(Quoted::new(&self.kind)));
        };
        let name = MetricName::new(self.name).map_err(InvalidDelta::from)?;
        let labels = Labels::new(self.labels).map_err(InvalidDelta::from)?;
        let change = change(kind, &self.method, self.value, &self.buckets)?;
        Ok(Delta::new(name, self.help, labels, change)?)
    }
}

/// The methods of a kind, for an error text. [`change`] is where they are.
pub(super) const fn methods(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "inc or add",
        Kind::Gauge => "set, inc, dec, add or sub",
        Kind::Histogram | Kind::Summary => "observe",
    }
}

/// The change that a method makes. `inc` and `dec` ignore the value; only a histogram has buckets.
fn change(kind: Kind, method: &str, value: f64, buckets: &Slice) -> Result<Change, DeltaError> {
    Ok(match (kind, method) {
        (Kind::Counter, "inc") => Change::Counter(Amount::ONE),
        (Kind::Counter, "add") => Change::Counter(Amount::new(value).map_err(InvalidDelta::from)?),
        (Kind::Gauge, "set") => Change::Gauge(GaugeChange::Set(value)),
        (Kind::Gauge, "inc") => Change::Gauge(GaugeChange::Add(1.0)),
        (Kind::Gauge, "dec") => Change::Gauge(GaugeChange::Add(-1.0)),
        (Kind::Gauge, "add") => Change::Gauge(GaugeChange::Add(value)),
        (Kind::Gauge, "sub") => Change::Gauge(GaugeChange::Add(-value)),
        (Kind::Histogram, "observe") => {
            let bounds = Bounds::new(buckets.as_slice()).map_err(InvalidDelta::from)?;
            Change::Histogram(HistogramChange::Observation { value, bounds })
        }
        (Kind::Summary, "observe") => Change::Summary(Observations::one(value)),
        (kind, method) => {
            return Err(DeltaError::UnknownMethod { kind, method: Quoted::new(method) });
        }
    })
}

/// An array of numbers as Go's decoder fills a slice: a later array goes over the memory of the earlier
/// one, so that a `null` element leaves what stood at its index.
#[derive(Debug, Default)]
pub(super) struct Slice {
    memory: Vec<f64>,
    len: usize,
}

impl Slice {
    /// An array begins.
    pub(super) fn begin(&mut self) {
        self.len = 0;
    }

    /// Its next element, `None` for `null`.
    pub(super) fn push(&mut self, element: Option<f64>) {
        match (self.memory.get_mut(self.len), element) {
            (Some(place), Some(number)) => *place = number,
            (Some(_), None) => {}
            (None, element) => self.memory.push(element.unwrap_or_default()),
        }
        self.len += 1;
    }

    /// The array ends. An empty one is a new slice; it leaves nothing to a later one.
    pub(super) fn end(&mut self) {
        if self.len == 0 {
            self.clear();
        }
    }

    /// `"buckets":null`.
    pub(super) fn clear(&mut self) {
        self.memory.clear();
        self.len = 0;
    }

    fn as_slice(&self) -> &[f64] {
        self.memory.get(..self.len).unwrap_or_default()
    }
}
