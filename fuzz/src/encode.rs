//! Deltas as JSON, spelled the plainest way.

use std::fmt::{self, Write};

use pushprom_core::model::{Change, Delta, GaugeChange, HistogramChange};

/// One delta as a client spells it: every field given, none of them checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// `type`.
    pub kind: String,
    /// `name`.
    pub name: String,
    /// `help`.
    pub help: String,
    /// `method`.
    pub method: String,
    /// `value`; finite, since JSON has no other numbers.
    pub value: f64,
    /// `labels`, in this order; a name may come twice.
    pub labels: Vec<(String, String)>,
    /// `buckets`; finite as well.
    pub buckets: Vec<f64>,
}

impl fmt::Display for Push {
    /// Writes the delta as a JSON object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"type\":")?;
        write_string(f, &self.kind)?;
        f.write_str(",\"name\":")?;
        write_string(f, &self.name)?;
        f.write_str(",\"help\":")?;
        write_string(f, &self.help)?;
        f.write_str(",\"method\":")?;
        write_string(f, &self.method)?;
        // `{:?}` writes the fewest digits that read back the same, in a form that is JSON too.
        write!(f, ",\"value\":{:?},\"labels\":{{", self.value)?;
        for (place, (name, value)) in self.labels.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            write_string(f, name)?;
            f.write_char(':')?;
            write_string(f, value)?;
        }
        // A list of floats is JSON in this form as well.
        write!(f, "}},\"buckets\":{:?}}}", self.buckets)
    }
}

impl From<&Delta<'_>> for Push {
    /// The push that asks for `delta`, by the most general method of its kind.
    fn from(delta: &Delta<'_>) -> Self {
        let (method, value, buckets) = match delta.change() {
            Change::Counter(amount) => ("add", amount.as_f64(), Vec::new()),
            Change::Gauge(GaugeChange::Set(value)) => ("set", *value, Vec::new()),
            Change::Gauge(GaugeChange::Add(by)) => ("add", *by, Vec::new()),
            Change::Histogram(HistogramChange::Observation { value, bounds }) => {
                ("observe", *value, bounds.as_slice().to_vec())
            }
            Change::Histogram(HistogramChange::Buckets(_)) => {
                unreachable!("JSON brings single observations alone")
            }
            Change::Summary(observations) => ("observe", observations.sum, Vec::new()),
        };
        Self {
            kind: delta.kind().as_str().to_owned(),
            name: delta.name().to_owned(),
            help: delta.help().to_owned(),
            method: method.to_owned(),
            value,
            labels: delta.labels().iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            buckets,
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            '\0'..'\u{20}' => write!(f, "\\u{:04x}", u32::from(character))?,
            plain => f.write_char(plain)?,
        }
    }
    f.write_char('"')
}
