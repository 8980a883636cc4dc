//! Messages that are as odd as JSON allows, and odder.

use super::{MIB, withstand};
use crate::support::{Server, inc, promtool};

/// A delta with these further fields.
fn with(fields: &str) -> String {
    format!(r#"{{"type":"counter","name":"m","method":"inc",{fields}}}"#)
}

fn nested(levels: usize) -> String {
    with(&format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels)))
}

fn objects(levels: usize) -> String {
    with(&format!(r#""x":{}1{}"#, r#"{"a":"#.repeat(levels), "}".repeat(levels)))
}

/// A name, a message and whether it counts.
type Odd = (&'static str, Vec<u8>, bool);

fn odd() -> Vec<Odd> {
    let values = |count: usize| vec!["1"; count].join(",");
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!(r#""k{n}":{n}"#)).collect();
        with(&keys.join(","))
    };
    let labels = |count: usize, value: &str| {
        let labels: Vec<String> = (0..count).map(|n| format!(r#""l{n}":"{value}""#)).collect();
        with(&format!(r#""labels":{{{}}}"#, labels.join(",")))
    };
    let text = |field: &str, value: &str| {
        format!(r#"{{"type":"counter","name":"m","method":"inc","{field}":"{value}"}}"#)
    };
    let amount =
        |value: &str| format!(r#"{{"type":"counter","name":"m","method":"add","value":{value}}}"#);
    let mut odd: Vec<(&'static str, String, bool)> = vec![
        ("9,999 levels of arrays", nested(9_999), true),
        ("10,001 levels of arrays", nested(10_001), false),
        ("9,999 levels of objects", objects(9_999), true),
        ("10,001 levels of objects", objects(10_001), false),
        ("30,000 opening brackets", "[".repeat(30_000), false),
        ("a number of 30,000 digits", amount(&"9".repeat(30_000)), false),
        ("a number of 30,000 zeros and a one", amount(&format!("0.{}1", "0".repeat(30_000))), true),
        ("1e999999999", amount("1e999999999"), false),
        ("1e-999999999", amount("1e-999999999"), true),
        ("-1", amount("-1"), false),
        ("NaN", amount("NaN"), false),
        ("a name of 30,000 bytes", text("name", &"n".repeat(30_000)), false),
        ("a help text of 30,000 bytes", text("help", &"h".repeat(30_000)), false),
        ("a method of 30,000 bytes", text("method", &"i".repeat(30_000)), false),
        ("30,000 escapes", text("help", &"\\u0000".repeat(1_000)), true),
        ("3,000 keys that say nothing", keys(3_000), true),
        ("3,000 times the same key", with(&vec![r#""x":1"#; 3_000].join(",")), true),
        ("3,000 names", with(&vec![r#""name":"m""#; 3_000].join(",")), true),
        ("3,000 labels", labels(3_000, ""), false),
        ("64 labels of a kilobyte", labels(64, &"v".repeat(1_000)), true),
        ("65 labels", labels(65, ""), false),
        ("a label of 32 KiB", labels(1, &"v".repeat(32 * 1024)), true),
        ("a label of 32 KiB and a byte", labels(1, &"v".repeat(32 * 1024 + 1)), false),
        ("a NUL in a name", text("name", "a\\u0000b"), false),
        ("a line feed in a name", text("name", "a\\nb"), false),
        ("a NUL in the name of a label", with(r#""labels":{"a\u0000":"b"}"#), false),
        ("NULs in a label", with(r#""labels":{"a":"\u0000\u0001\u001b\u007f\n\r\"\\"}"#), true),
        ("NULs in a help text", text("help", "\\u0000\\u001b\\n# HELP m forged"), true),
        ("half a surrogate", with(r#""labels":{"a":"\ud800"}"#), true),
        ("two low surrogates", with(r#""labels":{"a":"\udc00\udc00"}"#), true),
        ("a raw NUL", "\0".to_owned(), false),
        ("a raw line feed in a text", with("\"help\":\"a\nb\""), false),
        ("a raw NUL in a text", with("\"help\":\"a\0b\""), false),
        ("a byte order mark", format!("\u{feff}{}", inc("m")), false),
        (
            "10,000 bounds",
            format!(
                r#"{{"type":"histogram","name":"h","method":"observe","value":1,"buckets":[{}]}}"#,
                values(10_000)
            ),
            false,
        ),
    ];
    let mut bytes: Vec<Odd> =
        odd.drain(..).map(|(name, text, counts)| (name, text.into_bytes(), counts)).collect();
    // What is no UTF-8 is replaced in texts, as by Go, and cannot be in names.
    let raw =
        |before: &str, after: &str| [before.as_bytes(), b"\xff\xc0\xaf", after.as_bytes()].concat();
    bytes.push((
        "bytes that are no UTF-8 in a label",
        raw(r#"{"type":"counter","name":"m","method":"inc","labels":{"a":""#, "\"}}"),
        true,
    ));
    bytes.push((
        "bytes that are no UTF-8 in a name",
        raw(r#"{"type":"counter","name":""#, "\",\"method\":\"inc\"}"),
        false,
    ));
    bytes
}

/// What has been counted so far, and what refused.
fn counts(server: &Server) -> (f64, f64) {
    let page = server.catch_up();
    let applied = page.sum(|sample| sample.starts_with("pushprom_deltas_applied_total"));
    // The mark is one.
    (applied - page.value("zz_mark").unwrap_or_default(), page.rejected())
}

#[test]
fn each_is_taken_or_refused_the_same_over_both_transports() {
    let odd = odd();
    let server = withstand("odd messages, over HTTP and UDP", &[], 60, |_| ());
    let mut wrong = Vec::new();
    for (name, message, counts_as) in &odd {
        let before = counts(&server);
        let status = server.push(message).status;
        let http = counts(&server);
        server.send(message);
        let udp = counts(&server);
        let one = f64::from(u8::from(*counts_as));
        let got = [
            http.0 - before.0,
            udp.0 - http.0,
            f64::from(u8::from(http.1 == before.1)),
            udp.1 - http.1,
        ];
        let status_fits = (status == 200) == *counts_as;
        if got[..3] != [one; 3] || (got[3] == 0.0) != *counts_as || !status_fits {
            wrong.push(format!("{name}: {status}, {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = server.scrape();
    assert!(!page.0.contains("\n# HELP m forged"), "a help text is one line");
    let problems = promtool(&page);
    let errors: Vec<&str> = problems.lines().filter(|line| !line.contains("should")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn odd_messages_by_the_thousand() {
    let odd = odd();
    withstand("odd messages, 50 times over HTTP, 50 over UDP", &[], 60, |server| {
        for _ in 0..50 {
            for (_, message, _) in &odd {
                server.push(message);
                server.send(message);
            }
            server.catch_up();
        }
    });
}

#[test]
fn the_deepest_and_the_longest() {
    let long = format!(r#""{}""#, "x".repeat(1_000_000));
    let messages = [
        ("a megabyte of brackets", "[".repeat(1 << 20)),
        ("a megabyte of braces", r#"{"a":"#.repeat(200_000)),
        ("a string of a megabyte", with(&format!(r#""x":{long}"#))),
        ("a megabyte of digits", with(&format!(r#""value":{}"#, "9".repeat(1_000_000)))),
        ("a megabyte of escapes", with(&format!(r#""x":"{}""#, r"\u0041".repeat(160_000)))),
        ("a megabyte of keys", with(&vec![r#""labels":{"a":"b"}"#; 50_000].join(","))),
        ("10,000 deltas", inc("m").repeat(10_000)),
        ("a megabyte of commas", ",".repeat(1 << 20)),
        ("a megabyte of broken deltas", "{},".repeat(300_000)),
    ];
    for (name, message) in messages {
        withstand(&format!("{name}, 20 times"), &[], 80, |server| {
            for _ in 0..20 {
                let status = server.push(&message).status;
                assert!(matches!(status, 200 | 400), "{name}: {status}");
            }
        });
    }
}

/// 2 MiB of labels in each series: the bytes of all have a limit, and so has what the page takes.
#[test]
fn series_as_large_as_they_come() {
    let flags = ["-web.max-body-bytes=4194304", "-series.max-bytes=20000000"];
    let value = "v".repeat(32 * 1024);
    let labels: Vec<String> = (0..63).map(|n| format!(r#""l{n}":"{value}""#)).collect();
    let labels = labels.join(",");
    let name = "500 series of 64 labels of 32 KiB, 1 GB in all";
    let server = withstand(name, &flags, 300, |server| {
        for n in 0..500 {
            let last = format!("{n:0>32768}");
            let delta = with(&format!(r#""labels":{{{labels},"l63":"{last}"}}"#));
            assert!(delta.len() > usize::try_from(2 * MIB).expect("it is small"));
            server.push_ok(delta);
        }
    });
    let page = server.scrape();
    let pushed = page.sum(|sample| sample.starts_with("m{"));
    assert!((pushed - 500.0).abs() < 1e-9, "{pushed}");
}
