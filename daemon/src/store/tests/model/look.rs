//! A registry and the model of it, in lines that can be compared.

use std::ops::Bound;

use pushprom_core::{
    expose::{self, Options, Shape},
    model::{Exponential, ExponentialBucket, Kind, Timestamp},
    registry::Registry,
    snapshot::Values,
};

use super::{
    draw::{Labels, float},
    naive::{Model, Native, Value, bounds, index, quantile},
};

/// The schema of the sketches that quantiles are taken from.
const SKETCH_SCHEMA: i8 = 5;

/// All that is in a registry: a line for each family, and for each series, in the order of their letters.
pub(super) fn lines_of(registry: &Registry, now: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for family in registry.inspect(Bound::Unbounded) {
        let index = family.index();
        let mut walk = index.labels();
        let mut wanted = Vec::new();
        while let Some(labels) = walk.next() {
            wanted.push(labels.clone());
        }
        let (snapshot, touched) = family.values(&wanted, Timestamp(now));
        let name = &snapshot.name;
        lines.push(family_line(name, family.kind(), &snapshot.help));
        let mut exemplars = snapshot.exemplars.iter().peekable();
        let values = values(&snapshot.values);
        for (place, value) in values.into_iter().enumerate() {
            let labels = wanted[place].iter().map(|(name, value)| format!("{name}={value:?}"));
            let labels: Vec<String> = labels.collect();
            let held = exemplars.next_if(|(at, _)| *at == place).into_iter();
            let held = held.flat_map(|(_, held)| held).map(|(bucket, exemplar)| {
                let trace: Vec<_> = exemplar.labels().iter().collect();
                let at = exemplar.timestamp.expect("it has been kept").0;
                format!("{bucket} {trace:?} {:?} {at}", exemplar.value)
            });
            let held: Vec<String> = held.collect();
            let (born, touched) = (index.born()[place].0, touched[place].0 / 1000);
            lines.push(format!("{name}{labels:?} born {born} touched {touched}: {value} {held:?}"));
        }
    }
    lines.sort_unstable();
    lines
}

fn values(values: &Values) -> Vec<String> {
    match values {
        Values::Counter(totals) => totals.iter().map(|it| format!("{:?}", it.as_f64())).collect(),
        Values::Gauge(levels) => levels.iter().map(|it| format!("{it:?}")).collect(),
        Values::Histogram(histograms) => {
            let bounds = histograms.bounds().as_slice();
            let shown = histograms.iter().map(|histogram| {
                let native = histogram
                    .native
                    .map(|it| native_text(it.schema(), it.zero_count(), &sides(it)));
                let (counts, sum) = (histogram.counts, histogram.sum);
                format!("{bounds:?} {counts:?} {sum:?} {native:?}")
            });
            shown.collect()
        }
        Values::Summary(summaries) => {
            let parts = summaries.objectives();
            let shown = summaries.iter().map(|(observations, quantiles)| {
                let quantiles: Vec<_> = quantiles.iter().map(|it| place_of(*it)).collect();
                let (count, sum) = (observations.count, observations.sum);
                format!("{count} {sum:?} {parts:?} {quantiles:?}")
            });
            shown.collect()
        }
    }
}

fn sides(native: &Exponential) -> [Vec<(i32, u64)>; 2] {
    let pairs = |side: &[ExponentialBucket]| {
        side.iter().map(|bucket| (bucket.index, bucket.count)).collect()
    };
    [pairs(native.negative()), pairs(native.positive())]
}

fn native_text(schema: i8, zero: u64, sides: &[Vec<(i32, u64)>; 2]) -> String {
    format!("{schema} {zero} {sides:?}")
}

fn family_line(name: &str, kind: Kind, help: &str) -> String {
    format!("{name} is a {}: {help:?}", kind.as_str())
}

/// Where in its sketch a quantile lies: its sign and its bucket.
#[expect(clippy::cast_possible_truncation, reason = "eighths of what was drawn are few")]
fn place_of(shown: f64) -> Option<(i8, i32)> {
    let place = (shown.abs().log2() * f64::from(SKETCH_SCHEMA).exp2()).ceil();
    match shown {
        shown if shown.is_nan() => None,
        0.0 => Some((0, 0)),
        shown => Some((if shown > 0.0 { 1 } else { -1 }, place as i32)),
    }
}

fn place_of_value(value: i64) -> (i8, i32) {
    let sign = i8::try_from(value.signum()).expect("a sign is small");
    (sign, if value == 0 { 0 } else { index(value, SKETCH_SCHEMA) })
}

