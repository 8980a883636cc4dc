//! Names that not all of Prometheus knows, in the words of those that do.
//!
//! No two families, labels of a family or series become one: a name that would be another's, or that of
//! another's samples, takes the form [`Escaping::Values`], which tells every name from every other, and if a
//! client has given even that to something else, underscores to its end.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    family::Family,
    shape::{Escaping, Format, Shape},
};
use crate::{
    model::{Exemplar, Kind, LabelSet, is_legacy_metric_name, unescape_name},
    snapshot::{Exemplars, FamilySnapshot, Index, Snapshot},
};

/// The families of a page in the order of their names, which may be others than those in the snapshot.
pub(super) struct Families<'a> {
    named: Vec<(Cow<'a, str>, &'a FamilySnapshot)>,
    /// How names are escaped, if they are.
    scheme: Option<Scheme>,
}

impl<'a> Families<'a> {
    /// The families of `snapshot`, as a page of this shape names them.
    pub(super) fn of(snapshot: &'a Snapshot, shape: Shape) -> Self {
        let scheme = match (shape.escaping, shape.format) {
            (Escaping::AllowUtf8, Format::TextV1 | Format::OpenMetrics | Format::Protobuf) => None,
            // The older text format has no quotes.
            (Escaping::AllowUtf8, Format::TextV0) | (Escaping::Underscores, _) => {
                Some(Scheme::Underscores)
            }
            (Escaping::Dots, _) => Some(Scheme::Dots),
            (Escaping::Values, _) => Some(Scheme::Values),
        };
        let families = snapshot.families();
        let is_legacy = |family: &FamilySnapshot| is_legacy_metric_name(&family.name);
        let named = match scheme {
            Some(scheme) if !families.iter().all(is_legacy) => {
                let names = metric_names(families, scheme).into_iter().zip(families);
                let mut renamed: Vec<(Cow<'_, str>, _)> =
                    names.map(|(name, family)| (name.into(), family)).collect();
                renamed.sort_by(|(a, _), (b, _)| a.cmp(b));
                renamed
            }
            Some(_) | None => {
                families.iter().map(|family| (Cow::Borrowed(&*family.name), family)).collect()
            }
        };
        Self { named, scheme }
    }

    /// All of them. Labels are renamed as they come.
    pub(super) fn iter(&self) -> impl Iterator<Item = Family<'_>> {
        self.named.iter().map(|(name, family)| match self.scheme {
            Some(scheme) => renamed(family, name, scheme),
            None => Family::unchanged(family, name),
        })
    }

    /// The one with this name.
    pub(super) fn find(&self, name: &str) -> Option<&'a FamilySnapshot> {
        let place = self.named.binary_search_by(|(of, _)| (**of).cmp(name)).ok()?;
        self.named.get(place).map(|(_, family)| *family)
    }
}

/// How names are escaped (Prometheus 3, "Content negotiation").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Underscores,
    Dots,
    Values,
}

/// The family under another name, and with such label names as all of Prometheus knows.
fn renamed<'a>(family: &'a FamilySnapshot, name: &'a str, scheme: Scheme) -> Family<'a> {
    let mut renamed = Family::unchanged(family, name);
    if family.index.has_quoted_names() {
        renamed.index = Cow::Owned(renamed_index(&family.index, scheme));
    }
    let is_quoted = |(_, exemplar): &(usize, Arc<Exemplar>)| exemplar.labels().has_quoted_names();
    if family.exemplars.iter().any(|(_, exemplars)| exemplars.iter().any(is_quoted)) {
        let exemplars = family.exemplars.iter();
        let exemplars = exemplars.map(|(at, all)| (*at, renamed_exemplars(all, scheme)));
        renamed.exemplars = Cow::Owned(exemplars.collect());
    }
    renamed
}

/// What each family is called.
fn metric_names(families: &[FamilySnapshot], scheme: Scheme) -> Vec<String> {
    let first_choice = |family: &FamilySnapshot| {
        if is_legacy_metric_name(&family.name) {
            family.name.to_string()
        } else {
            escaped(&family.name, scheme, ':')
        }
    };
    let mut claims: BTreeMap<String, usize> = BTreeMap::new();
    for family in families {
        for claim in sample_names(&first_choice(family), family.kind()) {
            *claims.entry(claim).or_default() += 1;
        }
    }
    let name_of = |family: &FamilySnapshot| {
        let name = first_choice(family);
        let names = sample_names(&name, family.kind());
        let is_alone = names.iter().all(|name| claims.get(name).is_none_or(|count| *count == 1));
        if is_alone || is_legacy_metric_name(&family.name) {
            return name;
        }
        let mut name = escaped(&family.name, Scheme::Values, ':');
        while sample_names(&name, family.kind()).iter().any(|name| claims.contains_key(name)) {
            name.push('_');
        }
        claims.extend(sample_names(&name, family.kind()).into_iter().map(|name| (name, 1)));
        name
    };
    families.iter().map(name_of).collect()
}

