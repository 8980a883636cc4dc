//! What the decoder makes of messages, as data.

mod more;

use proptest::prelude::*;

use super::*;
use crate::{
    limits::MESSAGE_BYTES_MAX,
    model::{Change, Delta, GaugeChange, HistogramChange, Objectives, Readings, SummaryChange},
};

/// One line per delta: `kind name{labels} "help" change`, or `error: ...`; `broken: ...` last.
fn render(message: &JsonMessage<'_>) -> String {
    let mut lines: Vec<String> = message
        .deltas
        .iter()
        .map(|delta| match delta {
            Ok(delta) => render_delta(delta),
            Err(error) => format!("error: {error}"),
        })
        .collect();
    lines.extend(message.broken.as_ref().map(|error| format!("broken: {error}")));
    lines.join("\n")
}

fn render_delta(delta: &Delta<'_>) -> String {
    let labels: Vec<String> =
        delta.labels().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let change = match delta.change() {
        Change::Counter(amount) => format!("+{:?}", amount.as_f64()),
        Change::Gauge(GaugeChange::Set(value)) => format!("={value:?}"),
        Change::Gauge(GaugeChange::Add(by)) => format!("{by:+?}"),
        Change::Histogram(HistogramChange::Observed { readings, layout }) => {
            let native = layout.native.map(|native| (native.schema(), native.buckets_max()));
            let native = native.map(|native| format!(" and {native:?}")).unwrap_or_default();
            format!("{} in {:?}{native}", render_readings(readings), layout.bounds.as_slice())
        }
        Change::Histogram(HistogramChange::Sorted(buckets)) => {
            let bounds = buckets.layout().bounds.as_slice();
            format!("{:?} of {:?} in {bounds:?}", buckets.counts(), buckets.sum())
        }
        Change::Summary(SummaryChange::Observed { readings, objectives }) => {
            let quantiles = objectives.as_ref().map(Objectives::quantiles);
            let quantiles = quantiles.map(|quantiles| format!(" at {quantiles:?}"));
            format!("{}{}", render_readings(readings), quantiles.unwrap_or_default())
        }
        Change::Summary(SummaryChange::Summed(_)) => unreachable!("no wire form yet"),
    };
    let (kind, name, help) = (delta.kind(), delta.name(), delta.help());
    let exemplar = delta.exemplar().map(|exemplar| {
        let when = exemplar.timestamp.map(|timestamp| timestamp.0);
        format!(" like {:?} {:?} {when:?}", exemplar.labels(), exemplar.value)
    });
    let exemplar = exemplar.unwrap_or_default();
    format!("{kind} {name}{{{}}} {help:?} {change}{exemplar}", labels.join(","))
}

fn render_readings(readings: &Readings) -> String {
    match (readings.values(), readings.times()) {
        ([value], 1) => format!("{value:?}"),
        (values, 1) => format!("{values:?}"),
        (values, times) => format!("{times} x {values:?}"),
    }
}

#[track_caller]
fn check(message: impl AsRef<[u8]>, want: &str) {
    let (message, limits) = (message.as_ref(), Limits::default());
    assert_eq!(render(&decode(message, &limits)), want);
    assert_agree(message);
}

/// The law: what the fast path takes, the exact path takes with the same result.
#[track_caller]
fn assert_agree(message: &[u8]) {
    let limits = Limits::default();
    if let Some(fast) = decode_fast(message, &limits) {
        assert_eq!(fast, decode_exact(message, &limits), "{}", message.escape_ascii());
    }
}

