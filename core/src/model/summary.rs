//! What a summary holds, and what happens to one.

use super::{Objectives, Readings, Window};

/// What happens to a summary.
#[derive(Clone, Debug, PartialEq)]
pub enum SummaryChange {
    /// Observations, as clients send them.
    Observed {
        /// What was observed.
        readings: Readings,
        /// What a summary that begins with them gets.
        objectives: Option<Objectives>,
    },
    /// Observations already summed up.
    Summed(Box<Summary>),
}

/// Observations summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// All of them.
    pub observations: Observations,
    /// Those of late, where quantiles may be asked for; empty otherwise.
    pub window: Window,
    /// Which quantiles are asked for.
    pub objectives: Option<Objectives>,
}

/// Observations as a summary keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observations {
    /// The sum of what was observed, in order of arrival.
    pub sum: f64,
    /// How many there were.
    pub count: u64,
}

impl SummaryChange {
    /// The objectives it brings.
    pub const fn objectives(&self) -> Option<&Objectives> {
        match self {
            Self::Observed { objectives, .. } => objectives.as_ref(),
            Self::Summed(summary) => summary.objectives.as_ref(),
        }
    }

    /// With sketches, whether or not it asks for quantiles: a summary that it comes to may.
    pub(super) fn into_summary(self) -> Summary {
        match self {
            Self::Observed { readings, objectives } => {
                let mut window = Window::default();
                window.observe(None, &readings);
                Summary { observations: readings.summed(), window, objectives }
            }
            Self::Summed(summary) => *summary,
        }
    }
}

impl Summary {
    pub(super) fn add(&mut self, later: SummaryChange) {
        let later = later.into_summary();
        self.observations = self.observations.plus(later.observations);
        self.window.merge(&later.window, None);
        self.objectives = self.objectives.take().or(later.objectives);
    }
}

impl Observations {
    /// One observation.
    pub const fn one(value: f64) -> Self {
        Self { sum: value, count: 1 }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, count: self.count.saturating_add(other.count) }
    }
}
