//! What the exact path says is valid, bounded, and says the same again when it is written out.

#![no_main]

use std::{borrow::Cow, fmt};

use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    limits::{
        BOUNDS_PER_HISTOGRAM_MAX, DELTAS_PER_MESSAGE_MAX, EXEMPLAR_CHARS_MAX, HELP_BYTES_MAX,
        LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_PER_SERIES_MAX, Limits,
        METRIC_NAME_BYTES_MAX, OBJECTIVES_PER_SUMMARY_MAX, READINGS_PER_DELTA_MAX, TIMES_MAX,
    },
    model::{Change, Delta, HistogramChange, Kind, Layout, Objectives, Readings, SummaryChange},
    wire::json::{decode_exact, decode_fast},
};
use pushprom_fuzz::{
    encode::Push,
    parse::{is_label_name, is_metric_name},
};

/// Bytes of an error's text: 64 characters of the client's, each escaped with up to ten, and what we say
/// about them.
const ERROR_BYTES_MAX: usize = 64 * 10 + 120;

fuzz_target!(|message: &[u8]| {
    let decoded = decode_exact(message, &Limits::default());
    assert!(decoded.broken.is_some() || !decoded.deltas.is_empty());
    assert!(decoded.deltas.len() <= DELTAS_PER_MESSAGE_MAX);
    if let Some(broken) = &decoded.broken {
        assert_fit_to_log(broken);
    }
    for delta in &decoded.deltas {
        match delta {
            Ok(delta) => {
                assert_valid(delta);
                assert_survives_rewriting(delta);
            }
            Err(error) => assert_fit_to_log(error),
        }
    }
});

/// One short line without anything that a terminal would obey.
fn assert_fit_to_log(error: &impl fmt::Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() <= ERROR_BYTES_MAX, "{} bytes: {text}", text.len());
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!text.contains(breaks), "{text:?}");
}

fn assert_valid(delta: &Delta<'_>) {
    assert!(is_metric_name(delta.name()) && delta.name().len() <= METRIC_NAME_BYTES_MAX);
    assert!(delta.help().len() <= HELP_BYTES_MAX);
    let labels: Vec<(&str, &str)> = delta.labels().iter().collect();
    assert!(labels.len() <= LABELS_PER_SERIES_MAX);
    assert!(labels.is_sorted_by(|(a, _), (b, _)| a < b), "{labels:?}");
    for (name, value) in labels {
        assert!(is_label_name(name) && name.len() <= LABEL_NAME_BYTES_MAX, "{name:?}");
        assert!(value.len() <= LABEL_VALUE_BYTES_MAX);
        assert!(!name.starts_with("__"), "{name}");
        assert!(delta.kind() != Kind::Histogram || name != "le");
        assert!(delta.kind() != Kind::Summary || name != "quantile");
    }
    match delta.change() {
        Change::Histogram(HistogramChange::Observed { readings, layout }) => {
            assert_valid_layout(layout);
            assert_valid_readings(readings);
        }
        Change::Histogram(HistogramChange::Sorted(buckets)) => {
            assert_valid_layout(buckets.layout());
            assert_eq!(buckets.counts().len(), buckets.layout().bounds.buckets());
            assert!(buckets.sum().is_finite());
        }
        Change::Summary(SummaryChange::Observed { readings, objectives }) => {
            assert_valid_readings(readings);
            let quantiles = objectives.as_ref().map(Objectives::quantiles);
            if let Some(quantiles) = quantiles {
                assert!((1..=OBJECTIVES_PER_SUMMARY_MAX).contains(&quantiles.len()));
                assert!(quantiles.iter().all(|part| (0.0..=1.0).contains(part)), "{quantiles:?}");
                assert!(quantiles.is_sorted_by(|a, b| a < b), "{quantiles:?}");
            }
        }
        Change::Summary(SummaryChange::Summed(_)) => panic!("JSON brings observations alone"),
        Change::Counter(amount) => {
            assert!(amount.as_f64().is_finite() && amount.as_f64() >= 0.0, "{amount:?}");
        }
        Change::Gauge(_) => {}
    }
    if let Some(exemplar) = delta.exemplar() {
        assert!(matches!(delta.kind(), Kind::Counter | Kind::Histogram));
        let chars = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
            name.chars().count() + value.chars().count()
        };
        assert!(exemplar.labels().iter().map(chars).sum::<usize>() <= EXEMPLAR_CHARS_MAX);
        assert!(exemplar.value.is_finite());
    }
}

fn assert_valid_layout(layout: &Layout) {
    let bounds = layout.bounds.as_slice();
    assert!(bounds.len() <= BOUNDS_PER_HISTOGRAM_MAX);
    assert!(!bounds.is_empty() || layout.native.is_some(), "some buckets there are");
    assert!(bounds.iter().all(|bound| bound.is_finite()), "{bounds:?}");
    assert!(bounds.is_sorted_by(|a, b| a < b), "{bounds:?}");
}

fn assert_valid_readings(readings: &Readings) {
    assert!(readings.values().len() <= READINGS_PER_DELTA_MAX);
    assert!(readings.values().iter().all(|value| value.is_finite()), "{readings:?}");
    assert!((1..=TIMES_MAX).contains(&readings.times()));
}

/// Written out plainly, the delta is read again as itself, on the fast path too.
fn assert_survives_rewriting(delta: &Delta<'_>) {
    let push = Push::from(delta);
    let rewritten = push.to_string();
    // Escapes may make it longer than the message that it came in.
    let limits = Limits { message_bytes: rewritten.len(), ..Limits::default() };
    let again = decode_exact(rewritten.as_bytes(), &limits);
    assert_eq!(again.broken, None, "{rewritten}");
    let pushes: Vec<_> = again.deltas.iter().map(|delta| delta.as_ref().map(Push::from)).collect();
    assert_eq!(pushes, [Ok(push)], "{rewritten}");
    assert_eq!(decode_fast(rewritten.as_bytes(), &limits), Some(again), "{rewritten}");
}
