//! The section `rules`.

use std::{collections::BTreeMap, sync::Arc};

use pushprom_core::{
    limits::{HELP_BYTES_MAX, NameScheme},
    model::{Bounds, Objectives},
    rules::{Action, Expiry, Pattern, Relabel, Rule, Settings},
};
use serde::Deserialize;

use crate::config::{
    read::parse_expiry,
    rules,
    yaml::{At, Problem, given},
};

/// Rules in a file: each is looked at for each new series.
const RULES_MAX: usize = 1000;

/// The label that stands for the name of a metric.
const NAME_LABEL: &str = "__name__";

/// What `match` is where it is left out, and `regex` in a step of relabeling.
const ANYTHING: &str = "(.*)";

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(rename = "match")]
    name: At<String>,
    #[serde(default)]
    labels: BTreeMap<String, At<String>>,
    #[serde(default, deserialize_with = "given")]
    help: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    buckets: Option<At<Vec<f64>>>,
    #[serde(default, deserialize_with = "given")]
    native: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    objectives: Option<At<BTreeMap<String, f64>>>,
    #[serde(default, deserialize_with = "given")]
    expire_after: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    limit: Option<At<usize>>,
    #[serde(default, deserialize_with = "given")]
    rename: Option<At<String>>,
    #[serde(default)]
    drop: bool,
    #[serde(default)]
    relabel: Vec<At<Step>>,
}

/// A step of relabeling as Prometheus writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    source_labels: Vec<String>,
    separator: String,
    regex: String,
    target_label: String,
    replacement: String,
    action: String,
    #[serde(deserialize_with = "given")]
    modulus: Option<u64>,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            source_labels: Vec::new(),
            separator: ";".to_owned(),
            regex: ANYTHING.to_owned(),
            target_label: String::new(),
            replacement: "$1".to_owned(),
            action: "replace".to_owned(),
            modulus: None,
        }
    }
}

/// Compiles the rules of the section, for labels of such names.
pub(super) fn compile(entries: &[Entry], names: NameScheme) -> Result<Vec<Rule>, Problem> {
    if let Some(entry) = entries.get(RULES_MAX) {
        let problem = format!("there are more rules than the limit of {RULES_MAX}");
        return Err(Problem::at(entry.name.place, problem));
    }
    entries.iter().map(|entry| entry.compile(names)).collect()
}

impl Entry {
    fn compile(&self, names: NameScheme) -> Result<Rule, Problem> {
        let name = self.name.read("match", |text| Pattern::new(text))?;
        let labels = self.labels.iter().map(|(label, text)| {
            Ok((label.clone(), text.read("labels", |text| Pattern::new(text))?))
        });
        let (settings, relabel) = (self.settings()?, self.steps(names)?);
        let rule = Rule::new(name, labels.collect::<Result<_, _>>()?, settings, relabel);
        rule.map_err(|error| Problem::at(self.name.place, error))
    }

    fn settings(&self) -> Result<Settings, Problem> {
        let help = self.help.as_ref().map(|help| help.read("help", |text| check_help(text)));
        let bounds = self
            .buckets
            .as_ref()
            .map(|buckets| buckets.read("buckets", |bounds| Bounds::new(bounds)));
        let native = self.native.as_ref();
        let native = native.map(|text| text.read("native", |text| rules::parse_native(text)));
        let objectives = self.objectives.as_ref();
        let objectives = objectives.map(|listed| listed.read("objectives", read_objectives));
        let expiry = self.expire_after.as_ref();
        let expiry = expiry.map(|text| text.read("expire_after", |text| parse_expiry(text)));
        let expiry =
            expiry.transpose()?.map(|seconds| seconds.map_or(Expiry::Never, Expiry::After));
        let limit = self.limit.as_ref().map(|limit| {
            limit.read("limit", |limit| match limit {
                0 => Err("use a whole number of at least 1"),
                &limit => Ok(limit),
            })
        });
        Ok(Settings {
            help: help.transpose()?,
            bounds: bounds.transpose()?,
            native: native.transpose()?,
            objectives: objectives.transpose()?,
            expiry,
            limit: limit.transpose()?,
        })
    }

    /// What becomes of the names and labels of a delta.
    fn steps(&self, names: NameScheme) -> Result<Vec<Relabel>, Problem> {
        if let Some(word) = self.drop.then_some("drop").or(self.rename.as_ref().map(|_| "rename"))
            && let Some(setting) = self.first_setting()
        {
            let remedy = if self.drop {
                "what is dropped has no settings"
            } else {
                "settings go by the new name: make them a rule for that"
            };
            let problem = format!("{word} and {setting} in one rule: {remedy}");
            return Err(Problem::at(self.name.place, problem));
        }
        let mut steps = Vec::new();
        if let Some(rename) = &self.rename {
            let step = Step {
                source_labels: vec![NAME_LABEL.to_owned()],
                // Its groups are those of `match`.
                regex: self.name.value.clone(),
                target_label: NAME_LABEL.to_owned(),
                replacement: rename.value.clone(),
                ..Step::default()
            };
            if rename.value.is_empty() {
                return Err(Problem::at(rename.place, "rename: a name is needed, or drop: true"));
            }
            steps.push(rename.read("rename", |_| step.compile(names))?);
        }
        for step in &self.relabel {
            steps.push(step.read("relabel", |step| step.compile(names))?);
        }
        if self.drop {
            let step = Step { action: "drop".to_owned(), ..Step::default() };
            steps.push(self.name.read("drop", |_| step.compile(names))?);
        }
        Ok(steps)
    }

    fn first_setting(&self) -> Option<&'static str> {
        [
            ("help", self.help.is_some()),
            ("buckets", self.buckets.is_some()),
            ("native", self.native.is_some()),
            ("objectives", self.objectives.is_some()),
            ("expire_after", self.expire_after.is_some()),
            ("limit", self.limit.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_set)| is_set.then_some(name))
    }
}

impl Step {
    fn compile(&self, names: NameScheme) -> Result<Relabel, String> {
        // First: without hashmod there is nothing that `modulus` could mean.
        let action = Action::parse(&self.action).map_err(|error| error.to_string())?;
        if self.modulus.is_some() {
            return Err("modulus is for hashmod, which there is none of: leave it out".to_owned());
        }
        let step = Relabel {
            source_labels: self.source_labels.clone(),
            separator: self.separator.clone(),
            regex: Pattern::new(&self.regex)?,
            target_label: self.target_label.clone(),
            replacement: self.replacement.clone(),
            action,
        };
        step.checked(names).map_err(|error| error.to_string())
    }
}

fn check_help(text: &str) -> Result<Arc<str>, String> {
    if text.len() > HELP_BYTES_MAX {
        return Err(format!("it is longer than the limit of {HELP_BYTES_MAX} bytes: shorten it"));
    }
    Ok(text.into())
}

fn read_objectives(listed: &BTreeMap<String, f64>) -> Result<Objectives, String> {
    let listed = listed.iter().map(|(quantile, error)| (&**quantile, *error));
    let objectives = Objectives::new(listed).map_err(|error| error.to_string())?;
    objectives.ok_or_else(|| "there are none: use some such as 0.5: 0.05".to_owned())
}
