//! Many label sets, one after another.

use std::slice;

use super::LabelSet;

/// A list of label sets, read from its start. Each is stored as what it does not share with the start of
/// the one before it: in the order of a page neighbours differ in a few bytes, whatever their length
/// (front coding, as in the blocks of `LevelDB`'s tables).
#[derive(Clone, Debug, Default)]
pub struct LabelSets {
    /// What each set does not share, all in one text.
    own: String,
    cuts: Vec<Cut>,
    last: LabelSet,
    has_quoted_names: bool,
}

/// How a set is put together, in bytes. No label set is longer than a message, which 31 bits can count.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Taken from the start of the set before.
    shared: u32,
    /// Taken from the text of all; and [`SAME_SHAPE`], if that holds.
    own: u32,
}

/// The bit that says that a set has the shape of the one before.
const SAME_SHAPE: u32 = 1 << 31;

/// How a label set comes out of the one before.
#[derive(Clone, Copy, Debug)]
pub struct LabelsChange<'a> {
    /// So many bytes at the start of its text stay.
    pub shared: usize,
    /// The rest of its text.
    pub own: &'a str,
    /// Whether both have as many labels, with names and values as long as each other's, and escapes at the
    /// same places.
    pub has_same_shape: bool,
}

/// A place in a list of label sets, where they are not put together.
#[derive(Clone, Debug)]
pub struct LabelsChanges<'a> {
    own: &'a str,
    cuts: slice::Iter<'a, Cut>,
}

/// A place in a list of label sets.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    changes: LabelsChanges<'a>,
    current: LabelSet,
}

/// A place in a list of label sets that are written as lines.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    // What it puts together has `before` bytes of something else at its start.
    walk: Walk<'a>,
    before: usize,
}

impl LabelSets {
    /// Appends a label set.
    pub fn push(&mut self, labels: &LabelSet) {
        let (last, text) = (self.last.0.as_bytes(), labels.as_str());
        let alike = last.iter().zip(text.as_bytes()).take_while(|(a, b)| a == b).count();
        let shared = text.floor_char_boundary(alike);
        let own = text.get(shared..).unwrap_or_default();
        // What is shared has been looked through, but for what its last byte begins.
        if !self.has_quoted_names && labels.may_quote_name_from(shared.saturating_sub(1)) {
            self.has_quoted_names = labels.has_quoted_names();
        }
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let before = last.get(shared..).unwrap_or_default();
        let shape = if have_same_shape(before, own.as_bytes()) { SAME_SHAPE } else { 0 };
        debug_assert_eq!(bytes(own.len()) & SAME_SHAPE, 0, "the bit is free");
        self.cuts.push(Cut { shared: bytes(shared), own: bytes(own.len()) | shape });
        self.own.push_str(own);
        self.last.0.truncate(shared);
        self.last.0.push_str(own);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cuts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Whether any of them has a name that not all of Prometheus knows.
    pub const fn has_quoted_names(&self) -> bool {
        self.has_quoted_names
    }

    /// Before the first of them.
    pub fn walk(&self) -> Walk<'_> {
        Walk { changes: self.changes(), current: LabelSet::default() }
    }

    /// The same, for who puts them together otherwise. The first one comes out of no labels.
    pub fn changes(&self) -> LabelsChanges<'_> {
        LabelsChanges { own: &self.own, cuts: self.cuts.iter() }
    }

    /// The same, with a text before each: what a page repeats on each line is put together once.
    pub fn lines(&self, before: &str) -> Lines<'_> {
        let walk = Walk { current: LabelSet(before.to_owned()), ..self.walk() };
        Lines { walk, before: before.len() }
    }

    /// Gives back memory that was taken for more.
    pub fn shrink(&mut self) {
        self.own.shrink_to_fit();
        self.cuts.shrink_to_fit();
    }
}

/// Whether all names and values in two texts are as long as each other's, with escapes at the same places, if
/// the texts differ from here on: their quotes and backslashes say so.
fn have_same_shape(a: &[u8], b: &[u8]) -> bool {
    let is_mark = |byte: u8| matches!(byte, b'"' | b'\\');
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| a == b || !is_mark(a) && !is_mark(b))
}

