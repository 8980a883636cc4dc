//! Messages with keys count once.

use super::*;

const INC: &str = r#"{"type":"counter","name":"c","method":"inc"}"#;
const BAD: &str = r#"{"type":"x"}"#;

/// A way in for messages with keys.
struct Door {
    intake: Intake,
    registry: Registry,
    answers: Answers,
}

impl Door {
    fn new() -> Self {
        let registry = Registry::new(SchemaConflicts::Adopt);
        Self { intake: Intake::default(), registry, answers: Answers::default() }
    }

    /// What becomes of a message, in a line.
    fn push(&mut self, key: Option<&str>, message: &str, broken: Broken) -> String {
        let (policy, limits) = (Policy::default(), Limits::default());
        let key = key.map(|key| Key::new(key.into()).unwrap());
        let terms = Terms { source: policy.source(), limits: &limits, broken, key: key.as_ref() };
        let message = message.as_bytes();
        let taken =
            self.intake.take_in(message, terms, &self.registry, &self.answers, Timestamp(1));
        match taken {
            Taken::Anew(Outcome { broken: Some(error), .. }) => error.to_string(),
            Taken::Anew(outcome) => {
                format!("anew {} of {}", outcome.applied(), outcome.deltas)
            }
            Taken::Again(answered) => {
                let Answer { deltas, applied, refused } = answered.answer();
                format!("again {applied} of {deltas}, {} refused", refused.len())
            }
            Taken::Refused(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(&mut self, key: Option<&str>, message: &str, want: &str) {
        assert_eq!(self.push(key, message, Broken::Salvage), want, "{message}");
    }

    #[track_caller]
    fn assert_count(&self, want: u32) {
        let want = format!("# HELP c \n# TYPE c counter\nc {want}\n");
        assert_eq!(
            page(&self.registry),
            if want.ends_with("c 0\n") { String::new() } else { want }
        );
    }
}

fn envelope(id: &str, deltas: &[&str]) -> String {
    format!(r#"{{"id":"{id}","deltas":[{}]}}"#, deltas.join(","))
}

#[test]
fn a_message_counts_once_by_the_key_beside_it_or_in_it() {
    let mut door = Door::new();
    for want in ["anew 1 of 1", "again 1 of 1, 0 refused", "again 1 of 1, 0 refused"] {
        door.check(Some("k"), INC, want);
    }
    for want in ["anew 2 of 3", "again 2 of 3, 1 refused"] {
        door.check(None, &envelope("e", &[INC, BAD, INC]), want);
    }
    // It is the same message, by whichever way its key comes.
    door.check(Some("e"), &envelope("e", &[INC, BAD, INC]), "again 2 of 3, 1 refused");
    door.check(Some("f"), &envelope("f", &[INC]), "anew 1 of 1");
    door.check(None, &envelope("f", &[INC]), "again 1 of 1, 0 refused");
    door.check(None, INC, "anew 1 of 1");
    door.assert_count(5);
}

#[test]
fn a_key_in_the_way_is_told() {
    let mut door = Door::new();
    door.check(Some("k"), INC, "anew 1 of 1");
    let reused = "idempotency key \"k\" has come with another message: send that one again, or this one \
                  with a new key";
    door.check(Some("k"), &format!("{INC} "), reused);
    door.check(None, &envelope("k", &[INC]), reused);
    door.check(
        Some("k"),
        &envelope("e", &[INC]),
        "the header says the idempotency key \"k\", the envelope \"e\": send one of them, or the same",
    );
    door.check(None, &envelope("e", &[INC]), "anew 1 of 1");
    door.assert_count(2);
}

#[test]
fn of_what_was_not_taken_no_key_is_left() {
    let mut door = Door::new();
    door.check(Some("k"), BAD, "anew 0 of 1");
    // What has a key is not salvaged: it will come again.
    let broken = format!("{INC}{{");
    door.check(Some("k"), &broken, "not JSON at byte 45: the message ends inside a value");
    door.check(None, r#"{"id":"k","deltas":[]}"#, &MessageError::Empty.to_string());
    let many = vec!["{}"; crate::limits::DELTAS_PER_MESSAGE_MAX].join(",");
    door.check(None, &envelope("k", &[INC, &many]), &MessageError::TooManyDeltas.to_string());
    door.assert_count(0);
    door.check(Some("k"), INC, "anew 1 of 1");
    door.assert_count(1);
}

#[test]
fn deltas_in_envelopes_are_remembered_by_their_text() {
    let mut twins = Twins::new(SchemaConflicts::Adopt);
    let limits = Limits::default();
    for number in 0..8 {
        let message = envelope(&format!("{number}"), &[INC, INC]);
        let terms = Terms {
            source: twins.policy.source(),
            limits: &limits,
            broken: Broken::Refuse,
            key: None,
        };
        let message = message.as_bytes();
        let answers = Answers::default();
        twins.intake.take_in(message, terms, &twins.registry, &answers, Timestamp(1));
    }
    assert!(twins.remembered(INC));
    assert_eq!(page(&twins.registry), "# HELP c \n# TYPE c counter\nc 16\n");
}
