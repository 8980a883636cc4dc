//! Protobuf, read by code that is made from `metrics.proto`.

use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as proto;
use proptest::prelude::*;
use prost::Message;
use pushprom_core::{
    model::{self, Exponential, Kind},
    snapshot::FamilySnapshot,
};

use super::{text::samples_of, *};

fn read(page: &[u8]) -> Vec<proto::MetricFamily> {
    let mut rest = page;
    let mut families = Vec::new();
    while !rest.is_empty() {
        families.push(proto::MetricFamily::decode_length_delimited(&mut rest).expect("a family"));
    }
    families
}

fn pairs(labels: &[proto::LabelPair]) -> BTreeMap<String, String> {
    let map: BTreeMap<_, _> =
        labels.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
    assert_eq!(map.len(), labels.len(), "a label comes once");
    map
}

/// Takes a family apart into samples.
fn samples_read(family: &proto::MetricFamily) -> Vec<Sample> {
    let mut samples = Vec::new();
    for metric in &family.metric {
        let labels = pairs(&metric.label);
        let mut push = |suffix: &str, own: Option<(&str, f64)>, value: f64| {
            let mut labels = labels.clone();
            labels.extend(own.map(|(name, value)| (name.to_owned(), written(value))));
            samples.push((format!("{}{suffix}", family.name), labels, bits(value)));
        };
        if let Some(gauge) = &metric.gauge {
            push("", None, gauge.value);
        }
        if let Some(counter) = &metric.counter {
            push("", None, counter.value);
        }
        if let Some(summary) = &metric.summary {
            for quantile in &summary.quantile {
                push("", Some(("quantile", quantile.quantile)), quantile.value);
            }
            push("_sum", None, summary.sample_sum);
            push("_count", None, as_f64(summary.sample_count));
        }
        if let Some(histogram) = &metric.histogram {
            for bucket in histogram.bucket.iter().filter(|bucket| bucket.upper_bound.is_finite()) {
                push("_bucket", Some(("le", bucket.upper_bound)), as_f64(bucket.cumulative_count));
            }
            push("_bucket", Some(("le", f64::INFINITY)), as_f64(histogram.sample_count));
            push("_sum", None, histogram.sample_sum);
            push("_count", None, as_f64(histogram.sample_count));
        }
    }
    samples
}

/// The buckets that spans and differences stand for.
fn buckets(spans: &[proto::BucketSpan], deltas: &[i64]) -> Vec<(i32, u64)> {
    let (mut index, mut count) = (0, 0);
    let mut deltas = deltas.iter();
    let mut buckets = Vec::new();
    for span in spans {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().expect("a difference for each bucket");
            buckets.push((index, u64::try_from(count).expect("not negative")));
            index += 1;
        }
    }
    assert!(deltas.next().is_none(), "more differences than buckets");
    buckets.retain(|(_, count)| *count > 0);
    buckets
}

#[track_caller]
fn check_native(read: &proto::Histogram, native: &Exponential) {
    assert_eq!(read.schema, i32::from(native.schema()));
    assert_eq!(read.zero_threshold, native.zero_threshold());
    assert_eq!(read.zero_count, native.zero_count());
    let held = |side: &[model::ExponentialBucket]| -> Vec<_> {
        side.iter().map(|bucket| (bucket.index, bucket.count)).collect()
    };
    assert_eq!(buckets(&read.positive_span, &read.positive_delta), held(native.positive()));
    assert_eq!(buckets(&read.negative_span, &read.negative_delta), held(native.negative()));
    if !read.sample_sum.is_nan() {
        let parts = [read.zero_count]
            .into_iter()
            .chain(native.positive().iter().chain(native.negative()).map(|bucket| bucket.count));
        assert_eq!(read.sample_count, parts.sum::<u64>(), "Prometheus drops it otherwise");
    }
}

/// When something happened, in milliseconds.
fn milliseconds(seconds: i64, nanoseconds: i32) -> u64 {
    u64::try_from(seconds * 1000 + i64::from(nanoseconds) / 1_000_000).expect("after 1970")
}

type Shown = (BTreeMap<String, String>, u64, Option<u64>);

fn shown(exemplar: &proto::Exemplar) -> Shown {
    let at = exemplar.timestamp.as_ref().map(|at| milliseconds(at.seconds, at.nanos));
    (pairs(&exemplar.label), bits(exemplar.value), at)
}

