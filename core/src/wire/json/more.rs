//! The fields that few deltas have, apart from those that most do.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{
    DeltaError, Field, JsonKind,
    value::{Value, decode_labels, decode_number, decode_numbers},
};
use crate::{
    limits::{NameScheme, TIMES_MAX},
    model::{
        Amount, Change, Exemplar, ExemplarError, HistogramChange, InvalidDelta, LabelPairs, Labels,
        Layout, Objectives, Quoted, Resolution, Times, whole,
    },
};

/// What was given of them. `null` is not given.
#[derive(Debug, Default)]
pub(super) struct More {
    /// `value` as an array.
    pub(super) values: Option<SmallVec<[f64; 1]>>,
    /// `count`.
    pub(super) times: Option<Times>,
    /// `counts`.
    pub(super) counts: Option<Vec<u64>>,
    /// `sum`.
    pub(super) sum: Option<f64>,
    /// `native`, but for `false`.
    pub(super) native: Option<Resolution>,
    /// `objectives`, unless there are none.
    pub(super) objectives: Option<Objectives>,
}

impl More {
    /// The layout that a histogram is asked to have; the fields that say so are taken.
    pub(super) fn layout(&mut self, buckets: &[f64]) -> Result<Layout, DeltaError> {
        let layout = Layout::asked(buckets, self.native.take());
        Ok(layout.map_err(InvalidDelta::from)?)
    }

    /// A field that was given and has not been taken.
    pub(super) fn left(&self) -> Option<Field> {
        let given = [
            (Field::Value, self.values.is_some()),
            (Field::Count, self.times.is_some()),
            (Field::Counts, self.counts.is_some()),
            (Field::Sum, self.sum.is_some()),
            (Field::Native, self.native.is_some()),
            (Field::Objectives, self.objectives.is_some()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(field, _)| field)
    }

    /// Takes the value of a field.
    pub(super) fn decode(&mut self, field: Field, value: Value<'_>) -> Result<(), DeltaError> {
        match field {
            Field::Count => {
                let times = decode_number(field, value)?.map(Times::new).transpose();
                self.times = times.map_err(InvalidDelta::from)?;
            }
            Field::Counts => self.counts = decode_counts(value)?,
            Field::Sum => self.sum = decode_number(field, value)?,
            Field::Native => self.native = decode_native(value)?,
            Field::Objectives => self.objectives = decode_objectives(value)?,
            Field::Value => self.values = decode_numbers(field, value)?,
            Field::Type
            | Field::Name
            | Field::Help
            | Field::Method
            | Field::Labels
            | Field::Buckets
            | Field::Exemplar => debug_assert!(false, "{field} is none of these"),
        }
        Ok(())
    }
}

fn decode_counts(value: Value<'_>) -> Result<Option<Vec<u64>>, DeltaError> {
    let Some(numbers) = decode_numbers(Field::Counts, value)? else { return Ok(None) };
    let count = |number| {
        whole(number).filter(|count| *count <= TIMES_MAX).ok_or(DeltaError::NoCount(number))
    };
    numbers.into_iter().map(count).collect::<Result<_, _>>().map(Some)
}

/// The number that a member of a field is.
fn decode_member(field: Field, key: &str, value: Value<'_>) -> Result<Option<f64>, DeltaError> {
    decode_number(field, value).map_err(|error| in_member(key, "a number", error))
}

/// A complaint about the type of a field, as one about a member of it.
fn in_member(key: &str, wanted: &'static str, error: DeltaError) -> DeltaError {
    if let DeltaError::WrongType { field, found } = error {
        return DeltaError::WrongMember { field, member: Quoted::new(key), found, wanted };
    }
    error
}

fn unknown_member(field: Field, key: &str) -> DeltaError {
    DeltaError::UnknownMember { field, member: Quoted::new(key) }
}

/// `true`, or an object that says how fine.
fn decode_native(value: Value<'_>) -> Result<Option<Resolution>, DeltaError> {
    let field = Field::Native;
    match value.kind() {
        Some(JsonKind::Bool) => Ok(value.is_true().then_some(Resolution::DEFAULT)),
        Some(JsonKind::Object) => {
            let (mut schema, mut buckets_max) = (None, None);
            for (key, value) in value.members() {
                match &*key {
                    "schema" => schema = decode_member(field, &key, value)?,
                    "max_buckets" => buckets_max = decode_member(field, &key, value)?,
                    _ => return Err(unknown_member(field, &key)),
                }
            }
            Ok(Some(Resolution::new(schema, buckets_max).map_err(InvalidDelta::from)?))
        }
        None => Ok(None),
        Some(found) => Err(DeltaError::WrongType { field, found }),
    }
}

fn decode_objectives(value: Value<'_>) -> Result<Option<Objectives>, DeltaError> {
    let field = Field::Objectives;
    match value.kind() {
        Some(JsonKind::Object) => {
            let mut listed: Vec<(Cow<'_, str>, f64)> = Vec::new();
            for (quantile, value) in value.members() {
                let error = decode_member(field, &quantile, value)?.unwrap_or_default();
                listed.push((quantile, error));
            }
            let listed = listed.iter().map(|(quantile, error)| (&**quantile, *error));
            Ok(Objectives::new(listed).map_err(InvalidDelta::from)?)
        }
        // PHP writes an empty array for an empty map.
        Some(JsonKind::Array) if value.elements().next().is_none() => Ok(None),
        None => Ok(None),
        Some(found) => Err(DeltaError::WrongType { field, found }),
    }
}

/// The fields of an exemplar.
#[derive(Debug)]
pub(super) struct ExemplarFields<'a> {
    labels: LabelPairs<'a>,
    value: Option<f64>,
    seconds: Option<f64>,
}

impl<'a> ExemplarFields<'a> {
    /// Takes the value of the field `exemplar`; `None` for `null`.
    pub(super) fn decode(value: Value<'a>) -> Result<Option<Self>, DeltaError> {
        let field = Field::Exemplar;
        match value.kind() {
            Some(JsonKind::Object) => {}
            None => return Ok(None),
            Some(found) => return Err(DeltaError::WrongType { field, found }),
        }
        let mut fields = Self { labels: LabelPairs::new(), value: None, seconds: None };
        for (key, value) in value.members() {
            match &*key {
                "labels" => decode_labels(field, value, &mut fields.labels)
                    .map_err(|error| in_member(&key, "an object of strings", error))?,
                "value" => fields.value = decode_member(field, &key, value)?,
                "timestamp" => fields.seconds = decode_member(field, &key, value)?,
                _ => return Err(unknown_member(field, &key)),
            }
        }
        Ok(Some(fields))
    }

    /// The exemplar of a change: without a value of its own it has that of the only observation, or what a
    /// counter is raised by.
    pub(super) fn finish(
        self,
        change: &Change,
        names: NameScheme,
    ) -> Result<Exemplar, InvalidDelta> {
        let labels = Labels::new(self.labels, names).map_err(ExemplarError::from)?;
        let value = self.value.or_else(|| only_value(change)).ok_or(ExemplarError::NoValue)?;
        Ok(Exemplar::new(&labels, value, self.seconds)?)
    }
}

fn only_value(change: &Change) -> Option<f64> {
    match change {
        Change::Counter(amount) => Some(Amount::as_f64(*amount)),
        Change::Histogram(HistogramChange::Observed { readings, .. }) => match readings.values() {
            [value] => Some(*value),
            [] | [_, _, ..] => None,
        },
        Change::Histogram(HistogramChange::Sorted(_)) => None,
        // These keep no exemplars, and say so.
        Change::Gauge(_) | Change::Summary(_) => Some(0.0),
    }
}
