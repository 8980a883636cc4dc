//! YAML with bounds, whose errors are one line with a place. What reads it, `serde-saphyr`, is young: no
//! other module knows it.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed},
};
use serde_json::Value;
use serde_saphyr::{Error, Location, MessageFormatter, Options, Spanned, UserMessageFormatter};

/// Bytes of anchored text that aliases may repeat.
const ANCHORED_BYTES_MAX: usize = 64 * 1024;

/// Aliases in a file: each may repeat all that is anchored.
const ALIASES_MAX: usize = 1000;

/// Scalars, sequences and mappings in a file, those that aliases repeat among them.
const NODES_MAX: usize = 100_000;

/// Levels of nesting: four more than a file needs.
const DEPTH_MAX: usize = 12;

/// Where something stands in a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Option<Place>,
    pub(super) text: String,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Option<Place>,
}

/// Reads a document by `seed`, which may leave a problem of its own.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    seed: S,
) -> Result<S::Value, Problem> {
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
        seed.deserialize(yaml)
    });
    read.map_err(|error| problem(&error))
}

/// Keys whose values are secrets, or could be guessed from.
const SECRET_KEYS: [&str; 3] = ["token", "token_sha256", "password_hash"];

/// What stands for a secret, as in Prometheus.
const SECRET: &str = "<secret>";

/// The same document without its secrets. Comments and aliases are gone, and keys are in their order.
pub(super) fn without_secrets(text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let mut document: Value = read(text, PhantomData)?;
    hide_secrets(&mut document);
    serde_saphyr::to_string(&document).map_err(|error| Problem::at(None, error))
}

fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if SECRET_KEYS.contains(&&**key) {
                    *value = SECRET.into();
                } else {
                    hide_secrets(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Problem {
    /// A problem with what stands at a place.
    pub(super) fn at(place: Option<Place>, text: impl fmt::Display) -> Self {
        Self { place, text: text.to_string() }
    }
}

impl<T> At<T> {
    /// What reads the value says, here.
    pub(super) fn read<U, E: fmt::Display>(
        &self,
        what: &str,
        read: impl FnOnce(&T) -> Result<U, E>,
    ) -> Result<U, Problem> {
        read(&self.value).map_err(|problem| Problem::at(self.place, format!("{what}: {problem}")))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value, place: place(referenced) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value that is there: a key without one is a slip, which must not grant more than was meant.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_recorded_anchor_bytes: ANCHORED_BYTES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            max_documents: 1,
        },
        strict_booleans: true,
    }
}

fn problem(error: &Error) -> Problem {
    // No snippet: a line of the file may hold a secret.
    let error = error.without_snippet();
    let text = UserMessageFormatter.format_message(error);
    // Of several lines the first says what is wrong.
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    Problem { place: error.location().and_then(place), text }
}

/// A place that is known.
fn place(location: Location) -> Option<Place> {
    let (line, column) = (location.line(), location.column());
    (line > 0).then_some(Place { line, column })
}
