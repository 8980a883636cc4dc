//! The fields that few deltas have.

use super::*;
use crate::limits::NameScheme;

/// A delta of a type with a method and more fields.
fn of(kind: &str, method: &str, fields: &str) -> String {
    format!(r#"{{"type":"{kind}","name":"m","method":"{method}",{fields}}}"#)
}

#[test]
fn observations_come_in_bulk() {
    let histogram = |fields: &str| of("histogram", "observe", fields);
    let summary = |fields: &str| of("summary", "observe", fields);
    check(summary(r#""value":[0.1,0.2]"#), r#"summary m{} "" [0.1, 0.2]"#);
    check(summary(r#""value":7,"count":10"#), r#"summary m{} "" 10 x [7.0]"#);
    check(summary(r#""value":[1,2],"count":3"#), r#"summary m{} "" 3 x [1.0, 2.0]"#);
    check(summary(r#""value":[],"count":null"#), r#"summary m{} "" []"#);
    check(summary(r#""value":[1,2],"value":3"#), r#"summary m{} "" 3.0"#);
    check(summary(r#""value":3,"value":[1,2]"#), r#"summary m{} "" [1.0, 2.0]"#);
    check(summary(r#""value":[1,2],"value":null"#), r#"summary m{} "" [1.0, 2.0]"#);
    check(histogram(r#""value":[1,2],"buckets":[1]"#), r#"histogram m{} "" [1.0, 2.0] in [1.0]"#);
    check(
        histogram(r#""counts":[1,0],"sum":0.5,"buckets":[1]"#),
        r#"histogram m{} "" [1, 0] of 0.5 in [1.0]"#,
    );
    for (fields, want) in [
        (r#""value":[1,null]"#, "field value has an element that is null: leave it out"),
        (r#""value":[1,"2"]"#, "field value has an element that is a string: use numbers"),
        (
            r#""count":0"#,
            "count 0.0 is no number of times: use a whole number from 1 to 1000000000",
        ),
        (
            r#""count":1.5"#,
            "count 1.5 is no number of times: use a whole number from 1 to 1000000000",
        ),
        (r#""count":"1""#, "field count is a string; it has to be a number"),
        (
            r#""counts":[1,2,3],"sum":1,"buckets":[1]"#,
            "3 counts for 2 buckets: send one for each, and a last one for +Inf",
        ),
        (
            r#""counts":[1,2],"buckets":[1]"#,
            "field counts comes without sum: send the sum of what is counted too",
        ),
        (
            r#""counts":[1,-2],"sum":1,"buckets":[1]"#,
            "counts has an element -2.0; use whole numbers from 0 to 1000000000",
        ),
        (
            r#""counts":[1,2],"sum":1,"buckets":[1],"value":[1]"#,
            "field value comes with counts: send what was observed, or how much of it is in each \
             bucket",
        ),
        (
            r#""counts":[1,2],"sum":1,"buckets":[1],"value":1"#,
            "field value comes with counts: send what was observed, or how much of it is in each \
             bucket",
        ),
        (
            r#""counts":[1,2],"sum":1,"buckets":[1],"count":2"#,
            r#"field count means nothing for "observe" of a histogram: leave it out"#,
        ),
        (
            r#""counts":[1,1e30],"sum":1,"buckets":[1]"#,
            "counts has an element 1e30; use whole numbers from 0 to 1000000000",
        ),
        (
            r#""counts":[0,0],"sum":1,"buckets":[1]"#,
            "field sum is 1.0, but counts are all 0: what was not observed has no sum",
        ),
        (
            r#""counts":[1,2],"sum":1,"buckets":[1],"native":true"#,
            "field counts comes with native: send what was observed, or buckets without native",
        ),
        (r#""sum":1"#, r#"field sum means nothing for "observe" of a histogram: leave it out"#),
    ] {
        check(histogram(fields), &format!("error: {want}"));
    }
    let many = vec!["1"; crate::limits::READINGS_PER_DELTA_MAX + 1].join(",");
    let limit = "error: 65537 observations; the limit is 65536 in a delta: send several deltas";
    check(summary(&format!(r#""value":[{many}]"#)), limit);
}

#[test]
fn histograms_may_be_native_and_summaries_have_quantiles() {
    let histogram = |fields: &str| of("histogram", "observe", fields);
    let summary = |fields: &str| of("summary", "observe", fields);
    check(histogram(r#""native":true"#), r#"histogram m{} "" 0.0 in [] and (3, 160)"#);
    check(
        histogram(r#""native":{"schema":-1,"max_buckets":20},"buckets":[1]"#),
        r#"histogram m{} "" 0.0 in [1.0] and (-1, 20)"#,
    );
    check(histogram(r#""native":false,"buckets":[1]"#), r#"histogram m{} "" 0.0 in [1.0]"#);
    check(
        histogram(r#""native":true,"native":null,"buckets":[1]"#),
        r#"histogram m{} "" 0.0 in [1.0]"#,
    );
    check(
        summary(r#""objectives":{"0.99":0.001,"0.5":null}"#),
        r#"summary m{} "" 0.0 at [0.5, 0.99]"#,
    );
    check(summary(r#""objectives":[]"#), r#"summary m{} "" 0.0"#);
    for (message, want) in [
        (
            histogram(r#""native":1"#),
            "field native is a number; it has to be true, or an object of numbers: schema, max_buckets",
        ),
        (
            histogram(r#""native":{"schema":9}"#),
            "native schema 9.0 does not exist: use a whole number from -4 (coarse) to 8 (fine)",
        ),
        (
            histogram(r#""native":{"schema":"3"}"#),
            "field native: \"schema\" is a string; it has to be a number",
        ),
        (
            histogram(r#""native":{"shcema":3}"#),
            "field native has no member \"shcema\": it is true, or an object of numbers: schema, \
             max_buckets",
        ),
        (
            summary(r#""objectives":{"0.5":"x"}"#),
            "field objectives: \"0.5\" is a string; it has to be a number",
        ),
        (
            summary(r#""objectives":{"2":0.1}"#),
            "objective \"2\" is no quantile: use a number from 0 to 1",
        ),
        (
            summary(r#""objectives":[0.5]"#),
            "field objectives is an array; it has to be an object of numbers",
        ),
    ] {
        check(message, &format!("error: {want}"));
    }
}

#[test]
fn a_declaration_changes_nothing() {
    for (kind, fields, want) in [
        ("counter", "", "+0.0"),
        ("gauge", "", "-0.0"),
        ("summary", r#","objectives":{"0.5":0}"#, "[] at [0.5]"),
        ("histogram", r#","buckets":[1],"native":true"#, "[] in [1.0] and (3, 160)"),
    ] {
        let message = of(kind, "declare", &format!(r#""value":7{fields}"#));
        check(&message, &format!(r#"{kind} m{{}} "" {want}"#));
        let decoded = decode(message.as_bytes(), &Limits::default());
        assert!(decoded.deltas[0].as_ref().is_ok_and(|delta| delta.change().is_none()));
    }
}

#[test]
fn fields_that_mean_nothing_are_refused() {
    for (kind, method, field) in [
        ("counter", "inc", r#""count":2"#),
        ("counter", "add", r#""objectives":{"0.5":0.1}"#),
        ("gauge", "set", r#""count":2"#),
        ("gauge", "set", r#""native":true"#),
        ("summary", "observe", r#""native":true"#),
        ("summary", "observe", r#""counts":[1]"#),
        ("histogram", "observe", r#""objectives":{"0.5":0.1}"#),
        ("histogram", "declare", r#""count":2"#),
        ("summary", "declare", r#""sum":2"#),
    ] {
        let name = field.split('"').nth(1).unwrap();
        let want =
            format!("error: field {name} means nothing for {method:?} of a {kind}: leave it out");
        check(of(kind, method, field), &want);
        // Spelled as not given, it is not.
        let absent = format!("\"{name}\":null");
        let decoded = of(kind, method, &absent);
        assert!(decode(decoded.as_bytes(), &Limits::default()).deltas[0].is_ok(), "{absent}");
    }
    check(
        of("counter", "add", r#""value":[1]"#),
        "error: field value is an array; it has to be a number, or for observe an array of numbers",
    );
}

#[test]
fn exemplars_come_with_counters_and_histograms() {
    let trace = r#""exemplar":{"labels":{"trace_id":"ab"}"#;
    let add = |fields: &str| of("counter", "add", fields);
    let observe = |fields: &str| of("histogram", "observe", fields);
    check(
        add(&format!(r#""value":2,{trace}}}"#)),
        r#"counter m{} "" +2.0 like {trace_id="ab"} 2.0 None"#,
    );
    check(
        of("counter", "inc", &format!(r#"{trace},"value":7,"timestamp":1.5}}"#)),
        r#"counter m{} "" +1.0 like {trace_id="ab"} 7.0 Some(1500)"#,
    );
    check(
        observe(&format!(r#""buckets":[1],"value":[3],{trace}}}"#)),
        r#"histogram m{} "" 3.0 in [1.0] like {trace_id="ab"} 3.0 None"#,
    );
    check(
        observe(r#""buckets":[1],"exemplar":{"labels":[],"value":null}"#),
        r#"histogram m{} "" 0.0 in [1.0] like {} 0.0 None"#,
    );
    check(observe(r#""buckets":[1],"exemplar":null"#), r#"histogram m{} "" 0.0 in [1.0]"#);
    let no_value = "the exemplar has no value: give it the one that it stands for";
    for (message, want) in [
        (observe(&format!(r#""value":[1,2],{trace}}}"#)), no_value),
        (observe(&format!(r#""counts":[1,2],"sum":1,"buckets":[1],{trace}}}"#)), no_value),
        (
            of("gauge", "set", &format!("{trace}}}")),
            "a gauge keeps no exemplars: send them with counters and histograms",
        ),
        (
            of("summary", "observe", &format!("{trace}}}")),
            "a summary keeps no exemplars: send them with counters and histograms",
        ),
        (
            add(&format!(r#"{trace},"timestamp":-1}}"#)),
            "timestamp -1.0 of the exemplar is out of range: use seconds since 1970",
        ),
        (
            add(r#""exemplar":{"labels":{"a b":"c"}}"#),
            "exemplar: label name \"a b\" is invalid: use letters, digits and underscores, no digit first",
        ),
        (
            add(&format!(r#""exemplar":{{"labels":{{"id":"{}"}}}}"#, "\u{e9}".repeat(127))),
            "the labels of the exemplar, \"id\" and so on, have 129 characters; the limit is 128: keep \
             to an id of the trace",
        ),
        (
            add(r#""exemplar":{"labels":{"a":1}}"#),
            "field exemplar: \"labels\" is a number; it has to be an object of strings",
        ),
        (
            of("counter", "declare", &format!("{trace}}}")),
            "field exemplar means nothing for \"declare\" of a counter: leave it out",
        ),
        (
            observe(&format!(r#""value":[],{trace},"value":1}}"#)),
            "field exemplar means nothing for \"observe\" of a histogram: leave it out",
        ),
        (
            add(r#""exemplar":"ab""#),
            "field exemplar is a string; it has to be an object of labels (strings), value, timestamp \
             (numbers)",
        ),
    ] {
        check(message, &format!("error: {want}"));
    }
}

#[test]
fn names_may_be_any_text_where_the_operator_says_so() {
    let message = r#"{"type":"gauge","name":"a.b c","method":"set","labels":{"x y":"\u00e9"}}"#;
    let limits = Limits { names: NameScheme::Utf8, ..Limits::default() };
    let decoded = decode(message.as_bytes(), &limits);
    assert_eq!(render(&decoded), "gauge a.b c{x y=\"\u{e9}\"} \"\" =0.0");
    assert_eq!(
        decode_fast(message.as_bytes(), &limits),
        Some(decode_exact(message.as_bytes(), &limits))
    );
    let empty = message.replace("a.b c", "");
    let decoded = decode(empty.as_bytes(), &limits);
    assert_eq!(render(&decoded), "error: a name is empty: metrics and labels need one");
}
