//! Pages to the byte, in `core/tests/golden`.

#![expect(clippy::disallowed_methods, reason = "a golden page is a file")]

use std::{env, fs, path::Path};

use super::*;

/// Something of every kind, with all that a format may show.
fn everything() -> Snapshot {
    let registry = registry();
    let bounds = [0.5, 1.0, 2e6];
    let native = Resolution::new(Some(1.0), None).ok();
    let trace = |value, seconds| exemplar(&[("trace_id", "a1b2")], value, seconds);
    let deltas = [
        delta("requests_total", &[("path", "/\\\"\n")], add(1_234_567.0)),
        delta("requests_total", &[], add(3.0)).with_exemplar(trace(3.0, 1_699_999_999.5)).unwrap(),
        delta("sent_bytes", &[("to", "x")], add(0.5)),
        delta("read_bytes_total", &[("from", "x")], add(7.0)),
        delta("level", &[], set(-2.5)),
        delta("level", &[("a", "")], set(f64::INFINITY)),
        delta("h_seconds", &[], histogram(&[0.25, 0.75, 5.0], &bounds, None))
            .with_exemplar(trace(0.75, 1_699_999_998.0))
            .unwrap(),
        delta("h_seconds", &[("b", "1"), ("a", "2")], histogram(&[3e6], &bounds, None)),
        delta("h_native", &[("a", "1")], histogram(&[0.0, 1.5, 2.0, 700.0, -1.0], &[], native)),
        delta("h_native", &[("a", "2")], histogram(&[1.0], &[], native))
            .with_exemplar(trace(1.0, 1_699_999_997.0))
            .unwrap(),
        delta("h_negative", &[("a", "1")], histogram(&[-3.0], &[-1.0, 1.0], None)),
        delta("h_negative", &[("a", "2")], histogram(&[4.0], &[-1.0, 1.0], None)),
        delta("s_seconds", &[("a", "1")], summary(&[1.0, 2.0, 4.0], &[("0.5", 0.0), ("1", 0.0)])),
        delta("s_plain", &[], summary(&[], &[])),
        delta("t", &[], set(1.0)),
        delta("t_total", &[], add(2.0)),
        delta("my.requests_total", &[("my.label", "v"), ("plain", "w")], add(1.0)),
        delta("my.requests_total", &[], add(2.0)),
        delta("my.\"time\"_seconds", &[("\u{e9}", "1")], histogram(&[0.25], &[1.0], None))
            .with_exemplar(exemplar(&[("span.id", "c")], 0.25, 1_699_999_996.25))
            .unwrap(),
    ];
    for (delta, born) in deltas.iter().zip((NOW.0 - 60_000..).step_by(1234)) {
        registry.apply(delta, Policy::default().source(), Timestamp(born)).unwrap();
    }
    registry.snapshot(NOW)
}

/// Compares a page with its file, or writes that if `GOLDEN` is set.
#[track_caller]
fn check(format: Format, escaping: Escaping, file: &str) {
    let page = match format {
        Format::TextV0 | Format::TextV1 | Format::OpenMetrics => {
            text_page(format, escaping, &everything())
        }
        // In rows of 32 bytes.
        Format::Protobuf => {
            let hex = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
            let page = page(format, escaping, &everything());
            page.chunks(32).map(|row| hex(row).concat() + "\n").collect()
        }
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if env::var_os("GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap();
    for (line, want) in page.lines().zip(want.lines()) {
        assert_eq!(line, want, "{file}");
    }
    assert_eq!(page.len(), want.len(), "{file} is longer, or shorter");
}

#[test]
fn text_0_0_4() {
    check(Format::TextV0, Escaping::Underscores, "text-0.0.4.txt");
    // It has no quotes.
    check(Format::TextV0, Escaping::AllowUtf8, "text-0.0.4.txt");
}

#[test]
fn text_1_0_0() {
    check(Format::TextV1, Escaping::AllowUtf8, "text-1.0.0.txt");
    check(Format::TextV1, Escaping::Underscores, "text-0.0.4.txt");
}

#[test]
fn openmetrics_1_0_0() {
    check(Format::OpenMetrics, Escaping::AllowUtf8, "openmetrics-1.0.0.txt");
    check(Format::OpenMetrics, Escaping::Values, "openmetrics-1.0.0-values.txt");
}

#[test]
fn protobuf_of_everything() {
    check(Format::Protobuf, Escaping::AllowUtf8, "protobuf.hex");
}

/// Written down by hand after `metrics.proto`.
#[test]
fn protobuf() {
    let registry = registry();
    let counter = delta("c_total", &[("a.b", "\"")], add(0.5));
    let counter = counter.with_exemplar(exemplar(&[("t", "1")], 2.0, 3.25)).unwrap();
    registry.apply(&counter, Policy::default().source(), Timestamp(4_000)).unwrap();
    let message = |tag: u8, pieces: &[&[u8]]| {
        let inner = pieces.concat();
        [&[tag, u8::try_from(inner.len()).unwrap()], &*inner].concat()
    };
    let text = |tag: u8, text: &str| message(tag, &[text.as_bytes()]);
    let double = |tag: u8, value: f64| [&[tag], &value.to_le_bytes()[..]].concat();
    let pair = |name, value| message(0x0a, &[&text(0x0a, name), &text(0x12, value)]);
    // 250,000,000 nanoseconds.
    let at = message(0x1a, &[&[0x08, 3, 0x10, 0x80, 0xe5, 0x9a, 0x77]]);
    let exemplar = message(0x12, &[&pair("t", "1"), &double(0x11, 2.0), &at]);
    let created = message(0x1a, &[&[0x08, 4, 0x10, 0]]);
    let counter = message(0x1a, &[&double(0x09, 0.5), &exemplar, &created]);
    let metric = message(0x22, &[&pair("a.b", "\""), &counter]);
    let help = text(0x12, "What it \"is\",\n\\ no more.");
    let family = [text(0x0a, "c_total"), help, vec![0x18, 0], metric].concat();
    let want = [vec![u8::try_from(family.len()).unwrap()], family].concat();
    assert_eq!(page(Format::Protobuf, Escaping::AllowUtf8, &registry.snapshot(NOW)), want);
}
