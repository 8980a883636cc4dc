//! Relabeling, in the vocabulary of Prometheus' `relabel_config` and with its defaults.

use super::{
    Pattern,
    template::{expand, expand_by},
};
use crate::{limits::NameScheme, model::is_legacy_label_name};

/// The label that stands for the metric name.
const NAME_LABEL: &str = "__name__";

/// What a delta is called, while it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The metric name.
    pub name: String,
    /// Label names, each once, and values.
    pub labels: Vec<(String, String)>,
}

/// Whether a delta goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relabeled {
    /// It does.
    Kept,
    /// It does not.
    Dropped,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Relabel {
    /// Values of these labels are joined to the text that is looked at; `__name__` is the metric name.
    pub source_labels: Vec<String>,
    /// Between those values; `;` by default.
    pub separator: String,
    /// What the text, or a label's name, has to fit; anything by default.
    pub regex: Pattern,
    /// The label that is written, or compared; may refer to groups of the expression.
    pub target_label: String,
    /// What is written; `$1` by default.
    pub replacement: String,
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Where the text fits, the target becomes the replacement; an empty one removes it.
    Replace,
    /// The target becomes the text in lower case.
    Lowercase,
    /// The target becomes the text in upper case.
    Uppercase,
    /// Deltas whose text does not fit are dropped.
    Keep,
    /// Deltas whose text fits are dropped.
    Drop,
    /// Deltas whose text is not the target's value are dropped.
    KeepEqual,
    /// Deltas whose text is the target's value are dropped.
    DropEqual,
    /// Labels whose names fit are copied to the names that the replacement gives.
    LabelMap,
    /// Labels whose names fit are removed.
    LabelDrop,
    /// Labels whose names do not fit are removed.
    LabelKeep,
}

/// A step that says too little, or too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelabelError {
    /// No such action.
    #[error(
        "action {0:?} is unknown: use replace, lowercase, uppercase, keep, drop, keepequal, dropequal, \
         labelmap, labeldrop or labelkeep"
    )]
    Action(String),
    /// An action of Prometheus that is not there.
    #[error("action hashmod divides targets among scrapers, and there are none here: leave it out")]
    HashMod,
    /// A target that is missing.
    #[error("action {0} needs a target_label")]
    NoTarget(&'static str),
    /// The text that is looked at is of no label.
    #[error("action {0} needs source_labels")]
    NoSource(&'static str),
    /// A label that there can never be.
    #[error(
        "{field} {text:?} is never the name of a label: use letters, digits and underscores, no digit \
         first"
    )]
    NoLabel {
        /// Where it stands.
        field: &'static str,
        /// What stands there.
        text: String,
    },
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Replace,
        Self::Lowercase,
        Self::Uppercase,
        Self::Keep,
        Self::Drop,
        Self::KeepEqual,
        Self::DropEqual,
        Self::LabelMap,
        Self::LabelDrop,
        Self::LabelKeep,
    ];

    /// The word of Prometheus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
        }
    }

    /// Reads the word, in any case, as Prometheus does.
    pub fn parse(text: &str) -> Result<Self, RelabelError> {
        let word = text.to_ascii_lowercase();
        if word == "hashmod" {
            return Err(RelabelError::HashMod);
        }
        let action = Self::ALL.into_iter().find(|action| action.as_str() == word);
        action.ok_or_else(|| RelabelError::Action(text.to_owned()))
    }
}

impl Relabel {
    /// Checks that a step has what its action needs, and that its labels are some that there may be.
    pub fn checked(self, names: NameScheme) -> Result<Self, RelabelError> {
        let action = self.action.as_str();
        match self.action {
            Action::Replace
            | Action::Lowercase
            | Action::Uppercase
            | Action::KeepEqual
            | Action::DropEqual
                if self.target_label.is_empty() =>
            {
                Err(RelabelError::NoTarget(action))
            }
            Action::KeepEqual | Action::DropEqual if self.source_labels.is_empty() => {
                Err(RelabelError::NoSource(action))
            }
            Action::Replace
            | Action::Lowercase
            | Action::Uppercase
            | Action::Keep
            | Action::Drop
            | Action::KeepEqual
            | Action::DropEqual
            | Action::LabelMap
            | Action::LabelDrop
            | Action::LabelKeep => match self.impossible_label(names) {
                Some((field, text)) => Err(RelabelError::NoLabel { field, text: text.to_owned() }),
                None => Ok(self),
            },
        }
    }

