//! Which page a scraper gets: a pure function of `Accept` and `Accept-Encoding` (RFC 9110, 12.5.1 and 12.5.3;
//! Prometheus, "Scrape protocol content negotiation").

use super::shape::{Coding, Escaping, Format, Shape};

/// The weight of what is named without one.
const FULL: f32 = 1.0;

/// The weight of the page as it is where nobody speaks of it: below any that can be written, so that it
/// is what is left.
const UNSPOKEN: f32 = 0.0001;

/// What a scraper gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The page.
    pub shape: Shape,
    /// Its `Content-Type`. Scrapers may get the same page by different ones, as they asked for it.
    pub content_type: &'static str,
}

/// The page that a scraper likes best of those we have, by the lines of its two headers.
///
/// Each is read once, from its beginning to its end. What cannot be read in them is passed over. There is
/// always an answer: a scraper that takes nothing of ours gets text, since to refuse would tell it less.
pub fn negotiate<'a>(
    accept: impl Iterator<Item = &'a str>,
    accept_encoding: impl Iterator<Item = &'a str>,
) -> Negotiated {
    let Choice { format, escaping: named, .. } = choose(accept);
    let named = named.map(|escaping| match (format, escaping) {
        // It has no quotes for names.
        (Format::TextV0, Escaping::AllowUtf8) => Escaping::default(),
        (
            Format::TextV0 | Format::TextV1 | Format::OpenMetrics | Format::Protobuf,
            Escaping::AllowUtf8 | Escaping::Underscores | Escaping::Dots | Escaping::Values,
        ) => escaping,
    });
    Negotiated {
        shape: Shape {
            format,
            escaping: named.unwrap_or_default(),
            coding: choose_coding(accept_encoding),
        },
        content_type: format.content_type(named),
    }
}

/// A format, and how much it is wanted. The default is what nobody wants, but gets.
#[derive(Clone, Copy, Debug, Default)]
struct Choice {
    format: Format,
    /// Where it is named.
    escaping: Option<Escaping>,
    weight: f32,
}

/// The format of the greatest weight; of equal ones, the first. A wildcard is the text of the original, since
/// who sends one wants to read, but says nothing of that text where it is named too, and yields to any format
/// that is named with the same weight (RFC 9110, 12.5.1: the most specific range counts).
fn choose<'a>(lines: impl Iterator<Item = &'a str>) -> Choice {
    let [mut named, mut any] = [Choice::default(); 2];
    let mut is_text_named = false;
    for range in lines.flat_map(|line| split(line, ',')) {
        let parameters = Parameters::of(range);
        let Some(meaning) = parameters.meaning() else { continue };
        let (best, format) = match meaning {
            Meaning::One(format) => (&mut named, format),
            Meaning::Any => (&mut any, Format::TextV0),
        };
        is_text_named |= meaning == Meaning::One(Format::TextV0);
        if parameters.weight > best.weight {
            *best = Choice { format, escaping: parameters.escaping, weight: parameters.weight };
        }
    }
    if !is_text_named && any.weight > named.weight { any } else { named }
}

/// What a media range is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    One(Format),
    Any,
}

/// A media range and those of its parameters that we look at. Of one that is given twice the last counts.
#[derive(Debug)]
struct Parameters<'a> {
    media: &'a str,
    version: Option<&'a str>,
    proto: Option<&'a str>,
    encoding: Option<&'a str>,
    escaping: Option<Escaping>,
    weight: f32,
}

impl<'a> Parameters<'a> {
    fn of(range: &'a str) -> Self {
        let mut parts = split(range, ';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let mut found = Self {
            media,
            version: None,
            proto: None,
            encoding: None,
            escaping: None,
            weight: FULL,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim_end(), unquoted(value.trim_start()));
            let is = |word: &str| name.eq_ignore_ascii_case(word);
            if is("version") {
                found.version = Some(value);
            } else if is("proto") {
                found.proto = Some(value);
            } else if is("encoding") {
                found.encoding = Some(value);
            } else if is("escaping") {
                found.escaping = Escaping::from_word(value);
            } else if is("q") {
                found.weight = weight(value);
            }
        }
        found
    }

    /// What we have of it, if anything.
    fn meaning(&self) -> Option<Meaning> {
        let is = |media: &str| self.media.eq_ignore_ascii_case(media);
        let format = if is("text/plain") {
            match self.version {
                None | Some("0.0.4") => Format::TextV0,
                Some("1.0.0") => Format::TextV1,
                Some(_) => return None,
            }
        } else if is("application/openmetrics-text") {
            match self.version {
                None | Some("1.0.0") => Format::OpenMetrics,
                Some(_) => return None,
            }
        } else if is("application/vnd.google.protobuf") {
            match (self.proto, self.encoding) {
                (Some("io.prometheus.client.MetricFamily"), Some("delimited")) => Format::Protobuf,
                (_, _) => return None,
            }
        } else {
            let is_wildcard = is("*/*") || is("text/*") || is("application/*");
            return is_wildcard.then_some(Meaning::Any);
        };
        Some(Meaning::One(format))
    }
}

