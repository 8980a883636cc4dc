//! Names that break the conventions: told to the log while pages are made, and listed on a page.

use std::{collections::HashMap, sync::Arc, thread};

use http_body_util::Either;
use hyper::StatusCode;
use parking_lot::Mutex;
use pushprom_core::{
    expose::Shape,
    lint::{self, Problem},
    model::{Quoted, is_legacy_metric_name},
    snapshot::{FamilySnapshot, Snapshot},
};
use tokio::select;

use super::{
    Context,
    connections::Connection,
    pages::{NoPage, Pages},
    reply::{self, Reply},
    scrape,
};
use crate::{clock, config::Linting, log::Sampler};

/// Problems that are listed. A list of more is not read to its end; the rest are counted.
const LINES_MAX: usize = 10_000;

/// Bytes of lists that wait to be taken: some of the longest, which have less than 8 MiB, since a line has
/// a name of 512 bytes and a text of some 200.
const BYTES_MAX: u32 = 32 * 1024 * 1024;

/// Families that are looked at in one go: some hundred microseconds.
const FAMILIES_BETWEEN_PAUSES: usize = 128;

/// What has been found out about names.
pub(super) struct Lint {
    linting: Linting,
    /// The families that have been looked at, by name: as many as the registry holds at most.
    looks: Mutex<HashMap<Arc<str>, Look>>,
    pages: Pages,
}

/// How far a family has been reported.
#[derive(Debug, Default)]
struct Look {
    reported: Vec<Problem>,
    /// Whether these are all that it had.
    is_complete: bool,
}

impl Lint {
    /// Nothing has been looked at.
    pub(super) fn new(linting: Linting) -> Self {
        Self { linting, looks: Mutex::default(), pages: Pages::new(BYTES_MAX) }
    }

    /// What is to be done about names.
    pub(super) fn linting(&self) -> Linting {
        self.linting
    }

    /// Logs the problems of the families that came since the last snapshot, and of those that got their
    /// first help text. What would be too many lines for this second is left to a later one.
    pub(super) fn report(&self, snapshot: &Snapshot) {
        static SAMPLER: Sampler = Sampler::new();
        match self.linting {
            Linting::Off => {}
            Linting::Warn => self.report_to(snapshot, |family, problem| {
                let admitted = SAMPLER.admit(clock::now().0 / 1000).is_some();
                if admitted {
                    tracing::warn!(family, %problem, "promtool would complain");
                }
                admitted
            }),
        }
    }

    /// The same to `tell`, until that says that it did not take a problem.
    fn report_to(&self, snapshot: &Snapshot, mut tell: impl FnMut(&str, &Problem) -> bool) {
        // Who makes another page at this moment does it.
        let Some(mut looks) = self.looks.try_lock() else { return };
        for family in families(snapshot) {
            if looks.get(&family.name).is_some_and(|look| !look.is_due(family)) {
                continue;
            }
            let look = looks.entry(Arc::clone(&family.name)).or_default();
            if !look.complete(family, |problem| tell(&family.name, problem)) {
                return;
            }
        }
    }
}

impl Look {
    /// Whether there may be something new to report.
    fn is_due(&self, family: &FamilySnapshot) -> bool {
        let lacked_help = self.reported.contains(&Problem::NoHelp);
        !self.is_complete || (lacked_help && !lint::lacks_help(&family.help))
    }

    /// Tells the problems that have not been told, unless one is not taken. Says whether it is done.
    fn complete(
        &mut self,
        family: &FamilySnapshot,
        mut tell: impl FnMut(&Problem) -> bool,
    ) -> bool {
        let problems = lint::problems(family, thread::yield_now);
        self.is_complete = false;
        for problem in &problems {
            if !self.reported.contains(problem) {
                if !tell(problem) {
                    return false;
                }
                self.reported.push(problem.clone());
            }
        }
        // What is over need not be remembered: a help text never becomes empty again.
        *self = Self { reported: problems, is_complete: true };
        true
    }
}

pub(super) async fn respond(context: &Arc<Context>, connection: &Arc<Connection>) -> Reply {
    // It costs as much as a page, and shares the bound on those.
    let Ok(_admitted) = context.scrapes.try_acquire() else {
        return reply::try_again(scrape::TOO_MANY);
    };
    let maker = Arc::clone(context);
    let make = move || {
        let registry = maker.ingest.registry();
        Ok(list(&registry.snapshot_pausing(clock::now(), thread::yield_now)).into_bytes())
    };
    let on_hold = connection.hold();
    let page = select! {
        biased;
        () = connection.left() => None,
        page = context.lint.pages.page(Shape::default(), connection, make) => Some(page),
    };
    drop(on_hold);
    match page {
        Some(Ok(page)) => {
            let mut reply = reply::text(StatusCode::OK, "");
            *reply.body_mut() = Either::Right(page);
            reply
        }
        Some(Err(NoPage::NoRoom)) => reply::try_again(scrape::NO_ROOM),
        Some(Err(NoPage::Failed)) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, scrape::FAILED),
        None => reply::last(reply::text(StatusCode::BAD_REQUEST, scrape::LEFT)),
    }
}

