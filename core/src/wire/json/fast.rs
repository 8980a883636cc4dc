//! The fast path: `serde_json` over a message that is valid UTF-8 as a whole.
//!
//! It gives up at anything that it might see otherwise than the exact path does: an unknown key (whose
//! value could be nested too deep), a value of another type, any error.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Field, JsonMessage, fields::Fields};
use crate::{limits::DELTAS_PER_MESSAGE_MAX, wire::Message};

pub(super) fn decode(message: &[u8]) -> Option<JsonMessage<'_>> {
    let text = std::str::from_utf8(message).ok()?;
    let mut deltas = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<TopLevel<'_>>() {
        match value.ok()? {
            TopLevel::One(fields) => deltas.push(fields.finish()),
            TopLevel::Many(many) => deltas.extend(many.into_iter().map(Fields::finish)),
        }
        if deltas.len() > DELTAS_PER_MESSAGE_MAX {
            return None;
        }
    }
    (!deltas.is_empty()).then_some(Message { deltas, broken: None })
}

/// A value at the top level of a message.
#[expect(clippy::large_enum_variant, reason = "the large one is the common one")]
enum TopLevel<'a> {
    One(Fields<'a>),
    Many(Vec<Fields<'a>>),
}

impl<'de> Deserialize<'de> for TopLevel<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TopLevelVisitor;

        impl<'de> Visitor<'de> for TopLevelVisitor {
            type Value = TopLevel<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a delta or an array of deltas")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                FieldsVisitor.visit_map(map).map(TopLevel::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(fields) = seq.next_element()? {
                    many.push(fields);
                    if many.len() > DELTAS_PER_MESSAGE_MAX {
                        return Err(A::Error::custom("too many deltas"));
                    }
                }
                Ok(TopLevel::Many(many))
            }
        }

        deserializer.deserialize_any(TopLevelVisitor)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(Key(field)) = map.next_key()? {
            match field {
                Field::Type | Field::Name | Field::Help | Field::Method => {
                    if let Some(Text(text)) = map.next_value()? {
                        fields.set_text(field, text);
                    }
                }
                Field::Value => {
                    if let Some(value) = map.next_value()? {
                        fields.set_value(value);
                    }
                }
                Field::Labels => match map.next_value()? {
                    Some(LabelPairs(pairs)) => {
                        for (name, value) in pairs {
                            fields.add_label(name, value);
                        }
                    }
                    None => fields.clear_labels(),
                },
                Field::Buckets => match map.next_value::<Option<Vec<Option<f64>>>>()? {
                    Some(elements) => {
                        fields.buckets().begin();
                        for element in elements {
                            fields.buckets().push(element);
                        }
                        fields.buckets().end();
                    }
                    None => fields.buckets().clear(),
                },
            }
        }
        Ok(fields)
    }
}

/// A key that names a field.
struct Key(Field);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
                Field::from_key(key).map(Key).ok_or_else(|| E::custom("unknown key"))
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// The value of `labels`: an object of strings, or PHP's empty array.
struct LabelPairs<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for LabelPairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;

        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = LabelPairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), value)) = map.next_entry::<_, Option<Text<'de>>>()? {
                    pairs.push((name, value.map_or(Cow::Borrowed(""), |Text(value)| value)));
                }
                Ok(LabelPairs(pairs))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                match seq.next_element::<Text<'de>>()? {
                    None => Ok(LabelPairs(Vec::new())),
                    Some(_) => Err(A::Error::custom("labels in an array")),
                }
            }
        }

        deserializer.deserialize_any(LabelsVisitor)
    }
}
