//! Deltas as JSON, spelled the plainest way.

use std::fmt::{self, Write};

use pushprom_core::model::{
    Change, Delta, Exemplar, GaugeChange, HistogramChange, LabelSet, Readings, SummaryChange,
};

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
    /// `value` as an array, after it as a number; finite as well.
    pub values: Option<Vec<f64>>,
    /// `count`.
    pub count: Option<u64>,
    /// `native`: its schema, and its buckets at most.
    pub native: Option<(i8, usize)>,
    /// What else is given: names of fields, and their values as JSON.
    pub more: Vec<(&'static str, String)>,
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
        let has_counts = self.more.iter().any(|(name, _)| *name == "counts");
        if !has_counts {
            write!(f, ",\"value\":{:?}", self.value)?;
        }
        f.write_str(",\"labels\":{")?;
        for (place, (name, value)) in self.labels.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            write_string(f, name)?;
            f.write_char(':')?;
            write_string(f, value)?;
        }
        // A list of floats is JSON in this form as well.
        write!(f, "}},\"buckets\":{:?}", self.buckets)?;
        if let Some(values) = &self.values {
            write!(f, ",\"value\":{values:?}")?;
        }
        if let Some(count) = self.count {
            write!(f, ",\"count\":{count}")?;
        }
        if let Some((schema, buckets)) = self.native {
            write!(f, ",\"native\":{{\"schema\":{schema},\"max_buckets\":{buckets}}}")?;
        }
        for (name, value) in &self.more {
            write!(f, ",\"{name}\":{value}")?;
        }
        f.write_char('}')
    }
}

impl From<&Delta<'_>> for Push {
    /// The push that asks for `delta`, by the most general method of its kind.
    fn from(delta: &Delta<'_>) -> Self {
        let (mut readings, mut native, mut more) = (None, None, Vec::new());
        let (method, value, buckets) = match delta.change() {
            Change::Counter(amount) => ("add", amount.as_f64(), Vec::new()),
            Change::Gauge(GaugeChange::Set(value)) => ("set", *value, Vec::new()),
            Change::Gauge(GaugeChange::Add(by)) => ("add", *by, Vec::new()),
            Change::Histogram(HistogramChange::Observed { readings: observed, layout }) => {
                (readings, native) = (Some(observed), layout.native);
                ("observe", 0.0, layout.bounds.as_slice().to_vec())
            }
            Change::Histogram(HistogramChange::Sorted(buckets)) => {
                more.push(("counts", format!("{:?}", buckets.counts())));
                more.push(("sum", format!("{:?}", buckets.sum())));
                native = buckets.layout().native;
                ("observe", 0.0, buckets.layout().bounds.as_slice().to_vec())
            }
            Change::Summary(SummaryChange::Observed { readings: observed, objectives }) => {
                readings = Some(observed);
                if let Some(objectives) = objectives {
                    let quantiles = objectives.quantiles().iter();
                    let listed: Vec<String> =
                        quantiles.map(|quantile| format!("\"{quantile:?}\":0")).collect();
                    more.push(("objectives", format!("{{{}}}", listed.join(","))));
                }
                ("observe", 0.0, Vec::new())
            }
            Change::Summary(SummaryChange::Summed(_)) => {
                unreachable!("JSON brings observations alone")
            }
        };
        more.extend(delta.exemplar().map(|exemplar| ("exemplar", written(exemplar))));
        Self {
            kind: delta.kind().as_str().to_owned(),
            name: delta.name().to_owned(),
            help: delta.help().to_owned(),
            method: method.to_owned(),
            value,
            labels: delta.labels().iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            buckets,
            values: readings.map(|readings| readings.values().to_vec()),
            count: readings.map(Readings::times),
            native: native.map(|native| (native.schema(), native.buckets_max())),
            more,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no exemplar is so late that it loses a millisecond"
)]
fn written(exemplar: &Exemplar) -> String {
    let mut text = "{\"labels\":{".to_owned();
    let labels: &LabelSet = exemplar.labels();
    for (place, (name, value)) in labels.iter().enumerate() {
        text += if place == 0 { "" } else { "," };
        write_string(&mut text, &name).expect("a string takes all");
        text.push(':');
        write_string(&mut text, &value).expect("a string takes all");
    }
    let seconds = exemplar.timestamp.map(|timestamp| timestamp.0 as f64 / 1000.0);
    let seconds = seconds.map(|seconds| format!(",\"timestamp\":{seconds:?}")).unwrap_or_default();
    format!("{text}}},\"value\":{:?}{seconds}}}", exemplar.value)
}

fn write_string(f: &mut impl Write, text: &str) -> fmt::Result {
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
