//! What is remembered of keys, and for how long.

use std::thread;

use proptest::prelude::*;

use super::*;

const RETENTION: Retention = Retention { window_millis: 100, keys_max: 4 };

fn key(text: &str) -> Key<'_> {
    Key::new(text.into()).unwrap()
}

fn owner(principal: Option<&str>) -> Owner<'_> {
    principal.map_or(Owner::Anybody, Owner::Principal)
}

/// An answer that tells itself from others.
fn answer(number: u64, refusals: usize) -> Answer {
    let refused = (0..refusals).map(|index| (index, format!("no {number}").into())).collect();
    Answer { deltas: refusals + 1, applied: number, refused }
}

/// Pushes a message and says what it is answered: the number of the answer, and whether it is the first.
fn push(
    answers: &Answers,
    principal: Option<&str>,
    name: &str,
    message: &str,
    now: u64,
    fresh: Answer,
) -> Result<(Answer, bool), ()> {
    match answers.claim(owner(principal), &key(name), message.as_bytes(), Timestamp(now)) {
        Claim::New(claimed) => {
            claimed.answer(fresh.clone(), 1);
            Ok((fresh, true))
        }
        Claim::Again(answered) => Ok((answered.answer().clone(), false)),
        Claim::Reused => Err(()),
    }
}

/// Pushes `key message time` and such by `principal/key`, and shows how each is answered: by which push.
#[track_caller]
fn check(pushes: &[(&str, &str, u64, &str)]) {
    let answers = Answers::new(RETENTION);
    for (number, (name, message, now, want)) in pushes.iter().enumerate() {
        let (principal, name) = match name.split_once('/') {
            Some((principal, name)) => (Some(principal), name),
            None => (None, *name),
        };
        let fresh = answer(u64::try_from(number).unwrap(), number % 3);
        let got = match push(&answers, principal, name, message, *now, fresh) {
            Ok((_, true)) => "new".to_owned(),
            Ok((answer, false)) => answer.applied.to_string(),
            Err(()) => "reused".to_owned(),
        };
        assert_eq!(got, *want, "{number}");
    }
}

#[test]
fn a_key_is_answered_once_within_its_window() {
    check(&[
        ("a", "m", 0, "new"),
        ("a", "m", 99, "0"),
        ("a", "m", 100, "new"),
        ("a", "m", 199, "2"),
    ]);
    check(&[
        ("a", "m", 0, "new"),
        ("a", "n", 99, "reused"),
        ("a", "m", 99, "0"),
        ("a", "n", 100, "new"),
    ]);
    // A clock that is set back makes keys live longer.
    check(&[
        ("a", "m", 500, "new"),
        ("b", "m", 0, "new"),
        ("a", "m", 1, "0"),
        ("b", "m", 599, "1"),
    ]);
}

#[test]
fn principals_do_not_share_keys() {
    let pushes = [("a", "m", 0, "new"), ("x/a", "n", 0, "new"), ("y/a", "m", 0, "new")];
    check(
        &[&pushes[..], &[("a", "m", 1, "0"), ("x/a", "n", 1, "1"), ("y/a", "n", 1, "reused")]]
            .concat(),
    );
}

#[test]
fn the_oldest_goes_first_when_there_are_too_many() {
    let fill =
        [("a", "m", 0, "new"), ("b", "m", 1, "new"), ("c", "m", 1, "new"), ("d", "m", 1, "new")];
    check(
        &[
            &fill[..],
            &[("a", "m", 2, "0"), ("e", "m", 2, "new"), ("b", "m", 2, "1"), ("a", "m", 2, "new")],
        ]
        .concat(),
    );
    let answers = Answers::new(RETENTION);
    for name in ["a", "b", "c", "d", "e", "f"] {
        push(&answers, None, name, "m", 0, Answer::default()).unwrap();
    }
    assert_eq!((answers.keys(), answers.evicted()), (4, 2));
    answers.forget_old(Timestamp(100));
    assert_eq!((answers.keys(), answers.evicted()), (0, 2), "their time was over");
}