impl<'a> Iterator for LabelsChanges<'a> {
    type Item = LabelsChange<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let cut = self.cuts.next()?;
        let bytes = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let own = bytes(cut.own & !SAME_SHAPE);
        let (own, rest) = self.own.split_at_checked(own).unwrap_or((self.own, ""));
        self.own = rest;
        let has_same_shape = cut.own & SAME_SHAPE != 0;
        Some(LabelsChange { shared: bytes(cut.shared), own, has_same_shape })
    }
}

impl Walk<'_> {
    /// The next label set.
    // No `Iterator`: each set is put together in the place of the one before.
    #[expect(clippy::should_implement_trait, reason = "what it returns borrows from it")]
    pub fn next(&mut self) -> Option<&LabelSet> {
        self.step(0).then_some(&self.current)
    }

    /// Puts the next label set together behind so many bytes of something else.
    fn step(&mut self, before: usize) -> bool {
        let Some(change) = self.changes.next() else { return false };
        self.current.0.truncate(before + change.shared);
        self.current.0.push_str(change.own);
        true
    }
}

impl Lines<'_> {
    /// The next line, and how many bytes of it are not labels.
    // No `Iterator`, for the same reason.
    #[expect(clippy::should_implement_trait, reason = "what it returns borrows from it")]
    pub fn next(&mut self) -> Option<(&str, usize)> {
        self.walk.step(self.before).then_some((&self.walk.current.0, self.before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{limits::NameScheme, model::Labels};

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(
            texts in proptest::collection::vec("[ab\u{e9}\u{e8}\u{1f600}]{0,6}", 0..20),
        ) {
            let mut sets = LabelSets::default();
            for text in &texts {
                sets.push(&LabelSet(text.clone()));
            }
            sets.shrink();
            prop_assert_eq!(sets.len(), texts.len());
            let mut walk = sets.walk();
            for text in &texts {
                prop_assert_eq!(walk.next().map(LabelSet::as_str), Some(&**text));
            }
            prop_assert!(walk.next().is_none());
            let mut lines = sets.lines("m{");
            for text in &texts {
                prop_assert_eq!(lines.next(), Some((&*format!("m{{{text}"), 2)));
            }
            prop_assert!(lines.next().is_none());
        }
    }

    /// The shape of a label set: how long its names and values are.
    fn shape(set: &LabelSet) -> Vec<(usize, usize, usize, usize)> {
        let lengths = set.escaped().zip(set.iter());
        let lengths = lengths.map(|((a, b), (c, d))| (a.len(), b.len(), c.len(), d.len()));
        lengths.collect()
    }

    proptest! {
        #[test]
        fn a_shape_that_is_the_same_is_told(
            sets in proptest::collection::vec(
                proptest::collection::btree_map("[ab.=,]", "[\\\\\"\n,=n]{0,2}", 0..3), 1..20),
        ) {
            let mut all = LabelSets::default();
            let sets: Vec<LabelSet> = sets.iter().map(|pairs| {
                let pairs = pairs.iter().map(|(n, v)| ((&**n).into(), (&**v).into())).collect();
                LabelSet::from(&Labels::new(pairs, NameScheme::Utf8).unwrap())
            }).collect();
            for set in &sets {
                all.push(set);
            }
            let mut before = &LabelSet::default();
            for (set, change) in sets.iter().zip(all.changes()) {
                prop_assert_eq!(&before.0[..change.shared], &set.0[..change.shared]);
                prop_assert_eq!(&set.0[change.shared..], change.own);
                if change.has_same_shape {
                    prop_assert_eq!(shape(before), shape(set));
                }
                before = set;
            }
        }
    }

    #[test]
    fn neighbours_of_one_shape_are_told() {
        let mut sets = LabelSets::default();
        for set in ["", r#"a="1",b="2""#, r#"a="3",b="4""#, r#"a="3",c="5""#, r#"a="3",c="55""#] {
            sets.push(&LabelSet(set.to_owned()));
        }
        let told: Vec<bool> = sets.changes().map(|change| change.has_same_shape).collect();
        assert_eq!(told, [true, false, true, true, false]);
    }

    #[test]
    fn neighbours_share_their_text() {
        let mut sets = LabelSets::default();
        for number in 1000..2000 {
            sets.push(&LabelSet(format!(r#"path="/a/long/path/that/all/share/{number}""#)));
        }
        assert!(sets.own.len() < 4000, "{}", sets.own.len());
    }
}
