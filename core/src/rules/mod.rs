//! What the operator decides about metrics: how families are kept, how long series live, and what deltas are
//! called. Rules are compiled once, and looked up when a family or a series begins, not for each delta.

mod pattern;
mod relabel;
mod template;

pub use pattern::Pattern;
pub use relabel::{Action, Draft, Relabel, RelabelError, Relabeled};

use std::{num::NonZeroU32, sync::Arc};

use crate::{
    limits::{NameScheme, SeriesLimits},
    model::{Bounds, Layout, Objectives, Resolution, Span},
};

/// All rules, and what holds where none fits.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Of each setting the first rule that fits and has it holds; where none does, the client decides.
    pub list: Vec<Rule>,
    /// How far back quantiles look.
    pub span: Span,
    /// After how many seconds without a delta a series expires, where no rule says otherwise.
    pub expire_after: Option<NonZeroU32>,
    /// How many series there may be.
    pub limits: SeriesLimits,
    /// Which names relabeling may give.
    pub names: NameScheme,
}

/// A rule for the deltas that fit it.
#[derive(Clone, Debug)]
pub struct Rule {
    name: Pattern,
    labels: Vec<(String, Pattern)>,
    settings: Settings,
    relabel: Vec<Relabel>,
}

/// What a rule sets.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The help text, whatever clients send.
    pub help: Option<Arc<str>>,
    /// The classic buckets of histograms, whatever clients send.
    pub bounds: Option<Bounds>,
    /// Which sorts of buckets histograms have.
    pub native: Option<Histograms>,
    /// The quantiles of summaries whose clients ask for none.
    pub objectives: Option<Objectives>,
    /// When a series expires.
    pub expiry: Option<Expiry>,
    /// Series that a family may have, its overflow series not counted.
    pub limit: Option<usize>,
}

/// When a series expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It does not.
    Never,
    /// So many seconds after the last delta to it.
    After(NonZeroU32),
}

/// When the series of one family expire, by their labels.
#[derive(Debug)]
pub struct Expiries<'a> {
    /// In the order of the rules; the first whose labels fit holds.
    by_labels: Vec<(&'a [(String, Pattern)], Expiry)>,
    otherwise: Expiry,
}

impl Expiries<'_> {
    /// After how many seconds without a delta a series expires that has these labels.
    pub fn after<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> Option<NonZeroU32> {
        let fit = |labels: &[(String, Pattern)]| {
            labels.iter().all(|(label, pattern)| fits(pattern, value_of(label)))
        };
        let by_labels = self.by_labels.iter().find(|(labels, _)| fit(labels));
        by_labels.map_or(self.otherwise, |(_, expiry)| *expiry).seconds()
    }

    /// The same, where labels have no say in it.
    pub fn of_all(&self) -> Option<Option<NonZeroU32>> {
        self.by_labels.is_empty().then(|| self.otherwise.seconds())
    }
}

impl Expiry {
    const fn seconds(self) -> Option<NonZeroU32> {
        match self {
            Self::Never => None,
            Self::After(seconds) => Some(seconds),
        }
    }
}

/// Whether a pattern fits a value; a label that is not there has an empty one.
fn fits(pattern: &Pattern, value: Option<&str>) -> bool {
    pattern.is_match(value.unwrap_or_default())
}

/// How the histograms of a rule are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Histograms {
    /// With classic buckets alone, whatever a client asks for.
    Classic,
    /// With native buckets beside the classic ones.
    Beside(Resolution),
    /// With native buckets alone.
    Instead(Resolution),
}

/// A rule sets for series what all series of a family share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{setting} holds for a whole family, so that a rule with labels cannot set it: leave out the labels"
)]
pub struct SharedByFamily {
    /// The setting.
    pub setting: &'static str,
}

impl Default for Rules {
    /// The clients decide.
    fn default() -> Self {
        Self {
            list: Vec::new(),
            span: Span::DEFAULT,
            expire_after: None,
            limits: SeriesLimits::default(),
            names: NameScheme::Legacy,
        }
    }
}

impl Rule {
    /// A rule for deltas whose name and labels fit; a label that is not there has an empty value. It sees
    /// what the rules before it have made of a delta.
    pub fn new(
        name: Pattern,
        labels: Vec<(String, Pattern)>,
        settings: Settings,
        relabel: Vec<Relabel>,
    ) -> Result<Self, SharedByFamily> {
        if let Some(setting) = settings.shared_by_family()
            && !labels.is_empty()
        {
            return Err(SharedByFamily { setting });
        }
        Ok(Self { name, labels, settings, relabel })
    }

    /// A rule for all families of some names, which relabels nothing.
    pub fn of_families(name: Pattern, settings: Settings) -> Self {
        Self { name, labels: Vec::new(), settings, relabel: Vec::new() }
    }

