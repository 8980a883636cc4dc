//! Pages in `OpenMetrics`, through the reference parser: `prometheus_client` of `PyPI`, which `make test` installs.

#![expect(clippy::disallowed_types, reason = "the parser is a process")]

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// A running parser; ended when dropped.
struct Parser {
    child: Child,
    pages: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Parser {
    fn start() -> Self {
        let home = env!("CARGO_MANIFEST_DIR");
        let mut child = Command::new(format!("{home}/../target/venv/bin/python"))
            .arg(format!("{home}/tests/expose/reference.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/install has been run");
        let pages = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, pages, answers }
    }

    fn read(&mut self, page: &str) -> Value {
        write!(self.pages, "{}\n{page}", page.len()).expect("it reads");
        self.pages.flush().expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        serde_json::from_str(&answer).expect("it writes JSON")
    }
}

impl Drop for Parser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn float(value: &Value) -> f64 {
    value.as_str().expect("a number as text").parse().expect("a number")
}

fn pairs(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().expect("labels").iter();
    pairs.map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_page_is_read_and_says_what_is_held(snapshots in {
        // One parser for all: it takes longer to start than to read.
        let parser = RefCell::new(Parser::start());
        random::snapshot().prop_map(move |snapshot| {
            let page = text_page(Format::OpenMetrics, Escaping::AllowUtf8, &snapshot);
            let answer = parser.borrow_mut().read(&page);
            (snapshot, page, answer)
        })
    }) {
        let (snapshot, page, answer) = snapshots;
        let families = answer.as_array();
        prop_assert!(families.is_some(), "{answer}\n{page}");
        let mut got = Vec::new();
        for sample in families.into_iter().flatten().flat_map(|family| {
            family[1].as_array().expect("samples")
        }) {
            let name = sample[0].as_str().expect("a name").to_owned();
            got.push((name, pairs(&sample[1]), bits(float(&sample[2]))));
            // It stands on the page as the parser has read it.
            if let Some(exemplar) = sample[3].as_array() {
                let labels = pairs(&exemplar[0]);
                let value = float(&exemplar[1]);
                let is_held = snapshot.families().iter().flat_map(|family| &family.exemplars);
                let is_held = is_held.flat_map(|(_, held)| held).any(|(_, held)| {
                    let of = held.labels().iter().map(|(n, v)| (n.into_owned(), v.into_owned()));
                    of.collect::<BTreeMap<_, _>>() == labels && bits(held.value) == bits(value)
                });
                prop_assert!(is_held, "{exemplar:?}\n{page}");
            }
        }
        // When series were born is beside what they hold: one name for each, with the same labels.
        let want = samples(&snapshot);
        let born = |(name, ..): &Sample| {
            name.ends_with("_created") && !want.iter().any(|(held, ..)| held == name)
        };
        got.retain(|sample| !born(sample));
        got.sort();
        prop_assert_eq!(got, want, "{}", page);
    }
}
