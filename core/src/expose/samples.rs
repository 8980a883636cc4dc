//! The lines of samples. All formats that are text share them: a sample has the same name and labels in each.

use std::{slice, sync::Arc};

use super::{
    family::{ExemplarWalk, Family, latest},
    number::{write_amount, write_f64},
};
use crate::{
    model::{Exemplar, Timestamp, Walk, escape_value, is_legacy_metric_name},
    snapshot::{Histogram, Histograms, Summaries, Values},
};

/// How the samples of one name are written.
pub(super) struct Sample {
    /// A sample without labels, up to its value.
    alone: String,
    /// A sample with labels, up to these.
    open: String,
}

impl Sample {
    /// Samples of a family with this name, and of the suffix that is put to it.
    pub(super) fn new(family: &str, suffix: &str) -> Self {
        let name = written_name(family, suffix);
        if name.starts_with('"') {
            Self { alone: format!("{{{name}}} "), open: format!("{{{name},") }
        } else {
            Self { alone: format!("{name} "), open: format!("{name}{{") }
        }
    }

    /// Writes a sample with these labels, up to its value.
    fn write(&self, labels: &str, page: &mut Vec<u8>) {
        if labels.is_empty() {
            page.extend_from_slice(self.alone.as_bytes());
        } else {
            page.extend_from_slice(self.open.as_bytes());
            page.extend_from_slice(labels.as_bytes());
            page.extend_from_slice(b"} ");
        }
    }

    /// Writes a sample with a label of the exposition's own after the client's, up to its value.
    fn write_with(&self, labels: &str, own: &OwnLabel, page: &mut Vec<u8>) {
        page.extend_from_slice(self.open.as_bytes());
        if !labels.is_empty() {
            page.extend_from_slice(labels.as_bytes());
            page.push(b',');
        }
        page.extend_from_slice(own.0.as_bytes());
    }

    /// Writes a sample with these labels and this value.
    fn write_f64(&self, labels: &str, value: f64, page: &mut Vec<u8>) {
        self.write(labels, page);
        write_f64(value, page);
        page.push(b'\n');
    }

    /// Writes a sample with these labels and this count.
    fn write_count(&self, labels: &str, count: u64, page: &mut Vec<u8>) {
        self.write(labels, page);
        write_amount(count.into(), page);
        page.push(b'\n');
    }
}

/// A label that the exposition itself puts to a sample, and what closes the labels: all series of a family
/// have the same ones, so they are written once.
struct OwnLabel(String);

impl OwnLabel {
    fn new(name: &str, value: f64) -> Self {
        let mut text = Vec::new();
        write_f64(value, &mut text);
        Self(format!("{name}=\"{}\"}} ", String::from_utf8_lossy(&text)))
    }

    /// Those of the buckets of histograms; the last one is `+Inf`.
    fn bounds(histograms: &Histograms) -> Vec<Self> {
        let bounds = histograms.bounds().as_slice().iter().copied().chain([f64::INFINITY]);
        bounds.map(|bound| Self::new("le", bound)).collect()
    }

    /// Those of the quantiles of summaries.
    fn quantiles(summaries: &Summaries) -> Vec<Self> {
        summaries.objectives().iter().map(|&part| Self::new("quantile", part)).collect()
    }
}

/// The name of samples or of a family, in quotes where not all of Prometheus knows such a name.
pub(super) fn written_name(family: &str, suffix: &str) -> String {
    if is_legacy_metric_name(family) {
        return format!("{family}{suffix}");
    }
    let escaped: String = escape_value(family).collect();
    format!("\"{escaped}{suffix}\"")
}

/// What a format shows of series beside their values.
#[derive(Default)]
pub(super) struct Beside<'a> {
    exemplars: ExemplarWalk<'a>,
    /// The samples that say when series were born, and when that was.
    born: Option<(Sample, slice::Iter<'a, Timestamp>)>,
}

/// What a format shows of one series beside its values.
struct Extra<'a> {
    /// In the order of their places.
    exemplars: &'a [(usize, Arc<Exemplar>)],
    born: Option<(&'a Sample, Timestamp)>,
}

