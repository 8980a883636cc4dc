//! What the operator decides about families, by their names. A rule is looked up when a family begins, and
//! not for each delta.

use regex::Regex;

use crate::model::{Bounds, Layout, Objectives, Resolution, Span};

/// All rules. Of each list the first one that fits a name holds; where none does, the client decides.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How histograms are laid out.
    pub histograms: Vec<Rule<Histograms>>,
    /// Which quantiles summaries show.
    pub summaries: Vec<Rule<Objectives>>,
    /// How far back quantiles look.
    pub span: Span,
}

/// A rule for the families whose whole names fit a pattern.
#[derive(Clone, Debug)]
pub struct Rule<T> {
    pattern: Regex,
    setting: T,
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

impl Default for Rules {
    /// The clients decide.
    fn default() -> Self {
        Self { histograms: Vec::new(), summaries: Vec::new(), span: Span::DEFAULT }
    }
}

impl<T> Rule<T> {
    /// A rule for names that fit `pattern`, a regular expression, as a whole; the error says what is wrong
    /// with it.
    pub fn new(pattern: &str, setting: T) -> Result<Self, String> {
        // Alone first: with what is put around it a broken one might be whole.
        let anchored = Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$")));
        let pattern = anchored.map_err(|error| {
            // The last line says what is wrong; those before show where.
            error.to_string().lines().last().unwrap_or_default().to_owned()
        })?;
        Ok(Self { pattern, setting })
    }
}

impl Rules {
    /// The layout of a histogram whose first delta asks for `asked`.
    pub fn layout(&self, name: &str, asked: &Layout) -> Layout {
        match first(&self.histograms, name) {
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

    /// The objectives of a summary whose first delta asks for `asked`: its own, if it has any.
    pub fn objectives(&self, name: &str, asked: Option<&Objectives>) -> Option<Objectives> {
        asked.or_else(|| first(&self.summaries, name)).cloned()
    }
}

/// The classic bounds of a histogram that has to have some.
fn classic(asked: &Layout) -> Bounds {
    if asked.bounds == Bounds::none() { Bounds::default() } else { asked.bounds.clone() }
}

fn first<'a, T>(rules: &'a [Rule<T>], name: &str) -> Option<&'a T> {
    rules.iter().find(|rule| rule.pattern.is_match(name)).map(|rule| &rule.setting)
}
