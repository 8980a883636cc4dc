//! The formats that are text, through a small reader of both.

use std::collections::BTreeSet;

use proptest::prelude::*;
use pushprom_core::{model::Kind, snapshot::FamilySnapshot};

use super::*;

/// A family as it stands on a page.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) samples: Vec<Sample>,
    pub(super) exemplars: Vec<(Sample, Shown)>,
}

/// An exemplar: its labels, its value, and the time as it is written.
type Shown = (BTreeMap<String, String>, u64, String);

/// What is left to read of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self, end: &[char]) -> &'a str {
        let (word, rest) = self.0.split_at(self.0.find(end).unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.0.strip_prefix('"')?.chars();
        loop {
            match chars.next().expect("quotes are closed") {
                '"' => break,
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some(escaped @ ('\\' | '"')) => text.push(escaped),
                    other => panic!("{other:?} is not escaped"),
                },
                plain => text.push(plain),
            }
        }
        self.0 = chars.as_str();
        Some(text)
    }

    fn name(&mut self) -> String {
        self.quoted().unwrap_or_else(|| self.word(&['{', '=', ' ']).to_owned())
    }

    /// What stands in braces, if they follow: labels, and before them maybe a name.
    fn braces(&mut self) -> (Option<String>, BTreeMap<String, String>) {
        let (mut name, mut labels) = (None, BTreeMap::new());
        if self.take("{") && !self.take("}") {
            loop {
                let word = self.name();
                if self.take("=") {
                    let value = self.quoted().expect("values are quoted");
                    assert!(labels.insert(word, value).is_none(), "a label comes once");
                } else {
                    assert!(
                        name.replace(word).is_none() && labels.is_empty(),
                        "a name comes first"
                    );
                }
                if self.take("}") {
                    break;
                }
                assert!(self.take(","), "labels are divided by commas: {}", self.0);
            }
        }
        (name, labels)
    }

    fn value(&mut self) -> u64 {
        assert!(self.take(" "), "a value follows: {}", self.0);
        bits(self.word(&[' ']).parse().expect("a number"))
    }
}

/// Reads a page.
pub(super) fn read(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in page.split_terminator('\n').filter(|line| *line != "# EOF") {
        let mut rest = Rest(line);
        if rest.take("# ") {
            let word = rest.word(&[' ']);
            assert!(rest.take(" "), "{line}");
            let name = rest.name();
            assert!(rest.take(" "), "{line}");
            if blocks.last().is_none_or(|block| block.name != name) {
                blocks.push(Block { name, ..Block::default() });
            }
            let block = blocks.last_mut().expect("there is one");
            assert!(block.samples.is_empty(), "samples come last: {line}");
            if word == "TYPE" {
                rest.0.clone_into(&mut block.kind);
            }
            continue;
        }
        let block = blocks.last_mut().expect("samples come after a header");
        let before = if line.starts_with('{') { None } else { Some(rest.name()) };
        let (inside, labels) = rest.braces();
        let name = before.xor(inside).expect("one name");
        block.samples.push((name.clone(), labels.clone(), rest.value()));
        if rest.take(" # ") {
            let shown = (rest.braces().1, rest.value(), rest.0.trim_start().to_owned());
            block.exemplars.push((block.samples.last().expect("one").clone(), shown));
        } else {
            assert_eq!(rest.0, "", "{line}");
        }
    }
    blocks
}

/// All samples of a page.
pub(super) fn samples_of(page: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = read(page).into_iter().flat_map(|block| block.samples).collect();
    samples.sort();
    samples
}

pub(super) fn without_created(snapshot: &Snapshot, escaping: Escaping) -> String {
    let shape = Shape { format: Format::OpenMetrics, escaping, ..Shape::default() };
    let mut page = Vec::new();
    expose::encode(shape, Options::default(), snapshot, &mut page);
    String::from_utf8(page).expect("text is UTF-8")
}

/// The exemplars of a snapshot that OpenMetrics shows if the form of their family is strict, with the names
/// of their families: but for those with quotes in their labels, the latest of each bucket.
fn exemplars(snapshot: &Snapshot) -> Vec<(String, Shown)> {
    let mut exemplars = Vec::new();
    for family in snapshot.families() {
        for (_, of_series) in &family.exemplars {
            for of_bucket in of_series.chunk_by(|(a, _), (b, _)| a == b) {
                let readable = of_bucket.iter().map(|(_, exemplar)| {
                    let labels = exemplar.labels().iter();
                    let labels =
                        labels.map(|(name, value)| (name.into_owned(), value.into_owned()));
                    (exemplar, labels.collect::<BTreeMap<String, String>>())
                });
                let quote = |text: &String| text.contains('"');
                let mut readable = readable.filter(|(_, l)| !l.keys().chain(l.values()).any(quote));
                if let Some((latest, labels)) = readable.next_back() {
                    let at = latest.timestamp.expect("the registry says when").0;
                    let at = format!("{}.{:03}", at / 1000, at % 1000);
                    exemplars.push((family.name.to_string(), (labels, bits(latest.value), at)));
                }
            }
        }
    }
    exemplars.sort();
    exemplars
}

