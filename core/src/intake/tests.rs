//! What is remembered does not show: an intake does what decoding and applying do.

mod keys;

use proptest::prelude::*;

use super::*;
use crate::{
    expose::{self, Options, Shape},
    policy::Policy,
    registry::SchemaConflicts,
};

/// An intake that remembers, and a registry that never sees one.
struct Twins {
    intake: Intake,
    registry: Registry,
    plain: Registry,
    policy: Policy,
}

impl Twins {
    fn new(conflicts: SchemaConflicts) -> Self {
        let registry = || Registry::new(conflicts);
        let policy = Policy::default();
        Self { intake: Intake::default(), registry: registry(), plain: registry(), policy }
    }

    #[track_caller]
    fn take_in(&mut self, message: &[u8], broken: Broken) {
        let limits = Limits::default();
        let terms = Terms { source: self.policy.source(), limits: &limits, broken, key: None };
        let (answers, now) = (Answers::default(), Timestamp(1));
        let got = self.intake.take_in(message, terms, &self.registry, &answers, now);
        let want = {
            let sampling = &mut Sampling::default();
            let pass = self.plain.pass();
            let turn = self.plain.turn(&pass);
            take_in_exactly(message, &turn, terms, sampling, now)
        };
        assert_eq!(got, Taken::Anew(want), "{}", message.escape_ascii());
    }

    #[track_caller]
    fn assert_equal(&self) {
        assert_eq!(page(&self.registry), page(&self.plain));
    }

    fn remembered(&mut self, text: &str) -> bool {
        let outline = self.intake.outliner.outline(text.as_bytes());
        outline.is_some_and(|outline| {
            let policy = self.policy.id();
            self.intake.memo.find(policy, outline.before, outline.after).is_ok()
        })
    }
}

fn page(registry: &Registry) -> String {
    let mut page = Vec::new();
    let snapshot = registry.snapshot(Timestamp(1));
    expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
    String::from_utf8(page).unwrap()
}

#[track_caller]
fn check(conflicts: SchemaConflicts, messages: &[&str]) -> Twins {
    let mut twins = Twins::new(conflicts);
    for message in messages {
        twins.take_in(message.as_bytes(), Broken::Salvage);
    }
    twins.assert_equal();
    twins
}

