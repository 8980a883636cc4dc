//! Families as a store keeps them.

use std::{
    borrow::Cow,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use super::{Birth, Family, Form};
use crate::{
    model::{Bounds, Layout, Objectives, Resolution},
    record::{FamilyRecord, Float, FormRecord, Record},
    registry::room::Ledger,
    rules::Rules,
};

impl Family {
    /// Says whether the journal has it that it has changed; whether that is news.
    pub(in crate::registry) fn set_noted(&self, is_noted: bool) -> bool {
        self.is_noted.swap(is_noted, Relaxed) != is_noted
    }

    /// Appends a record of it as it is now.
    pub(in crate::registry) fn capture_into(&self, bytes: &mut Vec<u8>) {
        let floats = |list: &[f64]| list.iter().copied().map(Float).collect::<Vec<_>>();
        let form = match &self.form {
            Form::Counter => FormRecord::Counter,
            Form::Gauge => FormRecord::Gauge,
            Form::Histogram(Layout { bounds, native }) => FormRecord::Histogram {
                bounds: (*bounds != Bounds::none()).then(|| floats(bounds.as_slice())),
                native: native.map(|native| {
                    let buckets = u16::try_from(native.buckets_max()).unwrap_or(u16::MAX);
                    (native.schema(), buckets)
                }),
            },
            Form::Summary(objectives) => {
                let quantiles = objectives.as_ref().map(Objectives::quantiles);
                FormRecord::Summary { quantiles: quantiles.map(floats).unwrap_or_default() }
            }
        };
        // Only what a client has said may be held against others when the rule that says otherwise is gone.
        let help =
            if self.has_ruled_help() || self.awaits_help() { "".into() } else { self.help() };
        let record = FamilyRecord {
            id: self.id,
            name: Cow::Borrowed(&self.name),
            help: Cow::Borrowed(&help),
            label_names: Cow::Borrowed(&self.label_names),
            form,
        };
        Record::Family(record).write_to(bytes);
    }

    /// The family of a record, under rules that may have changed since. Buckets and quantiles stay. `None` if
    /// there can be no such family.
    pub(in crate::registry) fn restored(
        record: &FamilyRecord<'_>,
        rules: &Rules,
        ledger: Arc<Ledger>,
    ) -> Option<Self> {
        let birth = Birth {
            id: record.id,
            name: &record.name,
            form: form(&record.form)?,
            label_names: (*record.label_names).into(),
            help: (*record.help).into(),
        };
        let family = Self::born(birth, rules, usize::MAX, ledger)?;
        family.awaits_help.store(record.help.is_empty(), Relaxed);
        Some(family)
    }

    /// Takes the help text of a later record, if no rule has it.
    pub(in crate::registry) fn restore_help(&self, help: &str) {
        if help.is_empty() && !self.has_ruled_help() {
            self.replace_help(help.into(), usize::MAX);
        }
        self.adopt_help(help, usize::MAX);
        self.awaits_help.store(help.is_empty(), Relaxed);
    }
}

fn form(record: &FormRecord) -> Option<Form> {
    Some(match record {
        FormRecord::Counter => Form::Counter,
        FormRecord::Gauge => Form::Gauge,
        FormRecord::Histogram { bounds, native } => {
            let bounds = match bounds {
                None => Bounds::none(),
                Some(bounds) => {
                    let bounds: Vec<f64> = bounds.iter().map(|bound| bound.0).collect();
                    Bounds::new(&bounds).ok()?
                }
            };
            let resolution = |&(schema, buckets): &(i8, u16)| {
                Resolution::new(Some(f64::from(schema)), Some(f64::from(buckets))).ok()
            };
            let native = match native {
                Some(native) => Some(resolution(native)?),
                None => None,
            };
            Form::Histogram(Layout { bounds, native })
        }
        FormRecord::Summary { quantiles } => {
            let quantiles: Vec<String> =
                quantiles.iter().map(|quantile| quantile.0.to_string()).collect();
            let listed = quantiles.iter().map(|quantile| (&**quantile, 0.0));
            Form::Summary(Objectives::new(listed).ok()?)
        }
    })
}
