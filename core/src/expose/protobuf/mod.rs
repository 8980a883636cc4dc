//! `io.prometheus.client.MetricFamily` messages, each behind its length: `metrics.proto` of Prometheus'
//! client model.

mod native;
mod pairs;
mod sink;

use std::sync::Arc;

use self::{
    native::write_native,
    pairs::{LABEL, Pairs, write_pair},
    sink::{Count, Sink},
};
use super::{
    escape::Families,
    family::{Family, latest},
    unit::{base_name, unit_of},
};
use crate::{
    model::{Bounds, Exemplar, Kind, Observations, Timestamp},
    snapshot::{Histogram, Values},
};

/// Fields of `MetricFamily`.
mod family {
    pub(super) const NAME: u8 = 1;
    pub(super) const HELP: u8 = 2;
    pub(super) const TYPE: u8 = 3;
    pub(super) const METRIC: u8 = 4;
    pub(super) const UNIT: u8 = 5;
}

/// Fields of `Metric`.
mod metric {
    pub(super) const GAUGE: u8 = 2;
    pub(super) const COUNTER: u8 = 3;
    pub(super) const SUMMARY: u8 = 4;
    pub(super) const HISTOGRAM: u8 = 7;
}

/// Fields of `Gauge`.
mod gauge {
    pub(super) const VALUE: u8 = 1;
}

/// Fields of `Counter`.
mod counter {
    pub(super) const VALUE: u8 = 1;
    pub(super) const EXEMPLAR: u8 = 2;
    pub(super) const CREATED: u8 = 3;
}

/// Fields of `Summary`, and of its `Quantile`.
mod summary {
    pub(super) const COUNT: u8 = 1;
    pub(super) const SUM: u8 = 2;
    pub(super) const QUANTILE: u8 = 3;
    pub(super) const CREATED: u8 = 4;
    pub(super) const QUANTILE_PART: u8 = 1;
    pub(super) const QUANTILE_VALUE: u8 = 2;
}

/// Fields of `Histogram`, and of its `Bucket`; those of native buckets are in `native`.
mod histogram {
    pub(super) const COUNT: u8 = 1;
    pub(super) const SUM: u8 = 2;
    pub(super) const BUCKET: u8 = 3;
    pub(super) const CREATED: u8 = 15;
    pub(super) const EXEMPLARS: u8 = 16;
    pub(super) const BUCKET_COUNT: u8 = 1;
    pub(super) const BUCKET_BOUND: u8 = 2;
    pub(super) const BUCKET_EXEMPLAR: u8 = 3;
}

/// Fields of `Exemplar`.
mod exemplar {
    pub(super) const VALUE: u8 = 2;
    pub(super) const TIMESTAMP: u8 = 3;
}

/// Fields of `google.protobuf.Timestamp`.
mod timestamp {
    pub(super) const SECONDS: u8 = 1;
    pub(super) const NANOSECONDS: u8 = 2;
}

/// Appends to `page`; `written` may look at it, and take what is there, after each series.
pub(super) fn encode(
    families: &Families<'_>,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    for family in families.iter() {
        let mut count = Count::default();
        write_family(&family, &mut count, |_| ());
        page.varint(u64::try_from(count.len()).unwrap_or(u64::MAX));
        write_family(&family, page, &mut written);
    }
}

fn write_family<S: Sink>(family: &Family<'_>, sink: &mut S, written: impl FnMut(&mut S)) {
    sink.text(family::NAME, family.name);
    sink.text(family::HELP, family.help);
    let kind = family.values.kind();
    let of_protobuf = match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Summary => 2,
        Kind::Histogram => 4,
    };
    sink.number(family::TYPE, of_protobuf);
    write_metrics(family, sink, written);
    if let Some(unit) = unit_of(base_name(family.name, kind)) {
        sink.text(family::UNIT, unit);
    }
}

fn write_metrics<S: Sink>(family: &Family<'_>, sink: &mut S, written: impl FnMut(&mut S)) {
    match family.values {
        Values::Counter(amounts) => {
            // All that the one before may differ in is its value.
            let mut alike = None;
            each(family, amounts, sink, written, |series, amount, metric| {
                let value = amount.as_f64();
                if series.exemplars.is_empty() && alike == Some(series.born) {
                    metric.replace(COUNTER_VALUE_START, &value.to_le_bytes());
                    return;
                }
                alike = series.exemplars.is_empty().then_some(series.born);
                metric.truncate(0);
                metric.message(metric::COUNTER, |counter| {
                    counter.double(counter::VALUE, value);
                    if let Some(exemplar) = latest(series.exemplars.iter()) {
                        write_exemplar(counter::EXEMPLAR, exemplar, counter);
                    }
                    write_born(counter::CREATED, series.born, counter);
                });
            });
        }
        Values::Gauge(levels) => each(family, levels, sink, written, |_, level, metric| {
            metric.truncate(0);
            metric.message(metric::GAUGE, |sink| sink.double(gauge::VALUE, *level));
        }),
        Values::Histogram(histograms) => {
            let bounds = histograms.bounds();
            each(family, histograms.iter(), sink, written, |series, histogram, metric| {
                metric.truncate(0);
                metric.message(metric::HISTOGRAM, |sink| {
                    write_histogram(series, bounds, &histogram, sink);
                });
            });
        }
        Values::Summary(summaries) => {
            let parts = summaries.objectives();
            each(
                family,
                summaries.iter(),
                sink,
                written,
                |series, (observations, values), metric| {
                    metric.truncate(0);
                    metric.message(metric::SUMMARY, |sink| {
                        write_summary(series, observations, parts, values, sink);
                    });
                },
            );
        }
    }
}

