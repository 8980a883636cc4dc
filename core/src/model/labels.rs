//! The labels of a series: borrowed from a message, or held by the registry.

use std::{borrow::Cow, cmp::Ordering, fmt};

use memchr::memchr2;
use smallvec::SmallVec;

use super::{NameError, Quoted, is_legacy_label_name, name::check_label_name};
use crate::limits::{LABEL_VALUE_BYTES_MAX, LABELS_PER_SERIES_MAX, NameScheme, OVERFLOW_LABEL};

/// Names and values as a message brought them. Few deltas have more than four.
pub type LabelPairs<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 4]>;

/// The labels of a delta: names valid, sorted and unique, borrowed from the message where it spelled them
/// without escapes. Values are any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels<'a>(LabelPairs<'a>);

/// Why a list of pairs is no label set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// More labels than a series may have.
    #[error("more than {LABELS_PER_SERIES_MAX} labels, which is the limit: use fewer")]
    TooMany,
    /// A value over its limit.
    #[error(
        "the value of label {name} is {bytes} bytes long; the limit is {LABEL_VALUE_BYTES_MAX}: \
         shorten it"
    )]
    ValueTooLong {
        /// The label's name.
        name: Quoted,
        /// The length of its value.
        bytes: usize,
    },
}

impl<'a> Labels<'a> {
    /// Checks, sorts and makes unique: of two pairs with one name the later one wins, as in a JSON
    /// object.
    pub fn new(mut pairs: LabelPairs<'a>, scheme: NameScheme) -> Result<Self, LabelError> {
        for (name, value) in &pairs {
            check_label_name(name, scheme)?;
            if value.len() > LABEL_VALUE_BYTES_MAX {
                let name = Quoted::new(name);
                return Err(LabelError::ValueTooLong { name, bytes: value.len() });
            }
        }
        if !pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
            // Stable, and read from its end: the last pair of a name comes first.
            pairs.reverse();
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            pairs.dedup_by(|(later, _), (earlier, _)| later == earlier);
        }
        if pairs.len() > LABELS_PER_SERIES_MAX {
            return Err(LabelError::TooMany);
        }
        Ok(Self(pairs))
    }

    /// The same, and the label of a series that takes what would be a series too many.
    #[must_use]
    pub fn overflowing(&self) -> Self {
        let mut pairs = self.0.clone();
        pairs.push((OVERFLOW_LABEL.into(), "true".into()));
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self(pairs)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// The labels of a series in the one form that identifies them: their text in an exposition without the
/// braces, `a="1",b="2"`, names sorted, `\`, `"` and newline in values escaped. A name that not all of
/// Prometheus knows is quoted and escaped as a value is. Ready to be copied into a page. The default has no
/// labels.
#[derive(Clone, Default, PartialEq, Eq)]
// Invariant: made by `From<&Labels>`, or read back from where such a one was put.
pub struct LabelSet(pub(super) String);

impl From<&Labels<'_>> for LabelSet {
    fn from(labels: &Labels<'_>) -> Self {
        let mut text = String::new();
        for (name, value) in labels.iter() {
            if !text.is_empty() {
                text.push(',');
            }
            if is_legacy_label_name(name) {
                text.push_str(name);
            } else {
                text.push('"');
                text.extend(escape_value(name));
                text.push('"');
            }
            text.push_str("=\"");
            text.extend(escape_value(value));
            text.push('"');
        }
        Self(text)
    }
}

