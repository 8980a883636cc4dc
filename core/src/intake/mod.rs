//! The way of a message: from its bytes to what the registry made of each delta.
//!
//! Most deltas have come before, to the byte but for their number. An [`Intake`] remembers their text and
//! their series, and applies such a one without decoding it. Which is which the outcome does not tell: a
//! property test and the fuzz target `intake` hold it to what decoding and applying would have done.
//!
//! A message may have a key, given beside it or in an envelope; then it is applied once, and whenever it comes again
//! there is what was answered the first time.

mod sampling;

use std::{fmt, ops::AddAssign, sync::Arc};

use smallvec::SmallVec;

use crate::{
    answers::{Answer, Answered, Answers, Claim, Claimed, Owner},
    intake::sampling::Sampling,
    limits::Limits,
    memo::{Memo, Place, Vacancy},
    model::{Change, Delta, Key, Kind, Quoted, Timestamp},
    policy::{Client, Source},
    registry::{Applied, Destination, Known, Pass, Registry, Rejected, Turn},
    wire::json::{
        self, DeltaError, Envelope, Item, Items, MessageError, OUTLINE_BYTES_MAX, Outline,
        Outliner, Reading, Recall, Recipe,
    },
};

/// What one thread remembers of the deltas it has taken in.
///
/// Bounded by [`crate::memo::TEXTS_MAX`] texts of [`OUTLINE_BYTES_MAX`] bytes each.
#[derive(Default)]
pub struct Intake {
    /// By the policy of who pushed, and the text.
    memo: Memo<Remembered>,
    outliner: Outliner,
    sampling: Sampling,
    /// How often the registry had removed series when the memo was looked through.
    removals: u64,
    /// Of this thread, once a message has come.
    pass: Option<Arc<Pass>>,
}

const _: () = assert!(OUTLINE_BYTES_MAX <= 1024, "an intake stays within some megabytes");

/// A delta but for its number.
struct Remembered {
    known: Known,
    recipe: Recipe,
}

/// A delta that was remembered, with its number.
struct Again<'a> {
    place: Place,
    change: Change,
    text: &'a [u8],
}

/// The deltas of a message: those that were remembered, and those that were not.
type Recalled<'a> = Items<'a, Again<'a>, Option<(Vacancy, Outline<'a>)>>;

/// A message out of its envelope, if it had one.
struct Letter<'a> {
    deltas: &'a [u8],
    /// `None` if it takes a closer look.
    items: Option<Recalled<'a>>,
    id: Option<Key<'a>>,
}

/// How a message came.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Who sent it, and what becomes of its deltas.
    pub source: Source<'a>,
    /// The limits in force when it came.
    pub limits: &'a Limits,
    /// What is done if it breaks off.
    pub broken: Broken,
    /// The key that was given beside it.
    pub key: Option<&'a Key<'a>>,
}

/// What becomes of the good deltas of a message that breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// They count: nobody will send them again. Not so if it has a key: that is for sending it again.
    Salvage,
    /// They do not: the sender is told, and sends the message again, mended.
    Refuse,
}

/// What became of a message.
#[derive(Debug, PartialEq)]
pub enum Taken {
    /// It was taken in.
    Anew(Outcome),
    /// It had been before, by its key; nothing was done.
    Again(Arc<Answered>),
    /// Its key is in the way; nothing was done.
    Refused(KeyMisuse),
}

/// Why a message cannot have its key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMisuse {
    /// It has another one.
    #[error(
        "the header says the idempotency key {header}, the envelope {id}: send one of them, or the same"
    )]
    Differs {
        /// The key given beside it.
        header: Quoted,
        /// The one in its envelope.
        id: Quoted,
    },
    /// Another message has it.
    #[error(
        "idempotency key {0} has come with another message: send that one again, or this one with a new key"
    )]
    Reused(Quoted),
}

/// What taking in a message did.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Deltas told apart, good and bad.
    pub deltas: usize,
    /// What applying the good ones did.
    pub tally: Tally,
    /// Deltas refused, by their place in the message.
    pub refused: Vec<(usize, Refusal)>,
    /// Why the rest of the message could not be read.
    pub broken: Option<MessageError>,
    /// The epoch that it falls into; 0 if nobody keeps a copy of the registry now.
    pub epoch: u64,
}

/// What applying deltas did, in numbers of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deltas applied, by the place of their kind in [`Kind::ALL`].
    pub applied: [u64; Kind::ALL.len()],
    /// Deltas that began a series.
    pub created: u64,
    /// Deltas whose help text replaced another one.
    pub help_replaced: u64,
    /// Deltas whose buckets, resolution or objectives are not those of their family, which it kept.
    pub layout_ignored: u64,
    /// Deltas that went to overflow series, because a limit of series is reached.
    pub overflowed: u64,
    /// Deltas that a rule dropped.
    pub dropped: u64,
}

