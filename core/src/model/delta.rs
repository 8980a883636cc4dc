//! A delta: one change to one series, as a client sends it.

use std::borrow::Cow;

use super::{
    BoundsError, Change, CountsMismatch, Exemplar, ExemplarError, Kind, LabelError, Labels,
    MetricName, NameError, NegativeAmount, ObjectivesError, Quoted, ReadingsError, ResolutionError,
};
use crate::limits::HELP_BYTES_MAX;

/// One change to one series. Its text is borrowed from the message where that spelled it plainly.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta<'a> {
    name: MetricName<'a>,
    help: Cow<'a, str>,
    labels: Labels<'a>,
    change: Change,
    exemplar: Option<Box<Exemplar>>,
}

/// Why parts that a client sent make no delta.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidDelta {
    /// The metric name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The labels.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A label that the exposition writes itself.
    #[error("a {kind} cannot have a label {label}: the exposition writes that label; rename yours")]
    OwnLabel {
        /// The kind that owns the label.
        kind: Kind,
        /// The label.
        label: &'static str,
    },
    /// The help text.
    #[error("help {help} is {bytes} bytes long; the limit is {HELP_BYTES_MAX}: shorten it")]
    HelpTooLong {
        /// The start of the text.
        help: Quoted,
        /// Its length.
        bytes: usize,
    },
    /// The amount of a counter.
    #[error(transparent)]
    Amount(#[from] NegativeAmount),
    /// The bounds of a histogram.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// The resolution of a native histogram.
    #[error(transparent)]
    Resolution(#[from] ResolutionError),
    /// The objectives of a summary.
    #[error(transparent)]
    Objectives(#[from] ObjectivesError),
    /// What was observed.
    #[error(transparent)]
    Readings(#[from] ReadingsError),
    /// The counts of a histogram's buckets.
    #[error(transparent)]
    Counts(#[from] CountsMismatch),
    /// The exemplar.
    #[error(transparent)]
    Exemplar(#[from] ExemplarError),
    /// An exemplar of a kind that keeps none.
    #[error("a {0} keeps no exemplars: send them with counters and histograms")]
    NoExemplars(Kind),
}

impl<'a> Delta<'a> {
    /// Joins parts that are each valid; what is left to check is how they fit together.
    pub fn new(
        name: MetricName<'a>,
        help: Cow<'a, str>,
        labels: Labels<'a>,
        change: Change,
    ) -> Result<Self, InvalidDelta> {
        if help.len() > HELP_BYTES_MAX {
            return Err(InvalidDelta::HelpTooLong { help: Quoted::new(&help), bytes: help.len() });
        }
        let kind = change.kind();
        if let Some(label) = kind.own_label()
            && labels.iter().any(|(name, _)| name == label)
        {
            return Err(InvalidDelta::OwnLabel { kind, label });
        }
        Ok(Self { name, help, labels, change, exemplar: None })
    }

    /// The same with an exemplar.
    pub fn with_exemplar(mut self, exemplar: Exemplar) -> Result<Self, InvalidDelta> {
        match self.kind() {
            Kind::Counter | Kind::Histogram => self.exemplar = Some(Box::new(exemplar)),
            kind @ (Kind::Gauge | Kind::Summary) => return Err(InvalidDelta::NoExemplars(kind)),
        }
        Ok(self)
    }

    /// The same change to another series.
    pub fn renamed(&self, name: MetricName<'a>, labels: Labels<'a>) -> Result<Self, InvalidDelta> {
        let renamed = Self::new(name, self.help.clone(), labels, self.change.clone())?;
        Ok(Self { exemplar: self.exemplar.clone(), ..renamed })
    }

    /// The name of the family.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// What the family measures; may be empty.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The labels of the series.
    pub const fn labels(&self) -> &Labels<'a> {
        &self.labels
    }

    /// What happens to the series.
    pub const fn change(&self) -> &Change {
        &self.change
    }

    /// An observation that stands for the others.
    pub fn exemplar(&self) -> Option<&Exemplar> {
        self.exemplar.as_deref()
    }

    /// The kind of the family.
    pub const fn kind(&self) -> Kind {
        self.change.kind()
    }
}