#[test]
fn long_answers_drive_out_old_ones() {
    let answers = Answers::new(Retention { keys_max: usize::MAX, ..RETENTION });
    let long: Box<str> = "x".repeat(TEXT_BYTES_MAX / 3).into();
    for name in ["a", "b", "c", "d"] {
        let refused = Box::new([(0, long.clone())]);
        let fresh = Answer { deltas: 2, applied: 1, refused };
        push(&answers, None, name, "m", 0, fresh).unwrap();
    }
    assert_eq!((answers.keys(), answers.evicted()), (2, 2));
    for (name, is_new) in [("d", false), ("c", false), ("a", true)] {
        let got = push(&answers, None, name, "m", 0, Answer::default()).unwrap();
        assert_eq!(got.1, is_new, "{name}");
    }
}

#[test]
fn what_comes_with_a_key_that_is_being_applied_waits_for_the_answer() {
    let answers = Answers::new(RETENTION);
    let Claim::New(claimed) = answers.claim(Owner::Anybody, &key("a"), b"m", Timestamp(0)) else {
        unreachable!("nothing has come")
    };
    thread::scope(|scope| {
        let others: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| push(&answers, None, "a", "m", 0, answer(9, 0)).unwrap()))
            .collect();
        claimed.answer(answer(1, 2), 7);
        for other in others {
            assert_eq!(other.join().unwrap(), (answer(1, 2), false));
        }
    });
    let Claim::Again(answered) = answers.claim(Owner::Anybody, &key("a"), b"m", Timestamp(0))
    else {
        unreachable!("it has been answered")
    };
    assert_eq!(answered.epoch(), 7);
}

#[test]
fn a_message_that_is_not_answered_leaves_no_key() {
    let answers = Answers::new(RETENTION);
    drop(answers.claim(Owner::Anybody, &key("a"), b"m", Timestamp(0)));
    assert_eq!(push(&answers, None, "a", "n", 0, answer(1, 0)), Ok((answer(1, 0), true)));
}

#[test]
fn records_are_read_as_they_were_written() {
    let answers = Answers::new(RETENTION);
    for (name, refusals) in [("a", 0), ("b", 2)] {
        push(&answers, Some("x"), name, "m", 7, answer(1, refusals)).unwrap();
    }
    let bytes: Vec<u8> = answers.take_noted().records().flatten().collect();
    assert!(answers.take_noted().records().next().is_none(), "they have been told");
    let restored = Answers::new(RETENTION);
    for record in Record::all_in(&bytes) {
        // As it is exported.
        let json = serde_json::to_string(&record.unwrap()).unwrap();
        let Record::Answer(record) = serde_json::from_str(&json).unwrap() else {
            unreachable!("{json}")
        };
        restored.restore(&record);
    }
    for (name, refusals) in [("a", 0), ("b", 2)] {
        let got = push(&restored, Some("x"), name, "m", 8, Answer::default());
        assert_eq!(got, Ok((answer(1, refusals), false)));
    }
    assert!(restored.take_noted().records().next().is_none(), "the store has them");
    assert_eq!(restored.all().records().flatten().collect::<Vec<u8>>(), bytes);
}

#[test]
fn a_key_that_was_driven_out_and_came_anew_is_restored_as_the_new_one() {
    let (answers, mut log) = (Answers::new(RETENTION), Vec::new());
    push(&answers, None, "a", "old", 0, answer(1, 0)).unwrap();
    write(&answers.take_noted(), &mut log);
    // The first of these is gone before a store is told of it.
    for name in ["b", "c", "d", "e"] {
        push(&answers, None, name, "m", 0, answer(2, 0)).unwrap();
    }
    push(&answers, None, "a", "new", 0, answer(3, 0)).unwrap();
    write(&answers.take_noted(), &mut log);
    let restored = restored(&log);
    assert_eq!((restored.keys(), restored.evicted()), (4, 0));
    for (name, message, number) in [("a", "new", 3), ("c", "m", 2), ("e", "m", 2)] {
        let got = push(&restored, None, name, message, 0, Answer::default());
        assert_eq!(got, Ok((answer(number, 0), false)), "{name}");
    }
}

fn write(noted: &Noted, log: &mut Vec<u8>) {
    log.extend(noted.records().flatten());
}