/// Why a delta was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It is none.
    Decode(DeltaError),
    /// The registry cannot take it.
    Apply(Rejected),
}

impl Intake {
    /// Takes in one message. `now` is the birth of the series that it begins.
    pub fn take_in(
        &mut self,
        message: &[u8],
        terms: Terms<'_>,
        registry: &Registry,
        answers: &Answers,
        now: Timestamp,
    ) -> Taken {
        self.forget_gone(registry);
        let mut letter =
            Letter { deltas: message, items: self.recall_all(message, terms), id: None };
        if letter.items.is_none() {
            match json::open_envelope(message, terms.limits) {
                None => {}
                Some(Ok(Envelope { id, deltas })) => {
                    letter = Letter { deltas, items: self.recall_all(deltas, terms), id: Some(id) };
                }
                Some(Err(error)) => {
                    return Taken::Anew(Outcome { broken: Some(error), ..Outcome::default() });
                }
            }
        }
        let key = match (terms.key, &letter.id) {
            (Some(header), Some(id)) if header != id => {
                let (header, id) = (Quoted::new(header.as_str()), Quoted::new(id.as_str()));
                return Taken::Refused(KeyMisuse::Differs { header, id });
            }
            (Some(key), _) | (None, Some(key)) => Some(key),
            (None, None) => None,
        };
        let pass = Arc::clone(self.pass.get_or_insert_with(|| registry.pass()));
        let turn = registry.turn(&pass);
        let Some(key) = key else {
            return Taken::Anew(self.take_in_letter(letter, &turn, terms, now));
        };
        match answers.claim(owner(terms.source), key, message, now) {
            Claim::New(claimed) => {
                let terms = Terms { broken: Broken::Refuse, ..terms };
                let outcome = self.take_in_letter(letter, &turn, terms, now);
                outcome.remember(claimed);
                Taken::Anew(outcome)
            }
            Claim::Again(answered) => Taken::Again(answered),
            Claim::Reused => Taken::Refused(KeyMisuse::Reused(Quoted::new(key.as_str()))),
        }
    }

    fn recall_all<'a>(&mut self, message: &'a [u8], terms: Terms<'_>) -> Option<Recalled<'a>> {
        let Self { memo, outliner, .. } = self;
        let policy = terms.source.policy.id();
        json::decode_recalling(message, terms.limits, |text| {
            let Some(outline) = outliner.outline(text) else { return Recall::Miss(None) };
            match memo.find(policy, outline.before, outline.after) {
                Ok(place) => match recall(memo, place, outline, text) {
                    Some(item) => Recall::Hit { item, bytes: outline.len() },
                    None => Recall::Miss(None),
                },
                Err(vacancy) => Recall::Miss(vacancy.map(|vacancy| (vacancy, outline))),
            }
        })
    }

    fn take_in_letter(
        &mut self,
        letter: Letter<'_>,
        turn: &Turn<'_>,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Outcome {
        let outcome = match letter.items {
            Some(items) => self.apply_all(items, turn, terms, now),
            None => take_in_exactly(letter.deltas, turn, terms, &mut self.sampling, now),
        };
        Outcome { epoch: turn.epoch(), ..outcome }
    }

    /// Gives up what is remembered of series that have been removed. Whoever takes in no messages for long has
    /// to call it now and then, so that they leave memory.
    pub fn forget_gone(&mut self, registry: &Registry) {
        let removals = registry.removals();
        if self.removals != removals {
            self.removals = removals;
            self.memo.retain(|remembered| !remembered.known.is_gone());
        }
    }

    fn apply_all(
        &mut self,
        items: Recalled<'_>,
        turn: &Turn<'_>,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Outcome {
        let Terms { source, limits, .. } = terms;
        let mut outcome = Outcome { deltas: items.len(), ..Outcome::default() };
        // Put into the memo at the end: until then the places of those that were found hold.
        let mut to_remember: SmallVec<[(Vacancy, Outline<'_>, Remembered); 1]> = SmallVec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Item::Recalled(again) => {
                    let mut remembered = self.memo.note_mut(again.place);
                    let applied = remembered
                        .as_ref()
                        .and_then(|noted| turn.apply_known(&noted.known, &again.change, now));
                    if let Some(applied) = applied {
                        outcome.tally.add(again.change.kind(), applied);
                        if let (Some(deltas), Some(noted)) = (self.sampling.next(), remembered) {
                            noted.known.sample(deltas);
                        }
                        continue;
                    }
                    // The help text of the family is another one by now.
                    for delta in json::decode(again.text, limits).deltas {
                        let applied =
                            outcome.apply(index, delta, turn, source, &mut self.sampling, now);
                        let known = applied.and_then(|delta| turn.registry().known(&delta, source));
                        if let (Some(noted), Some(known)) = (&mut remembered, known) {
                            noted.known = known;
                        }
                    }
                }
                Item::Read(reading, vacancy) => {
                    let Reading { delta, text, recipe, number_at } = *reading;
                    let applied =
                        outcome.apply(index, delta, turn, source, &mut self.sampling, now);
                    let vacancy = vacancy.filter(|(_, outline)| outline.is_of(text, number_at));
                    if let (Some(delta), Some(recipe), Some((vacancy, outline))) =
                        (applied, recipe, vacancy)
                        && let Some(known) = turn.registry().known(&delta, source)
                    {
                        to_remember.push((vacancy, outline, Remembered { known, recipe }));
                    }
                }
            }
        }
        for (vacancy, outline, remembered) in to_remember {
            let policy = source.policy.id();
            self.memo.put(vacancy, policy, outline.before, outline.after, remembered);
        }
        outcome
    }
}