    fn fits<'a>(&self, name: &str, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.name.is_match(name)
            && self.labels.iter().all(|(label, pattern)| fits(pattern, value_of(label)))
    }
}

impl Settings {
    fn shared_by_family(&self) -> Option<&'static str> {
        let Self { help, bounds, native, objectives, expiry: _, limit } = self;
        [
            ("help", help.is_some()),
            ("buckets", bounds.is_some()),
            ("native", native.is_some()),
            ("objectives", objectives.is_some()),
            ("limit", limit.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_set)| is_set.then_some(name))
    }
}

impl Rules {
    /// Whether any rule changes what deltas are called, or drops some.
    pub fn relabel(&self) -> bool {
        self.list.iter().any(|rule| !rule.relabel.is_empty())
    }

    /// Changes what a delta is called, as all rules that fit it say, in their order.
    pub fn relabeled(&self, draft: &mut Draft) -> Relabeled {
        for rule in self.list.iter().filter(|rule| !rule.relabel.is_empty()) {
            if rule.fits(&draft.name, |label| draft.value_of(label)) {
                for relabel in &rule.relabel {
                    match relabel.apply(draft, self.names) {
                        Relabeled::Kept => {}
                        Relabeled::Dropped => return Relabeled::Dropped,
                    }
                }
            }
        }
        draft.finish();
        Relabeled::Kept
    }

    /// The help text of a family, if it is not for clients to say.
    pub fn help(&self, name: &str) -> Option<&Arc<str>> {
        self.of_family(name, |settings| settings.help.as_ref())
    }

    /// The layout of a histogram whose first delta asks for `asked`.
    pub fn layout(&self, name: &str, asked: &Layout) -> Layout {
        let ruled = self.of_family(name, |settings| settings.bounds.as_ref());
        let asked = match ruled {
            Some(bounds) => &Layout { bounds: bounds.clone(), native: asked.native },
            None => asked,
        };
        match self.of_family(name, |settings| settings.native.as_ref()) {
            None => asked.clone(),
            Some(Histograms::Instead(resolution)) => {
                Layout { bounds: Bounds::none(), native: Some(asked.native.unwrap_or(*resolution)) }
            }
            Some(Histograms::Beside(resolution)) => {
                Layout { bounds: classic(asked), native: Some(asked.native.unwrap_or(*resolution)) }
            }
            Some(Histograms::Classic) => Layout { bounds: classic(asked), native: None },
        }
    }

    /// Whether the classic buckets of a histogram are not for clients to say.
    pub fn has_bounds(&self, name: &str) -> bool {
        self.of_family(name, |settings| settings.bounds.as_ref()).is_some()
    }

    /// The objectives of a summary whose first delta asks for `asked`: its own, if it has any.
    pub fn objectives(&self, name: &str, asked: Option<&Objectives>) -> Option<Objectives> {
        asked.or_else(|| self.of_family(name, |settings| settings.objectives.as_ref())).cloned()
    }

    /// Series that a family may have.
    pub fn limit(&self, name: &str) -> Option<usize> {
        self.of_family(name, |settings| settings.limit.as_ref()).copied().or(self.limits.per_family)
    }

    /// When the series of a family expire.
    pub fn expiries(&self, name: &str) -> Expiries<'_> {
        let mut by_labels = Vec::new();
        for rule in &self.list {
            let Some(expiry) = rule.settings.expiry.filter(|_| rule.name.is_match(name)) else {
                continue;
            };
            if rule.labels.is_empty() {
                return Expiries { by_labels, otherwise: expiry };
            }
            by_labels.push((&*rule.labels, expiry));
        }
        Expiries { by_labels, otherwise: self.expire_after.map_or(Expiry::Never, Expiry::After) }
    }

    /// The shortest time after which any series expires, in seconds.
    pub fn shortest_expiry(&self) -> Option<NonZeroU32> {
        let by_rule = self.list.iter().filter_map(|rule| match rule.settings.expiry {
            Some(Expiry::After(seconds)) => Some(seconds),
            Some(Expiry::Never) | None => None,
        });
        by_rule.chain(self.expire_after).min()
    }

    /// What holds for all families of a name.
    fn of_family<'a, T>(
        &'a self,
        name: &str,
        setting: impl Fn(&'a Settings) -> Option<&'a T>,
    ) -> Option<&'a T> {
        let of_families = self.list.iter().filter(|rule| rule.labels.is_empty());
        of_families
            .filter_map(|rule| Some((rule, setting(&rule.settings)?)))
            .find_map(|(rule, value)| rule.name.is_match(name).then_some(value))
    }
}

/// The classic bounds of a histogram that has to have some.
fn classic(asked: &Layout) -> Bounds {
    if asked.bounds == Bounds::none() { Bounds::default() } else { asked.bounds.clone() }
}

#[cfg(test)]
mod tests;
