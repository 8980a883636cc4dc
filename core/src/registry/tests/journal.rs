//! What is captured of a registry, and what comes of it again.

use std::{num::NonZeroU32, ops::ControlFlow::Continue, sync::mpsc};

use super::*;
use crate::{
    model::{LabelSet, Span},
    record::{FamilyRecord, FormRecord, Record},
    rules::{Pattern, Rule, Settings},
};

/// Records as a store has them: what was captured at each cut, in order.
#[derive(Default)]
struct Copy(Vec<Vec<u8>>);

impl Copy {
    fn follow(&mut self, registry: &Registry) {
        let (cut, ()) = registry.cut(|| ());
        self.0.extend(cut.records());
    }

    #[track_caller]
    fn restored(&self, rules: &Rules) -> Registry {
        self.restored_if(rules, true)
    }

    /// As what comes after a copy, or as what is in one.
    #[track_caller]
    fn restored_if(&self, rules: &Rules, is_settled: bool) -> Registry {
        self.restored_with(SchemaConflicts::Adopt, rules, is_settled)
    }

    #[track_caller]
    fn restored_with(
        &self,
        schema_conflicts: SchemaConflicts,
        rules: &Rules,
        is_settled: bool,
    ) -> Registry {
        let registry = Registry::journaled(schema_conflicts);
        let mut restore = registry.restore(rules);
        for piece in &self.0 {
            for record in Record::all_in(piece) {
                restore.follow(&record.unwrap(), is_settled).unwrap();
            }
        }
        restore.finish(|_| ()).unwrap();
        registry
    }
}

/// All there is to know of a registry, births and exemplars and the bytes of its series among them.
fn all(registry: &Registry) -> String {
    let snapshot = registry.snapshot(Timestamp(9_000));
    let families = snapshot.families().iter().map(|family| {
        let labels: Vec<String> = {
            let (mut labels, mut all) = (family.index.labels(), Vec::new());
            while let Some(labels) = labels.next() {
                all.push(labels.as_str().to_owned());
            }
            all
        };
        let born = family.index.born();
        let (name, help) = (&family.name, &family.help);
        format!("{name} {help} {labels:?} {born:?} {:?} {:?}\n", family.values, family.exemplars)
    });
    families.collect::<String>() + &format!("{}", registry.series_count())
}

const DELTAS: &[&str] = &[
    INC,
    r#"{"type":"counter","name":"c","help":"other","method":"add","value":0.5,"labels":{"a":"b"}}"#,
    r#"{"type":"counter","name":"c","method":"add","value":1e300,"labels":{"a":"b"},"exemplar":{"labels":{"trace":"x"}}}"#,
    r#"{"type":"counter","name":"zero","method":"declare"}"#,
    r#"{"type":"gauge","name":"g","method":"set","value":-3,"labels":{"ü":"\"\\"}}"#,
    r#"{"type":"gauge","name":"g","method":"add","value":2.5,"labels":{"ü":"\"\\"}}"#,
    r#"{"type":"histogram","name":"h","method":"observe","value":0.3,"exemplar":{"labels":{"t":"1"}}}"#,
    r#"{"type":"histogram","name":"b","method":"observe","value":7,"buckets":[1,5,10]}"#,
    r#"{"type":"histogram","name":"n","method":"observe","values":[1,2,-3,0],"native":{"schema":5}}"#,
    r#"{"type":"histogram","name":"both","method":"observe","value":2,"buckets":[1,5],"native":{}}"#,
    r#"{"type":"summary","name":"s","method":"observe","value":2}"#,
    r#"{"type":"summary","name":"q","method":"observe","values":[1,2,3],"objectives":{"0.5":0.05,"0.9":0.01}}"#,
];

