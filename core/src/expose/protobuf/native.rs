//! Native histograms, as fields of `Histogram`.

use super::sink::{Sink, zigzag};
use crate::model::{Exponential, ExponentialBucket};

/// The fields of `Histogram` that are of its native buckets.
const SCHEMA: u8 = 5;
const ZERO_THRESHOLD: u8 = 6;
const ZERO_COUNT: u8 = 7;
const NEGATIVE_SPAN: u8 = 9;
const NEGATIVE_DELTA: u8 = 10;
const POSITIVE_SPAN: u8 = 12;
const POSITIVE_DELTA: u8 = 13;

/// The fields of `BucketSpan`.
const OFFSET: u8 = 1;
const LENGTH: u8 = 2;

/// Empty buckets between two that are taken for part of one span: they cost a byte each, and another span
/// costs six.
const GAP_MAX: i32 = 3;

/// Writes the native buckets of a histogram.
pub(super) fn write_native<S: Sink>(native: &Exponential, sink: &mut S) {
    sink.signed(SCHEMA, native.schema().into());
    sink.double(ZERO_THRESHOLD, native.zero_threshold());
    sink.number(ZERO_COUNT, native.zero_count());
    write_side(native.negative(), NEGATIVE_SPAN, NEGATIVE_DELTA, sink);
    write_side(native.positive(), POSITIVE_SPAN, POSITIVE_DELTA, sink);
}

/// Writes buckets in order: which indexes there are, as spans, and what each holds, as the difference to the
/// one before.
fn write_side<S: Sink>(buckets: &[ExponentialBucket], span: u8, delta: u8, sink: &mut S) {
    if buckets.is_empty() {
        return;
    }
    let mut end = 0;
    for run in runs(buckets) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        sink.message(span, |sink| {
            sink.signed(OFFSET, i64::from(first.index) - end);
            let length = i64::from(last.index) - i64::from(first.index) + 1;
            sink.number(LENGTH, length.cast_unsigned());
        });
        end = i64::from(last.index) + 1;
    }
    sink.message(delta, |sink| {
        let mut before = 0;
        let mut write = |count: u64| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            sink.varint(zigzag(count - before));
            before = count;
        };
        for run in runs(buckets) {
            let mut next = run.first().map_or(0, |first| first.index);
            for bucket in run {
                (next..bucket.index).for_each(|_| write(0));
                write(bucket.count);
                next = bucket.index + 1;
            }
        }
    });
}

/// Buckets with no great gap between them.
fn runs(buckets: &[ExponentialBucket]) -> impl Iterator<Item = &[ExponentialBucket]> {
    buckets.chunk_by(|a, b| b.index - a.index <= GAP_MAX + 1)
}
