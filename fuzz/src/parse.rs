//! The Prometheus text format 0.0.4, read strictly: what the format leaves free has to be as core
//! promises it.
//!
//! Families come sorted by name, each once, with `# HELP`, `# TYPE` and at least one series. Series come
//! sorted too, each once: label by label, by `name=` and then by value. The samples of a histogram or summary
//! stand together, and `le` is the last of the labels.

use std::{collections::HashSet, iter::Peekable};

use pushprom_core::model::Kind;

/// The labels of a series in the order of their names.
pub type Labels = Vec<(String, String)>;

/// One family of a page.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// Its help text, unescaped.
    pub help: String,
    /// Its type.
    pub kind: Kind,
    /// Its series, in the order of the page.
    pub series: Vec<Series>,
}

/// One series of a family.
#[derive(Debug)]
pub struct Series {
    /// Its labels, values unescaped, without `le`.
    pub labels: Labels,
    /// What its samples say together.
    pub value: Value,
}

/// What the samples of one series say.
#[derive(Debug)]
pub enum Value {
    /// A counter's total or a gauge's level.
    Number(f64),
    /// A histogram.
    Buckets {
        /// Each bound with the number of observations up to it, `+Inf` last.
        cumulative: Vec<(f64, f64)>,
        /// The sum of the observations.
        sum: f64,
    },
    /// A summary.
    Observations {
        /// The sum of the observations.
        sum: f64,
        /// How many there were.
        count: f64,
    },
}

/// Reads a page; the error says what is wrong with it.
pub fn parse(page: &str) -> Result<Vec<Family>, String> {
    let mut families: Vec<Family> = Vec::new();
    let Some(text) = page.strip_suffix('\n') else {
        check(page.is_empty(), || "the last line does not end".into())?;
        return Ok(families);
    };
    // Of all families together, since a family could have the name of another one's sample. The text of
    // a series tells it from all others: its labels have one order, and their values one spelling.
    let mut seen = HashSet::new();
    let mut lines = text.split('\n').peekable();
    while lines.peek().is_some() {
        let family = parse_family(&mut lines, &mut seen)?;
        if let Some(last) = families.last() {
            check(last.name < family.name, || {
                format!("family {:?} follows {:?}", family.name, last.name)
            })?;
        }
        families.push(family);
    }
    Ok(families)
}

/// Whether `text` can be the name of a family or a sample.
pub fn is_metric_name(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

/// Whether `text` can be the name of a label, if only of one that the server writes.
pub fn is_label_name(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn parse_family<'p>(
    lines: &mut Peekable<impl Iterator<Item = &'p str>>,
    seen: &mut HashSet<&'p str>,
) -> Result<Family, String> {
    let (name, help) = header(lines.next(), "# HELP ")?;
    check(is_metric_name(name), || format!("metric name {name:?}"))?;
    let (typed, kind) = header(lines.next(), "# TYPE ")?;
    check(typed == name, || format!("the type of {typed:?} follows the help of {name:?}"))?;
    let kind = match kind {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        other => return Err(format!("type {other:?}")),
    };
    let mut samples = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
        let (series, sample) = parse_sample(line)?;
        check(seen.insert(series), || format!("{series} comes twice"))?;
        samples.push(sample);
    }
    check(!samples.is_empty(), || format!("{name} has no series"))?;
    let mut samples = samples.into_iter().peekable();
    let mut series: Vec<Series> = Vec::new();
    while samples.peek().is_some() {
        let next = join_series(name, kind, &mut samples)?;
        check(next.labels.is_sorted_by(|(a, _), (b, _)| a < b), || {
            format!("in {name}, {:?} are out of order or come twice", next.labels)
        })?;
        if let Some(last) = series.last() {
            check(order(&last.labels) <= order(&next.labels), || {
                format!("in {name}, {:?} follows {:?}", next.labels, last.labels)
            })?;
        }
        series.push(next);
    }
    Ok(Family { name: name.to_owned(), help: unescape(help, &['\\'])?, kind, series })
}

/// What series are sorted by: label by label, by name and then by the bytes of the value, the shorter of
/// two first.
fn order(labels: &Labels) -> Vec<Option<u8>> {
    let label = |(name, value): &(String, String)| {
        let name = name.bytes().chain(*b"=").map(Some).collect::<Vec<_>>();
        let value = value.bytes().map(Some).chain([None]).collect::<Vec<_>>();
        [name, value].concat()
    };
    labels.iter().map(label).collect::<Vec<_>>().concat()
}