/// All families, with a rest every so often.
fn families(snapshot: &Snapshot) -> impl Iterator<Item = &FamilySnapshot> {
    snapshot.families().chunks(FAMILIES_BETWEEN_PAUSES).flat_map(|some| {
        thread::yield_now();
        some
    })
}

/// A line for each problem, by family and then by text.
fn list(snapshot: &Snapshot) -> String {
    let (mut list, mut left_out) = (String::new(), 0_usize);
    let mut room = LINES_MAX;
    for family in families(snapshot) {
        let problems = lint::problems(family, thread::yield_now);
        let mut texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.sort();
        left_out += texts.len().saturating_sub(room);
        texts.truncate(room);
        room -= texts.len();
        // What is no plain name might hold a line break.
        let is_plain = is_legacy_metric_name(&family.name);
        let quoted = (!is_plain).then(|| Quoted::new(&family.name).to_string());
        let name = quoted.as_deref().unwrap_or(&family.name);
        for text in texts {
            list += &format!("{name}: {text}\n");
        }
    }
    if list.is_empty() {
        list += "no problems found\n";
    }
    if left_out > 0 {
        list += &format!("and {left_out} more\n");
    }
    list
}

#[cfg(test)]
mod tests {
    use pushprom_core::{
        answers::Answers,
        intake::{Broken, Intake, Taken, Terms},
        limits::Limits,
        model::Timestamp,
        policy::Policy,
        registry::{Registry, SchemaConflicts},
    };

    use super::*;

    fn registry() -> Registry {
        Registry::new(SchemaConflicts::Adopt)
    }

    fn push(registry: &Registry, name: &str, help: &str) {
        let delta =
            format!(r#"{{"type":"counter","name":"{name}","help":"{help}","method":"inc"}}"#);
        let limits = Limits::default();
        let (now, broken) = (Timestamp(0), Broken::Refuse);
        let policy = Policy::default();
        let mut intake = Intake::default();
        let message = delta.as_bytes();
        let terms = Terms { source: policy.source(), limits: &limits, broken, key: None };
        let taken = intake.take_in(message, terms, registry, &Answers::default(), now);
        let Taken::Anew(outcome) = taken else { unreachable!("it has no key") };
        assert!(outcome.refused.is_empty() && outcome.broken.is_none(), "{delta}");
    }

    /// What is told of the registry now, if so many lines may be.
    fn told(lint: &Lint, registry: &Registry, lines: usize) -> String {
        let mut told = Vec::new();
        lint.report_to(&registry.snapshot(Timestamp(0)), |family, problem| {
            let admitted = told.len() < lines;
            if admitted {
                let text = problem.to_string();
                told.push(format!("{family} {}", text.split(' ').next().unwrap_or_default()));
            }
            admitted
        });
        told.join(", ")
    }

    #[test]
    fn each_problem_is_told_once() {
        let (lint, registry) = (Lint::new(Linting::Warn), registry());
        push(&registry, "a_ms", "");
        push(&registry, "b_total", "Good.");
        push(&registry, "c_days", "");
        assert_eq!(told(&lint, &registry, 2), "a_ms there, a_ms a", "no room for more");
        assert_eq!(told(&lint, &registry, 3), "a_ms ms, c_days there, c_days a");
        assert_eq!(told(&lint, &registry, 9), "c_days days", "what was left");
        assert_eq!(told(&lint, &registry, 9), "");
        push(&registry, "a_ms", "Now.");
        push(&registry, "d_total", "");
        assert_eq!(told(&lint, &registry, 9), "d_total there");
        push(&registry, "d_total", "Now.");
        assert_eq!(told(&lint, &registry, 9), "");
        assert_eq!(lint.looks.lock()["d_total"].reported, [], "what is over is forgotten");
    }

    #[test]
    fn the_list_is_bounded() {
        let registry = registry();
        assert_eq!(list(&registry.snapshot(Timestamp(0))), "no problems found\n");
        for number in 0..LINES_MAX + 2 {
            push(&registry, &format!("x{number}"), "Help.");
        }
        let list = list(&registry.snapshot(Timestamp(0)));
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines[0], "x0: a counter without the suffix _total: append it");
        assert_eq!((lines.len(), lines[LINES_MAX]), (LINES_MAX + 1, "and 2 more"));
    }
}
