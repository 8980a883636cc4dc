//! What a scraper should get, found the long way: both headers are taken apart into owned text first, then all
//! that is offered is sorted.

use std::cmp::Reverse;

/// What the words of an answer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `Content-Type`.
    pub content_type: String,
    /// What becomes of names.
    pub escaping: &'static str,
    /// `Content-Encoding`, or `identity`.
    pub coding: &'static str,
}

/// The answer to the lines of `Accept` and `Accept-Encoding`.
pub fn answer(accept: &[&str], accept_encoding: &[&str]) -> Answer {
    let (format, named) = format(accept);
    let named = named.map(|escaping| match (format, escaping) {
        (TEXT, "allow-utf-8") => "underscores",
        (_, escaping) => escaping,
    });
    let said = match (format, named) {
        (NEW_TEXT, None) => "; escaping=underscores".to_owned(),
        (_, None) => String::new(),
        (_, Some(escaping)) => format!("; escaping={escaping}"),
    };
    Answer {
        content_type: format!("{format}{said}"),
        escaping: named.unwrap_or("underscores"),
        coding: coding(accept_encoding),
    }
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const NEW_TEXT: &str = "text/plain; version=1.0.0; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

type Escaping = Option<&'static str>;

fn format(lines: &[&str]) -> (&'static str, Escaping) {
    let mut offers: Vec<(u32, bool, &'static str, Escaping)> = Vec::new();
    let mut is_text_named = false;
    for range in lines.iter().flat_map(|line| pieces(line, ',')) {
        let mut parts = pieces(&range, ';').into_iter().map(|part| part.trim().to_owned());
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<(String, String)> = parts
            .filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), without_quotes(value.trim())))
            })
            .collect();
        let last = |name: &str| {
            parameters.iter().rev().find(|(other, _)| other == name).map(|(_, value)| &**value)
        };
        let (is_named, format) = match (&*media, last("version"), last("proto"), last("encoding")) {
            ("text/plain", None | Some("0.0.4"), _, _) => (true, TEXT),
            ("text/plain", Some("1.0.0"), _, _) => (true, NEW_TEXT),
            ("application/openmetrics-text", None | Some("1.0.0"), _, _) => (true, OPEN_METRICS),
            (
                "application/vnd.google.protobuf",
                _,
                Some("io.prometheus.client.MetricFamily"),
                Some("delimited"),
            ) => (true, PROTOBUF),
            ("*/*" | "text/*" | "application/*", _, _, _) => (false, TEXT),
            _ => continue,
        };
        is_text_named |= is_named && format == TEXT;
        let known = ["allow-utf-8", "underscores", "dots", "values"];
        let escaping = known.into_iter().find(|word| Some(*word) == last("escaping"));
        offers.push((weight(last("q")), is_named, format, escaping));
    }
    offers.retain(|(weight, is_named, _, _)| *weight > 0 && (*is_named || !is_text_named));
    // The sort is stable: of equal offers the first stays first.
    offers.sort_by_key(|(weight, is_named, _, _)| Reverse((*weight, *is_named)));
    offers.first().map_or((TEXT, None), |(_, _, format, escaping)| (format, *escaping))
}

fn coding(lines: &[&str]) -> &'static str {
    let items: Vec<(String, u32)> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let given = parts.find(|part| part.starts_with("q=") || part.starts_with("Q="));
            (name, weight(given.map(|given| &given[2..])))
        })
        .collect();
    let weight_of = |coding: &str| {
        items.iter().filter(|(name, _)| name == coding).map(|(_, weight)| *weight).max()
    };
    let (gzip, zstd) = (weight_of("gzip").unwrap_or(0), weight_of("zstd").unwrap_or(0));
    // Where it is not named, it is there all the same, after all weights of three digits, which is all that
    // HTTP has.
    let identity = weight_of("identity").unwrap_or_else(|| 0.0001_f32.to_bits());
    if zstd > 0 && zstd >= gzip && zstd >= identity {
        "zstd"
    } else if gzip > 0 && gzip >= identity {
        "gzip"
    } else {
        "identity"
    }
}

/// The bits of a float that is not negative are in its order.
fn weight(text: Option<&str>) -> u32 {
    let weight = text.and_then(|text| text.parse::<f32>().ok());
    let weight = weight.filter(|weight| *weight >= 0.0 && *weight <= 1.0).unwrap_or(1.0);
    weight.abs().to_bits()
}

/// The pieces between separators that do not stand in quotes.
fn pieces(text: &str, separator: char) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut characters = text.chars();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        if character == separator && !is_quoted {
            pieces.push(String::new());
            continue;
        }
        let piece = pieces.last_mut().expect("there is always one");
        piece.push(character);
        if character == '"' {
            is_quoted = !is_quoted;
        } else if is_quoted && character == '\\' {
            piece.extend(characters.next());
        }
    }
    pieces
}

fn without_quotes(value: &str) -> String {
    let inner = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    if inner { value[1..value.len() - 1].to_owned() } else { value.to_owned() }
}
