use proptest::prelude::*;

use super::*;
use crate::{limits::NameScheme, model::Labels};

#[track_caller]
fn check(text: &str, want: Result<&str, &str>) {
    let got = Selector::parse(text).map(|selector| selector.to_string());
    let got = got.map_err(|error| error.to_string());
    assert_eq!(got.as_deref().map_err(|error| &**error), want, "{text}");
}

#[test]
fn what_prometheus_takes_is_taken() {
    for (text, want) in [
        ("up", "up"),
        (" a:b_9 ", "a:b_9"),
        ("up{}", "up"),
        ("up { }", "up"),
        (r#"up{a="x"}"#, r#"up{a="x"}"#),
        (r#"up{a="x",}"#, r#"up{a="x"}"#),
        ("up{\n a = 'x' , # why\n b!~`y\\d`}", r#"up{a="x",b!~"y\\d"}"#),
        (r#"{a!="",b=~".+"}"#, r#"{a!="",b=~".+"}"#),
        (r#"{__name__="up"}"#, "up"),
        (r#"{a="b",__name__="up"}"#, r#"up{a="b"}"#),
        (r#"{__name__=~"u.*",__name__!="up"}"#, r#"{__name__=~"u.*",__name__!="up"}"#),
        (r#"{"up"}"#, "up"),
        (r#"{"my.metric", l="x"}"#, r#"{__name__="my.metric",l="x"}"#),
        (r#"{l="x",'my.metric'}"#, r#"{__name__="my.metric",l="x"}"#),
        (r#"up{"a label"="x"}"#, r#"up{"a label"="x"}"#),
        (r#"sum{by="x"}"#, r#"sum{by="x"}"#),
        (r#"up{a="\a\b\f\n\r\t\v\\\""}"#, r#"up{a="\u0007\u0008\u000c\n\u000d\u0009\u000b\\\""}"#),
        (r"up{a='\'\101\x41\u0041\U00000041'}", r#"up{a="'AAAA"}"#),
        (r#"up{a="\xc3\xa9"}"#, "up{a=\"\u{e9}\"}"),
        ("up{a=`\\\n\"`}", r#"up{a="\\\n\""}"#),
        (r#"{a=~"(?i)x"}"#, r#"{a=~"(?i)x"}"#),
    ] {
        check(text, Ok(want));
    }
}

#[test]
fn what_it_refuses_is_refused_with_place_and_remedy() {
    let all = "column 1: this would match every series, since nothing in it refuses an empty value: name \
               a metric, or add a matcher such as {__name__=~\".+\"}";
    for text in ["{}", "{ }", r#"{a=""}"#, r#"{a=~".*"}"#, r#"{a!="x",b!~"y.+"}"#, "{a=~'x|'}"] {
        check(text, Err(all));
    }
    let twice = "the name of the metric is given twice: keep one of them";
    for (text, column) in [
        (r#"a{__name__="b"}"#, 3),
        (r#"a{"b"}"#, 3),
        (r#"{"a","b"}"#, 6),
        (r#"{"a",__name__=~"b"}"#, 6),
        (r#"{__name__=~"a","b"}"#, 16),
    ] {
        check(text, Err(&format!("column {column}: {twice}")));
    }
    for (text, column, found, wanted) in [
        ("", 1, "the end", "the name of a metric or {"),
        ("9", 1, "\"9\"", "the name of a metric or {"),
        ("a b", 3, "\"b\"", "{ or the end"),
        ("a[5m]", 2, "\"[\"", "{ or the end"),
        ("a{} x", 5, "\"x\"", "the end"),
        ("a{,}", 3, "\",\"", "the name of a label or }"),
        ("a{", 3, "the end", "the name of a label or }"),
        ("a{\u{e9}=\"x\"}", 3, "\"\u{e9}\"", "the name of a label or }"),
        ("a{b:c=\"x\"}", 4, "\":\"", "=, !=, =~ or !~"),
        ("a{b}", 4, "\"}\"", "=, !=, =~ or !~"),
        ("a{b!}", 4, "\"!\"", "=, !=, =~ or !~"),
        ("a{b=c}", 5, "\"c\"", "a value in quotes"),
        ("a{b==\"c\"}", 5, "\"=\"", "a value in quotes"),
        ("a{\u{0}", 3, "\"\\0\"", "the name of a label or }"),
        ("a{b=\"c\" d=\"e\"}", 9, "\"d\"", "a comma or }"),
        ("a{b=\"c\"", 8, "the end", "a comma or }"),
    ] {
        let want = format!(
            "column {column}: {found} where {wanted} should be, as in name{{label=\"value\"}}"
        );
        check(text, Err(&want));
    }
    let escape = "is no escape: double the backslash, or put the text between backticks";
    for (text, column, shown) in [
        (r#"a{b="\d"}"#, 6, r"\\d"),
        (r#"a{b="\'"}"#, 6, r"\\\'"),
        (r#"a{b="x\400"}"#, 7, r"\\4"),
        (r#"a{b="\x+1"}"#, 6, r"\\x"),
        (r#"a{b="\ud800"}"#, 6, r"\\u"),
        (r#"a{b="\U00110000"}"#, 6, r"\\U"),
    ] {
        check(text, Err(&format!("column {column}: \"{shown}\" {escape}")));
    }
    check("a{b=\"\n\"}", Err("column 6: a quoted text that does not end: close it with \""));
    check("a{b=`x", Err("column 7: a quoted text that does not end: close it with `"));
    check(
        r#"a{b="\xff"}"#,
        Err(r#"column 6: the escapes in "\\xff" make no UTF-8: write the characters themselves"#),
    );
    check(
        r#"{""="x"}"#,
        Err(
            "column 2: label name \"\" is empty or longer than the limit of 256 bytes: use another",
        ),
    );
}

#[test]
fn it_is_bounded() {
    let long = format!("a{{b=\"{}\"}}", "x".repeat(SELECTOR_BYTES_MAX));
    check(
        &long,
        Err("column 1: 16391 bytes are more than the limit of 16384: shorten the selector"),
    );
    let many = |count: usize| format!("a{{{}}}", "b=\"c\",".repeat(count));
    assert!(Selector::parse(&many(MATCHERS_PER_SELECTOR_MAX - 1)).is_ok());
    check(
        &many(MATCHERS_PER_SELECTOR_MAX),
        Err("column 765: more than 128 matchers, which is the limit: use fewer"),
    );
    for (pattern, reason) in [
        ("(", "unclosed group"),
        (")(", "unopened group"),
        ("x{1000}{1000}", "compiled regex exceeds size limit of 262144 bytes"),
        (r"(?P<a>x)(?P<a>y)", "duplicate capture group name"),
    ] {
        let error = Selector::parse(&format!("{{a=~`{pattern}`}}")).unwrap_err();
        let want = format!("column 5: \"{pattern}\" is no regular expression that we take: ");
        let want = want.replace('\\', r"\\") + reason;
        assert_eq!(error.to_string().to_lowercase(), want.to_lowercase());
    }
}

#[track_caller]
fn check_match(selector: &str, pairs: &[(&str, &str)], want: bool) {
    let selector = Selector::parse(selector).unwrap();
    let name = "up";
    let pairs = pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    let labels = LabelSet::from(&Labels::new(pairs, NameScheme::Utf8).unwrap());
    let got = selector.matches_name(name) && selector.matches_labels(&labels);
    assert_eq!(got, want, "{selector} {labels:?}");
}

#[test]
fn series_match() {
    for (selector, want) in [
        ("up", true),
        ("down", false),
        (r#"{__name__=~"u|p"}"#, false),
        (r#"{__name__=~"u.",__name__!="ux"}"#, true),
        (r#"up{a="1"}"#, true),
        (r#"up{a="2"}"#, false),
        (r#"up{a!="1"}"#, false),
        (r#"up{b=""}"#, true),
        (r#"up{b!=""}"#, false),
        (r#"up{b=~"x|"}"#, true),
        (r#"up{b!~".*"}"#, false),
        (r#"up{a=~"1"}"#, true),
        (r#"up{a=~"1|2",c!="x"}"#, true),
        (r#"up{c=~"a.b"}"#, true),
        (r#"up{c=~"a"}"#, false),
        (r#"up{c="a\nb"}"#, true),
        (r#"up{"a b"="q\"\\"}"#, true),
        (r#"up{c=~"A.B"}"#, false),
        (r#"up{c=~"(?i)A.B"}"#, true),
    ] {
        check_match(selector, &[("a", "1"), ("c", "a\nb"), ("a b", "q\"\\")], want);
    }
}

#[test]
fn one_series_can_be_named() {
    let exact = |text: &str| {
        let selector = Selector::parse(text).unwrap();
        let (name, pairs) = selector.exact()?;
        Some(format!("{name} {:?}", pairs.collect::<Vec<_>>()))
    };
    assert_eq!(exact(r#"a{b="c",d=""}"#).as_deref(), Some(r#"a [("b", "c"), ("d", "")]"#));
    assert_eq!(exact("a").as_deref(), Some("a []"));
    assert_eq!(exact(r#"{b="c"}"#), None);
    assert_eq!(exact(r#"a{b!="c"}"#), None);
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_to_the_same(
        name in "[a-c:.]{0,3}",
        matchers in proptest::collection::vec(
            ("[ab_. \"\\\\\n]{1,3}", 0_usize..4, "[ab.|\"\\\\\n\u{0}\u{7f}\u{e9}]{0,4}"), 0..4),
    ) {
        let signs = [Sign::Is, Sign::IsNot, Sign::Fits, Sign::FitsNot];
        let name = (!name.is_empty()).then(|| (NAME_LABEL.to_owned(), 0, name));
        let made: Vec<Matcher> = name
            .into_iter()
            .chain(matchers)
            .filter_map(|(label, sign, value)| Matcher::new(label, signs[sign], value).ok())
            .collect();
        if let Some(selector) = Selector::new(made) {
            let text = selector.to_string();
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(Selector::parse(&text), Ok(selector), "{}", text);
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in "[a{}=!~\"'`\\\\,x0_ #\n\u{e9}]{0,20}") {
        match Selector::parse(&text) {
            Ok(selector) => prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector)),
            Err(error) => {
                prop_assert!(error.column <= text.chars().count() + 1);
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }
}
