//! Which series are meant: `name{label="x",other!="y",path=~"/a.*"}`, in the words of `PromQL`, as
//! Prometheus takes it for `match[]`.
//!
//! A label that a series does not have is empty text. A regular expression has to fit the whole value. What
//! would mean every series there is, because nothing in it refuses empty text, is refused, as in Prometheus.

mod parse;
mod quoted;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use regex::{Regex, RegexBuilder};

use crate::{
    limits::{
        LABEL_NAME_BYTES_MAX, MATCHERS_PER_SELECTOR_MAX, REGEX_BYTES_MAX, SELECTOR_BYTES_MAX,
    },
    model::{LabelSet, Quoted, is_legacy_label_name, is_legacy_metric_name},
};

/// The label that stands for the name of a metric.
pub const NAME_LABEL: &str = "__name__";

/// What a series has to be like, all at once. Prints as it is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    // Invariant: at least one of them refuses empty text, and all that are of the name come first.
    matchers: Vec<Matcher>,
    /// How many are of the name.
    of_name: usize,
}

/// What one label has to be like.
#[derive(Clone, Debug)]
pub struct Matcher {
    label: String,
    test: Test,
    /// The text, or the regular expression as it was given.
    value: String,
}

/// How a value is compared.
#[derive(Clone, Debug)]
enum Test {
    Is,
    IsNot,
    Fits(Regex),
    FitsNot(Regex),
}

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct SelectorError {
    /// The character at which reading stopped, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Over the limit of bytes.
    #[error("{0} bytes are more than the limit of {SELECTOR_BYTES_MAX}: shorten the selector")]
    TooLong(usize),
    /// Over the limit of matchers.
    #[error("more than {MATCHERS_PER_SELECTOR_MAX} matchers, which is the limit: use fewer")]
    TooManyMatchers,
    /// Something else than what has to come.
    #[error("{found} where {wanted} should be, as in name{{label=\"value\"}}")]
    Unexpected {
        /// What is there.
        found: Found,
        /// What could be.
        wanted: &'static str,
    },
    /// A quote that is not closed on its line.
    #[error("a quoted text that does not end: close it with {0}")]
    Unclosed(char),
    /// A backslash before what it cannot escape.
    #[error("{0} is no escape: double the backslash, or put the text between backticks")]
    Escape(Quoted),
    /// Bytes that were written as escapes, and are no text.
    #[error("the escapes in {0} make no UTF-8: write the characters themselves")]
    NotUtf8(Quoted),
    /// A label name without characters, or over its limit.
    #[error(
        "label name {0} is empty or longer than the limit of {LABEL_NAME_BYTES_MAX} bytes: use another"
    )]
    Label(Quoted),
    /// A regular expression that is none, or too large.
    #[error("{pattern} is no regular expression that we take: {reason}")]
    Regex {
        /// The expression.
        pattern: Quoted,
        /// What is wrong with it.
        reason: String,
    },
    /// Another name beside the one before the braces.
    #[error("the name of the metric is given twice: keep one of them")]
    NamedTwice,
    /// Nothing that refuses empty text.
    #[error(
        "this would match every series, since nothing in it refuses an empty value: name a metric, or add \
         a matcher such as {{__name__=~\".+\"}}"
    )]
    MatchesAll,
}

