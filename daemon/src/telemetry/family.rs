//! How our own families are made.

use std::sync::Arc;

use pushprom_core::{
    limits::NameScheme,
    model::{Amount, Kind, LabelSet, Labels, Timestamp, Value, count_as_f64},
    snapshot::{FamilySnapshot, Index, Values},
};

use super::{Counter, Gauge};

/// One of our counters.
pub(super) fn counter(name: &str, help: &str, counter: &Counter) -> FamilySnapshot {
    total(name, help, counter.get().into())
}

/// One of our gauges.
pub(super) fn gauge(name: &str, help: &str, gauge: &Gauge) -> FamilySnapshot {
    level(name, help, count_as_f64(gauge.get()))
}

/// A counter without labels.
pub(super) fn total(name: &str, help: &str, amount: Amount) -> FamilySnapshot {
    family(name, help, Kind::Counter, [series(&[], Value::Counter(amount))])
}

/// A gauge without labels.
pub(super) fn level(name: &str, help: &str, value: f64) -> FamilySnapshot {
    family(name, help, Kind::Gauge, [series(&[], Value::Gauge(value))])
}

/// A family; its series in any order.
pub(super) fn family(
    name: &str,
    help: &str,
    kind: Kind,
    series: impl IntoIterator<Item = (LabelSet, Value)>,
) -> FamilySnapshot {
    let mut series: Vec<_> = series.into_iter().collect();
    series.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut index = Index::default();
    // Our histograms have the default bounds, and our summaries no quantiles.
    let mut values = Values::none(kind);
    for (labels, value) in series {
        index.push(&labels, Timestamp::default());
        values.push(&value);
    }
    FamilySnapshot {
        name: name.into(),
        help: help.into(),
        index: Arc::new(index),
        values,
        exemplars: Vec::new(),
    }
}

/// A series. The labels are our own, and valid.
pub(super) fn series(labels: &[(&'static str, &str)], value: Value) -> (LabelSet, Value) {
    let labels = labels.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    let labels =
        Labels::new(labels, NameScheme::Legacy).expect("the labels of our own metrics are valid");
    (LabelSet::from(&labels), value)
}
