//! What became of messages that came with a key, for when they come again: they count once.
//!
//! A key is known by a digest, of itself and of whose it is, and so is the message that it came with. Both are the
//! same in every process, so that they mean something to one that has been started anew.
//!
//! Keys are forgotten in the order in which they came: when their time is over, or when they are too many, or their
//! answers too long. Time never goes back here: if the clock is set back, keys live longer.

mod digest;
mod table;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use self::table::Table;
use crate::{
    limits::{KEY_WINDOW_MILLIS, KEYS_MAX},
    model::{Key, Timestamp},
    record::{AnswerRecord, Record, RefusedRecord},
};

/// Bytes of the texts of all answers: those of messages that were refused in part. Whatever comes on top drives out
/// what is oldest.
pub const TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Locks that are held while messages with keys are applied: few wait for each other that have nothing in common.
const STRIPES: u8 = 64;

/// Answers whose records are made in one go.
const ANSWERS_PER_PIECE: usize = 1024;

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For how long, in milliseconds; default [`KEY_WINDOW_MILLIS`].
    pub window_millis: u64,
    /// Of how many keys at most; default [`KEYS_MAX`].
    pub keys_max: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { window_millis: KEY_WINDOW_MILLIS, keys_max: KEYS_MAX }
    }
}

/// What was answered to a message, in numbers of its deltas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Deltas told apart, good and bad.
    pub deltas: usize,
    /// Deltas applied.
    pub applied: u64,
    /// Why deltas were refused, by their place in the message.
    pub refused: Box<[(usize, Box<str>)]>,
}

/// A key that is remembered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answered {
    key: u128,
    message: u128,
    at: Timestamp,
    epoch: u64,
    answer: Answer,
}

/// Keys with what was answered to their messages.
pub struct Answers {
    retention: Retention,
    /// By the digest of the key: each is held from the look for a key until its answer is there.
    stripes: Box<[Mutex<()>]>,
    /// Locked for moments.
    table: Mutex<Table>,
}

/// Whose a key is. Keys of different owners have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// Everybody who shows nothing: they are one.
    Anybody,
    /// A principal, by name.
    Principal(&'a str),
    /// A user, by name, who is no principal.
    User(&'a str),
}

/// What is known of a key.
pub enum Claim<'a> {
    /// Nothing. Until this is dropped, or has an answer, who comes with the same key waits.
    New(Claimed<'a>),
    /// It came with the same message.
    Again(Arc<Answered>),
    /// It came with another one.
    Reused,
}

/// A key whose message is being applied.
pub struct Claimed<'a> {
    answers: &'a Answers,
    _stripe: Option<MutexGuard<'a, ()>>,
    key: u128,
    message: u128,
    now: Timestamp,
}

/// Answers that a store has to write, in the order in which they came.
#[derive(Default)]
#[must_use = "they are lost otherwise"]
pub struct Noted(Vec<Arc<Answered>>);

impl Answers {
    /// None yet.
    pub fn new(retention: Retention) -> Self {
        let stripes = (0..STRIPES).map(|_| Mutex::default()).collect();
        Self { retention, stripes, table: Mutex::default() }
    }

    /// Asks for the key of a message.
    pub fn claim(
        &self,
        owner: Owner<'_>,
        key: &Key<'_>,
        message: &[u8],
        now: Timestamp,
    ) -> Claim<'_> {
        let (key, message) = (digest::of_key(owner, key), digest::of_message(message));
        let stripe = usize::try_from(key % u128::from(STRIPES)).ok();
        let stripe = stripe.and_then(|place| self.stripes.get(place));
        let stripe = stripe.map(Mutex::lock);
        let mut table = self.table.lock();
        table.forget_old(now, self.retention);
        match table.find(key) {
            None => Claim::New(Claimed { answers: self, _stripe: stripe, key, message, now }),
            Some(answered) if answered.message == message => Claim::Again(Arc::clone(answered)),
            Some(_) => Claim::Reused,
        }
    }

    /// Gives up keys whose time is over. Without it they leave memory when the next one comes.
    pub fn forget_old(&self, now: Timestamp) {
        self.table.lock().forget_old(now, self.retention);
    }

    /// Keys that are remembered.
    pub fn keys(&self) -> usize {
        self.table.lock().len()
    }

    /// Keys that were forgotten before their time: they were too many, or their answers too long.
    pub fn evicted(&self) -> u64 {
        self.table.lock().evicted()
    }

    /// What has come since this was last asked for, in an epoch. At the instant of a cut this is what belongs to it.
    pub fn take_noted(&self) -> Noted {
        Noted(self.table.lock().take_noted())
    }

    /// All there are. With what [`Self::take_noted`] says afterwards these are all there will be.
    pub fn all(&self) -> Noted {
        Noted(self.table.lock().all())
    }

    /// Remembers what a store has kept, in its order; what is remembered already stays.
    pub fn restore(&self, record: &AnswerRecord<'_>) {
        let place = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
        let refused = record.refused.iter();
        let answered = Answered {
            key: record.key,
            message: record.message,
            at: Timestamp(record.at),
            epoch: 0,
            answer: Answer {
                deltas: place(record.deltas),
                applied: record.applied,
                refused: refused.map(|it| (place(it.index), (*it.error).into())).collect(),
            },
        };
        self.table.lock().restore(answered, self.retention);
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new(Retention::default())
    }
}

impl Claimed<'_> {
    /// Remembers what is answered to the message, which falls into `epoch`; 0 if nobody keeps a copy now.
    pub fn answer(self, answer: Answer, epoch: u64) {
        let Self { answers, _stripe, key, message, now } = self;
        let answered = Answered { key, message, at: now, epoch, answer };
        answers.table.lock().add(answered, answers.retention);
    }
}

impl Answered {
    /// What was answered.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The epoch that the message falls into; 0 if nobody kept a copy then, or if this has been read from one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn write_to(&self, bytes: &mut Vec<u8>) {
        let number = |index: usize| u64::try_from(index).unwrap_or(u64::MAX);
        let refused = self.answer.refused.iter();
        let refused = refused
            .map(|(index, error)| RefusedRecord { index: number(*index), error: (&**error).into() })
            .collect();
        let record = AnswerRecord {
            key: self.key,
            message: self.message,
            at: self.at.0,
            deltas: number(self.answer.deltas),
            applied: self.answer.applied,
            refused,
        };
        Record::Answer(record).write_to(bytes);
    }
}

impl Answer {
    fn text_bytes(&self) -> usize {
        let texts = self.refused.iter().map(|(_, error)| error.len());
        texts.sum::<usize>() + size_of_val(&*self.refused)
    }
}

impl Noted {
    /// Them in records, piece by piece.
    pub fn records(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.chunks(ANSWERS_PER_PIECE).map(|answers| {
            let mut piece = Vec::new();
            for answered in answers {
                answered.write_to(&mut piece);
            }
            piece
        })
    }
}

#[cfg(test)]
mod tests;