#[derive(Clone, Debug)]
enum Step {
    /// Of [`DELTAS`], at a second.
    Delta(usize, u64),
    Delete(&'static str),
    Expire(u64),
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..DELTAS.len(), 0_u64..9).prop_map(|(delta, second)| Step::Delta(delta, second)),
        1 => proptest::sample::select(&["c", "h", "q", "g"][..]).prop_map(Step::Delete),
        1 => (0_u64..9).prop_map(Step::Expire),
        2 => Just(Step::Cut),
    ];
    proptest::collection::vec(step, 0..60)
}

fn apply_at(registry: &Registry, policy: &Policy, delta: &str, second: u64) {
    let limits = Limits { names: NameScheme::Utf8, ..Limits::default() };
    for delta in json::decode(delta.as_bytes(), &limits).deltas {
        let delta = delta.unwrap();
        // A family that is full of another kind's series refuses, which is none of this test's business.
        registry.apply(&delta, policy.source(), Timestamp(second * 1000)).ok();
    }
}

fn rules() -> Rules {
    Rules {
        expire_after: NonZeroU32::new(4),
        limits: SeriesLimits { per_family: Some(1), ..SeriesLimits::default() },
        span: Span::new(8_000, 4),
        ..Rules::default()
    }
}

proptest! {
    #[test]
    fn what_was_captured_leads_to_the_same_registry(steps in steps()) {
        let rules = Arc::new(rules());
        let policy = Policy::open(Arc::clone(&rules));
        let (registry, mut copy) = (Registry::journaled(SchemaConflicts::Adopt), Copy::default());
        for step in steps {
            match step {
                Step::Delta(delta, second) => apply_at(&registry, &policy, DELTAS[delta], second),
                Step::Delete(family) => {
                    registry.delete(|name| Continue(name == family), |_, _| Continue(true), || ());
                }
                Step::Expire(second) => {
                    registry.expire(Timestamp(second * 1000), || ());
                }
                Step::Cut => {
                    copy.follow(&registry);
                    let restored = copy.restored(&rules);
                    prop_assert_eq!(all(&restored), all(&registry));
                    // Beyond a limit, what is remembered of labels to blame takes some too.
                    prop_assert!(restored.bytes() <= registry.bytes());
                }
            }
        }
    }
}

#[test]
fn all_records_lead_to_the_same_registry() {
    let policy = Policy::default();
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    for delta in DELTAS {
        apply_at(&registry, &policy, delta, 3);
    }
    let mut copy = Copy::default();
    copy.follow(&registry);
    let mut pieces = Copy::default();
    registry
        .all_records(|piece| {
            pieces.0.push(piece.to_vec());
            Ok::<(), ()>(())
        })
        .unwrap();
    assert_eq!(all(&pieces.restored(&Rules::default())), all(&registry));
    assert_eq!(all(&copy.restored(&Rules::default())), all(&registry));
}

#[test]
fn a_value_is_captured_as_it_was_at_the_cut() {
    let policy = Policy::default();
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    apply_at(&registry, &policy, INC, 1);
    let mut copy = Copy::default();
    let (cut, ()) = registry.cut(|| ());
    // Between the cut and its being captured.
    apply_at(&registry, &policy, INC, 2);
    registry.delete(|_| Continue(true), |_, _| Continue(true), || ());
    apply_at(&registry, &policy, INC, 3);
    copy.0.extend(cut.records());
    assert!(all(&copy.restored(&Rules::default())).contains("whole: 1"));
    copy.follow(&registry);
    assert_eq!(all(&copy.restored(&Rules::default())), all(&registry));
}

#[test]
fn a_series_may_be_born_and_gone_beside_a_copy_that_lacks_its_family() {
    let policy = Policy::default();
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    apply_at(&registry, &policy, INC, 1);
    // What tells of the family is elsewhere.
    Copy::default().follow(&registry);
    apply_at(&registry, &policy, DELTAS[2], 2);
    registry.delete(|_| Continue(true), |_, _| Continue(true), || ());
    let mut copy = Copy::default();
    registry
        .all_records(|piece| {
            copy.0.push(piece.to_vec());
            Ok::<(), ()>(())
        })
        .unwrap();
    copy.follow(&registry);
    assert_eq!(all(&copy.restored_if(&Rules::default(), false)), all(&registry));
}

