//! From text to a selector.

use super::{Found, Matcher, NAME_LABEL, Problem, Selector, SelectorError, Sign, quoted};
use crate::{
    limits::{LABEL_NAME_BYTES_MAX, MATCHERS_PER_SELECTOR_MAX, SELECTOR_BYTES_MAX},
    model::Quoted,
};

/// A place in the text.
struct Reader<'a> {
    text: &'a str,
    /// Bytes read.
    at: usize,
}

/// A failure at a byte of the text.
type Failure = (usize, Problem);

pub(super) fn selector(text: &str) -> Result<Selector, SelectorError> {
    let failure = if text.len() > SELECTOR_BYTES_MAX {
        (0, Problem::TooLong(text.len()))
    } else {
        match (Reader { text, at: 0 }).selector() {
            Ok(selector) => return Ok(selector),
            Err(failure) => failure,
        }
    };
    let (at, problem) = failure;
    let before = text.get(..at).unwrap_or(text);
    Err(SelectorError { column: before.chars().count() + 1, problem })
}

impl<'a> Reader<'a> {
    fn selector(mut self) -> Result<Selector, Failure> {
        let mut matchers = Vec::new();
        self.skip_blanks();
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        if self.peek().is_some_and(is_first) {
            let name = self.word(|c| is_first(c) || c.is_ascii_digit());
            matchers.push(self.matcher(self.at, NAME_LABEL, Sign::Is, name.to_owned())?);
            self.skip_blanks();
        }
        match self.peek() {
            Some('{') => self.braces(&mut matchers)?,
            None if !matchers.is_empty() => {}
            Some(_) | None if matchers.is_empty() => {
                return Err(self.unexpected("the name of a metric or {"));
            }
            Some(_) | None => return Err(self.unexpected("{ or the end")),
        }
        self.skip_blanks();
        if self.peek().is_some() {
            return Err(self.unexpected("the end"));
        }
        Selector::new(matchers).ok_or((0, Problem::MatchesAll))
    }

    /// What stands in braces, to the closing one.
    fn braces(&mut self, matchers: &mut Vec<Matcher>) -> Result<(), Failure> {
        self.advance('{');
        let mut has_name = !matchers.is_empty();
        let mut name_matchers = 0;
        loop {
            self.skip_blanks();
            if self.advance('}') {
                return Ok(());
            }
            let start = self.at;
            let (label, is_quoted) = self.label()?;
            self.skip_blanks();
            let matcher = match self.peek() {
                // A quoted text alone is a name.
                Some(',' | '}') if is_quoted => {
                    if has_name || name_matchers > 0 {
                        return Err((start, Problem::NamedTwice));
                    }
                    has_name = true;
                    self.matcher(start, NAME_LABEL, Sign::Is, label)?
                }
                Some(_) | None => {
                    let sign = self.sign()?;
                    self.skip_blanks();
                    let value_at = self.at;
                    let value = self.text()?;
                    if label == NAME_LABEL {
                        if has_name {
                            return Err((start, Problem::NamedTwice));
                        }
                        name_matchers += 1;
                    }
                    self.matcher(value_at, &label, sign, value)?
                }
            };
            if matchers.len() == MATCHERS_PER_SELECTOR_MAX {
                return Err((start, Problem::TooManyMatchers));
            }
            matchers.push(matcher);
            self.skip_blanks();
            if !self.advance(',') && self.peek() != Some('}') {
                return Err(self.unexpected("a comma or }"));
            }
        }
    }

    fn matcher(
        &self,
        at: usize,
        label: &str,
        sign: Sign,
        value: String,
    ) -> Result<Matcher, Failure> {
        debug_assert!(at <= self.text.len(), "a place in the text");
        Matcher::new(label.to_owned(), sign, value).map_err(|problem| (at, problem))
    }

    /// The name of a label, and whether it was quoted.
    fn label(&mut self) -> Result<(String, bool), Failure> {
        let start = self.at;
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let (label, is_quoted) = match self.peek() {
            Some('"' | '\'' | '`') => (self.text()?, true),
            Some(first) if is_first(first) => {
                (self.word(|c| is_first(c) || c.is_ascii_digit()).to_owned(), false)
            }
            Some(_) | None => return Err(self.unexpected("the name of a label or }")),
        };
        if label.is_empty() || !is_quoted && label.len() > LABEL_NAME_BYTES_MAX {
            return Err((start, Problem::Label(Quoted::new(&label))));
        }
        Ok((label, is_quoted))
    }

    fn sign(&mut self) -> Result<Sign, Failure> {
        for sign in [Sign::Fits, Sign::FitsNot, Sign::IsNot, Sign::Is] {
            if self.rest().starts_with(sign.as_str()) {
                self.at += sign.as_str().len();
                return Ok(sign);
            }
        }
        Err(self.unexpected("=, !=, =~ or !~"))
    }

    /// A text in quotes.
    fn text(&mut self) -> Result<String, Failure> {
        let Some(quote @ ('"' | '\'' | '`')) = self.peek() else {
            return Err(self.unexpected("a value in quotes"));
        };
        self.at += quote.len_utf8();
        let (text, length) =
            quoted::read(self.rest(), quote).map_err(|(at, problem)| (self.at + at, problem))?;
        self.at += length;
        Ok(text)
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Blanks, line breaks, and comments from `#` to the end of a line.
    fn skip_blanks(&mut self) {
        loop {
            self.word(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.peek() != Some('#') {
                return;
            }
            self.word(|c| c != '\n');
        }
    }

    fn advance(&mut self, wanted: char) -> bool {
        let is_here = self.peek() == Some(wanted);
        if is_here {
            self.at += wanted.len_utf8();
        }
        is_here
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn unexpected(&self, wanted: &'static str) -> Failure {
        let found = self.peek().map_or(Found::End, Found::Character);
        (self.at, Problem::Unexpected { found, wanted })
    }
}