impl<'a> Beside<'a> {
    /// The exemplars of a family, and when its series were born if there is a name for samples of that.
    pub(super) fn of(family: &'a Family<'_>, created: Option<Sample>) -> Self {
        Self {
            exemplars: family.exemplar_walk(),
            born: created.map(|created| (created, family.index.born().iter())),
        }
    }

    /// What there is of the next series.
    fn next(&mut self) -> Extra<'_> {
        let born = self.born.as_mut().and_then(|(created, born)| Some((&*created, *born.next()?)));
        Extra { exemplars: self.exemplars.next(), born }
    }
}

impl Extra<'_> {
    /// Writes when the series was born, if that is to be shown, and known.
    fn write_born(&self, labels: &str, page: &mut Vec<u8>) {
        if let Some((created, born)) = self.born
            && born > Timestamp::default()
        {
            created.write(labels, page);
            write_seconds(born, page);
            page.push(b'\n');
        }
    }
}

/// Writes the samples of a family, series by series; `written` is called after each.
pub(super) fn write_all(
    family: &Family<'_>,
    mut beside: Beside<'_>,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    let sample = |suffix| Sample::new(family.name, suffix);
    match family.values {
        Values::Counter(amounts) => write_plain(family, amounts, page, |labels, amount, page| {
            write_amount(*amount, page);
            let extra = beside.next();
            write_latest(extra.exemplars, page);
            page.push(b'\n');
            extra.write_born(labels, page);
            written(page);
        }),
        Values::Gauge(levels) => write_plain(family, levels, page, |_, level, page| {
            write_f64(*level, page);
            page.push(b'\n');
            written(page);
        }),
        Values::Histogram(histograms) => {
            let bounds = OwnLabel::bounds(histograms);
            let [bucket, sum, count] = ["_bucket", "_sum", "_count"].map(sample);
            each(family.index.labels(), histograms.iter(), |labels, histogram| {
                let extra = beside.next();
                let all =
                    write_buckets(&bucket, labels, &bounds, &histogram, extra.exemplars, page);
                sum.write_f64(labels, histogram.sum, page);
                count.write_count(labels, all, page);
                extra.write_born(labels, page);
                written(page);
            });
        }
        Values::Summary(summaries) => {
            let parts = OwnLabel::quantiles(summaries);
            let [plain, sum, count] = ["", "_sum", "_count"].map(sample);
            each(family.index.labels(), summaries.iter(), |labels, (observations, quantiles)| {
                write_quantiles(&plain, labels, &parts, quantiles, page);
                sum.write_f64(labels, observations.sum, page);
                count.write_count(labels, observations.count, page);
                beside.next().write_born(labels, page);
                written(page);
            });
        }
    }
}

/// Writes the samples of a family name by name; `begin` is called with the suffix before each.
pub(super) fn write_by_name(
    family: &Family<'_>,
    mut begin: impl FnMut(&str, &mut Vec<u8>),
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    let sample = |suffix| Sample::new(family.name, suffix);
    match family.values {
        Values::Counter(_) | Values::Gauge(_) => {
            begin("", page);
            write_all(family, Beside::default(), page, written);
        }
        Values::Histogram(histograms) => {
            let bounds = OwnLabel::bounds(histograms);
            let [bucket, sum, count] = ["_bucket", "_sum", "_count"].map(sample);
            begin("_bucket", page);
            each(family.index.labels(), histograms.iter(), |labels, histogram| {
                write_buckets(&bucket, labels, &bounds, &histogram, &[], page);
                written(page);
            });
            begin("_sum", page);
            each(family.index.labels(), histograms.iter(), |labels, histogram| {
                sum.write_f64(labels, histogram.sum, page);
                written(page);
            });
            begin("_count", page);
            each(family.index.labels(), histograms.iter(), |labels, histogram| {
                count.write_count(labels, histogram.count(), page);
                written(page);
            });
        }
        Values::Summary(summaries) => {
            let parts = OwnLabel::quantiles(summaries);
            let [plain, sum, count] = ["", "_sum", "_count"].map(sample);
            if !parts.is_empty() {
                begin("", page);
                each(family.index.labels(), summaries.iter(), |labels, (_, quantiles)| {
                    write_quantiles(&plain, labels, &parts, quantiles, page);
                    written(page);
                });
            }
            begin("_sum", page);
            each(family.index.labels(), summaries.iter(), |labels, (observations, _)| {
                sum.write_f64(labels, observations.sum, page);
                written(page);
            });
            begin("_count", page);
            each(family.index.labels(), summaries.iter(), |labels, (observations, _)| {
                count.write_count(labels, observations.count, page);
                written(page);
            });
        }
    }
}

