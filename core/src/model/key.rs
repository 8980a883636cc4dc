//! Keys by which a message that comes twice is told from two messages.

use std::{borrow::Cow, fmt};

use super::Quoted;
use crate::limits::KEY_BYTES_MAX;

/// What a client calls a message, so that it counts once however often it comes: 1 to [`KEY_BYTES_MAX`] visible
/// ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<'a>(Cow<'a, str>);

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has no character.
    #[error("an idempotency key is empty: use 1 to {KEY_BYTES_MAX} visible ASCII characters")]
    Empty,
    /// It has more than it may.
    #[error(
        "idempotency key {key} is {bytes} bytes long; the limit is {KEY_BYTES_MAX}: use a UUID, for example"
    )]
    TooLong {
        /// Its start.
        key: Quoted,
        /// Its length.
        bytes: usize,
    },
    /// It has a space, a control character, or one that is not ASCII.
    #[error("idempotency key {0} is invalid: use 1 to {KEY_BYTES_MAX} visible ASCII characters")]
    Invalid(Quoted),
}

impl<'a> Key<'a> {
    /// The key that `text` is.
    pub fn new(text: Cow<'a, str>) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong { key: Quoted::new(&text), bytes: text.len() });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Invalid(Quoted::new(&text)));
        }
        Ok(Self(text))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, apart from the message.
    pub fn into_owned(self) -> Key<'static> {
        Key(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let got = Key::new(text.into());
        assert_eq!(got.map_or_else(|error| error.to_string(), |key| key.to_string()), want);
    }

    #[test]
    fn a_key_is_visible_ascii() {
        for good in ["a", "~!\"\\", "8e03978e-40d5-43dd-bc93-6894a57f9324", &"k".repeat(255)] {
            check(good, good);
        }
        check("", "an idempotency key is empty: use 1 to 255 visible ASCII characters");
        for bad in ["a b", "ä", "a\n", "\u{7f}"] {
            let quoted = Quoted::new(bad);
            let want = format!(
                "idempotency key {quoted} is invalid: use 1 to 255 visible ASCII characters"
            );
            check(bad, &want);
        }
        let shown = Quoted::new(&"k".repeat(256));
        let want = format!(
            "idempotency key {shown} is 256 bytes long; the limit is 255: use a UUID, for example"
        );
        check(&"k".repeat(256), &want);
    }
}
