//! What breaks the naming conventions of Prometheus: what `promtool check metrics` complains about.
//!
//! Nothing is refused for it. The words that the rules look for are tables.

use std::fmt;

use crate::{
    model::{Kind, Quoted, unescape_name},
    snapshot::FamilySnapshot,
};

/// What is odd about a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The help text is empty, or blank.
    NoHelp,
    /// A counter without the suffix of counters.
    NoTotal,
    /// The suffix of counters on this other kind.
    Total(Kind),
    /// A suffix on a family whose kind does not own it.
    Suffix {
        /// What the name ends in.
        suffix: &'static str,
        /// What the family is.
        kind: Kind,
    },
    /// A label that a kind owns, on a family of another kind.
    Label {
        /// Its name.
        label: &'static str,
        /// What the family is.
        kind: Kind,
    },
    /// The name says what `# TYPE` says.
    Type(&'static str),
    /// A colon in the name.
    Colon,
    /// The name is in camelCase.
    CamelCase,
    /// A label name is; the first such of the page, for there may be any number.
    LabelCamelCase(Quoted),
    /// The name has what reads as an abbreviated unit.
    Abbreviation(&'static str),
    /// The name has a unit that is not the one that others would use.
    Unit {
        /// Its prefix, may be empty.
        prefix: &'static str,
        /// The unit itself.
        unit: &'static str,
        /// The one to use.
        base: &'static str,
    },
}

/// The suffix of counters.
const TOTAL: &str = "_total";

/// What a name shall not say of the type: the kinds we know, and one that we do not.
const TYPES: [&str; 5] = ["counter", "gauge", "gauge_histogram", "histogram", "summary"];

/// What reads as an abbreviated unit: of time, of bytes, of length.
const ABBREVIATIONS: [&str; 14] =
    ["s", "sec", "ms", "us", "ns", "h", "d", "b", "kb", "mb", "gb", "tb", "pb", "m"];

/// What may stand before a unit, which then is no base unit. `mibi` is how `promtool` spells it.
const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "mega", "giga",
    "tera", "peta", "kibi", "mibi", "gibi", "tebi", "pebi",
];

