//! Who uses a server: clients that push and wait for their answers, operators who delete, and time that passes.
//! They know what the server should hold, what has been written of it, and what they were told.

use std::{
    future::Future,
    num::NonZeroU32,
    ops::ControlFlow::Continue,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use pushprom_core::{
    answers::{Answer, Answers, Claim, Owner, Retention},
    intake::{Broken, Intake, KeyMisuse, Outcome, Taken, Terms},
    limits::{Limits, SeriesLimits},
    model::{Key, LabelSet, Timestamp},
    policy::Policy,
    registry::{Registry, SchemaConflicts},
    rules::Rules,
    selector::Selector,
};

use super::{
    super::disk::Dice,
    draw::{Delta, LABEL_NAMES, LABEL_VALUES, Labels, NAMES},
    look::lines_of,
    naive::{Kept, Model, Settings},
};
use crate::{
    ingest::Ingest,
    store::{NotCommitted, Storage},
    telemetry::Transport,
};

/// More than are remembered, so that some come again that have been forgotten.
const KEYS: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];

/// Milliseconds that pass at once: within a second, some seconds, to the next slice of a summary, and so on.
const TICKS: [u64; 5] = [1, 300, 3000, 70_000, 400_000];

/// Waits until a push is on disk.
type Wait = Pin<Box<dyn Future<Output = Result<(), NotCommitted>> + Send>>;

/// What the server was like after so many things had been done.
#[derive(Clone)]
pub(super) struct Moment {
    step: u64,
    model: Model,
}

pub(super) struct Users {
    pub(super) dice: Dice,
    pub(super) ingest: Arc<Ingest>,
    pub(super) storage: Arc<Storage>,
    /// Whether a copy is to be made without need.
    pub(super) wants_copy: bool,
    /// Whether nobody does anything while the server writes.
    pub(super) is_quiet: bool,
    pub(super) rules: Arc<Rules>,
    policy: Policy,
    settings: Settings,
    intake: Intake,
    now: u64,
    model: Model,
    /// How many things have been done that may have changed it.
    step: u64,
    /// What a start may find: the first is on disk, those after it were begun since.
    possible: Vec<Moment>,
    /// As it was when the last epoch ended.
    cut: Moment,
    /// Pushes that have not been answered, by when they were made.
    waiting: Vec<(u64, Wait)>,
}

impl Users {
    /// Of a server that has nothing yet.
    pub(super) fn new(mut dice: Dice) -> Self {
        let settings = Settings {
            rejects_conflicts: dice.one_in(5),
            per_family: dice.one_in(2).then(|| 1 + dice.roll(3)),
            expire_after: dice.one_in(2).then(|| dice.pick(&[1, 60, 600])),
            keys_max: dice.pick(&[1, 4, 100]),
            window_millis: dice.pick(&[1000, 100_000, 1_000_000]),
        };
        let limits = SeriesLimits { per_family: settings.per_family, ..SeriesLimits::default() };
        let expire_after = settings.expire_after.and_then(NonZeroU32::new);
        let rules = Arc::new(Rules { limits, expire_after, ..Rules::default() });
        let empty = Moment { step: 0, model: Model::new(settings) };
        Self {
            dice,
            ingest: Arc::new(ingest(&settings)),
            storage: Arc::default(),
            wants_copy: false,
            is_quiet: false,
            policy: Policy::open(Arc::clone(&rules)),
            rules,
            settings,
            intake: Intake::default(),
            now: 1_600_000_000_000,
            model: empty.model.clone(),
            step: 0,
            possible: vec![empty.clone()],
            cut: empty,
            waiting: Vec::new(),
        }
    }

    /// A server that has nothing yet, in the place of the one that there was: whoever waits for that is told nothing.
    pub(super) fn replace_server(&mut self) -> (Arc<Ingest>, Arc<Storage>) {
        (self.ingest, self.storage) = (Arc::new(ingest(&self.settings)), Arc::default());
        (self.intake, self.waiting) = (Intake::default(), Vec::new());
        (Arc::clone(&self.ingest), Arc::clone(&self.storage))
    }