/// What stands where something else should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A character.
    Character(char),
    /// Nothing more.
    End,
}

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::selector(text)
    }

    /// Of matchers in any order, of which one refuses empty text.
    fn new(mut matchers: Vec<Matcher>) -> Option<Self> {
        // Stable: those of the name come first, and otherwise all stay as they are.
        matchers.sort_by_key(|matcher| !matcher.is_of_name());
        let of_name = matchers.iter().filter(|matcher| matcher.is_of_name()).count();
        let refuses_empty = matchers.iter().any(|matcher| !matcher.matches(""));
        refuses_empty.then_some(Self { matchers, of_name })
    }

    /// Whether series of a metric of this name can be meant.
    pub fn matches_name(&self, name: &str) -> bool {
        self.matchers.iter().take(self.of_name).all(|matcher| matcher.matches(name))
    }

    /// Whether a series with these labels is meant, if its name is.
    pub fn matches_labels(&self, labels: &LabelSet) -> bool {
        self.matchers.iter().skip(self.of_name).all(|matcher| {
            let value = labels.iter().find(|(name, _)| *name == *matcher.label);
            matcher.matches(&value.map_or(Cow::Borrowed(""), |(_, value)| value))
        })
    }

    /// How many values are compared at most to know whether a series is meant.
    pub fn matcher_count(&self) -> usize {
        self.matchers.len()
    }

    /// Whether all series of the metrics whose names are meant are meant.
    pub fn is_of_names_alone(&self) -> bool {
        self.matchers.len() == self.of_name
    }

    /// The name and the labels, if each is asked for by its one value: then at most one series is meant.
    pub fn exact(&self) -> Option<(&str, impl Iterator<Item = (&str, &str)>)> {
        let all_exact = self.matchers.iter().all(|matcher| matches!(matcher.test, Test::Is));
        let (name, labels) = self.matchers.split_first()?;
        let pairs = labels.iter().map(|matcher| (&*matcher.label, &*matcher.value));
        (all_exact && self.of_name == 1).then_some((&*name.value, pairs))
    }
}

impl Matcher {
    fn new(label: String, sign: Sign, value: String) -> Result<Self, Problem> {
        let test = match sign {
            Sign::Is => Test::Is,
            Sign::IsNot => Test::IsNot,
            Sign::Fits => Test::Fits(anchored(&value)?),
            Sign::FitsNot => Test::FitsNot(anchored(&value)?),
        };
        Ok(Self { label, test, value })
    }

    fn is_of_name(&self) -> bool {
        self.label == NAME_LABEL
    }

    fn matches(&self, value: &str) -> bool {
        match &self.test {
            Test::Is => self.value == value,
            Test::IsNot => self.value != value,
            Test::Fits(regex) => regex.is_match(value),
            Test::FitsNot(regex) => !regex.is_match(value),
        }
    }

    fn sign(&self) -> Sign {
        match self.test {
            Test::Is => Sign::Is,
            Test::IsNot => Sign::IsNot,
            Test::Fits(_) => Sign::Fits,
            Test::FitsNot(_) => Sign::FitsNot,
        }
    }
}

/// Equal if they are written alike.
impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, self.sign(), &self.value) == (&other.label, other.sign(), &other.value)
    }
}

impl Eq for Matcher {}

/// What stands between a label and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Is,
    IsNot,
    Fits,
    FitsNot,
}

impl Sign {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Fits => "=~",
            Self::FitsNot => "!~",
        }
    }
}

/// A regular expression for whole values, in which a dot is any character, as in Prometheus.
fn anchored(pattern: &str) -> Result<Regex, Problem> {
    let build = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build()
    };
    // Alone first: with what is put around it a broken one might be whole.
    let anchored = build(pattern).and_then(|_| build(&format!("^(?s:{pattern})$")));
    anchored.map_err(|error| {
        // The last line says what is wrong; those before show where.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason).trim_end_matches('.');
        Problem::Regex { pattern: Quoted::new(pattern), reason: reason.to_owned() }
    })
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rest) = match self.matchers.split_first() {
            Some((first, rest))
                if self.of_name == 1
                    && first.sign() == Sign::Is
                    && is_legacy_metric_name(&first.value) =>
            {
                (&*first.value, rest)
            }
            Some(_) | None => ("", &*self.matchers),
        };
        f.write_str(name)?;
        if rest.is_empty() {
            return Ok(());
        }
        for (place, matcher) in rest.iter().enumerate() {
            f.write_str(if place == 0 { "{" } else { "," })?;
            if is_legacy_label_name(&matcher.label) {
                f.write_str(&matcher.label)?;
            } else {
                quoted::write(&matcher.label, f)?;
            }
            f.write_str(matcher.sign().as_str())?;
            quoted::write(&matcher.value, f)?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(character) => Quoted::new(character.encode_utf8(&mut [0; 4])).fmt(f),
            Self::End => f.write_str("the end"),
        }
    }
}