    /// A label that is written or read, with the field that it stands in, if no series can have it: the step
    /// would never do anything, or nothing but have deltas refused.
    fn impossible_label(&self, names: NameScheme) -> Option<(&'static str, &str)> {
        // Any text that is part of a name stands for what a group may take.
        let may_be = |template: &str| is_label_name(&expand_by(template, "_"), names);
        let sources = self
            .source_labels
            .iter()
            .map(|label| ("source_labels", &**label, is_label_name(label, names)));
        let (target, replacement) = (&*self.target_label, &*self.replacement);
        let written = match self.action {
            Action::Replace => Some(("target_label", target, may_be(target))),
            Action::Lowercase | Action::Uppercase | Action::KeepEqual | Action::DropEqual => {
                Some(("target_label", target, is_label_name(target, names)))
            }
            Action::LabelMap => Some(("replacement", replacement, may_be(replacement))),
            Action::Keep | Action::Drop | Action::LabelDrop | Action::LabelKeep => None,
        };
        let (field, text, _) = sources.chain(written).find(|(_, _, is_label)| !is_label)?;
        Some((field, text))
    }

    pub(super) fn apply(&self, draft: &mut Draft, names: NameScheme) -> Relabeled {
        let values = self.source_labels.iter().map(|label| draft.value_of(label));
        let text = values.map(Option::unwrap_or_default).collect::<Vec<_>>().join(&self.separator);
        let keep_if = |keep| if keep { Relabeled::Kept } else { Relabeled::Dropped };
        match self.action {
            Action::Keep => return keep_if(self.regex.is_match(&text)),
            Action::Drop => return keep_if(!self.regex.is_match(&text)),
            Action::KeepEqual => return keep_if(draft.value(&self.target_label) == text),
            Action::DropEqual => return keep_if(draft.value(&self.target_label) != text),
            Action::Lowercase => draft.set(&self.target_label, text.chars().map(lower).collect()),
            Action::Uppercase => draft.set(&self.target_label, text.chars().map(upper).collect()),
            Action::Replace => {
                if let Some(groups) = self.regex.captures(&text) {
                    let target = expand(&self.target_label, &groups);
                    if is_label_name(&target, names) {
                        draft.set(&target, expand(&self.replacement, &groups));
                    }
                }
            }
            Action::LabelMap => {
                let mut labels = draft.labels.clone();
                labels.push((NAME_LABEL.to_owned(), draft.name.clone()));
                // Of several that are copied to one name the last one in the order of names holds.
                labels.sort_unstable();
                for (label, value) in labels {
                    if let Some(groups) = self.regex.captures(&label) {
                        draft.set(&expand(&self.replacement, &groups), value);
                    }
                }
            }
            Action::LabelDrop => draft.labels.retain(|(label, _)| !self.regex.is_match(label)),
            Action::LabelKeep => draft.labels.retain(|(label, _)| self.regex.is_match(label)),
        }
        Relabeled::Kept
    }
}

/// Whether a label may have this name, be it until the last step.
fn is_label_name(text: &str, names: NameScheme) -> bool {
    match names {
        NameScheme::Legacy => is_legacy_label_name(text),
        NameScheme::Utf8 => !text.is_empty(),
    }
}

/// One character for one, as in Go: what takes two is cut, or stays.
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

fn upper(character: char) -> char {
    let mut upper = character.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(character)
}

impl Draft {
    /// The value of a label, if it is there.
    pub fn value_of(&self, label: &str) -> Option<&str> {
        if label == NAME_LABEL {
            return Some(&self.name);
        }
        self.labels.iter().find(|(name, _)| name == label).map(|(_, value)| &**value)
    }

    /// Gives a label a value; an empty one removes it, but for the metric name.
    pub fn set(&mut self, label: &str, value: String) {
        if label == NAME_LABEL {
            self.name = value;
            return;
        }
        match self.labels.iter_mut().find(|(name, _)| name == label) {
            Some((_, held)) if !value.is_empty() => *held = value,
            Some(_) => self.labels.retain(|(name, _)| name != label),
            None if value.is_empty() => {}
            None => self.labels.push((label.to_owned(), value)),
        }
    }

    fn value(&self, label: &str) -> &str {
        self.value_of(label).unwrap_or_default()
    }

    /// Removes labels that were for passing values from step to step.
    pub(super) fn finish(&mut self) {
        self.labels.retain(|(label, _)| !label.starts_with("__"));
    }
}