    /// The server has started: it has to have what it may have, whole.
    pub(super) fn find(&mut self) {
        let (ingest, now) = (Arc::clone(&self.ingest), self.now);
        let found = lines_of(ingest.registry(), now);
        let is_found = |it: &&Moment| {
            it.model.lines(now) == found && answers_alike(&it.model, ingest.answers(), now)
        };
        let Some(moment) = self.possible.iter().rev().find(is_found) else {
            let possible: Vec<_> = self.possible.iter().map(|it| it.model.lines(now)).collect();
            panic!("{found:#?} or its keys were found, none of {possible:#?}");
        };
        let mut moment = moment.clone();
        moment.model.restart();
        // Whoever comes now is told that all of it is kept.
        self.cut = moment.clone();
        self.model = moment.model.clone();
        self.possible = vec![moment];
        self.storage.start();
    }

    /// What is possible is what there is now, and nothing else: nothing has been lost.
    pub(super) fn assert_all_is_kept(&self) {
        let steps: Vec<u64> = self.possible.iter().map(|it| it.step).collect();
        assert_eq!(steps, [self.step], "of what was done, this may be kept");
    }

    /// An epoch has ended, and is written to what holds, or to a copy that does not hold yet.
    pub(super) fn end_epoch(&mut self, holds: bool) {
        self.cut = Moment { step: self.step, model: self.model.clone() };
        if holds {
            self.begin();
        }
    }

    /// From now on a start may find what was cut.
    pub(super) fn begin(&mut self) {
        self.possible.push(self.cut.clone());
    }

    /// From now on a start has to find what was cut.
    pub(super) fn keep(&mut self) {
        self.possible = vec![self.cut.clone()];
    }

    /// Does something, now and then, while the server writes.
    pub(super) fn act_meanwhile(&mut self) {
        if !self.is_quiet && self.dice.one_in(6) {
            self.act();
        }
        self.hear();
    }