#[test]
fn a_series_goes_once() {
    let policy = Policy::default();
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    let labelled = |value: u32| {
        format!(r#"{{"type":"counter","name":"c","method":"inc","labels":{{"a":"{value}"}}}}"#)
    };
    for value in 0..3 {
        apply_at(&registry, &policy, &labelled(value), 1);
    }
    let copy = RefCell::new(Copy::default());
    copy.borrow_mut().follow(&registry);
    // The first one has been marked as gone when the next is looked at, and is found until the delete is over.
    let is_wanted = |_: &str, _: &LabelSet| {
        copy.borrow_mut().follow(&registry);
        apply_at(&registry, &policy, &labelled(0), 2);
        Continue(true)
    };
    registry.delete(|_| Continue(true), is_wanted, || ());
    copy.borrow_mut().follow(&registry);
    assert_eq!(all(&copy.borrow().restored(&Rules::default())), all(&registry));
}

#[test]
fn nothing_is_noted_while_the_journal_is_suspended() {
    let policy = Policy::default();
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    apply_at(&registry, &policy, INC, 1);
    registry.suspend_journal();
    apply_at(&registry, &policy, INC, 2);
    let (cut, ()) = registry.cut(|| ());
    assert_eq!(cut.records().count(), 0);
    registry.suspend_journal();
    registry.resume_journal();
    let mut copy = Copy::default();
    registry
        .all_records(|piece| {
            copy.0.push(piece.to_vec());
            Ok::<(), ()>(())
        })
        .unwrap();
    apply_at(&registry, &policy, INC, 3);
    copy.follow(&registry);
    assert_eq!(all(&copy.restored(&Rules::default())), all(&registry));
}

/// A text of a rule binds no client once the rule is gone, by a reload or between two runs.
#[test]
fn a_help_text_of_a_rule_is_no_clients() {
    let help = |text: &str| Settings { help: Some(text.into()), ..Settings::default() };
    let list = vec![Rule::of_families(Pattern::new("c").unwrap(), help("ruled"))];
    let ruled = Arc::new(Rules { list, ..Rules::default() });
    let none = Rules::default();
    let other = INC.replace("\"h\"", "\"other\"");
    for (begins_ruled, is_reloaded) in [(true, false), (true, true), (false, false), (false, true)]
    {
        let registry = Registry::journaled(SchemaConflicts::Reject);
        let mut copy = Copy::default();
        if begins_ruled {
            apply_at(&registry, &Policy::open(Arc::clone(&ruled)), INC, 1);
        } else {
            apply_at(&registry, &Policy::default(), INC, 1);
            copy.follow(&registry);
            registry.follow(&ruled, || ());
        }
        if is_reloaded {
            registry.follow(&none, || ());
        }
        copy.follow(&registry);
        let restored = copy.restored_with(SchemaConflicts::Reject, &none, true);
        let applied = apply_under(&restored, &Policy::default(), &[&other, INC]);
        let expected = "ok, new help\n\"c\" has the help text \"other\", not \"h\": ";
        assert!(applied.starts_with(expected), "{begins_ruled} {is_reloaded}: {applied}");
        // A client has had its say since, and that is kept.
        copy.follow(&restored);
        let again = copy.restored_with(SchemaConflicts::Reject, &none, true);
        assert_eq!(all(&again), all(&restored));
        let applied = apply_under(&again, &Policy::default(), &[INC]);
        assert!(applied.starts_with(&expected["ok, new help\n".len()..]), "{applied}");
    }
}

/// Its text may read as the rule's did.
#[test]
fn a_help_text_that_was_awaited_is_kept() {
    let settings = Settings { help: Some("h".into()), ..Settings::default() };
    let list = vec![Rule::of_families(Pattern::new("c").unwrap(), settings)];
    let ruled = Arc::new(Rules { list, ..Rules::default() });
    let registry = Registry::journaled(SchemaConflicts::Reject);
    apply_at(&registry, &Policy::open(Arc::clone(&ruled)), INC, 1);
    let mut copy = Copy::default();
    copy.follow(&registry);
    registry.follow(&Rules::default(), || ());
    apply_at(&registry, &Policy::default(), INC, 1);
    copy.follow(&registry);
    assert_eq!(all(&copy.restored(&Rules::default())), all(&registry));
}

#[test]
fn names_that_no_client_could_begin_are_refused() {
    let observe = r#"{"type":"histogram","name":"h","method":"observe","value":1}"#;
    let inc = INC.replace("\"c\"", "\"h_count\"");
    let mut pieces = Vec::new();
    for delta in [observe, &inc] {
        let registry = Registry::journaled(SchemaConflicts::Adopt);
        // Numbers of the second one come after those of the first.
        registry.journal.skip_id(if pieces.is_empty() { 0 } else { 10 });
        apply_at(&registry, &Policy::default(), delta, 1);
        let mut copy = Copy::default();
        copy.follow(&registry);
        pieces.push(copy.0.concat());
    }
    let collision =
        RestoreError::Collision { name: Quoted::new("h"), other: Quoted::new("h_count") };
    assert_eq!(restored_of(&pieces), Err(collision));
    // Where the first one is gone, only the end of a batch may say so.
    let mut gone = Vec::new();
    for record in [Record::SeriesGone { id: 2 }, Record::FamilyGone { id: 1 }] {
        record.write_to(&mut gone);
    }
    pieces.push(gone);
    assert_eq!(restored_of(&pieces), Ok(Restored { families: 1, series: 1 }));
    for (name, is_reserved) in [("pushprom_x", true), ("go_gc", true), ("proc", false)] {
        let reserved = Err(RestoreError::Reserved(Quoted::new(name)));
        let record = FamilyRecord {
            id: 1,
            name: name.into(),
            help: "".into(),
            label_names: "".into(),
            form: FormRecord::Histogram { bounds: None, native: None },
        };
        let mut bytes = Vec::new();
        Record::Family(record).write_to(&mut bytes);
        let none = Restored { families: 0, series: 0 };
        assert_eq!(restored_of(&[bytes]), if is_reserved { reserved } else { Ok(none) }, "{name}");
    }
}

/// What records lead to.
fn restored_of(pieces: &[Vec<u8>]) -> Result<Restored, RestoreError> {
    let (registry, rules) = (Registry::journaled(SchemaConflicts::Adopt), Rules::default());
    let mut restore = registry.restore(&rules);
    for record in pieces.iter().flat_map(|piece| Record::all_in(piece)) {
        restore.follow(&record.unwrap(), true)?;
    }
    restore.finish(|_| ())
}

#[test]
fn numbers_leave_room_for_more() {
    for (id, is_one) in [(u64::MAX >> 1, true), (1 << 63, false), (u64::MAX, false)] {
        let registry = Registry::journaled(SchemaConflicts::Adopt);
        let rules = Rules::default();
        let followed = registry.restore(&rules).follow(&Record::SeriesGone { id }, false);
        assert_eq!(followed.is_ok(), is_one, "{id}");
    }
}

#[test]
fn a_long_message_holds_up_no_other_one() {
    let registry = Registry::journaled(SchemaConflicts::Adopt);
    let (other, long) = (registry.pass(), registry.pass());
    thread::scope(|scope| {
        let turn = registry.turn(&long);
        let cutting = scope.spawn(|| registry.cut(|| ()).0.epoch());
        let (tell, done) = mpsc::channel();
        let other = &other;
        let registry = &registry;
        scope.spawn(move || {
            // As often as it takes for the cut to come between.
            for _ in 0..10_000 {
                thread::yield_now();
                drop(registry.turn(other));
            }
            tell.send(()).ok();
        });
        let is_held_up = done.recv_timeout(Duration::from_secs(10)).is_err();
        drop(turn);
        assert_eq!(cutting.join().unwrap(), 1);
        assert!(!is_held_up);
    });
}
