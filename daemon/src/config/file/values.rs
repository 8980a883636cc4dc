//! The shape of the file: mappings that are nested as the names of flags are, whose leaves are values of
//! flags.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor},
};

use super::{access, rules};
use crate::config::{
    flags::{FLAGS, Flag},
    yaml::{self, At, Place, Problem},
};

/// What the mappings hold.
pub(super) struct Contents {
    pub(super) given: Vec<Option<(String, Option<Place>)>>,
    pub(super) rules: Vec<rules::Entry>,
    pub(super) access: Option<access::Section>,
    /// What we have found wrong ourselves.
    problem: Option<Problem>,
}

impl Contents {
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let given = FLAGS.iter().map(|_| None).collect();
        let mut contents = Self { given, rules: Vec::new(), access: None, problem: None };
        // A file of comments says nothing, which is no error.
        let is_empty = text.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line == "---"
        });
        if is_empty {
            return Ok(contents);
        }
        let read = yaml::read(text, Mapping { prefix: String::new(), contents: &mut contents });
        match contents.problem.take() {
            Some(problem) => Err(problem),
            None => read.map(|()| contents),
        }
    }

    /// Ends the reading with a problem of our own, with its own place.
    fn fail<E: de::Error>(&mut self, place: Option<Place>, text: String) -> E {
        let error = E::custom(&text);
        self.problem.get_or_insert(Problem { place, text });
        error
    }
}

/// A mapping: the whole file, or what is below a key.
struct Mapping<'a> {
    /// The keys above, each with a full stop.
    prefix: String,
    contents: &'a mut Contents,
}

impl<'de> DeserializeSeed<'de> for Mapping<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Mapping<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { prefix, contents } = self;
        while let Some(At { value: key, place }) = map.next_key::<At<String>>()? {
            if key.contains('.') {
                let problem = format!("{key:?}: write a mapping where the flag has a full stop");
                return Err(contents.fail(place, problem));
            }
            let key = format!("{prefix}{key}");
            match &*key {
                "rules" => {
                    contents.rules = map.next_value()?;
                    continue;
                }
                "access" => {
                    contents.access = Some(map.next_value()?);
                    continue;
                }
                _ => {}
            }
            if let Some(index) = FLAGS.iter().position(|flag| flag.key().as_ref() == Some(&key)) {
                let value = map.next_value_seed(Leaf(&FLAGS[index]))?;
                contents.given[index] = Some((value, place));
                continue;
            }
            let prefix = format!("{key}.");
            let is_section = |flag: &Flag| flag.key().is_some_and(|key| key.starts_with(&prefix));
            if FLAGS.iter().any(is_section) {
                map.next_value_seed(Mapping { prefix, contents: &mut *contents })?;
                continue;
            }
            let problem = format!("there is no key {key:?}; see docs/configuration.md");
            return Err(contents.fail(place, problem));
        }
        Ok(())
    }
}

/// The value of a flag, as its text on a command line would be.
struct Leaf<'a>(&'a Flag);

impl<'de> DeserializeSeed<'de> for Leaf<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        match self.0.list_separator() {
            // As it is written: 0660 is octal.
            None => String::deserialize(deserializer),
            Some(separator) => deserializer.deserialize_any(List(separator)),
        }
    }
}

/// A text, or a sequence of texts.
struct List(&'static str);

impl<'de> Visitor<'de> for List {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a sequence of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<String, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = sequence.next_element::<String>()? {
            if text.contains(self.0) || text.is_empty() {
                let problem =
                    format!("{text:?} is empty or has a {:?} in it: list it apart", self.0);
                return Err(de::Error::custom(problem));
            }
            texts.push(text);
        }
        Ok(texts.join(self.0))
    }
}