/// Whose the key of a message is.
fn owner(source: Source<'_>) -> Owner<'_> {
    match (source.policy.principal(), source.client) {
        (Some(name), _) => Owner::Principal(name),
        (None, Client::User(name)) => Owner::User(name),
        (None, Client::Unnamed | Client::Address(_) | Client::Unix | Client::Principal(_)) => {
            Owner::Anybody
        }
    }
}

fn recall<'a>(
    memo: &Memo<Remembered>,
    place: Place,
    outline: Outline<'a>,
    text: &'a [u8],
) -> Option<Again<'a>> {
    // A delta that shows none has the number 0, as in Go.
    let number = if outline.number.is_empty() { 0.0 } else { outline.number()? };
    let change = memo.note(place)?.recipe.change(number).ok()?;
    Some(Again { place, change, text: text.get(..outline.len())? })
}

/// Takes in a message of an unusual kind, or a broken one.
fn take_in_exactly(
    message: &[u8],
    turn: &Turn<'_>,
    terms: Terms<'_>,
    sampling: &mut Sampling,
    now: Timestamp,
) -> Outcome {
    let Terms { source, limits, broken, .. } = terms;
    let decoded = json::decode_exact(message, limits);
    let mut outcome =
        Outcome { deltas: decoded.deltas.len(), broken: decoded.broken, ..Outcome::default() };
    match (broken, &outcome.broken) {
        (Broken::Refuse, Some(_)) => {}
        (Broken::Refuse, None) | (Broken::Salvage, _) => {
            for (index, delta) in decoded.deltas.into_iter().enumerate() {
                outcome.apply(index, delta, turn, source, sampling, now);
            }
        }
    }
    outcome
}

impl Outcome {
    /// Applies a delta and notes what came of it; returns it if it was applied.
    fn apply<'a>(
        &mut self,
        index: usize,
        delta: Result<Delta<'a>, DeltaError>,
        turn: &Turn<'_>,
        source: Source<'_>,
        sampling: &mut Sampling,
        now: Timestamp,
    ) -> Option<Delta<'a>> {
        let applied = delta.map_err(Refusal::Decode).and_then(|delta| {
            let applied = turn.apply(&delta, source, now).map_err(Refusal::Apply)?;
            Ok((delta, applied))
        });
        match applied {
            Ok((delta, applied)) => {
                self.tally.add(delta.kind(), applied);
                if let Some(deltas) = sampling.next() {
                    turn.registry().sample(&delta, source, deltas);
                }
                Some(delta)
            }
            Err(refusal) => {
                self.refused.push((index, refusal));
                None
            }
        }
    }

    /// Deltas applied.
    pub fn applied(&self) -> u64 {
        self.tally.applied.iter().sum()
    }

    /// Remembers what is answered to a message that was taken in, at least in part. Of which nothing was, may be sent
    /// again and fare better.
    fn remember(&self, claimed: Claimed<'_>) {
        if self.broken.is_some() || self.refused.len() == self.deltas {
            return;
        }
        let refused = self.refused.iter();
        let refused =
            refused.map(|(index, refusal)| (*index, refusal.to_string().into())).collect();
        let answer = Answer { deltas: self.deltas, applied: self.applied(), refused };
        claimed.answer(answer, self.epoch);
    }
}

impl Tally {
    fn add(&mut self, kind: Kind, applied: Applied) {
        match applied.destination {
            Destination::Series => {}
            Destination::Overflow => self.overflowed += 1,
            Destination::Nowhere => {
                self.dropped += 1;
                return;
            }
        }
        if let Some(count) = self.applied.get_mut(kind.place()) {
            *count += 1;
        }
        self.created += u64::from(applied.created);
        self.help_replaced += u64::from(applied.help_replaced);
        self.layout_ignored += u64::from(applied.layout_ignored);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (count, by) in self.applied.iter_mut().zip(other.applied) {
            *count += by;
        }
        self.created += other.created;
        self.help_replaced += other.help_replaced;
        self.layout_ignored += other.layout_ignored;
        self.overflowed += other.overflowed;
        self.dropped += other.dropped;
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Apply(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
