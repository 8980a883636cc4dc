//! One line of the table: what was measured, in every round, and what it may come to.

use crate::numbers::{median, range, whole_with_commas};

/// One number in each round, beside its yardstick in the same rounds.
pub(crate) struct Row {
    /// The workload that was run.
    pub(super) workload: &'static str,
    /// What was measured of it.
    pub(super) what: String,
    pub(super) unit: Unit,
    /// By round.
    pub(super) pushprom: Vec<f64>,
    pub(super) bare: Option<Bare>,
    pub(super) budget: Budget,
    speaker: Speaker,
}

/// What the machine itself needs for the same.
pub(super) struct Bare {
    pub(super) yardstick: &'static str,
    /// By round, as those of the server.
    pub(super) values: Vec<f64>,
}

/// What a number counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Bytes,
    /// Datagrams or pages; to have as many as another is no merit, so there is no ratio.
    Count,
    /// What is done in a second: here more is better.
    Rate,
}

/// What a number may be.
#[derive(Clone, Copy)]
pub(super) enum Budget {
    /// There is none: the number is there to explain another.
    None,
    /// At most this, in the unit of the row.
    Value(f64),
    /// At most this many times the yardstick.
    Ratio(f64),
    /// At least this many times the yardstick.
    RatioAtLeast(f64),
}

/// The round that stands for all.
#[derive(Clone, Copy)]
enum Speaker {
    Median,
    /// For what must not happen even once.
    Greatest,
}

impl Row {
    /// A number by round, for information.
    pub(super) fn new(
        workload: &'static str,
        what: impl Into<String>,
        unit: Unit,
        pushprom: impl IntoIterator<Item = f64>,
    ) -> Self {
        let (what, pushprom) = (what.into(), pushprom.into_iter().collect());
        let (bare, budget, speaker) = (None, Budget::None, Speaker::Median);
        Self { workload, what, unit, pushprom, bare, budget, speaker }
    }

    /// Puts it beside a yardstick, measured in the same rounds.
    pub(super) fn beside(
        self,
        yardstick: &'static str,
        values: impl IntoIterator<Item = f64>,
    ) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        assert_eq!(values.len(), self.pushprom.len(), "{}: rounds are pairs", self.what);
        Self { bare: Some(Bare { yardstick, values }), ..self }
    }

    /// Gives it a budget.
    pub(super) fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Lets its worst round stand for all.
    pub(super) fn at_worst(self) -> Self {
        Self { speaker: Speaker::Greatest, ..self }
    }

    /// The server's number that stands for all rounds.
    pub(super) fn value(&self) -> f64 {
        self.speaker.of(&self.pushprom)
    }

    /// The yardstick's.
    pub(super) fn bare_value(&self) -> Option<f64> {
        self.bare.as_ref().map(|bare| self.speaker.of(&bare.values))
    }

    /// By round: the server's number by the yardstick's of the same round. What disturbs one of the
    /// machine's rounds disturbs both, and leaves their ratio alone.
    pub(super) fn ratios(&self) -> Option<Vec<f64>> {
        let bare = self.bare.as_ref()?;
        match self.unit {
            Unit::Seconds | Unit::Bytes | Unit::Rate => {
                Some(self.pushprom.iter().zip(&bare.values).map(|(ours, its)| ours / its).collect())
            }
            Unit::Count => None,
        }
    }

    /// The ratio that stands for all rounds.
    pub(super) fn ratio(&self) -> Option<f64> {
        self.ratios().map(|ratios| self.speaker.of(&ratios))
    }

    pub(super) fn is_within_budget(&self) -> Option<bool> {
        match self.budget {
            Budget::None => None,
            Budget::Value(max) => Some(self.value() <= max),
            Budget::Ratio(max) => Some(self.ratio().is_some_and(|ratio| ratio <= max)),
            Budget::RatioAtLeast(min) => Some(self.ratio().is_some_and(|ratio| ratio >= min)),
        }
    }

    pub(super) fn verdict(&self) -> &'static str {
        match self.is_within_budget() {
            None => "-",
            Some(true) => "met",
            Some(false) => "missed",
        }
    }

    pub(super) fn budget_text(&self) -> String {
        match self.budget {
            Budget::None => "-".to_owned(),
            Budget::Value(max) => format!("<= {}", self.unit.text(max)),
            Budget::Ratio(max) => format!("<= {max}x"),
            Budget::RatioAtLeast(min) => format!(">= {min}x"),
        }
    }

    /// How far the rounds lie apart: by their ratios, or by the server's number where there are none.
    pub(super) fn spread_text(&self) -> String {
        match self.ratios() {
            Some(ratios) => {
                let (least, greatest) = range(ratios);
                format!("{least:.2}x..{greatest:.2}x")
            }
            None => {
                let (least, greatest) = range(self.pushprom.iter().copied());
                format!("{}..{}", self.unit.text(least), self.unit.text(greatest))
            }
        }
    }
}

impl Speaker {
    fn of(self, values: &[f64]) -> f64 {
        match self {
            Self::Median => median(values.iter().copied()),
            Self::Greatest => range(values.iter().copied()).1,
        }
    }
}

impl Unit {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Rate => "per second",
        }
    }

    pub(super) fn text(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 1e-3 => format!("{:.2} us", value * 1e6),
            Self::Seconds if value < 1.0 => format!("{:.1} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
            Self::Bytes => format!("{} B", whole_with_commas(value)),
            Self::Count => whole_with_commas(value),
            Self::Rate => format!("{}/s", whole_with_commas(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_the_rounds() {
        // The median of the ratios, 2, is not the ratio of the medians, 1.5.
        let row = Row::new("load", "thing", Unit::Seconds, [2.0, 3.0, 8.0])
            .beside("stick", [1.0, 2.0, 2.0])
            .within(Budget::Ratio(1.9));
        assert!((row.ratio().unwrap() - 2.0).abs() < 1e-9);
        assert_eq!((row.verdict(), &*row.spread_text()), ("missed", "1.50x..4.00x"));
    }

    #[test]
    fn what_must_not_happen_even_once_is_judged_by_its_worst_round() {
        let row = Row::new("load", "lost", Unit::Count, [0.0, 0.0, 5.0]);
        let row = row.beside("stick", [0.0, 0.0, 7.0]).within(Budget::Value(0.0));
        assert_eq!(row.verdict(), "met");
        let row = row.at_worst();
        assert_eq!((row.verdict(), &*row.spread_text()), ("missed", "0..5"));
        assert!(row.ratios().is_none());
    }
}