/// The coding that the client gives the greatest weight. Where weights are equal the denser one is taken.
/// `*` is not taken for a name: clients that send it are people with curl, who want to read. A client that
/// takes nothing at all gets the page as it is.
fn choose_coding<'a>(lines: impl Iterator<Item = &'a str>) -> Coding {
    // The densest first. Of several weights of one coding the greatest counts.
    let mut weights = [(Coding::Zstd, None), (Coding::Gzip, None), (Coding::Identity, None)];
    for item in lines.flat_map(|line| line.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let given = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let given = given.map_or(FULL, weight);
        for (coding, greatest) in &mut weights {
            if name.eq_ignore_ascii_case(coding.as_str()) {
                *greatest = Some(greatest.map_or(given, |greatest: f32| greatest.max(given)));
            }
        }
    }
    let mut best = (Coding::Identity, 0.0);
    for (coding, weight) in weights {
        let unnamed = match coding {
            Coding::Zstd | Coding::Gzip => 0.0,
            Coding::Identity => UNSPOKEN,
        };
        let weight = weight.unwrap_or(unnamed);
        if weight > best.1 {
            best = (coding, weight);
        }
    }
    best.0
}

/// What is no weight is passed over.
fn weight(text: &str) -> f32 {
    text.parse().ok().filter(|weight| (0.0..=FULL).contains(weight)).unwrap_or(FULL)
}

/// Splits at a separator, but not within quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        let was_escaped = is_escaped;
        is_escaped = is_quoted && !was_escaped && character == '\\';
        if character == '"' && !was_escaped {
            is_quoted = !is_quoted;
        }
        !is_quoted && character == separator
    })
}

