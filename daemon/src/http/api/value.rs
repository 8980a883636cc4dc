//! Values and times as JSON. Numbers of samples are texts, as in the API of Prometheus: they can be infinite,
//! and counts more than a float can tell apart.

use std::time::{Duration, UNIX_EPOCH};

use humantime::format_rfc3339_millis;
use pushprom_core::{
    expose::number,
    model::{Exponential, ExponentialBucket, Timestamp},
    snapshot::{Histogram, Values},
};
use serde_json::{Value, json};

/// The last time that can be written: the end of the year 9999.
const MILLISECONDS_MAX: u64 = 253_402_300_799_999;

/// A time, in RFC 3339.
pub(super) fn time(timestamp: Timestamp) -> Value {
    let since = Duration::from_millis(timestamp.0.min(MILLISECONDS_MAX));
    format_rfc3339_millis(UNIX_EPOCH + since).to_string().into()
}

/// The value of each series.
pub(super) fn all(values: &Values) -> Vec<Value> {
    match values {
        Values::Counter(totals) => {
            totals.iter().map(|total| number(total.as_f64()).into()).collect()
        }
        Values::Gauge(levels) => levels.iter().map(|level| number(*level).into()).collect(),
        Values::Histogram(histograms) => {
            let bounds = histograms.bounds().as_slice();
            histograms.iter().map(|histogram| observed(bounds, histogram)).collect()
        }
        Values::Summary(summaries) => {
            let objectives = summaries.objectives();
            let summaries = summaries.iter().map(|(observations, quantiles)| {
                let quantiles = objectives.iter().zip(quantiles).map(
                    |(part, value)| json!({"quantile": number(*part), "value": number(*value)}),
                );
                json!({
                    "count": observations.count.to_string(),
                    "sum": number(observations.sum),
                    "quantiles": quantiles.collect::<Vec<Value>>(),
                })
            });
            summaries.collect()
        }
    }
}

fn observed(bounds: &[f64], histogram: Histogram<'_>) -> Value {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let mut below = 0_u64;
    let buckets = bounds.zip(histogram.counts).map(|(bound, count)| {
        below = below.saturating_add(*count);
        json!({"le": number(bound), "count": below.to_string()})
    });
    let buckets: Vec<Value> = buckets.collect();
    let mut value = json!({
        "count": histogram.count().to_string(),
        "sum": number(histogram.sum),
        "buckets": buckets,
    });
    if let Some(native) = histogram.native {
        value["native"] = exponential(native);
    }
    value
}

fn exponential(buckets: &Exponential) -> Value {
    let list = |buckets: &[ExponentialBucket]| {
        let buckets = buckets.iter();
        let buckets =
            buckets.map(|bucket| json!({"index": bucket.index, "count": bucket.count.to_string()}));
        Value::Array(buckets.collect())
    };
    json!({
        "schema": buckets.schema(),
        "zeroThreshold": number(buckets.zero_threshold()),
        "zeroCount": buckets.zero_count().to_string(),
        "negative": list(buckets.negative()),
        "positive": list(buckets.positive()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_written() {
        assert_eq!(time(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(Timestamp(u64::MAX)), "9999-12-31T23:59:59.999Z");
    }
}
