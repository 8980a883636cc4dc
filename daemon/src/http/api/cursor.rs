//! Where a page of series goes on.
//!
//! A cursor names the last series that was shown or looked through, by its name and labels, and the next page
//! begins with the first one after that in the order of names and labels. Whatever comes and goes meanwhile,
//! no series is shown twice, and none is left out that is there all the time.

use std::borrow::Cow;

use pushprom_core::{
    limits::{NameScheme, OVERFLOW_LABEL},
    model::{LabelPairs, LabelSet, Labels, escape_value, is_legacy_metric_name},
    selector::Selector,
};

use super::{failure::Failure, parameters::invalid};

/// Bytes of labels in a cursor, which has to fit into a request's header. Behind a series with longer ones,
/// the place in the family stands for them: what comes and goes before it moves that.
const LABEL_BYTES_MAX: usize = 8 * 1024;

/// The last series of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Its metric.
    pub(super) name: String,
    after: After,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum After {
    Labels(LabelSet),
    /// How many series of the family are before the next.
    Place(usize),
}

impl Cursor {
    /// Behind a series at a place of its family, counted from 0.
    pub(super) fn new(name: &str, labels: &LabelSet, place: usize) -> Self {
        let after = if labels.as_str().len() > LABEL_BYTES_MAX {
            After::Place(place + 1)
        } else {
            After::Labels(labels.clone())
        };
        Self { name: name.to_owned(), after }
    }

    /// Reads what [`Self::text`] wrote.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = || invalid("cursor", "it is none: send the nextCursor of the page before");
        if let Some((place, name)) = text.strip_prefix('#').and_then(|text| text.split_once('#')) {
            let place = place.parse().map_err(|_| wrong())?;
            return Ok(Self { name: name.to_owned(), after: After::Place(place) });
        }
        let selector = Selector::parse(text).map_err(|_| wrong())?;
        let (name, pairs) = selector.exact().ok_or_else(wrong)?;
        let mut pairs: LabelPairs<'_> =
            pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))).collect();
        // The one label of a series that no client can give it.
        let others = pairs.len();
        pairs.retain(|(name, value)| name != OVERFLOW_LABEL || value != "true");
        let overflows = pairs.len() < others;
        let labels = Labels::new(pairs, NameScheme::Utf8).map_err(|_| wrong())?;
        let labels = if overflows { labels.overflowing() } else { labels };
        Ok(Self { name: name.to_owned(), after: After::Labels(LabelSet::from(&labels)) })
    }

    /// As it stands in an answer.
    pub(super) fn text(&self) -> String {
        let name = &self.name;
        match &self.after {
            After::Place(place) => format!("#{place}#{name}"),
            After::Labels(labels) if is_legacy_metric_name(name) => {
                format!("{name}{{{}}}", labels.as_str())
            }
            After::Labels(labels) => {
                let name: String = escape_value(name).collect();
                format!("{{\"{name}\",{}}}", labels.as_str())
            }
        }
    }

    /// Whether a series of its family comes after it.
    pub(super) fn is_before(&self, labels: &LabelSet, place: usize) -> bool {
        match &self.after {
            After::Labels(last) => last < labels,
            After::Place(next) => *next <= place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        let sets = [
            &[][..],
            &[("a", "1"), ("b", "")],
            &[("a", "\\\"\n\t\u{e9}"), ("b c", "#"), ("d\"", "}")],
        ];
        for pairs in sets {
            let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let labels = Labels::new(pairs.collect(), NameScheme::Utf8).expect("they are valid");
            for labels in [&labels, &labels.overflowing()].map(LabelSet::from) {
                for name in ["up", "my.metric", "a\"\\\n#"] {
                    let cursor = Cursor::new(name, &labels, 7);
                    assert_eq!(Cursor::read(&cursor.text()), Ok(cursor), "{name} {labels:?}");
                }
            }
        }
        let long = [("a".into(), "x".repeat(9000).into())].into_iter().collect();
        let long = Labels::new(long, NameScheme::Legacy).expect("they are valid");
        let cursor = Cursor::new("b#c", &LabelSet::from(&long), 7);
        assert_eq!(cursor.text(), "#8#b#c");
        assert_eq!(Cursor::read("#8#b#c"), Ok(cursor.clone()));
        let none = LabelSet::default();
        assert_eq!([7, 8].map(|place| cursor.is_before(&none, place)), [false, true]);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "#x#a",
            "#1",
            "{a=\"b\"}",
            "a{b=~\"c\"}",
            "a{b",
            "a{__name__=\"x\"}",
            "a{pushprom_overflow=\"no\"}",
        ] {
            let refused = Cursor::read(text).map_err(|failure| failure.to_string());
            let want =
                "invalid parameter \"cursor\": it is none: send the nextCursor of the page before";
            assert_eq!(refused, Err(want.to_owned()), "{text}");
        }
    }
}
