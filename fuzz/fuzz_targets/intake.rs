//! An intake that remembers deltas does what decoding and applying each of them does, and what comes again with a key
//! is answered as the first time and applied no more.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    answers::Answers,
    expose::{self, Options, Shape},
    intake::{Broken, Intake, Taken, Terms},
    limits::Limits,
    model::Timestamp,
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    wire::json::{decode_exact, open_envelope},
};

/// Times that the messages come. From the second on they may be remembered.
const ROUNDS: u8 = 4;

fuzz_target!(|input: &[u8]| {
    // The first byte says how to run; messages end with a byte that JSON cannot contain.
    let (&ways, messages) = input.split_first().unwrap_or((&0, &[]));
    let is_bit = |bit: u8| ways & (1 << bit) != 0;
    let conflicts = if is_bit(0) { SchemaConflicts::Reject } else { SchemaConflicts::Adopt };
    let broken = if is_bit(1) { Broken::Refuse } else { Broken::Salvage };
    let limits = Limits::default();
    let [remembering, plain] = [(); 2].map(|()| Registry::new(conflicts));
    let (mut intake, answers, policy) = (Intake::default(), Answers::default(), Policy::default());
    for round in 0..ROUNDS {
        for (place, message) in messages.split(|&byte| byte == 0).enumerate() {
            let message = with_other_digits(message, round);
            let message = if is_bit(2) && message.starts_with(b"[") {
                in_envelope(&format!("{round}-{place}"), &message)
            } else {
                message
            };
            let (source, now) = (policy.source(), Timestamp(round.into()));
            let terms = Terms { source, limits: &limits, broken, key: None };
            let taken = intake.take_in(&message, terms, &remembering, &answers, now);
            let (deltas, has_key) = match open_envelope(&message, &limits) {
                None => (&*message, false),
                Some(Ok(envelope)) => (envelope.deltas, true),
                Some(Err(error)) => {
                    let Taken::Anew(outcome) = taken else { panic!("it has no key: {error}") };
                    assert_eq!((outcome.deltas, outcome.broken), (0, Some(error)));
                    continue;
                }
            };
            let outcome = match taken {
                Taken::Anew(outcome) => outcome,
                // An envelope of the input's own, which came before.
                Taken::Again(_) | Taken::Refused(_) => {
                    assert!(has_key);
                    continue;
                }
            };
            let decoded = decode_exact(deltas, &limits);
            let broken = if has_key { Broken::Refuse } else { broken };
            let refuses_all = broken == Broken::Refuse && decoded.broken.is_some();
            let mut applied = 0;
            let mut refused = Vec::new();
            for (index, delta) in decoded.deltas.iter().enumerate() {
                if refuses_all {
                    break;
                }
                let done = match delta {
                    Ok(delta) => plain
                        .apply(delta, source, now)
                        .map(|_| ())
                        .map_err(|error| error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                match done {
                    Ok(()) => applied += 1,
                    Err(error) => refused.push((index, error)),
                }
            }
            let got: Vec<(usize, String)> =
                outcome.refused.iter().map(|(index, error)| (*index, error.to_string())).collect();
            let shown = message.escape_ascii();
            assert_eq!((outcome.applied(), got), (applied, refused), "{shown}");
            assert_eq!((outcome.deltas, &outcome.broken), (decoded.deltas.len(), &decoded.broken));
            if has_key && outcome.broken.is_none() && outcome.refused.len() < outcome.deltas {
                let again = intake.take_in(&message, terms, &remembering, &answers, now);
                let Taken::Again(answered) = again else { panic!("{shown} counts twice") };
                let (applied, refused) = (applied, outcome.refused.iter());
                let refused = refused.map(|(index, error)| (*index, error.to_string().into()));
                let first = (outcome.deltas, applied, refused.collect());
                let got = answered.answer().clone();
                assert_eq!((got.deltas, got.applied, got.refused), first, "{shown}");
            }
        }
    }
    assert_eq!(page(&remembering), page(&plain));
});

/// A message that is an array, with a key.
fn in_envelope(id: &str, message: &[u8]) -> Vec<u8> {
    [format!("{{\"id\":\"{id}\",\"deltas\":").as_bytes(), message, b"}"].concat()
}

/// In each round the numbers are others, wherever digits stand.
fn with_other_digits(message: &[u8], round: u8) -> Vec<u8> {
    let turn = |&byte: &u8| match byte {
        b'1'..=b'9' => (byte - b'1' + round / 2) % 9 + b'1',
        other => other,
    };
    message.iter().map(turn).collect()
}

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    // At the end of time: quantiles are gone, and all else stays.
    let snapshot = registry.snapshot(Timestamp(u64::MAX));
    expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
    String::from_utf8(page).expect("a page is UTF-8")
}
