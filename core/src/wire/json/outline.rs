//! Where a delta ends and where its number stands, guessed from its bytes.

use memchr::{memchr2_iter, memmem::Finder};

use super::scan::Cursor;

/// Bytes of the longest delta that is outlined. Most have less than 200.
pub const OUTLINE_BYTES_MAX: usize = 512;

/// The key whose value is the number, as all but odd clients write it.
const KEY: &[u8] = br#""value":"#;

/// A delta as three pieces of its text. With another number in the middle it would be the same delta but
/// for its number: if, as [`super::Reading::number_at`] tells, that is where its number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// Up to the number; all of it, if there is none.
    pub before: &'a [u8],
    /// The number as it is written, valid JSON; empty if there is none.
    pub number: &'a [u8],
    /// From the number on.
    pub after: &'a [u8],
}

/// Makes outlines.
#[derive(Debug)]
pub struct Outliner {
    key: Finder<'static>,
}

impl Default for Outliner {
    fn default() -> Self {
        Self { key: Finder::new(KEY) }
    }
}

impl Outliner {
    /// The outline of the object that `text` begins with. It is right for what ordinary clients send.
    /// Where it is wrong, because of braces or a `"value":` inside a string, its pieces are still pieces
    /// of the text, in their order and from its start.
    pub fn outline<'a>(&self, text: &'a [u8]) -> Option<Outline<'a>> {
        let near = text.get(..text.len().min(OUTLINE_BYTES_MAX))?;
        let mut depth = 0_usize;
        let end = memchr2_iter(b'{', b'}', near).find(|&at| {
            let opens = near.get(at) == Some(&b'{');
            depth = if opens { depth.saturating_add(1) } else { depth.saturating_sub(1) };
            depth == 0
        })?;
        let delta = near.get(..=end)?;
        let whole = Outline { before: delta, number: &[], after: &[] };
        let Some(key) = self.key.find(delta) else { return Some(whole) };
        let mut cursor = Cursor::at(delta, key.checked_add(KEY.len())?);
        cursor.skip_space();
        let start = cursor.position();
        if cursor.skip_number().is_err() {
            return Some(whole);
        }
        let (before, rest) = delta.split_at_checked(start)?;
        let (number, after) = rest.split_at_checked(cursor.position().checked_sub(start)?)?;
        Some(Outline { before, number, after })
    }
}

impl Outline<'_> {
    /// Bytes of the whole text.
    #[expect(clippy::len_without_is_empty, reason = "there is always some text")]
    pub const fn len(&self) -> usize {
        self.before.len() + self.number.len() + self.after.len()
    }

    /// The number; `None` if a float cannot hold it, or if there is none.
    pub fn number(&self) -> Option<f64> {
        let number = std::str::from_utf8(self.number).ok()?.parse::<f64>().ok()?;
        number.is_finite().then_some(number)
    }

    /// Whether it is right for a delta of this text whose number stands there.
    pub fn is_of(&self, text: &[u8], number_at: Option<(usize, usize)>) -> bool {
        let shown = match self.number.len() {
            0 => None,
            bytes => Some((self.before.len(), self.before.len() + bytes)),
        };
        self.len() == text.len() && shown == number_at
    }
}