/// Walks labels and values side by side.
fn each<T>(
    mut labels: Walk<'_>,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&str, T),
) {
    for value in values {
        if let Some(labels) = labels.next() {
            write(labels.as_str(), value);
        }
    }
}

/// Does the same for samples that have the name of their family, and writes each up to its value: what a
/// page of many counters consists of.
fn write_plain<T>(
    family: &Family<'_>,
    values: impl IntoIterator<Item = T>,
    page: &mut Vec<u8>,
    mut write: impl FnMut(&str, T, &mut Vec<u8>),
) {
    let sample = Sample::new(family.name, "");
    let mut lines = family.index.lines(&sample.open);
    for value in values {
        if let Some((line, before)) = lines.next() {
            let labels = line.get(before..).unwrap_or_default();
            if labels.is_empty() {
                page.extend_from_slice(sample.alone.as_bytes());
            } else {
                page.extend_from_slice(line.as_bytes());
                page.extend_from_slice(b"} ");
            }
            write(labels, value, page);
        }
    }
}

/// Writes the buckets of a histogram; returns the count of all.
fn write_buckets(
    sample: &Sample,
    labels: &str,
    bounds: &[OwnLabel],
    histogram: &Histogram<'_>,
    exemplars: &[(usize, Arc<Exemplar>)],
    page: &mut Vec<u8>,
) -> u64 {
    let mut cumulative = 0_u64;
    let mut exemplars = exemplars.chunk_by(|(a, _), (b, _)| a == b).peekable();
    for (place, (bound, &count)) in bounds.iter().zip(histogram.counts).enumerate() {
        cumulative = cumulative.saturating_add(count);
        sample.write_with(labels, bound, page);
        write_amount(cumulative.into(), page);
        if let Some(here) =
            exemplars.next_if(|some| some.first().is_some_and(|(at, _)| *at == place))
        {
            write_latest(here, page);
        }
        page.push(b'\n');
    }
    cumulative
}

fn write_quantiles(
    sample: &Sample,
    labels: &str,
    parts: &[OwnLabel],
    quantiles: &[f64],
    page: &mut Vec<u8>,
) {
    for (part, &quantile) in parts.iter().zip(quantiles) {
        sample.write_with(labels, part, page);
        write_f64(quantile, page);
        page.push(b'\n');
    }
}

/// Writes the latest of some exemplars behind the value of their sample.
fn write_latest(exemplars: &[(usize, Arc<Exemplar>)], page: &mut Vec<u8>) {
    let readable = exemplars.iter().filter(|(_, exemplar)| is_readable(exemplar));
    let Some(latest) = latest(readable) else { return };
    page.extend_from_slice(b" # {");
    page.extend_from_slice(latest.labels().as_str().as_bytes());
    page.extend_from_slice(b"} ");
    write_f64(latest.value, page);
    if let Some(at) = latest.timestamp {
        page.push(b' ');
        write_seconds(at, page);
    }
}

/// Whether the reference parser reads an exemplar: in one it takes a quote that is escaped for the end of a
/// value, and refuses the page.
fn is_readable(exemplar: &Exemplar) -> bool {
    let text = exemplar.labels().as_str();
    !text.contains('\\')
        || exemplar.labels().iter().all(|(name, value)| !name.contains('"') && !value.contains('"'))
}

/// Writes an instant as seconds, to the millisecond.
fn write_seconds(at: Timestamp, page: &mut Vec<u8>) {
    let (seconds, milliseconds) = (at.0 / 1000, at.0 % 1000);
    page.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    page.push(b'.');
    for place in [100, 10, 1] {
        page.push(b'0' + u8::try_from(milliseconds / place % 10).unwrap_or_default());
    }
}