/// The name of a family, and those that it owns besides.
fn sample_names(name: &str, kind: Kind) -> Vec<String> {
    let suffixes = kind.suffixes().iter().copied();
    [""].into_iter().chain(suffixes).map(|suffix| format!("{name}{suffix}")).collect()
}

/// The label sets of a family under names of their own.
fn renamed_index(index: &Index, scheme: Scheme) -> Index {
    let mut names = BTreeSet::new();
    let mut labels = index.labels();
    while let Some(labels) = labels.next() {
        for (name, _) in labels.escaped() {
            if !names.contains(name) {
                names.insert(name.to_owned());
            }
        }
    }
    let names = label_names(names.iter().map(String::as_str), scheme);
    let mut renamed = Index::default();
    let mut labels = index.labels();
    for born in index.born() {
        if let Some(labels) = labels.next() {
            renamed.push(&labels.renamed(|name| names.get(name).map(String::as_str)), *born);
        }
    }
    renamed
}

/// Exemplars with labels that are renamed, but none that gets too long by that.
fn renamed_exemplars(exemplars: &Exemplars, scheme: Scheme) -> Exemplars {
    let renamed = |labels: &LabelSet| {
        let names = label_names(labels.escaped().map(|(name, _)| name), scheme);
        labels.renamed(|name| names.get(name).map(String::as_str))
    };
    let renamed = exemplars.iter().filter_map(|(place, exemplar)| {
        Some((*place, Arc::new(exemplar.with_labels(renamed(exemplar.labels()))?)))
    });
    renamed.collect()
}

/// What becomes of those label names, as they are written, that are quoted. No two become one, and none
/// one that is reserved for Prometheus.
fn label_names<'a>(
    names: impl Iterator<Item = &'a str>,
    scheme: Scheme,
) -> BTreeMap<&'a str, String> {
    let (quoted, plain): (BTreeSet<&str>, BTreeSet<&str>) =
        names.partition(|name| name.starts_with('"'));
    let mut taken: BTreeMap<String, usize> = plain.iter().map(|name| ((*name).into(), 1)).collect();
    let first_choice = |name: &str| escaped(&unescape_name(name), scheme, '_');
    for name in &quoted {
        *taken.entry(first_choice(name)).or_default() += 1;
    }
    let mut name_of = |written: &str| {
        let name = first_choice(written);
        if !name.starts_with("__") && taken.get(&name) == Some(&1) {
            return name;
        }
        let mut name = escaped(&unescape_name(written), Scheme::Values, '_');
        while taken.contains_key(&name) {
            name.push('_');
        }
        taken.insert(name.clone(), 1);
        name
    };
    quoted.into_iter().map(|written| (written, name_of(written))).collect()
}

/// A name that not all of Prometheus knows, as a scheme has it. `legal` is legal in it besides letters, digits
/// and underscores.
fn escaped(name: &str, scheme: Scheme, legal: char) -> String {
    let mut escaped = String::with_capacity(name.len() + 8);
    if scheme == Scheme::Values {
        escaped.push_str("U__");
    }
    for (place, character) in name.char_indices() {
        let is_digit = character.is_ascii_digit() && place > 0;
        let is_legal = character.is_ascii_alphabetic() || is_digit || character == legal;
        match (scheme, character) {
            (Scheme::Underscores, '_') => escaped.push('_'),
            (Scheme::Dots | Scheme::Values, '_') => escaped.push_str("__"),
            _ if is_legal => escaped.push(character),
            (Scheme::Underscores, _) => escaped.push('_'),
            (Scheme::Dots, '.') => escaped.push_str("_dot_"),
            (Scheme::Dots, _) => escaped.push_str("__"),
            (Scheme::Values, other) => {
                escaped.push_str(&format!("_{:x}_", u32::from(other)));
            }
        }
    }
    escaped
}