impl LabelSet {
    /// The text as it stands between the braces of a sample; empty without labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.escaped().map(|(name, value)| (unescape_name(name), unescape_value(value)))
    }

    /// The names in their order, as they stand in the text.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.escaped().map(|(name, _)| name)
    }

    /// Whether any of the names is quoted.
    pub fn has_quoted_names(&self) -> bool {
        self.may_quote_name_from(0) && self.escaped().any(|(name, _)| name.starts_with('"'))
    }

    /// Whether, from a byte of the text on, there is what may be the quote before a name, if it is not the
    /// one after a value.
    pub(super) fn may_quote_name_from(&self, start: usize) -> bool {
        let text = self.0.as_bytes();
        let rest = text.get(start..).unwrap_or_default();
        start == 0 && text.first() == Some(&b'"') || rest.windows(2).any(|pair| pair == b",\"")
    }

    /// The same labels under other names, which `name_of` says for those of them that get one, as they are
    /// written. The new names have to be different too.
    #[must_use]
    pub fn renamed<'a>(&'a self, name_of: impl Fn(&str) -> Option<&'a str>) -> Self {
        let labels = self.escaped().map(|(name, value)| (name_of(name).unwrap_or(name), value));
        let mut labels: Vec<(&str, &str)> = labels.collect();
        labels.sort_unstable();
        let mut text = String::with_capacity(self.0.len());
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(',');
            }
            for piece in [name, "=\"", value, "\""] {
                text.push_str(piece);
            }
        }
        Self(text)
    }

    /// Names and values as they stand in the text: names maybe quoted, values without their quotes.
    pub fn escaped(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.as_str();
        std::iter::from_fn(move || {
            let (name, value, after) = split_label(rest)?;
            rest = after;
            Some((name, value))
        })
    }
}

/// Splits the first label off a label set's text: its name as it is written, its value without quotes, and
/// the rest of the text.
pub fn split_label(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after_name) = match text.strip_prefix('"') {
        None => text.split_once("=\"")?,
        Some(quoted) => {
            let end = closing_quote(quoted)?.checked_add(2)?;
            let (name, after_name) = text.split_at_checked(end)?;
            (name, after_name.strip_prefix("=\"")?)
        }
    };
    let (value, after) = after_name.split_at_checked(closing_quote(after_name)?)?;
    let after = after.strip_prefix('"')?;
    Some((name, value, after.strip_prefix(',').unwrap_or(after)))
}

/// The name that is written so in a label set's text.
pub fn unescape_name(written: &str) -> Cow<'_, str> {
    match written.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => unescape_value(inner),
        None => Cow::Borrowed(written),
    }
}

/// The value that is escaped so in a label set's text.
pub fn unescape_value(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains('\\') {
        return Cow::Borrowed(escaped);
    }
    let mut chars = escaped.chars();
    let unescaped = std::iter::from_fn(move || match chars.next()? {
        '\\' => match chars.next()? {
            'n' => Some('\n'),
            literal => Some(literal),
        },
        plain => Some(plain),
    });
    Cow::Owned(unescaped.collect())
}

/// The order of series in a page: label by label, by `name=` and then by the bytes of the value. Where
/// all have the same names, as in the original, that is the order of their values.
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        // A page of a million series sorts them: the texts are compared as they are, and looked into
        // only where they first differ.
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        let place = a.iter().zip(b).position(|(a, b)| a != b);
        let place = place.unwrap_or_else(|| a.len().min(b.len()));
        // A quote in front of a name ranks as the end of the text, which is one label shorter.
        rank(a, place).cmp(&rank(b, place)).then(a.len().cmp(&b.len()))
    }
}

/// The rank of what stands at a place of a label set's text: the byte that it stands for, above the end
/// of a value and the end of the text.
fn rank(text: &[u8], place: usize) -> Option<u8> {
    let unescaped = |byte: &u8| if *byte == b'n' { b'\n' } else { *byte };
    let before = text.get(..place).unwrap_or_default();
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    if backslashes % 2 == 1 {
        return text.get(place).map(unescaped);
    }
    match text.get(place)? {
        b'\\' => text.get(place + 1).map(unescaped),
        b'"' => None,
        plain => Some(*plain),
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0)
    }
}

