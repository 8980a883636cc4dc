//! Pages in all formats, of what a registry holds: known ones to the byte, random ones against readers that
//! know nothing of the encoders.

#![expect(clippy::float_cmp, reason = "what is read has to be what was written")]

mod escaping;
mod golden;
mod protobuf;
mod random;
mod reference;
mod text;

use std::collections::BTreeMap;

use pushprom_core::{
    expose::{self, Escaping, Format, Options, Shape},
    limits::NameScheme,
    model::{
        Amount, Change, Delta, Exemplar, GaugeChange, HistogramChange, Labels, Layout, MetricName,
        Objectives, Readings, Resolution, SummaryChange, Timestamp,
    },
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    snapshot::{Snapshot, Values},
};

/// When the pages are made.
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn registry() -> Registry {
    Registry::new(SchemaConflicts::Adopt)
}

fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> Labels<'a> {
    let pairs = pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    Labels::new(pairs, NameScheme::Utf8).expect("good labels")
}

fn delta<'a>(name: &'a str, pairs: &[(&'a str, &'a str)], change: Change) -> Delta<'a> {
    let name = MetricName::new(name.into(), NameScheme::Utf8).expect("a good name");
    let help = if name.as_str().starts_with('h') { "" } else { "What it \"is\",\n\\ no more." };
    Delta::new(name, help.into(), labels(pairs), change).expect("a good delta")
}

fn add(value: f64) -> Change {
    Change::Counter(Amount::new(value).expect("not negative"))
}

fn set(value: f64) -> Change {
    Change::Gauge(GaugeChange::Set(value))
}

fn observed(values: &[f64]) -> Readings {
    Readings::new(values.into(), pushprom_core::model::Times::ONCE).expect("few values")
}

/// Native buckets alone if there are no bounds, and the default bounds if there are no native buckets either.
fn histogram(values: &[f64], bounds: &[f64], native: Option<Resolution>) -> Change {
    let layout = Layout::asked(bounds, native).expect("good bounds");
    Change::Histogram(HistogramChange::Observed { readings: observed(values), layout })
}

fn summary(values: &[f64], objectives: &[(&str, f64)]) -> Change {
    let objectives = Objectives::new(objectives.iter().copied()).expect("good objectives");
    Change::Summary(SummaryChange::Observed { readings: observed(values), objectives })
}

fn exemplar(pairs: &[(&str, &str)], value: f64, seconds: f64) -> Exemplar {
    Exemplar::new(&labels(pairs), value, Some(seconds)).expect("a good exemplar")
}

fn page(format: Format, escaping: Escaping, snapshot: &Snapshot) -> Vec<u8> {
    let shape = Shape { format, escaping, ..Shape::default() };
    let mut page = Vec::new();
    expose::encode(shape, Options { created: true }, snapshot, &mut page);
    page
}

fn text_page(format: Format, escaping: Escaping, snapshot: &Snapshot) -> String {
    String::from_utf8(page(format, escaping, snapshot)).expect("text is UTF-8")
}

/// A sample: its name, its labels, and the bits of its value.
type Sample = (String, BTreeMap<String, String>, u64);

/// The bits of a value as they come back from a text, which knows one NaN and one zero.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

/// A bound or quantile as text has it.
fn written(value: f64) -> String {
    let snapshot = {
        let registry = registry();
        registry
            .apply(&delta("g", &[], set(value)), Policy::default().source(), NOW)
            .expect("a new gauge");
        registry.snapshot(NOW)
    };
    let page = text_page(Format::TextV0, Escaping::Underscores, &snapshot);
    page.lines().last().and_then(|line| line.strip_prefix("g ")).expect("a sample").to_owned()
}

/// The samples that a snapshot holds, by what the formats say of each kind.
fn samples(snapshot: &Snapshot) -> Vec<Sample> {
    let mut samples = Vec::new();
    for family in snapshot.families() {
        let mut sets = Vec::new();
        let mut walk = family.index.labels();
        while let Some(set) = walk.next() {
            let pairs = set.iter().map(|(name, value)| (name.into_owned(), value.into_owned()));
            sets.push(pairs.collect::<BTreeMap<String, String>>());
        }
        let mut push = |place: usize, suffix: &str, own: Option<(&str, f64)>, value: f64| {
            let mut labels = sets[place].clone();
            labels.extend(own.map(|(name, value)| (name.to_owned(), written(value))));
            samples.push((format!("{}{suffix}", family.name), labels, bits(value)));
        };
        match &family.values {
            Values::Counter(amounts) => {
                amounts.iter().enumerate().for_each(|(at, a)| push(at, "", None, a.as_f64()));
            }
            Values::Gauge(levels) => {
                levels.iter().enumerate().for_each(|(at, level)| push(at, "", None, *level));
            }
            Values::Histogram(all) => {
                let bounds = all.bounds().as_slice().iter().copied().chain([f64::INFINITY]);
                for (at, histogram) in all.iter().enumerate() {
                    let mut count = 0.0;
                    for (bound, more) in bounds.clone().zip(histogram.counts) {
                        count += as_f64(*more);
                        push(at, "_bucket", Some(("le", bound)), count);
                    }
                    push(at, "_sum", None, histogram.sum);
                    push(at, "_count", None, count);
                }
            }
            Values::Summary(all) => {
                for (at, (observations, quantiles)) in all.iter().enumerate() {
                    for (part, quantile) in all.objectives().iter().zip(quantiles) {
                        push(at, "", Some(("quantile", *part)), *quantile);
                    }
                    push(at, "_sum", None, observations.sum);
                    push(at, "_count", None, as_f64(observations.count));
                }
            }
        }
    }
    samples.sort();
    samples
}

fn as_f64(count: u64) -> f64 {
    u32::try_from(count).expect("a small count").into()
}
