//! A memory of texts that have come before, of bounded size. It forgets; what it returns is right.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

/// Texts that it holds at most.
pub const TEXTS_MAX: usize = SETS * WAYS;

/// Places that a text may be in.
const WAYS: usize = 4;

const SETS: usize = 2048;

/// Of so many new texts that find no free place, one takes that of another. When more texts come by than
/// fit, most are better not remembered: they are gone before they come again.
const TURNS_PER_REPLACEMENT: usize = 16;

/// What was noted of texts, each in two pieces, and each under a number that tells apart what they mean.
pub struct Memo<T> {
    /// Seeded at random, so that nobody can choose texts that drive out those of others. Even so they
    /// would only be forgotten.
    hasher: RandomState,
    /// A part of the hash of each place's text, so that a text is compared with few others.
    tags: Box<[u32]>,
    entries: Box<[Option<Box<Entry<T>>>]>,
    turns: usize,
}

struct Entry<T> {
    number: u64,
    /// Both pieces.
    text: Box<[u8]>,
    /// The length of the first.
    first: usize,
    note: T,
}

/// Where a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// Where a text that is not there may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacancy {
    place: usize,
    tag: u32,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            tags: vec![0; TEXTS_MAX].into(),
            entries: (0..TEXTS_MAX).map(|_| None).collect(),
            turns: 0,
        }
    }
}

impl<T> Memo<T> {
    /// Looks for a text of two pieces. If it is not there, it may be worth putting it there.
    pub fn find(
        &mut self,
        number: u64,
        first: &[u8],
        second: &[u8],
    ) -> Result<Place, Option<Vacancy>> {
        let (start, tag) = self.set_and_tag(number, first, second);
        let tags = self.tags.get(start..).unwrap_or_default();
        let mut free = None;
        for (way, &held) in tags.iter().enumerate().take(WAYS) {
            let place = start + way;
            if held == tag
                && self.entry(place).is_some_and(|entry| entry.is_of(number, first, second))
            {
                return Ok(Place(place));
            }
            if held == 0 {
                free = Some(place);
            }
        }
        let place = free.or_else(|| {
            self.turns = self.turns.wrapping_add(1);
            let way = (self.turns / TURNS_PER_REPLACEMENT) % WAYS;
            self.turns.is_multiple_of(TURNS_PER_REPLACEMENT).then_some(start + way)
        });
        Err(place.map(|place| Vacancy { place, tag }))
    }

    /// What was noted of the text in a place, the one last put there.
    pub fn note(&self, Place(place): Place) -> Option<&T> {
        self.entry(place).map(|entry| &entry.note)
    }

    /// The same, to be changed.
    pub fn note_mut(&mut self, Place(place): Place) -> Option<&mut T> {
        let entry = self.entries.get_mut(place)?.as_deref_mut();
        entry.map(|entry| &mut entry.note)
    }

    /// Puts a text where it was looked for; another one may go.
    pub fn put(&mut self, vacancy: Vacancy, number: u64, first: &[u8], second: &[u8], note: T) {
        let text = [first, second].concat().into();
        let entry = Entry { number, text, first: first.len(), note };
        let (tags, entries) = (&mut self.tags, &mut self.entries);
        if let (Some(tag), Some(held)) =
            (tags.get_mut(vacancy.place), entries.get_mut(vacancy.place))
        {
            *tag = vacancy.tag;
            *held = Some(Box::new(entry));
        }
    }

    /// Forgets texts whose notes are not worth keeping.
    pub fn retain(&mut self, is_worth: impl Fn(&T) -> bool) {
        for (tag, entry) in self.tags.iter_mut().zip(&mut self.entries) {
            if entry.as_ref().is_some_and(|entry| !is_worth(&entry.note)) {
                (*tag, *entry) = (0, None);
            }
        }
    }

    fn entry(&self, place: usize) -> Option<&Entry<T>> {
        self.entries.get(place)?.as_deref()
    }

    #[expect(clippy::as_conversions, reason = "both are parts of a hash")]
    #[expect(clippy::cast_possible_truncation, reason = "both are parts of a hash")]
    fn set_and_tag(&self, number: u64, first: &[u8], second: &[u8]) -> (usize, u32) {
        let hash = self.hasher.hash_one((number, first, second));
        // A tag of 0 marks a free place.
        ((hash as usize % SETS) * WAYS, (hash >> 32) as u32 | 1)
    }
}

impl<T> Entry<T> {
    fn is_of(&self, number: u64, first: &[u8], second: &[u8]) -> bool {
        self.number == number && self.text.split_at_checked(self.first) == Some((first, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_was_put() {
        let mut memo = Memo::default();
        let vacancy = memo.find(7, b"ab", b"c").unwrap_err().unwrap();
        memo.put(vacancy, 7, b"ab", b"c", 1);
        let place = memo.find(7, b"ab", b"c").unwrap();
        assert_eq!(memo.note(place), Some(&1));
        assert!(memo.find(8, b"ab", b"c").is_err(), "under another number");
        for (first, second) in [("a", "bc"), ("abc", ""), ("ab", ""), ("ab", "cd"), ("", "")] {
            assert!(memo.find(7, first.as_bytes(), second.as_bytes()).is_err(), "{first} {second}");
        }
    }

    #[test]
    fn what_is_not_worth_keeping_makes_room() {
        let mut memo = Memo::default();
        for note in [1, 2] {
            let vacancy = memo.find(note, b"a", b"").unwrap_err().unwrap();
            memo.put(vacancy, note, b"a", b"", note);
        }
        memo.retain(|note| *note == 2);
        assert!(memo.find(1, b"a", b"").is_err() && memo.find(2, b"a", b"").is_ok());
    }

    #[test]
    fn hashes_that_are_alike_are_not_enough() {
        let entry = Entry { number: 7, text: (*b"abc").into(), first: 2, note: () };
        assert!(entry.is_of(7, b"ab", b"c"));
        for (first, second) in [("ab", "d"), ("ab", ""), ("abc", ""), ("a", "bc"), ("xb", "c")] {
            assert!(!entry.is_of(7, first.as_bytes(), second.as_bytes()), "{first} {second}");
        }
    }

    #[test]
    fn a_stream_of_new_texts_drives_out_few() {
        let mut memo = Memo::default();
        let mut put = |text: String| match memo.find(0, text.as_bytes(), b"") {
            Ok(place) => Some(memo.note(place).copied() == Some(text.len())),
            Err(vacancy) => {
                memo.put(vacancy?, 0, text.as_bytes(), b"", text.len());
                None
            }
        };
        for number in 0..1000 {
            put(format!("often {number}"));
        }
        for number in 0..100_000 {
            put(format!("once {number}"));
        }
        let kept: Vec<_> = (0..1000).filter_map(|number| put(format!("often {number}"))).collect();
        assert!(kept.len() > 100, "{} of 1000", kept.len());
        assert!(kept.into_iter().all(|is_right| is_right));
    }
}
