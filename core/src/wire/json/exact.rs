//! The exact path: every leniency and every error of the format.
//!
//! As in Go, a value is scanned whole before any of it is decoded: a syntax error wins over any other.

use super::{
    DeltaError, Field, JsonKind, JsonMessage, MessageError,
    fields::Fields,
    scan::Cursor,
    value::{Value, decode_labels, decode_number},
};
use crate::{
    limits::{DELTAS_PER_MESSAGE_MAX, NameScheme},
    model::Delta,
    wire::Message,
};

pub(super) fn decode(message: &[u8], names: NameScheme) -> JsonMessage<'_> {
    let mut deltas = Vec::new();
    let broken = decode_values(message, names, &mut deltas).err();
    Message { deltas, broken }
}

type Deltas<'a> = Vec<Result<Delta<'a>, DeltaError>>;

fn decode_values<'a>(
    message: &'a [u8],
    names: NameScheme,
    deltas: &mut Deltas<'a>,
) -> Result<(), MessageError> {
    let mut cursor = Cursor::new(message);
    loop {
        cursor.skip_space();
        match cursor.peek() {
            Some(b'[') => decode_array(&mut cursor, names, deltas)?,
            Some(_) => decode_one(&mut cursor, 0, names, deltas)?,
            None if deltas.is_empty() => return Err(MessageError::Empty),
            None => return Ok(()),
        }
    }
}

/// An array of deltas at the top level: what was whole before it breaks off is kept.
fn decode_array<'a>(
    cursor: &mut Cursor<'a>,
    names: NameScheme,
    deltas: &mut Deltas<'a>,
) -> Result<(), MessageError> {
    cursor.step();
    if cursor.take(b']') {
        return Ok(());
    }
    loop {
        cursor.skip_space();
        decode_one(cursor, 1, names, deltas)?;
        if cursor.take(b']') {
            return Ok(());
        }
        if !cursor.take(b',') {
            return Err(cursor.unexpected("',' or ']' after an element of an array"));
        }
    }
}

fn decode_one<'a>(
    cursor: &mut Cursor<'a>,
    depth: usize,
    names: NameScheme,
    deltas: &mut Deltas<'a>,
) -> Result<(), MessageError> {
    let start = *cursor;
    cursor.skip_value(depth)?;
    if deltas.len() == DELTAS_PER_MESSAGE_MAX {
        return Err(MessageError::TooManyDeltas);
    }
    deltas.push(decode_delta(Value::new(cursor, &start), names));
    Ok(())
}

fn decode_delta(value: Value<'_>, names: NameScheme) -> Result<Delta<'_>, DeltaError> {
    let mut fields = Fields::default();
    match value.kind() {
        Some(JsonKind::Object) => {
            for (key, value) in value.members() {
                if let Some(field) = Field::from_key(&key) {
                    decode_field(&mut fields, field, value)?;
                }
            }
        }
        // `null` is a delta of which no field is given.
        None => {}
        Some(found) => return Err(DeltaError::NotAnObject { found }),
    }
    fields.finish(names).map(|(delta, _)| delta)
}

fn decode_field<'a>(
    fields: &mut Fields<'a>,
    field: Field,
    value: Value<'a>,
) -> Result<(), DeltaError> {
    let found = value.kind();
    match field {
        Field::Type | Field::Name | Field::Help | Field::Method => match found {
            Some(JsonKind::String) => fields.set_text(field, value.text()),
            None => {}
            Some(found) => return Err(DeltaError::WrongType { field, found }),
        },
        Field::Value if found == Some(JsonKind::Array) => fields.decode_more(field, value)?,
        Field::Value => {
            if let Some(number) = decode_number(field, value)? {
                fields.set_value(number);
            }
        }
        Field::Labels if found.is_none() => fields.clear_labels(),
        Field::Labels => decode_labels(field, value, fields.labels())?,
        Field::Buckets => match found {
            Some(JsonKind::Array) => {
                fields.buckets().begin();
                for element in value.elements() {
                    let number = decode_number(field, element)?;
                    fields.buckets().push(number);
                }
                fields.buckets().end();
            }
            None => fields.buckets().clear(),
            Some(found) => return Err(DeltaError::WrongType { field, found }),
        },
        Field::Count
        | Field::Counts
        | Field::Sum
        | Field::Native
        | Field::Objectives
        | Field::Exemplar => fields.decode_more(field, value)?,
    }
    Ok(())
}