/// A value without its quotes. Escapes stay: none of the words that we know needs one.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const PROTOBUF: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

    /// What the lines of `Accept` get. What a page is and what is said of it never differ.
    #[track_caller]
    fn check_lines(accept: &[&str], want: &str) {
        let got = negotiate(accept.iter().copied(), iter::empty());
        assert_eq!(got.content_type, want, "{accept:?}");
        let Shape { format, escaping, .. } = got.shape;
        let said = match got.content_type.split_once("escaping=") {
            None => format.content_type(None),
            Some((_, word)) => {
                assert_eq!(word, escaping.as_str(), "{accept:?}");
                format.content_type(Some(escaping))
            }
        };
        assert_eq!(said, want, "{accept:?}");
    }

    #[track_caller]
    fn check(accept: &str, want: &str) {
        check_lines(&[accept], want);
    }

    /// A format and what is said of it.
    #[track_caller]
    fn check_escaped(accept: &str, format: &str, escaping: &str) {
        check(accept, &format!("{format}; escaping={escaping}"));
    }

    /// The headers of all releases, as their code makes them; the answers are those of prometheus/common, but
    /// that it always names an escaping.
    #[test]
    fn every_prometheus_gets_what_it_asks_for() {
        // Up to 2.4, and then up to 2.26.
        check("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT);
        check(
            "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            TEXT,
        );
        // From 2.34 on, and with native histograms from 2.40.
        let old = "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        check(&format!("application/openmetrics-text;version=1.0.0,{old}"), OPEN_METRICS);
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
                        encoding=delimited";
        check(
            &format!("{protobuf},application/openmetrics-text;version=1.0.0;q=0.8,{old}"),
            PROTOBUF,
        );
        // 2.49.0, whose wildcard outweighs all or has a weight that is none, and from 2.49.1 on.
        for wildcard in ["*/*;q=2", "*/*;q=0.2"] {
            check(
                &format!(
                    "application/openmetrics-text;version=1.0.0;q=0.5,\
                     application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=0.0.4;q=0.3,{wildcard}"
                ),
                OPEN_METRICS,
            );
        }
        let old = "application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2";
        for wildcard in ["*/*;q=1", "*/*;q=0.1"] {
            check(
                &format!(
                    "{protobuf};q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,\
                     {old},{wildcard}"
                ),
                PROTOBUF,
            );
        }
        // 3.0 to 3.3 write an escaping to all, and twice to one.
        let utf8 = "escaping=allow-utf-8";
        check_escaped(
            &format!(
                "application/openmetrics-text;version=1.0.0;{utf8};q=0.6,\
                 application/openmetrics-text;version=0.0.1;{utf8};q=0.5,\
                 text/plain;version=1.0.0;{utf8};{utf8};q=0.4,\
                 text/plain;version=0.0.4;{utf8};q=0.3,*/*;q=0.2"
            ),
            OPEN_METRICS,
            "allow-utf-8",
        );
        check_escaped(
            &format!("{protobuf};{utf8};q=0.6,text/plain;version=0.0.4;{utf8};q=0.2,*/*;q=0.1"),
            PROTOBUF,
            "allow-utf-8",
        );
        // From 3.4 on to two formats alone, and others than that one.
        for escaping in ["allow-utf-8", "underscores", "dots", "values"] {
            let three = |weights: [&str; 3]| {
                let [a, b, c] = weights;
                format!(
                    "application/openmetrics-text;version=1.0.0;escaping={escaping};q={a},\
                     application/openmetrics-text;version=0.0.1;q={b},\
                     text/plain;version=1.0.0;escaping={escaping};q={c}"
                )
            };
            check_escaped(
                &format!(
                    "{},text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                    three(["0.6", "0.5", "0.4"])
                ),
                OPEN_METRICS,
                escaping,
            );
            check(
                &format!(
                    "{protobuf};q=0.6,{},text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                    three(["0.5", "0.4", "0.3"])
                ),
                PROTOBUF,
            );
            // With `scrape_protocols: [PrometheusText1.0.0]`.
            check(
                &format!("text/plain;version=1.0.0;escaping={escaping};q=0.6,*/*;q=0.5"),
                &format!("text/plain; version=1.0.0; charset=utf-8; escaping={escaping}"),
            );
        }
    }

    #[test]
    fn nobody_is_left_without_a_page() {
        check_lines(&[], TEXT);
        for accept in [
            "",
            ",",
            ";",
            ";;q=1,,",
            "*/*",
            "*",
            "text/*",
            "application/*",
            "image/*",
            "garbage",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json",
            "text/plain",
            "text/plain;q=0",
            "*/*;q=0",
            "text/plain;version=0.0.3",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;version=1.0.0;q=0",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;encoding=delimited",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
            "\"text/plain",
            "x;y=\",application/openmetrics-text",
            "application/openmetrics-text;version=",
        ] {
            check(accept, TEXT);
        }
    }

    #[test]
    fn the_greatest_weight_wins_and_then_the_first() {
        for (accept, want) in [
            ("application/openmetrics-text", OPEN_METRICS),
            ("text/plain;q=0.3,application/openmetrics-text;q=0.4", OPEN_METRICS),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.400", OPEN_METRICS),
            ("text/plain;q=0.4,application/openmetrics-text;q=0.4", TEXT),
            ("application/openmetrics-text;q=0,text/plain;q=0.001", TEXT),
            ("application/openmetrics-text;q=0.1,text/plain;q=0", OPEN_METRICS),
            // What is no weight is passed over.
            ("text/plain;q=0.9,application/openmetrics-text;q=7", OPEN_METRICS),
            ("text/plain;q=0.9,application/openmetrics-text;q=-1", OPEN_METRICS),
            ("text/plain;q=0.9,application/openmetrics-text;q=nan", OPEN_METRICS),
            ("text/plain;q=0.9,application/openmetrics-text;q=", OPEN_METRICS),
            // Wildcards.
            ("*/*,application/openmetrics-text", OPEN_METRICS),
            ("*/*;q=0.9,application/openmetrics-text;q=0.8", TEXT),
            ("text/*;q=0.9,application/openmetrics-text;q=0.8", TEXT),
            ("text/plain;q=0.1,*/*;q=0.9,application/openmetrics-text;q=0.8", OPEN_METRICS),
            ("*/*;q=0.9,application/openmetrics-text;q=0.8,text/plain;q=0", OPEN_METRICS),
            // Spelling.
            (
                "APPLICATION/OpenMetrics-Text ; Version=1.0.0 ; Q=0.5 , text/plain;q=0.4",
                OPEN_METRICS,
            ),
            ("application/openmetrics-text\t;\tversion = \"1.0.0\"", OPEN_METRICS),
            ("text/plain;q=\"0.5\",application/openmetrics-text;q=0.6", OPEN_METRICS),
            ("text/plain;x=\"a,b;q=0.1\\\";q=0.1\";q=0.5,application/openmetrics-text;q=0.4", TEXT),
            (
                "application/openmetrics-text;charset=utf-8;x;y=z;q=0.5;w,text/plain;q=0.1",
                OPEN_METRICS,
            ),
            ("text/plain;q=0.5;q=0.1,application/openmetrics-text;q=0.2", OPEN_METRICS),
        ] {
            check(accept, want);
        }
        check_lines(&["text/plain;q=0.5", "application/openmetrics-text;q=0.6"], OPEN_METRICS);
        check_lines(&["text/plain;q=0.5", "application/openmetrics-text;q=0.5"], TEXT);
    }

    #[test]
    fn the_escaping_is_that_of_the_chosen_range() {
        for (accept, want) in [
            ("text/plain;escaping=dots", "dots"),
            ("text/plain;escaping=values", "values"),
            ("text/plain;version=0.0.4;escaping=underscores", "underscores"),
            // Names cannot be quoted in it.
            ("text/plain;version=0.0.4;escaping=allow-utf-8", "underscores"),
            ("text/plain;q=0.5;ESCAPING=\"dots\", application/openmetrics-text;q=0.4", "dots"),
            ("*/*;escaping=dots", "dots"),
        ] {
            check_escaped(accept, TEXT, want);
        }
        check("text/plain, application/openmetrics-text;q=0.5;escaping=dots", TEXT);
        check("text/plain;escaping=Dots", TEXT);
        check("text/plain;escaping=", TEXT);
        check("text/plain;q=0;escaping=dots", TEXT);
        let text = "text/plain; version=1.0.0; charset=utf-8";
        check_escaped("text/plain;version=1.0.0", text, "underscores");
        check_escaped("text/plain;version=1.0.0;escaping=wat", text, "underscores");
    }

    #[test]
    fn the_greatest_weight_wins_and_then_the_denser_coding() {
        use Coding::{Gzip, Identity, Zstd};
        #[track_caller]
        fn check(accept_encoding: &[&str], want: Coding) {
            let got = negotiate(iter::empty(), accept_encoding.iter().copied());
            assert_eq!(
                got.shape,
                Shape { coding: want, ..Shape::default() },
                "{accept_encoding:?}"
            );
        }
        for (accept, want) in [
            ("gzip", Gzip),
            ("zstd", Zstd),
            ("gzip, zstd", Zstd),
            ("zstd;q=0.5, gzip", Gzip),
            ("zstd;q=0.5, gzip;q=0.500", Zstd),
            ("gzip, deflate, br, zstd", Zstd),
            ("br;q=1.0, GZIP;q=0.8, *;q=0.1", Gzip),
            ("identity, gzip", Gzip),
            ("identity, gzip;q=0.9", Identity),
            ("identity;q=0.5, gzip;q=0.6", Gzip),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("gzip;q=0.001", Gzip),
            ("gzip;q=0", Identity),
            ("gzip; q=0.000", Identity),
            ("gzip ; Q=0", Identity),
            ("gzip;q=0, zstd;q=0", Identity),
            ("identity;q=0", Identity),
            ("gzip;q=0, gzip", Gzip),
            ("gzip;q=2", Gzip),
            ("gzip;q=nan", Gzip),
            ("gzip;q=", Gzip),
            ("gzip;level=1;q=0", Identity),
            ("deflate, br", Identity),
            ("identity", Identity),
            ("*", Identity),
            ("*;q=0", Identity),
            ("x-gzip", Identity),
            ("", Identity),
        ] {
            check(&[accept], want);
        }
        check(&[], Identity);
        check(&["gzip;q=0.5", "zstd;q=0.4"], Gzip);
    }

    #[test]
    fn legacy_names_make_one_page_of_many() {
        let shapes =
            ["", "escaping=underscores", "escaping=dots", "escaping=values"].map(|named| {
                let accept = format!("application/openmetrics-text;{named}");
                negotiate(iter::once(&*accept), iter::once("gzip")).shape
            });
        assert_eq!(shapes[0], shapes[1], "the default, named and not");
        assert!(shapes.iter().all(|shape| shape.of_legacy_names() == shapes[0]), "{shapes:?}");
    }
}