/// What a metric shows beside its values: its birth, and exemplars with the bounds of their buckets.
fn beside(metric: &proto::Metric) -> (Option<u64>, Vec<(Option<u64>, Shown)>) {
    let (mut born, mut exemplars) = (None, Vec::new());
    if let Some(counter) = &metric.counter {
        born = counter.start_timestamp;
        exemplars.extend(counter.exemplar.iter().map(|exemplar| (None, shown(exemplar))));
    }
    if let Some(summary) = &metric.summary {
        born = summary.start_timestamp;
    }
    if let Some(histogram) = &metric.histogram {
        born = histogram.start_timestamp;
        for bucket in &histogram.bucket {
            let bound = Some(bits(bucket.upper_bound));
            exemplars.extend(bucket.exemplar.iter().map(|exemplar| (bound, shown(exemplar))));
        }
        exemplars.extend(histogram.exemplars.iter().map(|exemplar| (None, shown(exemplar))));
    }
    (born.map(|at| milliseconds(at.seconds, at.nanos)), exemplars)
}

/// The same, of a series of a snapshot.
fn beside_in(family: &FamilySnapshot, place: usize) -> (Option<u64>, Vec<(Option<u64>, Shown)>) {
    let born = family.index.born()[place].0;
    let born = (born > 0 && family.kind() != Kind::Gauge).then_some(born);
    let held = family.exemplars.iter().find(|(at, _)| *at == place);
    let bounds = match &family.values {
        Values::Histogram(all) if !all.are_native() || all.bounds().buckets() > 1 => {
            Some(all.bounds().as_slice())
        }
        Values::Counter(_) | Values::Gauge(_) | Values::Histogram(_) | Values::Summary(_) => None,
    };
    let mut exemplars: Vec<_> = held
        .into_iter()
        .flat_map(|(_, held)| held)
        .map(|(bucket, exemplar)| {
            let bound = bounds.map(|all| bits(all.get(*bucket).copied().unwrap_or(f64::INFINITY)));
            let labels = exemplar.labels().iter();
            let labels =
                labels.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            (bound, (labels, bits(exemplar.value), exemplar.timestamp.map(|at| at.0)))
        })
        .collect();
    if family.kind() == Kind::Counter {
        exemplars = exemplars.into_iter().max_by_key(|(_, (.., at))| *at).into_iter().collect();
    }
    (born, exemplars)
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_held(snapshot in random::snapshot()) {
        let families = read(&page(Format::Protobuf, Escaping::AllowUtf8, &snapshot));
        prop_assert_eq!(families.len(), snapshot.families().len());
        let mut got = Vec::new();
        for (family, held) in families.iter().zip(snapshot.families()) {
            prop_assert_eq!(&family.name, &*held.name);
            prop_assert_eq!(&family.help, &*held.help);
            let kind = match family.r#type() {
                proto::MetricType::Counter => Kind::Counter,
                proto::MetricType::Gauge => Kind::Gauge,
                proto::MetricType::Summary => Kind::Summary,
                proto::MetricType::Histogram => Kind::Histogram,
                other @ (proto::MetricType::Untyped | proto::MetricType::GaugeHistogram) => {
                    panic!("no family is a {other:?}")
                }
            };
            prop_assert_eq!(kind, held.kind());
            prop_assert_eq!(family.metric.len(), held.index.len());
            got.extend(samples_read(family));
            for (place, metric) in family.metric.iter().enumerate() {
                prop_assert_eq!(beside(metric), beside_in(held, place));
            }
            if let Values::Histogram(all) = &held.values {
                for (metric, held) in family.metric.iter().zip(all.iter()) {
                    let read = metric.histogram.as_ref().expect("a histogram");
                    match held.native {
                        Some(native) => check_native(read, native),
                        None => prop_assert!(read.zero_threshold == 0.0 && read.positive_span.is_empty()),
                    }
                }
            }
        }
        got.sort();
        prop_assert_eq!(got, samples(&snapshot));
    }

    #[test]
    fn names_are_escaped_as_in_text(snapshot in random::snapshot()) {
        for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
            let families = read(&page(Format::Protobuf, escaping, &snapshot));
            let mut got: Vec<Sample> = families.iter().flat_map(samples_read).collect();
            got.sort();
            prop_assert_eq!(got, samples_of(&text_page(Format::TextV0, escaping, &snapshot)));
        }
    }
}