/// The name and the rest of a comment line.
fn header<'p>(line: Option<&'p str>, start: &str) -> Result<(&'p str, &'p str), String> {
    let line = line.unwrap_or_default();
    line.strip_prefix(start)
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(|| format!("{line:?} is no line {start:?}"))
}

/// One line of a page.
struct Sample<'p> {
    name: &'p str,
    labels: Labels,
    value: f64,
}

/// A line in two: the text that names its series, and all that it says.
fn parse_sample(line: &str) -> Result<(&str, Sample<'_>), String> {
    let (series, value) = line.rsplit_once(' ').ok_or_else(|| format!("{line:?} has no value"))?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, parse_labels(labels)?),
        None => (series, Labels::new()),
    };
    check(is_metric_name(name), || format!("sample name {name:?}"))?;
    Ok((series, Sample { name, labels, value: parse_number(value)? }))
}

/// Reads what follows an opening brace, to the closing one, which ends the text.
fn parse_labels(text: &str) -> Result<Labels, String> {
    let mut labels = Labels::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").ok_or_else(|| format!("label in {text:?}"))?;
        check(is_label_name(name), || format!("label name {name:?}"))?;
        let (value, after) = after.split_at(
            closing_quote(after).ok_or_else(|| format!("the value of {name} does not end"))?,
        );
        labels.push((name.to_owned(), unescape(value, &['\\', '"'])?));
        match &after[1..] {
            "}" => return Ok(labels),
            more => rest = more.strip_prefix(',').ok_or_else(|| format!("{more:?} in {text:?}"))?,
        }
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(place),
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    None
}

/// Undoes the escapes of a text in which a backslash stands before each of `escaped`.
fn unescape(text: &str, escaped: &[char]) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(literal) if escaped.contains(&literal) => literal,
                other => return Err(format!("escape {other:?} in {text:?}")),
            },
            plain => plain,
        });
    }
    Ok(plain)
}

/// Reads a number, of all the spellings that the format takes in those that core writes.
fn parse_number(text: &str) -> Result<f64, String> {
    let complaint = || format!("number {text:?}");
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ => {
            let digits = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e');
            check(text.chars().all(digits) && !text.starts_with('+'), complaint)?;
            text.parse().map_err(|_| complaint())
        }
    }
}

/// The next series of the family `name`, of as many samples as its kind has.
fn join_series<'p>(
    name: &str,
    kind: Kind,
    samples: &mut impl Iterator<Item = Sample<'p>>,
) -> Result<Series, String> {
    match kind {
        Kind::Counter | Kind::Gauge => {
            let sample = expect(samples, name, "")?;
            Ok(Series { labels: sample.labels, value: Value::Number(sample.value) })
        }
        Kind::Summary => {
            let sum = expect(samples, name, "_sum")?;
            let count = expect(samples, name, "_count")?;
            check(sum.labels == count.labels, || format!("{:?} has no count", sum.labels))?;
            let value = Value::Observations { sum: sum.value, count: count.value };
            Ok(Series { labels: sum.labels, value })
        }
        Kind::Histogram => join_histogram(name, samples),
    }
}

fn join_histogram<'p>(
    name: &str,
    samples: &mut impl Iterator<Item = Sample<'p>>,
) -> Result<Series, String> {
    let mut cumulative: Vec<(f64, f64)> = Vec::new();
    let mut owners = Vec::new();
    loop {
        let mut bucket = expect(samples, name, "_bucket")?;
        let bound = match bucket.labels.pop() {
            Some((label, bound)) if label == "le" => parse_number(&bound)?,
            other => return Err(format!("a bucket of {name} ends in {other:?}")),
        };
        if let Some(&(last, count)) = cumulative.last() {
            check(last < bound, || format!("in {name}, bound {bound} follows {last}"))?;
            check(count <= bucket.value, || format!("in {name}, buckets fall from {count}"))?;
        }
        cumulative.push((bound, bucket.value));
        owners.push(bucket.labels);
        if bound == f64::INFINITY {
            break;
        }
    }
    let sum = expect(samples, name, "_sum")?;
    let count = expect(samples, name, "_count")?;
    let total = cumulative.last().map(|&(_, total)| total);
    check(total == Some(count.value), || format!("{name} counts {}, not {total:?}", count.value))?;
    owners.push(count.labels);
    let together = owners.iter().all(|labels| *labels == sum.labels);
    check(together, || format!("the samples of {name} for {:?} are torn apart", sum.labels))?;
    Ok(Series { labels: sum.labels, value: Value::Buckets { cumulative, sum: sum.value } })
}

