//! Records of answers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What was answered to a message that came with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRecord<'a> {
    /// The digest of the key and whose it is.
    pub key: u128,
    /// The digest of the message.
    pub message: u128,
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    /// Deltas told apart, good and bad.
    pub deltas: u64,
    /// Deltas applied.
    pub applied: u64,
    /// Deltas refused.
    #[serde(borrow)]
    pub refused: Vec<RefusedRecord<'a>>,
}

/// Why a delta was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord<'a> {
    /// Its place in the message.
    pub index: u64,
    /// The text of the answer.
    #[serde(borrow)]
    pub error: Cow<'a, str>,
}