/// A gauge `m` set to a value, with more fields.
fn set(fields: &str) -> String {
    format!(r#"{{"type":"gauge","name":"m","method":"set",{fields}}}"#)
}

#[test]
fn the_usual_message_takes_the_fast_path() {
    let message = br#"{"type":"counter","name":"m","help":"h","method":"inc","labels":{"a":"b"}}"#;
    assert!(decode_fast(message, &Limits::default()).is_some());
    check(message, r#"counter m{a="b"} "h" +1.0"#);
}

#[test]
fn every_method_makes_its_change() {
    let with = |kind: &str, method: &str| {
        format!(r#"{{"type":"{kind}","name":"m","method":"{method}","value":2.5}}"#)
    };
    check(with("counter", "inc"), r#"counter m{} "" +1.0"#);
    check(with("counter", "add"), r#"counter m{} "" +2.5"#);
    check(with("gauge", "set"), r#"gauge m{} "" =2.5"#);
    check(with("gauge", "inc"), r#"gauge m{} "" +1.0"#);
    check(with("gauge", "dec"), r#"gauge m{} "" -1.0"#);
    check(with("gauge", "add"), r#"gauge m{} "" +2.5"#);
    check(with("gauge", "sub"), r#"gauge m{} "" -2.5"#);
    check(
        with("histogram", "observe"),
        r#"histogram m{} "" 2.5 in [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]"#,
    );
    check(with("summary", "observe"), r#"summary m{} "" 2.5"#);
    check(
        with("counter", "set"),
        r#"error: method "set" is unknown for a counter; use inc, add or declare"#,
    );
    check(
        with("gauge", "Set"),
        r#"error: method "Set" is unknown for a gauge; use set, inc, dec, add, sub or declare"#,
    );
    check(
        with("Counter", "inc"),
        r#"error: type "Counter" is unknown; use counter, gauge, histogram or summary"#,
    );
}

#[test]
fn keys_fold_and_later_duplicates_win() {
    check(
        r#"{"TYPE":"gauge","nAmE":"m","Method":"set","VALUE":1,"value":2,"x":[{"y":null}]}"#,
        r#"gauge m{} "" =2.0"#,
    );
    check(set("\"value\":1,\"label\u{17f}\":{\"a\":\"b\"}"), r#"gauge m{a="b"} "" =1.0"#);
    check(set(r#""\u0076alue":3"#), r#"gauge m{} "" =3.0"#);
    check(set(r#""value":1,"value":null"#), r#"gauge m{} "" =1.0"#);
    check(
        set(r#""labels":{"b":"1","a":"2"},"labels":{"a":"3"}"#),
        r#"gauge m{a="3",b="1"} "" =0.0"#,
    );
    check(
        set(r#""labels":{"b":"1"},"labels":null,"labels":{"a":"3"}"#),
        r#"gauge m{a="3"} "" =0.0"#,
    );
    check(set(r#""labels":{"a":null}"#), r#"gauge m{a=""} "" =0.0"#);
    check(set(r#""labels":[]"#), r#"gauge m{} "" =0.0"#);
}

#[test]
fn buckets_fill_a_slice_as_in_go() {
    let with =
        |fields: &str| format!(r#"{{"type":"histogram","name":"m","method":"observe",{fields}}}"#);
    let default = "[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]";
    let wanted = |bounds: &str| format!(r#"histogram m{{}} "" 0.0 in {bounds}"#);
    check(with(r#""buckets":[1,2.5]"#), &wanted("[1.0, 2.5]"));
    check(with(r#""buckets":[null,2]"#), &wanted("[0.0, 2.0]"));
    check(with(r#""buckets":[1,2,3],"buckets":[null,null]"#), &wanted("[1.0, 2.0]"));
    check(with(r#""buckets":[1,2],"buckets":[0],"buckets":[null,null]"#), &wanted("[0.0, 2.0]"));
    check(with(r#""buckets":[1,2],"buckets":[],"buckets":[null]"#), &wanted("[0.0]"));
    check(with(r#""buckets":[1,2],"bucKets":null"#), &wanted(default));
    check(with("\"buc\u{212a}ets\":[]"), &wanted(default));
    check(
        with(r#""buckets":[2,1]"#),
        "error: bucket bound 1.0 follows 2.0; list bounds in increasing order, each once",
    );
}

#[test]
fn numbers_are_strict_and_correctly_rounded() {
    for (literal, want) in [
        ("-0", "=-0.0"),
        ("1e3", "=1000.0"),
        ("1E+2", "=100.0"),
        ("9007199254740993", "=9007199254740992.0"),
        ("123456789012345678901234567890", "=1.2345678901234568e29"),
        ("1e-400", "=0.0"),
        ("2.2250738585072011e-308", "=2.225073858507201e-308"),
        ("null", "=0.0"),
    ] {
        check(set(&format!(r#""value":{literal}"#)), &format!(r#"gauge m{{}} "" {want}"#));
    }
    check(
        set(r#""value":1e400"#),
        r#"error: field value: number "1e400" is beyond the range of a 64-bit float"#,
    );
    let at = set("").len() - 1;
    for (literal, offset, found, wanted) in [
        ("+1", 8, '+', "a value"),
        (".5", 8, '.', "a value"),
        ("01", 9, '1', "',' or '}' after a value of an object"),
        ("1.", 10, '}', "a digit"),
        ("0x1", 9, 'x', "',' or '}' after a value of an object"),
        ("NaN", 8, 'N', "a value"),
    ] {
        let want =
            format!("broken: not JSON at byte {}: found '{found}', expected {wanted}", at + offset);
        check(set(&format!(r#""value":{literal}"#)), &want);
    }
}

#[test]
fn strings_are_read_as_go_reads_them() {
    let with = |bytes: &[u8]| {
        let mut message = br#"{"type":"counter","name":"m","method":"inc","help":""#.to_vec();
        message.extend_from_slice(bytes);
        message.extend_from_slice(b"\"}");
        message
    };
    let wanted = |help: &str| format!("counter m{{}} {help:?} +1.0");
    check(with(br#"\"\\\/\b\f\n\r\t\u00e9"#), &wanted("\"\\/\u{8}\u{c}\n\r\t\u{e9}"));
    check(with(br"\\n\\\\n\\"), &wanted(r"\n\\n\"));
    check(with(br"\ud83d\ude00!"), &wanted("\u{1f600}!"));
    check(with(br"\ud83d!\ude00"), &wanted("\u{fffd}!\u{fffd}"));
    check(with(br"\ud83d\ud83d\ude00"), &wanted("\u{fffd}\u{1f600}"));
    check(with(br"\ud83d\u0041"), &wanted("\u{fffd}A"));
    check(with(br"\ude00\ud83d"), &wanted("\u{fffd}\u{fffd}"));
    check(
        with(b"\xff\xc3(\xe2\x82\xf0\x9f\x98"),
        &wanted("\u{fffd}\u{fffd}(\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
    );
    check(with(b"\xed\xa0\x80"), &wanted("\u{fffd}\u{fffd}\u{fffd}"));
    check(with(b"\x7f"), &wanted("\u{7f}"));
    let broken = "broken: not JSON at byte 52: found '\\n', expected an escape instead of a control character";
    check(with(b"\n"), broken);
    check(with(br"\x"), "broken: not JSON at byte 53: found 'x', expected an escape of JSON");
    check(
        with(br"\u00g0"),
        "broken: not JSON at byte 56: found 'g', expected four hexadecimal digits",
    );
}

#[test]
fn types_are_strict_but_a_syntax_error_wins() {
    check(
        set(r#""value":"1""#),
        "error: field value is a string; it has to be a number, or for observe an array of numbers",
    );
    check(set(r#""help":1"#), "error: field help is a number; it has to be a string");
    check(
        set(r#""labels":["a"]"#),
        "error: field labels is an array; it has to be an object of strings",
    );
    check(
        set(r#""labels":{"a":1}"#),
        "error: field labels is a number; it has to be an object of strings",
    );
    check(
        set(r#""buckets":{}"#),
        "error: field buckets is an object; it has to be an array of numbers",
    );
    check(
        set(r#""buckets":[true]"#),
        "error: field buckets is a bool; it has to be an array of numbers",
    );
    check(
        set(r#""value":"1","value":1"#),
        "error: field value is a string; it has to be a number, or for observe an array of numbers",
    );
    check(
        set(r#""value":"1",}"#),
        "broken: not JSON at byte 54: found '}', expected a key in double quotes",
    );
    check("7", "error: a delta is a JSON object, not a number");
    check("null", r#"error: type "" is unknown; use counter, gauge, histogram or summary"#);
}

#[test]
fn a_message_holds_one_delta_or_many() {
    let inc = |name: &str| format!(r#"{{"type":"counter","name":"{name}","method":"inc"}}"#);
    let (a, b) = (inc("a"), inc("b"));
    let both = "counter a{} \"\" +1.0\ncounter b{} \"\" +1.0";
    check(format!("{a}{b}"), both);
    check(format!("{a}\n{b}\n"), both);
    check(format!(" [ {a} , {b} ] "), both);
    check(format!("[{a}]{b}"), both);
    check(
        format!("{a},{b}"),
        "counter a{} \"\" +1.0\nbroken: not JSON at byte 44: found ',', expected a value",
    );
    check(
        format!("[{a},{}", &b[..20]),
        "counter a{} \"\" +1.0\nbroken: not JSON at byte 66: the message ends inside a value",
    );
    check(
        format!("[{a},[{b}],1]"),
        "counter a{} \"\" +1.0\nerror: a delta is a JSON object, not an array\n\
         error: a delta is a JSON object, not a number",
    );
    let empty =
        "broken: the message holds no delta: send a JSON object with type, name, help, method";
    for message in ["", "  \n", "[]", " [ ] []"] {
        check(message, empty);
    }
    check("\u{feff}{}", "broken: not JSON at byte 0: found byte 0xef, expected a value");
    check(
        format!("{a}\0"),
        "counter a{} \"\" +1.0\nbroken: not JSON at byte 44: found '\\u{0}', expected a value",
    );
}

#[test]
fn messages_are_bounded() {
    let limits = Limits::default();
    let long = vec![b' '; MESSAGE_BYTES_MAX + 1];
    check(
        &long,
        "broken: the message is 1048577 bytes long; the limit is 1048576: send fewer deltas at once",
    );
    let many = "null ".repeat(DELTAS_PER_MESSAGE_MAX + 1);
    let message = decode(many.as_bytes(), &limits);
    assert_eq!(message.deltas.len(), DELTAS_PER_MESSAGE_MAX);
    assert_eq!(message.broken, Some(MessageError::TooManyDeltas));
    let nested =
        |levels: usize| set(&format!("\"x\":{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1)));
    check(nested(NESTING_MAX), r#"gauge m{} "" =0.0"#);
    check(
        nested(NESTING_MAX + 1),
        "broken: not JSON at byte 10045: more than 10000 levels of nesting",
    );
    check(
        format!("[{}]", nested(NESTING_MAX)),
        "broken: not JSON at byte 10045: more than 10000 levels of nesting",
    );
}

/// Text that is nearly a message: fragments of the format in any order.
fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let fragments = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"type\":\"counter\"",
        "\"TYPE\":\"gauge\"",
        "\"type\":\"histogram\"",
        "\"name\":\"m\"",
        "\"name\":\"\\u006d\"",
        "\"help\":\"h\"",
        "\"method\":\"inc\"",
        "\"method\":\"observe\"",
        "\"method\":\"set\"",
        "\"value\":1.5",
        "\"value\":-0",
        "\"value\":1e309",
        "\"value\":null",
        "\"value\":\"1\"",
        "\"labels\":{\"a\":\"b\",\"a\":null}",
        "\"labels\":[]",
        "\"labels\":null",
        "\"label\u{17f}\":{\"b\":\"\\ud800\"}",
        "\"buckets\":[1,null,3]",
        "\"buckets\":[null]",
        "\"buckets\":null",
        "\"buckets\":[]",
        "\"method\":\"declare\"",
        "\"type\":\"summary\"",
        "\"value\":[1,2.5]",
        "\"value\":[]",
        "\"value\":[1,null]",
        "\"count\":3",
        "\"count\":null",
        "\"counts\":[1,2]",
        "\"sum\":1",
        "\"native\":true",
        "\"native\":{\"schema\":1}",
        "\"objectives\":{\"0.5\":0.1}",
        "\"exemplar\":{\"labels\":{\"a\":\"b\"},\"value\":1}",
        "\"exemplar\":null",
        "\"x\":{\"y\":[1]}",
        "null",
        " ",
        "\n",
        "\u{e9}",
        "{\"type\":\"gauge\",\"name\":\"g\",\"method\":\"set\",\"value\":",
    ];
    let separated = proptest::sample::subsequence(fragments[6..].to_vec(), 0..8)
        .prop_map(|fields| format!("{{{}}}", fields.join(",")).into_bytes());
    let shuffled = proptest::collection::vec(proptest::sample::select(fragments.to_vec()), 0..12)
        .prop_map(|parts| parts.concat().into_bytes());
    let spoilt = (separated.clone(), any::<proptest::sample::Index>(), any::<u8>()).prop_map(
        |(mut message, place, byte)| {
            let place = place.index(message.len());
            message[place] = byte;
            message
        },
    );
    prop_oneof![separated, shuffled, spoilt]
}

proptest! {
    #[test]
    fn both_paths_agree(message in nearly_a_message()) {
        assert_agree(&message);
    }

    #[test]
    fn nothing_panics(message in proptest::collection::vec(any::<u8>(), 0..64)) {
        let decoded = decode(&message, &Limits::default());
        prop_assert!(decoded.broken.is_some() || !decoded.deltas.is_empty());
    }
}