fn restored(log: &[u8]) -> Answers {
    let answers = Answers::new(RETENTION);
    for record in Record::all_in(log) {
        let Ok(Record::Answer(record)) = record else { unreachable!("an answer") };
        answers.restore(&record);
    }
    answers
}

/// What can happen to a server.
#[derive(Clone, Debug)]
enum Event {
    Push {
        principal: Option<&'static str>,
        key: u8,
        message: u8,
        is_taken: bool,
    },
    /// The clock goes on, or back.
    Clock(i64),
    Commit,
    /// The store cannot be written to any more.
    Fail,
    /// All is copied: after a failure, or because the log is long.
    Copy,
    /// All that is not in the store is lost.
    Kill,
}

/// Keys as a list, from which nothing is ever removed.
#[derive(Default)]
struct Model {
    /// Principal, key, message, time, answer.
    came: Vec<(Option<&'static str>, u8, u8, u64, Answer)>,
    /// How many of them the store has.
    stored: usize,
    latest: u64,
}

impl Model {
    fn find(
        &self,
        principal: Option<&str>,
        key: u8,
    ) -> Option<&(Option<&'static str>, u8, u8, u64, Answer)> {
        let young = self.came.iter().rev().take(RETENTION.keys_max);
        let mut young = young.filter(|it| self.latest - it.3 < RETENTION.window_millis);
        young.find(|it| (it.0, it.1) == (principal, key))
    }
}

fn events() -> impl Strategy<Value = Event> {
    let principal = proptest::sample::select(vec![None, Some("x")]);
    let pushed = (principal, 0..5_u8, 0..3_u8, any::<bool>());
    let push = pushed.prop_map(|(principal, key, message, often)| {
        // Most come with the same message.
        Event::Push { principal, key, message: message / 2, is_taken: often || message > 0 }
    });
    prop_oneof![
        12 => push,
        3 => (-20..60_i64).prop_map(Event::Clock),
        3 => Just(Event::Commit),
        1 => Just(Event::Fail),
        1 => Just(Event::Copy),
        1 => Just(Event::Kill),
    ]
}

proptest! {
    /// Every message is answered as a list of all that came says, through copies, failures and restarts.
    #[test]
    fn keys_are_what_a_list_says(events in proptest::collection::vec(events(), 1..120)) {
        let (mut answers, mut model) = (Answers::new(RETENTION), Model::default());
        let (mut log, mut epoch, mut now) = (Vec::new(), 1, 1000_u64);
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Push { principal, key: name, message, is_taken } => {
                    model.latest = model.latest.max(now);
                    let known = model.find(principal, name).map(|it| (it.2 == message, it.4.clone()));
                    let (name, text) = (name.to_string(), message.to_string());
                    match (answers.claim(owner(principal), &key(&name), text.as_bytes(), Timestamp(now)), known) {
                        (Claim::New(claimed), None) => if is_taken {
                            let fresh = answer(u64::try_from(number).unwrap(), number % 3);
                            let name = name.parse().unwrap();
                            model.came.push((principal, name, message, model.latest, fresh.clone()));
                            claimed.answer(fresh, epoch);
                        },
                        (Claim::Again(answered), Some((true, want))) => {
                            prop_assert_eq!(answered.answer(), &want);
                        }
                        (Claim::Reused, Some((false, _))) => {}
                        (_, known) => prop_assert!(false, "{} is not {:?}", name, known),
                    }
                }
                Event::Clock(by) => now = now.saturating_add_signed(by),
                Event::Commit => if epoch > 0 {
                    write(&answers.take_noted(), &mut log);
                    model.stored = model.came.len();
                },
                Event::Fail => epoch = 0,
                Event::Copy => {
                    log.clear();
                    write(&answers.all(), &mut log);
                    epoch = 1;
                    model.stored = model.came.len();
                }
                Event::Kill => {
                    answers = restored(&log);
                    prop_assert_eq!(answers.evicted(), 0);
                    epoch = 1;
                    model.came.truncate(model.stored);
                    // A clock that is set back meanwhile may bring back what no copy has left out yet.
                    now = now.max(model.latest);
                    model.latest = now;
                    answers.forget_old(Timestamp(now));
                }
            }
        }
    }
}