/// Where the value of a counter begins that has no exemplar: after a tag, a length below 128, and a tag.
const COUNTER_VALUE_START: usize = 3;

/// What there is of a series beside its labels and values.
#[derive(Clone, Copy)]
struct Series<'a> {
    born: Timestamp,
    exemplars: &'a [(usize, Arc<Exemplar>)],
}

/// Walks labels and values side by side, and writes a `Metric` of each: `fill` puts in the place of what is
/// of the series before what comes after the labels.
fn each<T, S: Sink>(
    family: &Family<'_>,
    values: impl IntoIterator<Item = T>,
    sink: &mut S,
    mut written: impl FnMut(&mut S),
    mut fill: impl FnMut(Series<'_>, T, &mut S),
) {
    let mut pairs: Pairs<S> = Pairs::default();
    let mut metric = S::default();
    let mut exemplars = family.exemplar_walk();
    let mut changes = family.index.label_changes();
    for (value, &born) in values.into_iter().zip(family.index.born()) {
        let Some(labels) = pairs.next(&mut changes) else { break };
        fill(Series { born, exemplars: exemplars.next() }, value, &mut metric);
        sink.head(family::METRIC, labels.len() + metric.len());
        sink.append(labels);
        sink.append(&metric);
        written(sink);
    }
}

fn write_histogram<S: Sink>(
    series: Series<'_>,
    bounds: &Bounds,
    histogram: &Histogram<'_>,
    sink: &mut S,
) {
    let count = match histogram.native {
        // Prometheus takes a histogram for broken whose native buckets do not add up to its count, unless
        // its sum is not a number: then there was something that is in no native bucket.
        Some(native) if !histogram.sum.is_nan() => native.count(),
        Some(_) | None => histogram.count(),
    };
    sink.number(histogram::COUNT, count);
    sink.double(histogram::SUM, histogram.sum);
    let is_classic = histogram.native.is_none() || bounds.buckets() > 1;
    if is_classic {
        write_buckets(series, bounds, histogram, count, sink);
    }
    if let Some(native) = histogram.native {
        write_native(native, sink);
    }
    write_born(histogram::CREATED, series.born, sink);
    if !is_classic {
        for (_, exemplar) in series.exemplars {
            write_exemplar(histogram::EXEMPLARS, exemplar, sink);
        }
    }
}

/// Writes classic buckets; `+Inf`, which holds `count`, only if it has an exemplar.
fn write_buckets<S: Sink>(
    series: Series<'_>,
    bounds: &Bounds,
    histogram: &Histogram<'_>,
    count: u64,
    sink: &mut S,
) {
    let mut exemplars = series.exemplars.iter().peekable();
    let mut cumulative = 0_u64;
    for (place, (&bound, &more)) in bounds.as_slice().iter().zip(histogram.counts).enumerate() {
        cumulative = cumulative.saturating_add(more);
        let exemplar = exemplars.next_if(|(at, _)| *at == place);
        write_bucket(cumulative, bound, exemplar.map(|(_, exemplar)| &**exemplar), sink);
    }
    if let Some((_, exemplar)) = exemplars.last() {
        write_bucket(count, f64::INFINITY, Some(exemplar), sink);
    }
}

fn write_bucket<S: Sink>(cumulative: u64, bound: f64, exemplar: Option<&Exemplar>, sink: &mut S) {
    sink.message(histogram::BUCKET, |sink| {
        sink.number(histogram::BUCKET_COUNT, cumulative);
        sink.double(histogram::BUCKET_BOUND, bound);
        if let Some(exemplar) = exemplar {
            write_exemplar(histogram::BUCKET_EXEMPLAR, exemplar, sink);
        }
    });
}

fn write_summary<S: Sink>(
    series: Series<'_>,
    observations: Observations,
    parts: &[f64],
    quantiles: &[f64],
    sink: &mut S,
) {
    sink.number(summary::COUNT, observations.count);
    sink.double(summary::SUM, observations.sum);
    for (&part, &quantile) in parts.iter().zip(quantiles) {
        sink.message(summary::QUANTILE, |sink| {
            sink.double(summary::QUANTILE_PART, part);
            sink.double(summary::QUANTILE_VALUE, quantile);
        });
    }
    write_born(summary::CREATED, series.born, sink);
}

fn write_exemplar<S: Sink>(field: u8, exemplar: &Exemplar, sink: &mut S) {
    const _: () = assert!(LABEL == 1, "the field of a label in an exemplar is that in a metric");
    sink.message(field, |sink| {
        for (name, value) in exemplar.labels().escaped() {
            write_pair(sink, name, value);
        }
        sink.double(exemplar::VALUE, exemplar.value);
        if let Some(at) = exemplar.timestamp {
            write_timestamp(exemplar::TIMESTAMP, at, sink);
        }
    });
}

/// Writes when a series was born, if that is known.
fn write_born<S: Sink>(field: u8, born: Timestamp, sink: &mut S) {
    if born > Timestamp::default() {
        write_timestamp(field, born, sink);
    }
}

fn write_timestamp<S: Sink>(field: u8, at: Timestamp, sink: &mut S) {
    sink.message(field, |sink| {
        sink.number(timestamp::SECONDS, at.0 / 1000);
        sink.number(timestamp::NANOSECONDS, at.0 % 1000 * 1_000_000);
    });
}
