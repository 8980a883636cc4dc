//! An intake that remembers deltas does what decoding and applying each of them does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pushprom_core::{
    expose::{self, Options, Shape},
    intake::{Broken, Intake},
    limits::Limits,
    model::Timestamp,
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    wire::json::decode_exact,
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
    let (mut intake, policy) = (Intake::default(), Policy::default());
    for round in 0..ROUNDS {
        for message in messages.split(|&byte| byte == 0) {
            let message = with_other_digits(message, round);
            let (source, now) = (policy.source(), Timestamp(round.into()));
            let outcome = intake.take_in(&message, &remembering, source, &limits, broken, now);
            let decoded = decode_exact(&message, &limits);
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
            assert_eq!((outcome.deltas, outcome.broken), (decoded.deltas.len(), decoded.broken));
        }
    }
    assert_eq!(page(&remembering), page(&plain));
});

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
