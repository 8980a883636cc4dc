//! Floats that JSON can hold too.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A float: its eight bytes in binary; in JSON a number, or `"NaN"`, `"+Inf"` or `"-Inf"`.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

impl PartialEq for Float {
    /// To the bit: a record is what was written.
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() || !serializer.is_human_readable() {
            return serializer.serialize_f64(self.0);
        }
        serializer.serialize_str(match self.0 {
            nan if nan.is_nan() => "NaN",
            positive if positive > 0.0 => "+Inf",
            _ => "-Inf",
        })
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'a> {
            Number(f64),
            #[serde(borrow)]
            Word(Cow<'a, str>),
        }
        if !deserializer.is_human_readable() {
            return f64::deserialize(deserializer).map(Self);
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Word(word) => match &*word {
                "NaN" => Ok(Self(f64::NAN)),
                "+Inf" => Ok(Self(f64::INFINITY)),
                "-Inf" => Ok(Self(f64::NEG_INFINITY)),
                other => {
                    let expected = &"a number, \"NaN\", \"+Inf\" or \"-Inf\"";
                    Err(de::Error::invalid_value(de::Unexpected::Str(other), expected))
                }
            },
        }
    }
}