impl Model {
    /// What [`lines_of`] should say.
    pub(super) fn lines(&self, now: u64) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, family) in &self.families {
            lines.push(family_line(name, family.kind, family.help));
            for (labels, series) in &family.series {
                let labels = labels.iter().map(|(name, value)| format!("{name}={value:?}"));
                let labels: Vec<String> = labels.collect();
                let value = match &series.value {
                    Value::Number(number) => format!("{:?}", float(*number)),
                    Value::Buckets { counts, seen, sum } => {
                        let native = family.layout.native.map(|native| {
                            let Native { schema, zero, negative, positive } =
                                Native::of(seen, native);
                            let sides = [negative, positive];
                            native_text(schema, zero, &sides.map(|it| it.into_iter().collect()))
                        });
                        let (bounds, sum) = (bounds(&family.layout), float(*sum));
                        format!("{bounds:?} {counts:?} {sum:?} {native:?}")
                    }
                    Value::Summary { count, sum, seen } => {
                        let parts = family.objectives;
                        let quantiles = parts.iter().map(|part| quantile(seen, *part, now));
                        let quantiles: Vec<_> =
                            quantiles.map(|value| value.map(place_of_value)).collect();
                        format!("{count} {:?} {parts:?} {quantiles:?}", float(*sum))
                    }
                };
                let mut held: Vec<_> = series.exemplars.iter().collect();
                held.sort_by_key(|held| held.bucket);
                let held = held.iter().map(|it| {
                    let trace = [("trace", it.trace)];
                    format!("{} {trace:?} {:?} {}", it.bucket, float(it.value), it.at)
                });
                let held: Vec<String> = held.collect();
                let (born, touched) = (series.born, series.touched);
                lines.push(format!(
                    "{name}{labels:?} born {born} touched {touched}: {value} {held:?}"
                ));
            }
        }
        lines.sort_unstable();
        lines
    }

    /// What [`page_of`] should say.
    pub(super) fn page(&self, now: u64) -> Vec<String> {
        let mut page = Vec::new();
        for (name, family) in &self.families {
            let help = family.help.replace('\\', r"\\").replace('\n', r"\n");
            page.push(format!("# HELP {name} {help}"));
            page.push(format!("# TYPE {name} {}", family.kind.as_str()));
            for (labels, series) in &family.series {
                let mut sample = |suffix: &str, own: Option<String>, value: String| {
                    let labels: Vec<String> = Some(label_text(labels))
                        .filter(|it| !it.is_empty())
                        .into_iter()
                        .chain(own)
                        .collect();
                    let labels = labels.join(",");
                    let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
                    page.push(format!("{name}{suffix}{labels} {value}"));
                };
                match &series.value {
                    Value::Number(value) => sample("", None, number(float(*value))),
                    Value::Buckets { counts, sum, .. } => {
                        let mut all = 0;
                        let mut bounds = bounds(&family.layout).iter();
                        for count in counts {
                            all += count;
                            let bound = bounds.next().map_or("+Inf".to_owned(), |it| number(*it));
                            sample("_bucket", Some(format!("le=\"{bound}\"")), all.to_string());
                        }
                        sample("_sum", None, number(float(*sum)));
                        sample("_count", None, all.to_string());
                    }
                    Value::Summary { count, sum, seen } => {
                        for part in family.objectives {
                            let place = quantile(seen, *part, now).map(place_of_value);
                            sample("", Some(format!("quantile=\"{part}\"")), format!("{place:?}"));
                        }
                        sample("_sum", None, number(float(*sum)));
                        sample("_count", None, count.to_string());
                    }
                }
            }
        }
        page.sort_unstable();
        page
    }
}

/// The lines of a page in text, in the order of their letters; of quantiles, where they lie.
pub(super) fn page_of(registry: &Registry, now: u64) -> Vec<String> {
    let mut page = Vec::new();
    let snapshot = registry.snapshot(Timestamp(now));
    expose::encode(Shape::default(), Options::default(), &snapshot, &mut page);
    let page = String::from_utf8(page).expect("a page is UTF-8");
    let mut lines: Vec<String> = page.lines().map(placed).collect();
    lines.sort_unstable();
    lines
}

fn placed(line: &str) -> String {
    match line.rsplit_once(' ') {
        Some((sample, value)) if sample.contains("quantile=\"") => {
            format!("{sample} {:?}", place_of(value.parse().expect("a number")))
        }
        _ => line.to_owned(),
    }
}

fn label_text(labels: &Labels) -> String {
    let escaped =
        |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let texts = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    texts.collect::<Vec<_>>().join(",")
}

/// A number as Go writes it; none here is small.
fn number(value: f64) -> String {
    if value.abs() < 1e6 {
        return (value + 0.0).to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').expect("it has an exponent");
    format!("{digits}e+{exponent:0>2}")
}
