//! The fields of one delta while they are read: what both paths fill, so that only lexing is theirs.

use std::borrow::Cow;

use super::{
    DeltaError, Field, Recipe,
    more::{ExemplarFields, More},
    value::Value,
};
use crate::{
    limits::NameScheme,
    model::{Delta, InvalidDelta, Kind, LabelPairs, Labels, MetricName, Quoted},
};

/// A delta's fields as far as they were given. A field that was not, or as `null`, has Go's zero value.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    help: Cow<'a, str>,
    method: Cow<'a, str>,
    value: Option<f64>,
    labels: LabelPairs<'a>,
    buckets: Slice,
    more: Option<Box<More>>,
    exemplar: Option<Box<ExemplarFields<'a>>>,
}

impl<'a> Fields<'a> {
    /// Gives a field that is a string. The others are given by the methods below.
    pub(super) fn set_text(&mut self, field: Field, text: Cow<'a, str>) {
        match field {
            Field::Type => self.kind = text,
            Field::Name => self.name = text,
            Field::Help => self.help = text,
            Field::Method => self.method = text,
            Field::Value
            | Field::Labels
            | Field::Buckets
            | Field::Count
            | Field::Counts
            | Field::Sum
            | Field::Native
            | Field::Objectives
            | Field::Exemplar => debug_assert!(false, "{field} is no text"),
        }
    }

    pub(super) fn set_value(&mut self, value: f64) {
        self.value = Some(value);
        if let Some(more) = &mut self.more {
            more.values = None;
        }
    }

    /// Gives one of the fields that few deltas have, or `value` as an array.
    pub(super) fn decode_more(&mut self, field: Field, value: Value<'a>) -> Result<(), DeltaError> {
        if field == Field::Exemplar {
            self.exemplar = ExemplarFields::decode(value)?.map(Box::new);
            return Ok(());
        }
        self.more.get_or_insert_default().decode(field, value)
    }

    /// Adds a label. `labels` given twice add up: nothing is cleared in between.
    pub(super) fn add_label(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        self.labels.push((name, value));
    }

    /// The labels given so far.
    pub(super) fn labels(&mut self) -> &mut LabelPairs<'a> {
        &mut self.labels
    }

    /// `"labels":null` forgets what labels were given before.
    pub(super) fn clear_labels(&mut self) {
        self.labels.clear();
    }

    pub(super) fn buckets(&mut self) -> &mut Slice {
        &mut self.buckets
    }

    /// Makes a delta of the fields; says what it does with its number too, if that is all that can differ
    /// when it comes again.
    pub(super) fn finish(
        mut self,
        names: NameScheme,
    ) -> Result<(Delta<'a>, Option<Recipe>), DeltaError> {
        let Some(kind) = Kind::from_word(&self.kind) else {
            return Err(DeltaError::UnknownType(Quoted::new(&self.kind)));
        };
        let name = MetricName::new(self.name, names).map_err(InvalidDelta::from)?;
        let labels = Labels::new(self.labels, names).map_err(InvalidDelta::from)?;
        let mut none = More::default();
        let more = self.more.as_deref_mut().unwrap_or(&mut none);
        if more.counts.is_some() && self.value.is_some() {
            return Err(DeltaError::ValueAndCounts);
        }
        let recipe = Recipe::new(kind, &self.method, self.buckets.as_slice(), more)?;
        let change = recipe.change(self.value.unwrap_or_default()).map_err(InvalidDelta::from)?;
        let Some(exemplar) = self.exemplar else {
            return Ok((Delta::new(name, self.help, labels, change)?, Some(recipe)));
        };
        // What was not observed has no example. To add 0 is to add something.
        if change.is_none() && self.method != "add" {
            let (field, method) = (Field::Exemplar, Quoted::new(&self.method));
            return Err(DeltaError::Misplaced { field, kind, method });
        }
        let exemplar = exemplar.finish(&change, names)?;
        Ok((Delta::new(name, self.help, labels, change)?.with_exemplar(exemplar)?, None))
    }
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
