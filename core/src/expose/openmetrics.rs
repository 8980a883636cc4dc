//! OpenMetrics 1.0.0.
//!
//! A family is written in its strict form where that is possible. The format reserves names for such a
//! family (`x_created` for a histogram `x`, `x` for a counter `x_total`), and it forbids values (a sum that is
//! negative); where another family has one of those names, or there is such a value, the family is written
//! in its loose form: a family of unknown type for each name of its samples. So every page can be read, and
//! every sample has the name and labels that it has in all formats.

use super::{
    Options,
    escape::Families,
    family::Family,
    samples::{Beside, Sample, write_all, write_by_name, written_name},
    unit::{base_name, unit_of},
};
use crate::{
    model::{Kind, escape_value},
    snapshot::{FamilySnapshot, Values},
};

/// Appends to `page`; `written` may look at it, and take what is there, after each series.
pub(super) fn encode(
    families: &Families<'_>,
    options: Options,
    page: &mut Vec<u8>,
    mut written: impl FnMut(&mut Vec<u8>),
) {
    for family in families.iter() {
        match form_of(&family, families) {
            Form::Strict => {
                let kind = family.values.kind();
                let base = base_name(family.name, kind);
                write_header(base, "", kind.as_str(), family.help, page);
                let created = options.created.then(|| Sample::new(base, "_created"));
                write_all(&family, Beside::of(&family, created), page, &mut written);
            }
            Form::Loose => {
                let begin = |suffix: &str, page: &mut Vec<u8>| {
                    write_header(family.name, suffix, "unknown", family.help, page);
                };
                write_by_name(&family, begin, page, &mut written);
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

/// The form of a family. Of two that cannot both be strict it depends on their names alone which one is, so
/// that a value that changes in one is not seen in the other.
fn form_of(family: &Family<'_>, families: &Families<'_>) -> Form {
    let kind = family.values.kind();
    if kind == Kind::Gauge {
        return Form::Strict;
    }
    let base = base_name(family.name, kind);
    let created = format!("{base}_created");
    let is_taken = match kind {
        // Of a histogram or summary with that name more would be lost.
        Kind::Counter => families.find(base).is_some(),
        Kind::Gauge | Kind::Histogram | Kind::Summary => false,
    };
    let is_free = !is_taken
        && !is_suffixed_sample(base, families)
        && !is_suffixed_sample(&created, families)
        && !families.find(&created).is_some_and(has_plain_sample)
        && !is_created_of_another(base, families);
    if can_be_strict(family) && is_free { Form::Strict } else { Form::Loose }
}

/// Whether a name is that of samples with a suffix.
fn is_suffixed_sample(name: &str, families: &Families<'_>) -> bool {
    Kind::ALL.into_iter().flat_map(Kind::suffixes).any(|suffix| {
        let family = name.strip_suffix(suffix).and_then(|family| families.find(family));
        family.is_some_and(|family| family.kind().suffixes().contains(suffix))
    })
}

/// Whether a family has samples without a suffix.
fn has_plain_sample(family: &FamilySnapshot) -> bool {
    match &family.values {
        Values::Counter(_) | Values::Gauge(_) => true,
        Values::Histogram(_) => false,
        Values::Summary(summaries) => !summaries.objectives().is_empty(),
    }
}

/// Whether a base name is that of the samples that say when another family's series were born.
fn is_created_of_another(base: &str, families: &Families<'_>) -> bool {
    base.strip_suffix("_created").is_some_and(|other| {
        let has_created = |family: &FamilySnapshot| family.kind() != Kind::Gauge;
        families.find(other).is_some_and(has_created)
            || families.find(&format!("{other}_total")).is_some_and(has_created)
    })
}

/// Whether the format allows the strict form of a family, as far as it alone is concerned.
fn can_be_strict(family: &Family<'_>) -> bool {
    match family.values {
        Values::Counter(_) => {
            let base = base_name(family.name, Kind::Counter);
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
