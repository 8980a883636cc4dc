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

/// How a set is put together, in bytes. No label set is longer than a message, which a u32 can count.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Taken from the start of the set before.
    shared: u32,
    /// Taken from the text of all.
    own: u32,
}

/// A place in a list of label sets.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    own: &'a str,
    cuts: slice::Iter<'a, Cut>,
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
        self.cuts.push(Cut { shared: bytes(shared), own: bytes(own.len()) });
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
        Walk { own: &self.own, cuts: self.cuts.iter(), current: LabelSet::default() }
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

impl Walk<'_> {
    /// The next label set.
    // No `Iterator`: each set is put together in the place of the one before.
    #[expect(clippy::should_implement_trait, reason = "what it returns borrows from it")]
    pub fn next(&mut self) -> Option<&LabelSet> {
        self.step(0).map(|_| &self.current)
    }

    /// The same, and how many bytes of its text are those of the one before.
    pub fn next_shared(&mut self) -> Option<(&LabelSet, usize)> {
        self.step(0).map(|shared| (&self.current, shared))
    }

    /// Puts the next label set together behind so many bytes of something else; returns how many of its own
    /// were there.
    fn step(&mut self, before: usize) -> Option<usize> {
        let cut = self.cuts.next()?;
        let bytes = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (own, rest) = self.own.split_at_checked(bytes(cut.own)).unwrap_or((self.own, ""));
        self.own = rest;
        self.current.0.truncate(before + bytes(cut.shared));
        self.current.0.push_str(own);
        Some(bytes(cut.shared))
    }
}

impl Lines<'_> {
    /// The next line, and how many bytes of it are not labels.
    // No `Iterator`, for the same reason.
    #[expect(clippy::should_implement_trait, reason = "what it returns borrows from it")]
    pub fn next(&mut self) -> Option<(&str, usize)> {
        self.walk.step(self.before).map(|_| (&*self.walk.current.0, self.before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn neighbours_share_their_text() {
        let mut sets = LabelSets::default();
        for number in 1000..2000 {
            sets.push(&LabelSet(format!(r#"path="/a/long/path/that/all/share/{number}""#)));
        }
        assert!(sets.own.len() < 4000, "{}", sets.own.len());
    }
}