    /// Hears what is answered; nobody may be told what is not on disk.
    pub(super) fn hear(&mut self) {
        let on_disk = self.possible[0].step;
        let mut context = Context::from_waker(Waker::noop());
        self.waiting.retain_mut(|(step, wait)| match wait.as_mut().poll(&mut context) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => {
                assert!(*step <= on_disk, "{step} is acknowledged, {on_disk} is on disk");
                false
            }
            // It may be kept, or not.
            Poll::Ready(Err(NotCommitted)) => false,
        });
    }

    /// All that is on disk has been acknowledged.
    pub(super) fn assert_heard(&self) {
        let on_disk = self.possible[0].step;
        let late = self.waiting.iter().filter(|(step, _)| *step <= on_disk).count();
        assert_eq!(late, 0, "pushes that are on disk are not acknowledged");
        assert_eq!(on_disk, self.cut.step, "what has been cut is on disk");
    }

    /// Does anything.
    pub(super) fn act(&mut self) {
        match self.dice.roll(12) {
            0 => self.now += self.dice.pick(&TICKS),
            1 => self.delete(),
            2 => self.expire(),
            _ => self.push(),
        }
    }

    fn expire(&mut self) {
        self.step += 1;
        let expired = self.ingest.registry().expire(Timestamp(self.now), || ());
        assert_eq!(expired, self.model.expire(self.now), "series expired");
        self.ingest.answers().forget_old(Timestamp(self.now));
    }

    fn delete(&mut self) {
        self.step += 1;
        let (selector, is_meant) = self.selection();
        let registry = self.ingest.registry();
        let deleted = registry.delete(
            |name| Continue(selector.matches_name(name)),
            |name, labels| Continue(selector.matches_name(name) && selector.matches_labels(labels)),
            || (),
        );
        let families = self.model.families.iter();
        let series = families.flat_map(|(name, it)| it.series.keys().map(|it| (*name, it.clone())));
        let meant: Vec<_> = series.filter(|(name, labels)| is_meant(name, labels)).collect();
        assert_eq!(deleted.series, meant.len(), "series deleted by {selector}");
        for (name, labels) in meant {
            self.model.remove(name, &labels);
        }
    }

    /// Which series are to be deleted, in the words of the API and in ours.
    pub(super) fn selection(&mut self) -> (Selector, impl Fn(&str, &Labels) -> bool + use<>) {
        let (name, label) = (self.dice.pick(&NAMES), self.dice.pick(&LABEL_NAMES));
        let value = self.dice.pick(&LABEL_VALUES[..2]);
        let (by_name, by_label) = self.dice.pick(&[(true, false), (false, true), (true, true)]);
        let text = match (by_name, by_label) {
            (true, false) => name.to_owned(),
            (false, _) => format!("{{{label}=\"{value}\"}}"),
            (true, true) => format!("{name}{{{label}=\"{value}\"}}"),
        };
        let is_meant = move |of: &str, labels: &Labels| {
            (!by_name || of == name) && (!by_label || labels.get(label) == Some(&value))
        };
        (Selector::parse(&text).expect("a selector"), is_meant)
    }

    /// A series has been deleted.
    pub(super) fn remove(&mut self, name: &str, labels: &LabelSet) {
        self.step += 1;
        let families = self.model.families.get(name);
        let pairs: Vec<_> = labels.iter().collect();
        let is_it = |held: &&Labels| {
            let held = held.iter().map(|(name, value)| (*name, *value));
            held.eq(pairs.iter().map(|(name, value)| (&**name, &**value)))
        };
        let held = families.and_then(|family| family.series.keys().find(is_it)).cloned();
        assert!(held.is_some_and(|held| self.model.remove(name, &held)), "{name}{pairs:?} is held");
    }

    fn push(&mut self) {
        let key = self.dice.one_in(2).then(|| self.dice.pick(&KEYS));
        let kept = key.and_then(|key| self.model.answered(key, self.now)).cloned();
        match (key, kept) {
            (Some(key), Some(kept)) if self.dice.one_in(4) => self.reuse(key, &kept),
            (Some(_), Some(kept)) => self.repeat(&kept),
            (key, _) => self.push_anew(key),
        }
    }

    /// A client sends a message again.
    fn repeat(&mut self, kept: &Kept) {
        let key = kept.is_beside.then_some(kept.key);
        let taken = self.send(&kept.message, key, Broken::Refuse);
        let Taken::Again(answered) = taken else { panic!("{} was {taken:?}", kept.key) };
        assert_eq!(*answered.answer(), kept.answer, "what {} was answered first", kept.key);
        self.wait(kept.step, answered.epoch());
    }

    /// A client sends another message with a key.
    fn reuse(&mut self, key: &'static str, kept: &Kept) {
        let message = format!("{}\n", kept.message);
        let taken = self.send(&message, Some(key), Broken::Refuse);
        assert!(matches!(taken, Taken::Refused(KeyMisuse::Reused(_))), "{key} was {taken:?}");
    }

    fn push_anew(&mut self, key: Option<&'static str>) {
        let deltas = if self.dice.one_in(3) { 1 + self.dice.roll(5) } else { 1 };
        let deltas: Vec<Delta> = (0..deltas).map(|_| Delta::draw(&mut self.dice)).collect();
        let texts: Vec<String> = deltas.iter().map(Delta::json).collect();
        let is_beside = self.dice.one_in(2);
        let breaks_off = self.dice.one_in(20);
        let message = match key {
            Some(key) if !is_beside => {
                format!(r#"{{"id":"{key}","deltas":[{}]}}"#, texts.join(","))
            }
            _ if breaks_off => format!("{} {{", texts.join(" ")),
            _ if deltas.len() == 1 && self.dice.one_in(2) => texts.join(""),
            _ if self.dice.one_in(2) => texts.join("\n"),
            _ => format!("[{}]", texts.join(",")),
        };
        let broken = self.dice.pick(&[Broken::Refuse, Broken::Salvage]);
        let taken = self.send(&message, key.filter(|_| is_beside), broken);
        let Taken::Anew(outcome) = taken else { panic!("{message} was {taken:?}") };
        self.step += 1;
        assert_eq!(outcome.broken.is_some(), message.ends_with('{'), "{message}: {outcome:?}");
        if outcome.broken.is_some() && (key.is_some() || broken == Broken::Refuse) {
            assert_eq!(outcome.applied(), 0, "{message} is refused as a whole");
            return;
        }
        let now = self.now;
        let applied: Vec<bool> = deltas.iter().map(|it| self.model.apply(it, now)).collect();
        self.check(&applied, &outcome, &message);
        if let Some(key) = key.filter(|_| outcome.applied() > 0) {
            let answer = answer(&outcome);
            let at = (now, self.step);
            self.model.remember(Kept::new((key, is_beside), message, answer, at));
        }
        self.wait(self.step, outcome.epoch);
    }

    fn check(&self, applied: &[bool], outcome: &Outcome, message: &str) {
        let broken = usize::from(outcome.broken.is_some());
        let refused: Vec<usize> = outcome.refused.iter().map(|(place, _)| *place).collect();
        let expected = applied.iter().enumerate().filter(|(_, applied)| !**applied);
        let expected: Vec<usize> = expected.map(|(place, _)| place).collect();
        assert_eq!(refused, expected, "{message} at {}: {outcome:?}", self.now);
        let all = outcome.deltas - refused.len();
        assert_eq!(outcome.deltas, applied.len(), "{message}, {broken} broken: {outcome:?}");
        assert_eq!(usize::try_from(outcome.applied()), Ok(all), "{message}: {outcome:?}");
    }

    fn send(&mut self, message: &str, key: Option<&'static str>, broken: Broken) -> Taken {
        let limits = Limits::default();
        let transport = match broken {
            Broken::Refuse => Transport::Http,
            Broken::Salvage => Transport::Udp,
        };
        let key = key.map(key_of);
        let (source, key) = (self.policy.source(), key.as_ref());
        let terms = Terms { source, limits: &limits, broken, key };
        let (message, now) = (message.as_bytes(), Timestamp(self.now));
        let taken = self.ingest.message(&mut self.intake, message, transport, terms, now);
        taken.expect("nothing panics")
    }

    fn wait(&mut self, step: u64, epoch: u64) {
        let storage = Arc::clone(&self.storage);
        self.waiting.push((step, Box::pin(async move { storage.committed(epoch).await })));
        // Some look at once, some later.
        if self.dice.one_in(2) {
            self.hear();
        }
    }

    /// Compares all that can be seen.
    pub(super) fn assert_seen(&self) {
        let registry = self.ingest.registry();
        assert_eq!(lines_of(registry, self.now), self.model.lines(self.now), "what there is");
        let page = super::look::page_of(registry, self.now);
        assert_eq!(page, self.model.page(self.now), "a page");
    }
}