/// Units, and what to use instead: base units stand for themselves.
const UNITS: [(&str, &str); 24] = [
    ("seconds", "seconds"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("weeks", "seconds"),
    ("bytes", "bytes"),
    ("bits", "bytes"),
    ("celsius", "celsius"),
    ("fahrenheit", "celsius"),
    ("rankine", "celsius"),
    ("kelvin", "kelvin"),
    ("kelvins", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("inches", "meters"),
    ("yards", "meters"),
    ("miles", "meters"),
    ("grams", "grams"),
    ("ounces", "grams"),
    ("pounds", "grams"),
    ("joules", "joules"),
    ("calories", "joules"),
    ("amperes", "amperes"),
    ("volts", "volts"),
];

/// Series whose label names are looked at in one go: less than a millisecond.
const SERIES_BETWEEN_PAUSES: usize = 4096;

/// Whether a family has no help text to speak of. Who reads a page skips blanks before the text.
pub fn lacks_help(help: &str) -> bool {
    help.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// The problems of a family, each once. All its series are looked at, with a `pause` every so often.
pub fn problems(family: &FamilySnapshot, pause: impl FnMut()) -> Vec<Problem> {
    let (name, kind) = (&*family.name, family.kind());
    let mut problems = Vec::new();
    problems.extend(lacks_help(&family.help).then_some(Problem::NoHelp));
    problems.extend(suffixes(name, kind));
    problems.extend(words(name));
    problems.extend(units(name));
    problems.extend(labels(family, pause));
    problems
}

fn suffixes(name: &str, kind: Kind) -> impl Iterator<Item = Problem> {
    let total = match (kind, name.ends_with(TOTAL)) {
        (Kind::Counter, true) | (Kind::Gauge | Kind::Histogram | Kind::Summary, false) => None,
        (Kind::Counter, false) => Some(Problem::NoTotal),
        (Kind::Gauge | Kind::Histogram | Kind::Summary, true) => Some(Problem::Total(kind)),
    };
    let mut owned = Kind::ALL.into_iter().flat_map(Kind::suffixes);
    let suffix = owned.find(|suffix| name.ends_with(**suffix)).copied();
    let foreign = suffix.filter(|suffix| !kind.suffixes().contains(suffix));
    total.into_iter().chain(foreign.map(|suffix| Problem::Suffix { suffix, kind }))
}

fn words(name: &str) -> impl Iterator<Item = Problem> {
    let lower = name.to_ascii_lowercase();
    let has = |word: &str| {
        lower.match_indices(word).any(|(place, _)| {
            let before = lower.get(..place).unwrap_or_default();
            let after = lower.get(place + word.len()..).unwrap_or_default();
            before.ends_with('_') && (after.is_empty() || after.starts_with('_'))
        })
    };
    let of = |found: bool, problem| Some(problem).filter(|_| found);
    let spelling =
        [of(name.contains(':'), Problem::Colon), of(is_camel_case(name), Problem::CamelCase)];
    let types = TYPES.map(|word| of(has(word), Problem::Type(word)));
    let abbreviations = ABBREVIATIONS.map(|word| of(has(word), Problem::Abbreviation(word)));
    spelling.into_iter().chain(types).chain(abbreviations).flatten()
}

fn units(name: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for word in name.split('_') {
        let found = UNITS.into_iter().find_map(|(unit, base)| {
            let before = word.strip_suffix(unit)?;
            let prefix = PREFIXES.into_iter().find(|prefix| *prefix == before);
            let is_base = before.is_empty() && unit == base;
            let prefix = prefix.or_else(|| before.is_empty().then_some(""))?;
            (!is_base).then_some(Problem::Unit { prefix, unit, base })
        });
        problems.extend(found.filter(|problem| !problems.contains(problem)));
    }
    problems
}

fn labels(family: &FamilySnapshot, mut pause: impl FnMut()) -> impl Iterator<Item = Problem> {
    let own = family.kind().own_label();
    let mut foreign = Kind::ALL.map(|kind| (kind.own_label().filter(|l| Some(*l) != own), false));
    let mut camel_case = None;
    let mut walk = family.index.labels();
    let mut seen = String::new();
    let mut series = 0_usize;
    while let Some(set) = walk.next() {
        if !set.names().eq(seen.split_terminator(',')) {
            seen = set.names().fold(String::new(), |names, name| names + name + ",");
            for name in set.names() {
                for (label, is_there) in &mut foreign {
                    *is_there |= *label == Some(name);
                }
                if camel_case.is_none() && is_camel_case(name) {
                    camel_case = Some(Problem::LabelCamelCase(Quoted::new(&unescape_name(name))));
                }
            }
        }
        series += 1;
        if series.is_multiple_of(SERIES_BETWEEN_PAUSES) {
            pause();
        }
    }
    let kind = family.kind();
    let foreign = foreign.into_iter().filter(|(_, is_there)| *is_there);
    let foreign = foreign.filter_map(|(label, _)| label);
    foreign.map(move |label| Problem::Label { label, kind }).chain(camel_case)
}

/// Whether a lower-case letter stands right before a capital.
fn is_camel_case(name: &str) -> bool {
    let (before, after) = (name.bytes(), name.bytes().skip(1));
    before.zip(after).any(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHelp => f.write_str("there is no help text: push one with its deltas"),
            Self::NoTotal => write!(f, "a counter without the suffix {TOTAL}: append it"),
            Self::Total(kind) => {
                write!(f, "the suffix {TOTAL} is for counters: drop it, this is a {kind}")
            }
            Self::Suffix { suffix, kind } => {
                let owners = owners(|kind| kind.suffixes().contains(suffix));
                write!(f, "the suffix {suffix} is for {owners}: drop it, this is a {kind}")
            }
            Self::Label { label, kind } => {
                let owners = owners(|kind| kind.own_label() == Some(*label));
                write!(f, "the label {label} is for {owners}: rename it, this is a {kind}")
            }
            Self::Type(word) => write!(f, "the name says the type {word}: leave that out"),
            Self::Colon => {
                f.write_str("the name has a colon, as recording rules do: use an underscore")
            }
            Self::CamelCase => f.write_str("the name is in camelCase: write it in snake_case"),
            Self::LabelCamelCase(label) => {
                write!(f, "label name {label} is in camelCase: write it in snake_case")
            }
            Self::Abbreviation(word) => write!(
                f,
                "{word} in the name reads as an abbreviated unit: write a base unit out, such as \
                 seconds or bytes"
            ),
            Self::Unit { prefix, unit, base } => {
                write!(f, "{prefix}{unit} in the name is no base unit: use {base}")
            }
        }
    }
}

/// The kinds that own something, in the plural.
fn owners(owns: impl Fn(Kind) -> bool) -> String {
    let plural = |kind| match kind {
        Kind::Counter => "counters",
        Kind::Gauge => "gauges",
        Kind::Histogram => "histograms",
        Kind::Summary => "summaries",
    };
    let owners = Kind::ALL.into_iter().filter(|kind| owns(*kind)).map(plural);
    owners.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::NameScheme,
        model::{LabelSet, Labels, Timestamp},
        snapshot::{Index, Values},
    };

    /// A family with a series for each list of label names.
    fn family(name: &str, kind: Kind, help: &str, series: &[&[&str]]) -> FamilySnapshot {
        let mut index = Index::default();
        for names in series {
            let pairs = names.iter().map(|name| ((*name).into(), "v".into())).collect();
            index.push(
                &LabelSet::from(&Labels::new(pairs, NameScheme::Legacy).unwrap()),
                Timestamp(0),
            );
        }
        FamilySnapshot {
            name: name.into(),
            help: help.into(),
            index: index.into(),
            values: Values::none(kind),
            exemplars: Vec::new(),
        }
    }

    #[track_caller]
    fn check_family(family: &FamilySnapshot, want: &[&str]) {
        let got: Vec<_> = problems(family, || ()).iter().map(ToString::to_string).collect();
        assert_eq!(got, want, "{} {}", family.kind(), family.name);
    }

    /// Families `kind name`, and how the texts of their problems begin.
    #[track_caller]
    fn check(family_of: &str, want: &[&str]) {
        let (kind, name) = family_of.split_once(' ').unwrap();
        let family = family(name, Kind::from_word(kind).unwrap(), "h", &[&[]]);
        let got: Vec<_> = problems(&family, || ()).iter().map(ToString::to_string).collect();
        let alike = got.len() == want.len() && got.iter().zip(want).all(|(a, b)| a.starts_with(b));
        assert!(alike, "{family_of}: {got:?}, not {want:?}");
    }

    #[test]
    fn a_family_has_a_help_text() {
        let want = "there is no help text: push one with its deltas";
        for blank in ["", " ", "\t ", "  \t"] {
            check_family(&family("m", Kind::Gauge, blank, &[&[]]), &[want]);
        }
        for text in ["h", " h", "\n", "\r", "\u{a0}"] {
            check_family(&family("m", Kind::Gauge, text, &[&[]]), &[]);
        }
    }

    #[test]
    fn a_suffix_belongs_to_its_kind() {
        check("counter x_total", &[]);
        check("counter _total", &[]);
        check("counter x", &["a counter without the suffix _total: append it"]);
        check("counter xtotal", &["a counter without"]);
        check("counter x_TOTAL", &["a counter without"]);
        check("gauge x_total", &["the suffix _total is for counters: drop it, this is a gauge"]);
        check("gauge total", &[]);
        check("histogram x_total", &["the suffix _total"]);
        check("summary x_total", &["the suffix _total"]);
        check(
            "gauge x_bucket",
            &["the suffix _bucket is for histograms: drop it, this is a gauge"],
        );
        check(
            "gauge x_count",
            &["the suffix _count is for histograms and summaries: drop it, this is a gauge"],
        );
        check("counter x_sum", &["a counter without", "the suffix _sum"]);
        check("counter x_sum_total", &[]);
        check("summary x_bucket", &["the suffix _bucket"]);
        check("summary x_count", &[]);
        check("histogram x_bucket", &[]);
        check("gauge x_count_y", &[]);
        check("gauge x_COUNT", &[]);
    }

    #[test]
    fn a_name_says_neither_type_nor_unit_in_short() {
        check("gauge x_gauge", &["the name says the type gauge: leave that out"]);
        check("gauge x_Histogram_y", &["the name says the type histogram"]);
        check("gauge gauge_x", &[]);
        check("gauge x_gauges", &[]);
        check("gauge x_untyped", &[]);
        check(
            "gauge a_gauge_histogram",
            &["the name says the type gauge:", "the name says the type gauge_h", "the name says"],
        );
        check(
            "gauge x_ms",
            &[
                "ms in the name reads as an abbreviated unit: write a base unit out, such as seconds \
               or bytes",
            ],
        );
        check("gauge x_KB_y", &["kb in the name"]);
        check("gauge x_ss_s", &["s in the name"]);
        check("gauge ms_x", &[]);
        check("gauge x_min", &[]);
        check("gauge a_s_ms", &["s in the name", "ms in the name"]);
    }

    #[test]
    fn a_name_is_in_snake_case() {
        check("gauge aB", &["the name is in camelCase: write it in snake_case"]);
        check("gauge AB", &[]);
        check("gauge Ab", &[]);
        check("gauge a1B", &[]);
        check("gauge a_C", &[]);
        check("gauge a:x", &["the name has a colon, as recording rules do: use an underscore"]);
        check("gauge a:minutes", &["the name has a colon"]);
    }

    #[test]
    fn a_unit_is_a_base_unit() {
        check("gauge x_minutes", &["minutes in the name is no base unit: use seconds"]);
        check("gauge kilometers_y", &["kilometers in the name is no base unit: use meters"]);
        check("gauge x_mibibits_y", &["mibibits in the name is no base unit: use bytes"]);
        check("gauge x_millimetres", &["millimetres in the name is no base unit: use metres"]);
        check("gauge x_kelvins", &["kelvins in the name is no base unit: use kelvin"]);
        check("gauge days_days", &["days in the name"]);
        check("gauge hours_seconds_kilobytes", &["hours in the name", "kilobytes in the name"]);
        for base in ["seconds", "bytes", "celsius", "kelvin", "metres", "thermometers", "MINUTES"] {
            check(&format!("gauge x_{base}_y"), &[]);
        }
    }

    #[test]
    fn every_label_name_is_looked_at() {
        let series: &[&[&str]] = &[&[], &["a"], &["a", "b"], &["a", "oddOne"], &["le"], &["okOk"]];
        let camel_case = "label name \"oddOne\" is in camelCase: write it in snake_case";
        let le = "the label le is for histograms: rename it, this is a gauge";
        check_family(&family("m", Kind::Gauge, "h", series), &[le, camel_case]);
        let quantile = "the label quantile is for summaries: rename it, this is a histogram";
        check_family(&family("m", Kind::Histogram, "h", &[&["quantile"]]), &[quantile]);
        check_family(&family("m", Kind::Summary, "h", &[&["LE", "quantiles", "Ab"]]), &[]);
    }

    #[test]
    fn it_pauses() {
        let series = vec![&["a"][..]; 2 * SERIES_BETWEEN_PAUSES];
        let mut pauses = 0;
        problems(&family("m", Kind::Gauge, "h", &series), || pauses += 1);
        assert_eq!(pauses, 2);
    }
}
