//! The Prometheus text format 0.0.4.

use super::number::{write_count, write_f64};
use crate::{
    model::LabelSet,
    snapshot::{FamilySnapshot, Histograms, Snapshot, Values},
};

pub(super) fn encode(snapshot: &Snapshot, page: &mut Vec<u8>) {
    for family in snapshot.families() {
        write_header(family, page);
        let name = &*family.name;
        match &family.values {
            Values::Counter(amounts) => each(family, amounts, |labels, amount| {
                write_name(name, "", labels, page);
                write_value(amount.as_f64(), page);
            }),
            Values::Gauge(levels) => each(family, levels, |labels, level| {
                write_name(name, "", labels, page);
                write_value(*level, page);
            }),
            Values::Histogram(histograms) => {
                each(family, histograms.iter(), |labels, (counts, sum)| {
                    write_histogram(name, labels, histograms, counts, page);
                    write_name(name, "_sum", labels, page);
                    write_value(sum, page);
                    write_name(name, "_count", labels, page);
                    let count = counts.iter().fold(0, |all: u64, &count| all.saturating_add(count));
                    write_total(count, page);
                });
            }
            Values::Summary(all) => each(family, all, |labels, observations| {
                write_name(name, "_sum", labels, page);
                write_value(observations.sum, page);
                write_name(name, "_count", labels, page);
                write_total(observations.count, page);
            }),
        }
    }
}

/// Walks the labels and the values of a family side by side.
fn each<T>(
    family: &FamilySnapshot,
    values: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&LabelSet, T),
) {
    let mut labels = family.index.labels();
    for value in values {
        if let Some(labels) = labels.next() {
            write(labels, value);
        }
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

fn write_histogram(
    name: &str,
    labels: &LabelSet,
    histograms: &Histograms,
    counts: &[u64],
    page: &mut Vec<u8>,
) {
    let mut cumulative = 0_u64;
    // The bucket past the last bound is +Inf.
    let bounds = histograms.bounds().as_slice().iter().copied().chain([f64::INFINITY]);
    for (bound, &count) in bounds.zip(counts) {
        cumulative = cumulative.saturating_add(count);
        page.extend_from_slice(name.as_bytes());
        page.extend_from_slice(b"_bucket{");
        if !labels.as_str().is_empty() {
            page.extend_from_slice(labels.as_str().as_bytes());
            page.push(b',');
        }
        page.extend_from_slice(b"le=\"");
        write_f64(bound, page);
        page.extend_from_slice(b"\"}");
        write_total(cumulative, page);
    }
}

fn write_name(name: &str, suffix: &str, labels: &LabelSet, page: &mut Vec<u8>) {
    page.extend_from_slice(name.as_bytes());
    page.extend_from_slice(suffix.as_bytes());
    if !labels.as_str().is_empty() {
        page.push(b'{');
        page.extend_from_slice(labels.as_str().as_bytes());
        page.push(b'}');
    }
}

fn write_value(value: f64, page: &mut Vec<u8>) {
    page.push(b' ');
    write_f64(value, page);
    page.push(b'\n');
}

fn write_total(count: u64, page: &mut Vec<u8>) {
    page.push(b' ');
    write_count(count, page);
    page.push(b'\n');
}