/// The pieces of `value` as an exposition writes it: the text format escapes `\`, `"` and newline.
pub fn escape_value(value: &str) -> impl Iterator<Item = &str> {
    value.split_inclusive(['\\', '"', '\n']).flat_map(|piece| {
        let (plain, escape) = match piece.as_bytes().last() {
            Some(b'\\') => (piece.strip_suffix('\\'), r"\\"),
            Some(b'"') => (piece.strip_suffix('"'), r#"\""#),
            Some(b'\n') => (piece.strip_suffix('\n'), r"\n"),
            Some(_) | None => (None, ""),
        };
        [plain.unwrap_or(piece), escape]
    })
}

/// Where the first quote that no backslash escapes stands.
fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = text.as_bytes().get(from..)?;
        let place = memchr2(b'"', b'\\', rest)?;
        if rest.get(place) == Some(&b'"') {
            return Some(from + place);
        }
        from += place + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> Labels<'a> {
        let pairs = pairs.iter().map(|&(n, v)| (n.into(), v.into())).collect();
        Labels::new(pairs, NameScheme::Utf8).unwrap()
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], want: &str) {
        assert_eq!(LabelSet::from(&labels(pairs)).as_str(), want);
    }

    #[test]
    fn the_text_is_canonical() {
        check(&[], "");
        check(&[("b", "2"), ("a", "1")], r#"a="1",b="2""#);
        check(&[("a", "1"), ("b", "2"), ("a", "3")], r#"a="3",b="2""#);
        check(&[("a", "\\\"\n\r\0")], "a=\"\\\\\\\"\\n\r\0\"");
        check(&[("a", ""), ("b", "")], r#"a="",b="""#);
    }

    #[test]
    fn limits_are_named() {
        let many = (0..65).map(|i| (format!("l{i}").into(), "".into())).collect();
        assert_eq!(
            Labels::new(many, NameScheme::Legacy).unwrap_err().to_string(),
            "more than 64 labels, which is the limit: use fewer"
        );
        let long = ("path".into(), "x".repeat(LABEL_VALUE_BYTES_MAX + 1).into());
        let long = [long].into_iter().collect();
        assert_eq!(
            Labels::new(long, NameScheme::Legacy).unwrap_err().to_string(),
            "the value of label \"path\" is 32769 bytes long; the limit is 32768: shorten it"
        );
    }

    #[test]
    fn series_are_ordered_by_the_bytes_of_their_values() {
        let sorted = [
            vec![],
            // '=' is above the digits.
            vec![("a1", "x")],
            vec![("a", "")],
            vec![("a", ""), ("b", "")],
            vec![("a", "\n")],
            vec![("a", " ")],
            vec![("a", "\"")],
            vec![("a", "1"), ("b", "2")],
            vec![("a", "1"), ("b", "3")],
            vec![("a", "\\")],
            vec![("a", "\\\n")],
            vec![("a", "\\\"")],
            vec![("a", "\\\\")],
            vec![("a", "x")],
            vec![("a", "x ")],
            vec![("a", "x1")],
            vec![("a", "\u{e9}")],
            vec![("b", "")],
        ];
        let sets: Vec<LabelSet> = sorted.iter().map(|pairs| (&labels(pairs)).into()).collect();
        assert!(sets.is_sorted(), "{sets:?}");
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_values(
            a in proptest::collection::vec("[\\\\\"\n!nx]{0,3}", 2),
            b in proptest::collection::vec("[\\\\\"\n!nx]{0,3}", 2),
        ) {
            let set = |values: &[String]| {
                LabelSet::from(&labels(&[("k", &*values[0]), ("l", &*values[1])]))
            };
            prop_assert_eq!(set(&a).cmp(&set(&b)), a.cmp(&b));
        }

        #[test]
        fn a_label_set_tells_its_labels_from_others(
            a in proptest::collection::btree_map("[a-c_\\\\\"\n=,]{1,3}", "[\\\\\"\nx,=]{0,4}", 0..4),
            b in proptest::collection::btree_map("[a-c_\\\\\"\n=,]{1,3}", "[\\\\\"\nx,=]{0,4}", 0..4),
        ) {
            let of = |map: &std::collections::BTreeMap<String, String>| Labels::new(
                map.iter()
                    .filter(|(n, _)| !n.starts_with("__"))
                    .map(|(n, v)| (n.clone().into(), v.clone().into()))
                    .collect(),
                NameScheme::Utf8,
            ).unwrap();
            let (a, b) = (of(&a), of(&b));
            let set = LabelSet::from(&a);
            prop_assert_eq!(set == LabelSet::from(&b), a == b);
            let read: Vec<(String, String)> =
                set.iter().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
            let want: Vec<(String, String)> =
                a.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(read, want);
        }
    }
}
