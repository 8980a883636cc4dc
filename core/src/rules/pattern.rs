//! Regular expressions that fit a whole text, as Prometheus takes them.

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};

/// Bytes that a compiled expression may take: what a counted repetition can grow to is bounded by this.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;

/// A regular expression that fits a text as a whole, or not at all.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles `text`; the error says in one line what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        // Alone first: with what is put around it a broken one might be whole.
        let regex = compile(text).and_then(|_| compile(&format!("^(?s:{text})$")));
        let regex = regex.map_err(|error| {
            // The last line says what is wrong; those before show where.
            let problem = error.to_string();
            let problem = problem.lines().last().unwrap_or_default().trim();
            format!("{text:?} is no regular expression: {problem}")
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Whether it fits all of `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What it takes out of `text`, if it fits.
    pub(super) fn captures<'a>(&self, text: &'a str) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build()
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}
