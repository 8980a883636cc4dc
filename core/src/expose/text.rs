//! The Prometheus text format 0.0.4.

use super::number::{write_amount, write_f64};
use crate::{
    model::Bounds,
    snapshot::{FamilySnapshot, Snapshot, Values},
};

/// Appends to `page`; `written` may look at it, and take what is there, after each series.
pub(super) fn encode(
    snapshot: &Snapshot,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    for family in snapshot.families() {
        write_header(family, page);
        write_family(family, page, &mut written);
    }
}

fn write_family(
    family: &FamilySnapshot,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    match &family.values {
        Values::Counter(amounts) => each(family, amounts, |series, amount| {
            series.write_plain(page);
            write_amount(*amount, page);
            page.push(b'\n');
            written(page);
        }),
        Values::Gauge(levels) => each(family, levels, |series, level| {
            series.write_plain(page);
            write_f64(*level, page);
            page.push(b'\n');
            written(page);
        }),
        Values::Histogram(histograms) => {
            each(family, histograms.iter(), |series, histogram| {
                let count = write_buckets(&series, histograms.bounds(), histogram.counts, page);
                write_sum_and_count(&series, histogram.sum, count, page);
                written(page);
            });
        }
        Values::Summary(summaries) => each(family, summaries.iter(), |series, summary| {
            let (observations, quantiles) = summary;
            for (&part, &quantile) in summaries.objectives().iter().zip(quantiles) {
                write_with_own_label(&series, "", "quantile", part, page);
                write_f64(quantile, page);
                page.push(b'\n');
            }
            write_sum_and_count(&series, observations.sum, observations.count, page);
            written(page);
        }),
    }
}

/// How the samples of a series begin.
struct Series<'a> {
    /// `name{` and the labels.
    line: &'a str,
    name: &'a str,
    labels: &'a str,
}

/// Walks the labels and the values of a family side by side.
fn each<T>(
    family: &FamilySnapshot,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(Series<'_>, T),
) {
    let name = &*family.name;
    let mut lines = family.index.lines(&format!("{name}{{"));
    for value in values {
        if let Some((line, before)) = lines.next() {
            let labels = line.get(before..).unwrap_or_default();
            write(Series { line, name, labels }, value);
        }
    }
}

impl Series<'_> {
    /// The sample that has the name of its family, up to its value.
    fn write_plain(&self, page: &mut Vec<u8>) {
        if self.labels.is_empty() {
            page.extend_from_slice(self.name.as_bytes());
            page.push(b' ');
        } else {
            page.extend_from_slice(self.line.as_bytes());
            page.extend_from_slice(b"} ");
        }
    }

    /// A sample with a suffix to its name, up to its value.
    fn write_suffixed(&self, suffix: &str, page: &mut Vec<u8>) {
        page.extend_from_slice(self.name.as_bytes());
        page.extend_from_slice(suffix.as_bytes());
        if !self.labels.is_empty() {
            page.push(b'{');
            page.extend_from_slice(self.labels.as_bytes());
            page.push(b'}');
        }
        page.push(b' ');
    }
}

fn write_header(family: &FamilySnapshot, page: &mut Vec<u8>) {
    page.extend_from_slice(b"# HELP ");
    page.extend_from_slice(family.name.as_bytes());
    page.push(b' ');
    for byte in family.help.bytes() {
        match byte {
            b'\\' => page.extend_from_slice(br"\\"),
            b'\n' => page.extend_from_slice(br"\n"),
            plain => page.push(plain),
        }
    }
    page.extend_from_slice(b"\n# TYPE ");
    page.extend_from_slice(family.name.as_bytes());
    page.push(b' ');
    page.extend_from_slice(family.kind().as_str().as_bytes());
    page.push(b'\n');
}

/// Writes the buckets of a histogram; returns the count of all.
fn write_buckets(series: &Series<'_>, bounds: &Bounds, counts: &[u64], page: &mut Vec<u8>) -> u64 {
    let mut cumulative = 0_u64;
    // The bucket past the last bound is +Inf.
    let bounds = bounds.as_slice().iter().copied().chain([f64::INFINITY]);
    for (bound, &count) in bounds.zip(counts) {
        cumulative = cumulative.saturating_add(count);
        write_with_own_label(series, "_bucket", "le", bound, page);
        write_amount(cumulative.into(), page);
        page.push(b'\n');
    }
    cumulative
}

/// Writes a sample with a label of the exposition's own after the client's, up to its value.
fn write_with_own_label(
    series: &Series<'_>,
    suffix: &str,
    label: &str,
    value: f64,
    page: &mut Vec<u8>,
) {
    page.extend_from_slice(series.name.as_bytes());
    page.extend_from_slice(suffix.as_bytes());
    page.push(b'{');
    if !series.labels.is_empty() {
        page.extend_from_slice(series.labels.as_bytes());
        page.push(b',');
    }
    page.extend_from_slice(label.as_bytes());
    page.extend_from_slice(b"=\"");
    write_f64(value, page);
    page.extend_from_slice(b"\"} ");
}

fn write_sum_and_count(series: &Series<'_>, sum: f64, count: u64, page: &mut Vec<u8>) {
    series.write_suffixed("_sum", page);
    write_f64(sum, page);
    page.push(b'\n');
    series.write_suffixed("_count", page);
    write_amount(count.into(), page);
    page.push(b'\n');
}