/// The next sample, which has to be that of the family `name` with this suffix.
fn expect<'p>(
    samples: &mut impl Iterator<Item = Sample<'p>>,
    name: &str,
    suffix: &str,
) -> Result<Sample<'p>, String> {
    samples
        .next()
        .filter(|sample| sample.name.strip_prefix(name) == Some(suffix))
        .ok_or_else(|| format!("a sample {name}{suffix} is missing"))
}

fn is_word(text: &str, in_alphabet: impl Fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(|first| !first.is_ascii_digit())
        && text.chars().all(in_alphabet)
}

fn check(holds: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(complaint()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: &str, want: Result<usize, &str>) {
        assert_eq!(parse(page).map(|families| families.len()), want.map_err(str::to_owned));
    }

    #[test]
    fn good_pages_are_read() {
        check("", Ok(0));
        check("# HELP a \n# TYPE a counter\na 1\n", Ok(1));
        check("# HELP a x\n# TYPE a gauge\na -Inf\na{b=\"{ \\\"\"} 1e+06\na{c=\"}\"} NaN\n", Ok(1));
        check("# HELP s x\n# TYPE s summary\ns_sum -1.5\ns_count 2\n", Ok(1));
        let bucket = |le: &str, count: u32| format!("h_bucket{{z=\"\",le=\"{le}\"}} {count}\n");
        let (one, two, inf) = (bucket("1", 1), bucket("2", 1), bucket("+Inf", 3));
        let page = |buckets: &str, count: u32| {
            let totals = format!("h_sum{{z=\"\"}} 0\nh_count{{z=\"\"}} {count}\n");
            format!("# HELP h x\n# TYPE h histogram\n{buckets}{totals}")
        };
        check(&page(&format!("{one}{two}{inf}"), 3), Ok(1));
        check(&page(&format!("{one}{two}{inf}"), 2), Err("h counts 2, not Some(3.0)"));
        check(&page(&format!("{two}{one}{inf}"), 3), Err("in h, bound 1 follows 2"));
        check(&page(&format!("{one}{two}"), 3), Err("a sample h_bucket is missing"));
        let falling = format!("{}{two}{inf}", bucket("1", 2));
        check(&page(&falling, 3), Err("in h, buckets fall from 2"));
    }

    #[test]
    fn bad_pages_are_refused() {
        let gauge = |samples: &str| format!("# HELP a x\n# TYPE a gauge\n{samples}");
        check("a 1", Err("the last line does not end"));
        check("a 1\n", Err("\"a 1\" is no line \"# HELP \""));
        check("# HELP a x\n# TYPE a untyped\n", Err("type \"untyped\""));
        check("# HELP a x\n# TYPE b gauge\n", Err("the type of \"b\" follows the help of \"a\""));
        check(&gauge(""), Err("a has no series"));
        check(&gauge("a 1\na 1\n"), Err("a comes twice"));
        check(&gauge("b 1\n"), Err("a sample a is missing"));
        check(&gauge("a 1 2\n"), Err("sample name \"a 1\""));
        check(&gauge("a inf\n"), Err("number \"inf\""));
        check(&gauge("a{} 1\n"), Err("label in \"}\""));
        check(&gauge("a{b=\"\",} 1\n"), Err("label in \"b=\\\"\\\",}\""));
        check(&gauge("a{b=\"\\t\"} 1\n"), Err("escape Some('t') in \"\\\\t\""));
        check(&gauge("a{b=\"\n\"} 1\n"), Err("\"a{b=\\\"\" has no value"));
        check(&gauge("a{b=\"\\\"} 1\n"), Err("the value of b does not end"));
        let unsorted = r#"in a, [("c", "1"), ("b", "2")] are out of order or come twice"#;
        check(&gauge("a{c=\"1\",b=\"2\"} 1\n"), Err(unsorted));
        let backwards = r#"in a, [("b", "1")] follows [("b", "2")]"#;
        check(&gauge("a{b=\"2\"} 1\na{b=\"1\"} 1\n"), Err(backwards));
        check(&gauge(&format!("a 1\n{}", gauge("a 1\n"))), Err("a comes twice"));
        let second = gauge("a{b=\"\"} 1\n");
        check(&gauge(&format!("a 1\n{second}")), Err("family \"a\" follows \"a\""));
    }
}
