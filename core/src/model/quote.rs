//! Client text that is safe to show: quoted, escaped, cut.

use std::fmt;

/// Characters of client text that an error shows before it is cut.
const SHOWN_CHARS_MAX: usize = 64;

/// Client text inside an error message or a log line: one line, quotes and control characters escaped,
/// cut after 64 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    /// Takes no more of `text` than will be shown.
    pub fn new(text: &str) -> Self {
        let mut shown: String =
            text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
        if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
            shown.push_str("...");
        }
        Self(shown)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(Quoted::new(text).to_string(), want);
    }

    #[test]
    fn client_text_stays_on_one_line_and_is_cut() {
        check("plain", r#""plain""#);
        check("a\nlevel=error msg=forged", r#""a\nlevel=error msg=forged""#);
        check("say \"hi\" \\ \u{1b}[31m", r#""say \"hi\" \\ \u{1b}[31m""#);
        check("line\u{2028}separator", r#""line\u{2028}separator""#);
        check(&"x".repeat(64), &format!("\"{}\"", "x".repeat(64)));
        check(&"x".repeat(65), &format!("\"{}...\"", "x".repeat(64)));
    }
}