fn ingest(settings: &Settings) -> Ingest {
    let conflicts =
        if settings.rejects_conflicts { SchemaConflicts::Reject } else { SchemaConflicts::Adopt };
    let (window_millis, keys_max) = (settings.window_millis, settings.keys_max);
    let answers = Answers::new(Retention { window_millis, keys_max });
    Ingest::new(Registry::journaled(conflicts), answers, Arc::default())
}

fn key_of(text: &'static str) -> Key<'static> {
    Key::new(text.into()).expect("a key")
}

/// Whether each key has the answer that a model has for it, or none. Nothing changes by being asked.
fn answers_alike(model: &Model, answers: &Answers, now: u64) -> bool {
    KEYS.iter().all(|key| {
        let kept = model.answered(key, now);
        let message = kept.map_or("", |kept| &kept.message);
        let claim = answers.claim(Owner::Anybody, &key_of(key), message.as_bytes(), Timestamp(now));
        match (claim, kept) {
            (Claim::New(_), None) => true,
            (Claim::Again(answered), Some(kept)) => *answered.answer() == kept.answer,
            (Claim::New(_) | Claim::Again(_) | Claim::Reused, _) => false,
        }
    })
}

fn answer(outcome: &Outcome) -> Answer {
    let refused = outcome.refused.iter();
    let refused = refused.map(|(place, refusal)| (*place, refusal.to_string().into())).collect();
    Answer { deltas: outcome.deltas, applied: outcome.applied(), refused }
}