/// Pushes a counter, gauge (`g:`), histogram (`h:`) or summary (`s:`) of each name, and looks at the types.
#[track_caller]
fn check_types(pushed: &[&str], want: &[&str]) {
    let registry = registry();
    for pushed in pushed {
        let (name, change) = match pushed.split_at_checked(2) {
            Some(("g:", name)) => (name, set(1.0)),
            Some(("h:", name)) => (name, histogram(&[1.0], &[1.0], None)),
            Some(("s:", name)) => (name, summary(&[1.0], &[])),
            _ => (*pushed, add(1.0)),
        };
        registry.apply(&delta(name, &[], change), Policy::default().source(), NOW).unwrap();
    }
    let page = text_page(Format::OpenMetrics, Escaping::AllowUtf8, &registry.snapshot(NOW));
    let types: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(types, want);
}

#[test]
fn a_family_is_loose_only_where_it_has_to_be() {
    let loose = |name: &str| ["_bucket", "_sum", "_count"].map(|s| format!("{name}{s} unknown"));
    check_types(&["x_total"], &["x counter"]);
    check_types(&["x"], &["x unknown"]);
    check_types(&["_total"], &["_total unknown"]);
    check_types(&["x_total_total"], &["x_total counter"]);
    check_types(&["x_total", "x_total_total"], &["x counter", "x_total_total unknown"]);
    check_types(&["g:x", "x_total"], &["x gauge", "x_total unknown"]);
    check_types(&["h:x", "x_total"], &["x histogram", "x_total unknown"]);
    check_types(&["h:x", "x_sum_total"], &["x histogram", "x_sum_total unknown"]);
    check_types(&["x_total", "g:x_created"], &["x_created gauge", "x_total unknown"]);
    check_types(&["s:x", "x_created_total"], &["x summary", "x_created_total unknown"]);
    let [bucket, sum, count] = loose("x_created");
    check_types(&["h:x", "h:x_created"], &["x histogram", &bucket, &sum, &count]);
    let [bucket, sum, count] = loose("x");
    check_types(&["h:x", "g:x_created"], &[&bucket, &sum, &count, "x_created gauge"]);
    check_types(
        &["s:x", "g:y_created", "y_seconds"],
        &["x summary", "y_created gauge", "y_seconds unknown"],
    );
}

proptest! {
    #[test]
    fn every_sample_has_one_name_in_all_formats(snapshot in random::snapshot()) {
        let want = samples(&snapshot);
        let text = text_page(Format::TextV1, Escaping::AllowUtf8, &snapshot);
        prop_assert_eq!(&samples_of(&text), &want);
        prop_assert_eq!(&samples_of(&without_created(&snapshot, Escaping::AllowUtf8)), &want);
    }

    #[test]
    fn a_strict_form_shows_births_and_exemplars(snapshot in random::snapshot()) {
        let blocks = read(&text_page(Format::OpenMetrics, Escaping::AllowUtf8, &snapshot));
        let (mut strict, mut born, mut shown) = (BTreeSet::new(), Vec::new(), Vec::new());
        for block in &blocks {
            let (family, suffix) = match &*block.kind {
                "counter" => (format!("{}_total", block.name), "_total"),
                "histogram" | "summary" => (block.name.clone(), "_bucket"),
                _ => {
                    prop_assert!(block.samples.iter().all(|(name, ..)| *name == block.name));
                    prop_assert!(block.exemplars.is_empty());
                    continue;
                }
            };
            let created = format!("{}_created", block.name);
            let births = block.samples.iter().filter(|(name, ..)| *name == created);
            born.extend(births.map(|(.., value)| *value));
            for ((name, ..), exemplar) in &block.exemplars {
                prop_assert_eq!(name, &format!("{}{suffix}", block.name));
                shown.push((family.clone(), exemplar.clone()));
            }
            strict.insert(family);
        }
        let is_strict = |family: &FamilySnapshot| {
            family.kind() != Kind::Gauge && strict.contains(&*family.name)
        };
        let families = snapshot.families().iter().filter(|family| is_strict(family));
        let births = families.flat_map(|family| family.index.born());
        let births = births.filter(|born| born.0 > 0).map(|born| bits(as_f64(born.0) / 1000.0));
        let mut want: Vec<u64> = births.collect();
        want.sort_unstable();
        born.sort_unstable();
        prop_assert_eq!(born, want);
        let mut want = exemplars(&snapshot);
        want.retain(|(name, _)| strict.contains(name));
        shown.sort();
        prop_assert_eq!(shown, want);
    }

    /// Who takes the page away piece by piece gets the same.
    #[test]
    fn pieces_make_the_page(snapshot in random::snapshot(), piece_bytes in 0_usize..400) {
        for format in [Format::TextV0, Format::TextV1, Format::OpenMetrics, Format::Protobuf] {
            let shape = Shape { format, escaping: Escaping::AllowUtf8, ..Shape::default() };
            let (mut pieces, mut left) = (Vec::new(), Vec::new());
            let options = Options { created: true };
            expose::encode_pausing(shape, options, &snapshot, &mut left, piece_bytes, |piece| {
                pieces.append(piece);
            });
            pieces.append(&mut left);
            prop_assert_eq!(&pieces, &page(format, Escaping::AllowUtf8, &snapshot));
        }
    }
}
