//! What clients send, drawn by dice: deltas as JSON, and what they mean.
//!
//! All numbers are eighths, so that sums are exact in any order.

use std::collections::BTreeMap;

use pushprom_core::model::Kind;

use super::super::disk::Dice;

/// Labels by name.
pub(super) type Labels = BTreeMap<&'static str, &'static str>;

/// Names of families; each has the kind at the same place most of the time, as long as it is there.
pub(super) const NAMES: [&str; 6] =
    ["a_total", "b_level", "c_seconds", "d_seconds", "e_bytes", "f_bytes"];

const KINDS: [Kind; 6] =
    [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Histogram, Kind::Summary, Kind::Summary];

const HELPS: [&str; 4] = ["", "What it is.", "a \\ \"b\"", "two\nlines"];

pub(super) const LABEL_NAMES: [&str; 2] = ["path", "shop"];

pub(super) const LABEL_VALUES: [&str; 4] = ["x", "y", "", "\"quoted\" \\ \n{x}"];

const TRACES: [&str; 3] = ["1", "22", "\\\"3"];

const BOUNDS: [&[f64]; 4] = [&[], &[1.0, 2.5], &[-3.0, 0.0, 0.5, 100.0], &[1.0, 2.5]];

/// Schemas with the most buckets: few enough to become coarser.
const RESOLUTIONS: [(i8, u16); 3] = [(3, 160), (8, 8), (2, 10)];

const OBJECTIVES: [&[f64]; 3] = [&[], &[0.5, 0.99], &[0.0, 0.25, 1.0]];

/// Fields that make a delta none.
const FLAWS: [&str; 4] = [
    r#","method":"frob""#,
    r#","labels":{"1":"x"}"#,
    r#","value":"1""#,
    r#","count":0,"method":"observe""#,
];

/// A delta, or what is meant to be one.
#[derive(Clone, Debug)]
pub(super) struct Delta {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: Labels,
    pub(super) act: Act,
    /// Of a histogram.
    pub(super) layout: Layout,
    /// Of a summary.
    pub(super) objectives: &'static [f64],
    pub(super) exemplar: Option<Exemplar>,
}

/// What a delta does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Nothing.
    Declare,
    /// A counter goes up, or a gauge up or down.
    Add(i64),
    /// A gauge is set.
    Set(i64),
    /// Each of these is observed so many times.
    Observe(Vec<i64>, u64),
    /// So many were observed of each bucket, with this sum.
    Sorted(Vec<u64>, i64),
    /// It cannot be read: this stands at its end.
    Flaw(&'static str),
}

/// What a histogram is asked to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// As they are sent; see [`super::naive::bounds`].
    pub(super) bounds: &'static [f64],
    /// The schema, and the most buckets.
    pub(super) native: Option<(i8, u16)>,
}

/// What leads to a trace.
#[derive(Clone, Debug)]
pub(super) struct Exemplar {
    pub(super) trace: &'static str,
    /// Unless it is the only one that can be meant.
    pub(super) value: Option<i64>,
    pub(super) seconds: Option<u64>,
}

impl Dice {
    /// Whether one of so many comes up.
    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    /// One of those in a table.
    pub(super) fn pick<T: Copy>(&mut self, table: &[T]) -> T {
        table[self.roll(table.len())]
    }

    /// A count below `sides`.
    pub(super) fn count(&mut self, sides: usize) -> u64 {
        u64::try_from(self.roll(sides)).expect("it is small")
    }

    /// Eighths, of some of which there are many.
    pub(super) fn eighths(&mut self) -> i64 {
        let size = self.pick(&[2, 20, 8000]);
        i64::try_from(self.roll(2 * size + 1)).expect("it is small") - i64::try_from(size).unwrap()
    }
}

