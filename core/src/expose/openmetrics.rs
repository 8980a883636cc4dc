//! OpenMetrics 1.0.0.
//!
//! A family is written in its strict form where that is possible. The format reserves names for such a
//! family (`x_created` for a histogram `x`, `x` for a counter `x_total`), and it forbids values (a sum that is
//! negative); where another family has one of those names, or there is such a value, the family is written
//! in its loose form: a family of unknown type for each name of its samples. So every page can be read, and
//! every sample has the name and labels that it has in all formats.

use std::collections::BTreeSet;

use super::{
    Options,
    family::Family,
    samples::{Beside, Sample, write_all, write_by_name, written_name},
    unit::{base_name, unit_of},
};
use crate::{
    model::{Kind, escape_value},
    snapshot::Values,
};

/// Appends to `page`; `written` may look at it, and take what is there, after each series.
pub(super) fn encode(
    families: &[Family<'_>],
    options: Options,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    for (family, form) in families.iter().zip(forms(families)) {
        match form {
            Form::Strict => {
                let kind = family.values.kind();
                let base = base_name(&family.name, kind);
                write_header(base, "", kind.as_str(), family.help, page);
                let created = options.created.then(|| Sample::new(base, "_created"));
                write_all(family, Beside::of(family, created), page, &mut written);
            }
            Form::Loose => {
                let begin = |suffix: &str, page: &mut Vec<u8>| {
                    write_header(&family.name, suffix, "unknown", family.help, page);
                };
                write_by_name(family, begin, page, &mut written);
            }
        }
    }
    page.extend_from_slice(b"# EOF\n");
}

/// Writes what a family is, whose name is one that a suffix is put to.
fn write_header(name: &str, suffix: &str, kind: &str, help: &str, page: &mut Vec<u8>) {
    let name_on_page = written_name(name, suffix);
    let mut line = |word: &str, text: &str| {
        for piece in ["# ", word, " ", &name_on_page, " ", text, "\n"] {
            page.extend_from_slice(piece.as_bytes());
        }
    };
    line("TYPE", kind);
    // A sum has the unit of what it sums up, but a family has to be named after it.
    if let Some(unit) = unit_of(name).filter(|_| suffix.is_empty()) {
        line("UNIT", unit);
    }
    if !help.is_empty() {
        line("HELP", &escape_value(help).collect::<String>());
    }
}

/// How a family is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As a family of its kind.
    Strict,
    /// As a family of unknown type for each name of its samples.
    Loose,
}

/// The form of each family.
fn forms(families: &[Family<'_>]) -> Vec<Form> {
    let samples: BTreeSet<String> = families.iter().flat_map(sample_names).collect();
    let mut reserved = BTreeSet::new();
    let mut form = |family: &Family<'_>| {
        if !can_be_strict(family) {
            return Form::Loose;
        }
        let names = names_reserved(family);
        if names.iter().any(|name| samples.contains(name) || reserved.contains(name)) {
            return Form::Loose;
        }
        reserved.extend(names);
        Form::Strict
    };
    families.iter().map(&mut form).collect()
}

/// The names of the samples of a family.
fn sample_names(family: &Family<'_>) -> Vec<String> {
    let kind = family.values.kind();
    let has_plain = match family.values {
        Values::Counter(_) | Values::Gauge(_) => true,
        Values::Histogram(_) => false,
        Values::Summary(summaries) => !summaries.objectives().is_empty(),
    };
    let plain = has_plain.then_some("").into_iter();
    let suffixes = plain.chain(kind.suffixes().iter().copied());
    suffixes.map(|suffix| format!("{}{suffix}", family.name)).collect()
}

/// The names that the strict form of a family keeps from others, besides those of its samples.
fn names_reserved(family: &Family<'_>) -> Vec<String> {
    let kind = family.values.kind();
    let base = base_name(&family.name, kind);
    let suffixes: &[&str] = match kind {
        Kind::Gauge => &[],
        Kind::Counter | Kind::Histogram | Kind::Summary => &["", "_created"],
    };
    let samples = sample_names(family);
    let names = suffixes.iter().map(|suffix| format!("{base}{suffix}"));
    names.filter(|name| !samples.contains(name)).collect()
}

/// Whether the format allows the strict form of a family, as far as it alone is concerned.
fn can_be_strict(family: &Family<'_>) -> bool {
    match family.values {
        Values::Counter(_) => {
            let base = base_name(&family.name, Kind::Counter);
            !base.is_empty() && base.len() < family.name.len()
        }
        Values::Gauge(_) => true,
        Values::Histogram(histograms) => {
            histograms.bounds().as_slice().first().is_none_or(|bound| *bound >= 0.0)
                && histograms.iter().all(|histogram| histogram.sum >= 0.0)
        }
        Values::Summary(summaries) => summaries.iter().all(|(observations, quantiles)| {
            let is_negative = |quantile: &f64| *quantile < 0.0;
            observations.sum >= 0.0 && !quantiles.iter().any(is_negative)
        }),
    }
}
