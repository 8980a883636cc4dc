//! Envelopes: deltas with a key, as one value that is a whole message.
//!
//! This is ours, not the original's, so nothing is lenient here: two members, each spelled as documented. What has
//! a `type` is a delta, whatever else it has.

use memchr::memmem;

use super::{Field, JsonKind, MessageError, scan::Cursor, value::Value};
use crate::{
    limits::Limits,
    model::{Key, KeyError, Quoted},
};

/// The member that makes an object an envelope.
const DELTAS: &str = "deltas";

/// The member that is the key.
const ID: &str = "id";

/// Deltas with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The key.
    pub id: Key<'a>,
    /// The array of deltas: a message by itself.
    pub deltas: &'a [u8],
}

/// Why an envelope is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// More stands after it.
    #[error("more follows after an envelope: put all deltas of the message into it")]
    NotAlone,
    /// A member that it does not have.
    #[error("an envelope has no member {0}: it has id and deltas")]
    Unknown(Quoted),
    /// A member that it has already.
    #[error("an envelope has {0} twice: send it once")]
    Twice(&'static str),
    /// A member of the wrong type.
    #[error("{member} of an envelope is {}; it has to be {wanted}", kind_text(*.found))]
    WrongType {
        /// Which.
        member: &'static str,
        /// What stands there instead; `None` for `null`.
        found: Option<JsonKind>,
        /// What should.
        wanted: &'static str,
    },
    /// No key.
    #[error("an envelope has no id: add one, or send its deltas as an array")]
    NoId,
    /// The key is none.
    #[error("id of an envelope: {0}")]
    Id(KeyError),
}

/// Opens a message that is an envelope. `None` says that it is none, or that it is no JSON: others say why.
pub fn open<'a>(message: &'a [u8], limits: &Limits) -> Option<Result<Envelope<'a>, MessageError>> {
    if message.len() > limits.message_bytes {
        return None;
    }
    let mut cursor = Cursor::new(message);
    cursor.skip_space();
    // Most messages are told from one by this.
    if cursor.peek() != Some(b'{') || memmem::find(message, b"\"deltas\"").is_none() {
        return None;
    }
    let start = cursor;
    cursor.skip_value(0).ok()?;
    let value = Value::new(&cursor, &start);
    let has = |wanted: fn(&str) -> bool| value.members().any(|(key, _)| wanted(&key));
    if !has(|key| key == DELTAS) || has(|key| Field::from_key(key) == Some(Field::Type)) {
        return None;
    }
    cursor.skip_space();
    let opened = match cursor.peek() {
        None => members(value),
        Some(_) => Err(EnvelopeError::NotAlone),
    };
    Some(opened.map_err(MessageError::Envelope))
}

fn members(value: Value<'_>) -> Result<Envelope<'_>, EnvelopeError> {
    let (mut id, mut deltas) = (None, None);
    for (key, value) in value.members() {
        let (member, wanted, place) = match &*key {
            ID => (ID, JsonKind::String, &mut id),
            DELTAS => (DELTAS, JsonKind::Array, &mut deltas),
            other => return Err(EnvelopeError::Unknown(Quoted::new(other))),
        };
        let found = value.kind();
        if found != Some(wanted) {
            let wanted = kind_text(Some(wanted));
            return Err(EnvelopeError::WrongType { member, found, wanted });
        }
        if place.replace(value).is_some() {
            return Err(EnvelopeError::Twice(member));
        }
    }
    let id = id.ok_or(EnvelopeError::NoId)?;
    let id = Key::new(id.text()).map_err(EnvelopeError::Id)?;
    let deltas = deltas.map(Value::bytes).unwrap_or_default();
    Ok(Envelope { id, deltas })
}

fn kind_text(kind: Option<JsonKind>) -> &'static str {
    match kind {
        Some(kind) => kind.as_str(),
        None => "null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, want: &str) {
        let opened = open(message.as_bytes(), &Limits::default());
        let shown = match opened {
            None => "none".to_owned(),
            Some(Ok(Envelope { id, deltas })) => {
                format!("{id}: {}", String::from_utf8_lossy(deltas))
            }
            Some(Err(error)) => error.to_string(),
        };
        assert_eq!(shown, want, "{message}");
    }

    #[test]
    fn an_envelope_is_an_object_with_deltas_and_without_a_type() {
        check(r#"{"id":"a","deltas":[]}"#, "a: []");
        check(
            " {\"deltas\" : [ {\"type\":1} ] ,\n\"id\" : \"a\\u0041\" }\n",
            "aA: [ {\"type\":1} ]",
        );
        for none in [
            "",
            "[]",
            r#"{"type":"counter","name":"m","method":"inc"}"#,
            r#"{"id":"a","deltas":[],"type":"counter"}"#,
            r#"{"id":"a","deltas":[],"TYPE":"counter"}"#,
            r#"{"id":"a","Deltas":[]}"#,
            r#"{"id":"deltas"}"#,
            r#"{"id":"a","deltas":[}"#,
            r#"[{"id":"a","deltas":[]}]"#,
            r#"{"labels":{"deltas":"x"}}"#,
        ] {
            check(none, "none");
        }
        let limits = Limits { message_bytes: 5, ..Limits::default() };
        assert_eq!(
            open(br#"{"id":"a","deltas":[]}"#, &limits),
            None,
            "that is an error of its own"
        );
    }

    #[test]
    fn an_envelope_that_is_none_is_told_why() {
        check(
            r#"{"id":"a","deltas":[]}{}"#,
            "more follows after an envelope: put all deltas of the message into it",
        );
        check(
            r#"{"id":"a","deltas":[],"Id":"b"}"#,
            r#"an envelope has no member "Id": it has id and deltas"#,
        );
        check(r#"{"id":"a","id":"a","deltas":[]}"#, "an envelope has id twice: send it once");
        check(r#"{"id":1,"deltas":[]}"#, "id of an envelope is a number; it has to be a string");
        check(
            r#"{"id":"a","deltas":null}"#,
            "deltas of an envelope is null; it has to be an array",
        );
        check(r#"{"deltas":[]}"#, "an envelope has no id: add one, or send its deltas as an array");
        check(
            r#"{"id":"a b","deltas":[]}"#,
            "id of an envelope: idempotency key \"a b\" is invalid: use 1 to 255 visible ASCII characters",
        );
    }
}