impl Delta {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let place = dice.roll(NAMES.len());
        let kind = if dice.one_in(16) { dice.pick(&KINDS) } else { KINDS[place] };
        let names = LABEL_NAMES.iter().filter(|_| dice.one_in(2)).copied();
        let names: Vec<&str> = names.collect();
        let layout = Layout {
            bounds: dice.pick(&BOUNDS),
            native: dice.one_in(3).then(|| dice.pick(&RESOLUTIONS)),
        };
        let act = Act::draw(kind, &layout, dice);
        let layout = match act {
            // Nobody could sort anew what has been counted.
            Act::Sorted(..) => Layout { native: None, ..layout },
            Act::Declare | Act::Add(_) | Act::Set(_) | Act::Observe(..) | Act::Flaw(_) => layout,
        };
        Self {
            kind,
            name: NAMES[place],
            help: if dice.one_in(8) { dice.pick(&HELPS) } else { HELPS[1] },
            labels: names.into_iter().map(|name| (name, dice.pick(&LABEL_VALUES))).collect(),
            exemplar: Exemplar::draw(kind, &act, dice),
            act,
            layout,
            objectives: dice.pick(&OBJECTIVES),
        }
    }

    /// It as a client sends it.
    pub(super) fn json(&self) -> String {
        let mut json = format!(r#"{{"type":"{}","name":"{}""#, self.kind.as_str(), self.name);
        if !self.help.is_empty() {
            json += &format!(r#","help":{}"#, quoted(self.help));
        }
        json += &self.act.json(self.kind);
        if !self.labels.is_empty() {
            json += &format!(r#","labels":{}"#, serde_json::to_string(&self.labels).unwrap());
        }
        match self.kind {
            Kind::Histogram => {
                json += &format!(r#","buckets":{:?}"#, self.layout.bounds);
                if let Some((schema, most)) = self.layout.native {
                    json += &format!(r#","native":{{"schema":{schema},"max_buckets":{most}}}"#);
                }
            }
            Kind::Summary => {
                let listed = self.objectives.iter().map(|part| format!(r#""{part}":0.01"#));
                let listed: Vec<String> = listed.collect();
                json += &format!(r#","objectives":{{{}}}"#, listed.join(","));
            }
            Kind::Counter | Kind::Gauge => {}
        }
        if let Some(Exemplar { trace, value, seconds }) = &self.exemplar {
            json += &format!(r#","exemplar":{{"labels":{{"trace":{}}}"#, quoted(trace));
            if let Some(value) = value {
                json += &format!(r#","value":{}"#, float(*value));
            }
            if let Some(seconds) = seconds {
                json += &format!(r#","timestamp":{seconds}"#);
            }
            json += "}";
        }
        if let Act::Flaw(flaw) = self.act {
            json += flaw;
        }
        json + "}"
    }
}

impl Act {
    fn draw(kind: Kind, layout: &Layout, dice: &mut Dice) -> Self {
        match (dice.roll(12), kind) {
            (0, _) => Self::Declare,
            (1, _) if dice.one_in(3) => Self::Flaw(dice.pick(&FLAWS)),
            (2..4, Kind::Histogram) => {
                let buckets = super::naive::bounds(&Layout { native: None, ..layout.clone() });
                let counts: Vec<u64> = (0..=buckets.len()).map(|_| dice.count(3)).collect();
                let is_nothing = counts.iter().all(|count| *count == 0);
                Self::Sorted(counts, if is_nothing { 0 } else { dice.eighths() })
            }
            (0..4, Kind::Gauge) => Self::Set(dice.eighths()),
            (_, Kind::Counter) => Self::Add(dice.eighths().abs()),
            (_, Kind::Gauge) => Self::Add(dice.eighths()),
            (_, Kind::Histogram | Kind::Summary) => {
                let values = if dice.one_in(3) { dice.roll(5) } else { 1 };
                let times = if dice.one_in(4) { 1 + dice.count(3) } else { 1 };
                Self::Observe((0..values).map(|_| dice.eighths()).collect(), times)
            }
        }
    }

    fn json(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Declare, _) => r#","method":"declare""#.to_owned(),
            (Self::Flaw(_), _) => r#","method":"add","value":1"#.to_owned(),
            (Self::Add(8), _) => r#","method":"inc""#.to_owned(),
            (Self::Add(-8), _) => r#","method":"dec""#.to_owned(),
            (Self::Add(by), Kind::Gauge) if *by < -16 => {
                format!(r#","method":"sub","value":{}"#, float(-by))
            }
            (Self::Add(by), _) => format!(r#","method":"add","value":{}"#, float(*by)),
            (Self::Set(to), _) => format!(r#","method":"set","value":{}"#, float(*to)),
            (Self::Observe(values, times), _) => {
                let count =
                    if *times == 1 { String::new() } else { format!(r#","count":{times}"#) };
                let values: Vec<String> = values.iter().map(|it| float(*it).to_string()).collect();
                let value = match &*values {
                    [value] => value.clone(),
                    values => format!("[{}]", values.join(",")),
                };
                format!(r#","method":"observe","value":{value}{count}"#)
            }
            (Self::Sorted(counts, sum), _) => {
                format!(r#","method":"observe","counts":{counts:?},"sum":{}"#, float(*sum))
            }
        }
    }
}

impl Exemplar {
    fn draw(kind: Kind, act: &Act, dice: &mut Dice) -> Option<Self> {
        let has_one_value = match (kind, act) {
            (Kind::Counter, Act::Add(_)) => true,
            (Kind::Histogram, Act::Observe(values, _)) if !values.is_empty() => values.len() == 1,
            (Kind::Histogram, Act::Sorted(counts, _)) if counts.iter().any(|it| *it > 0) => false,
            // There is nothing that it could stand for.
            _ => return None,
        };
        dice.one_in(5).then(|| Self {
            trace: dice.pick(&TRACES),
            value: (!has_one_value || dice.one_in(3)).then(|| dice.eighths()),
            seconds: dice.one_in(3).then(|| dice.count(1000)),
        })
    }
}

/// What so many eighths are.
#[expect(clippy::cast_precision_loss, reason = "they are few")]
pub(super) fn float(eighths: i64) -> f64 {
    eighths as f64 / 8.0
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}