#[test]
fn a_delta_is_remembered_but_for_its_number() {
    let add =
        |value: &str| format!(r#"{{"type":"counter","name":"c","method":"add","value":{value}}}"#);
    let mut twins = check(
        SchemaConflicts::Adopt,
        &[&add("1"), &add("2.5"), &add(" 3"), &add("-1"), &add("1e400"), &add("01"), &add("null")],
    );
    assert!(twins.remembered(&add("77")));
    assert_eq!(page(&twins.registry), "# HELP c \n# TYPE c counter\nc 6.5\n");
}

#[test]
fn a_number_elsewhere_is_not_taken_for_the_value() {
    let set = |fields: &str| format!(r#"{{"type":"gauge","name":"g","method":"set",{fields}}}"#);
    for fields in [
        r#""labels":{"value":"1"},"value":2"#,
        r#""labels":{"a":"\"value\":1"},"value":2"#,
        r#""value":1,"value":2"#,
        r#""value":1,"value":null"#,
        r#""value":null,"value":2"#,
        r#""VALUE":1,"value":2"#,
        r#""help":"{","value":2"#,
        r#""help":"}","value":2"#,
        r#""help":"\"value\":7}","value":2"#,
        r#""value": 1 "#,
        "\"value\":\n1",
    ] {
        let texts = [set(fields), set(&fields.replace('2', "3")), set(&fields.replace('1', "4"))];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        check(SchemaConflicts::Adopt, &[&texts[..], &texts[..]].concat());
    }
}

#[test]
fn a_help_text_that_changes_is_seen() {
    let inc =
        |help: &str| format!(r#"{{"type":"counter","name":"c","help":"{help}","method":"inc"}}"#);
    let (a, b, none) = (inc("a"), inc("b"), inc(""));
    for conflicts in [SchemaConflicts::Adopt, SchemaConflicts::Reject] {
        check(conflicts, &[&a, &a, &b, &b, &a, &none, &a, &none, &b, &a]);
    }
}

#[test]
fn a_broken_message_is_refused_or_salvaged_as_ever() {
    let good = r#"{"type":"counter","name":"c","method":"inc"}"#;
    for broken in [Broken::Refuse, Broken::Salvage] {
        let mut twins = Twins::new(SchemaConflicts::Adopt);
        for message in
            [good.to_owned(), format!("{good}{{"), format!("[{good},{good}"), format!("[{good},1]")]
        {
            twins.take_in(message.as_bytes(), broken);
        }
        twins.assert_equal();
    }
}

proptest! {
    /// The fields of deltas in any order, with odd spacing, spelling and escapes, again and again.
    #[test]
    fn memory_does_not_show(
        messages in proptest::collection::vec(
            proptest::collection::vec((any::<bool>(), fields()), 1..4), 1..40),
        rejects in any::<bool>(),
    ) {
        let conflicts = if rejects { SchemaConflicts::Reject } else { SchemaConflicts::Adopt };
        let mut twins = Twins::new(conflicts);
        for deltas in messages {
            let deltas: Vec<String> = deltas
                .into_iter()
                .map(|(spaced, fields)| {
                    let comma = if spaced { " , " } else { "," };
                    format!("{{{}}}", fields.join(comma))
                })
                .collect();
            twins.take_in(format!("[{}]", deltas.join(",")).as_bytes(), Broken::Salvage);
        }
        twins.assert_equal();
    }
}

/// Fields of few kinds, so that the same delta comes again.
fn fields() -> impl Strategy<Value = Vec<String>> {
    let choice =
        |texts: &'static [&'static str]| proptest::sample::select(texts).prop_map(str::to_owned);
    let kind = choice(&[
        r#""type":"counter","method":"add""#,
        r#""type":"gauge","method":"set""#,
        r#""type":"gauge","method":"sub""#,
        r#""type":"histogram","method":"observe","buckets":[1,2]"#,
        r#""type":"summary","method":"observe""#,
        r#""type":"counter","method":"inc""#,
        r#""type":"counter","method":"declare""#,
        r#""type":"histogram","method":"observe","native":true"#,
        r#""type":"summary","method":"observe","count":3"#,
        r#""type":"summary","method":"observe","objectives":{"0.5":0}"#,
        r#""type":"histogram","method":"observe","counts":[1,2],"sum":3,"buckets":[1]"#,
        r#""type":"counter","method":"add","exemplar":{"labels":{},"value":1}"#,
    ]);
    let name = choice(&[r#""name":"a""#, r#""name":"b""#, r#""name":"\u0061""#, r#""Name":"c""#]);
    let help =
        choice(&[r#""help":"""#, r#""help":"{""#, r#""help":"}\"value\":1""#, r#""help":null"#]);
    let labels = choice(&[
        r#""labels":{"x":"1","y":"2"}"#,
        r#""labels":{"y":"2","x":"1"}"#,
        r#""labels":{"y":"\u0032","x":"1"}"#,
        r#""labels":[]"#,
        r#""labels":{"value":"{"}"#,
    ]);
    let value = choice(&[
        r#""value":1"#,
        r#""value":2.25"#,
        r#""value": 3"#,
        r#""value":-4"#,
        r#""value":null"#,
        r#""VALUE":5"#,
        r#""value":6,"value":7"#,
        r#""value":[1,2.5]"#,
        r#""value":[9]"#,
        r#""value":"8""#,
    ]);
    (kind, name, help, labels, value)
        .prop_map(|(kind, name, help, labels, value)| vec![kind, name, help, labels, value])
        .prop_shuffle()
}
