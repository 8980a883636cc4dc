//! The deltas.

use crate::numbers::float_len;

/// Series that the push workloads change, in turn.
pub(crate) const PUSHED_SERIES: usize = 1000;

/// Series of the greatest workload that holds many.
pub(crate) const HELD_SERIES_MAX: usize = 1_000_000;

/// Families that the held series are spread over.
const HELD_FAMILIES: usize = 100;

/// What the names of the held families begin with.
pub(crate) const HELD_PREFIX: &str = "held_";

/// Deltas in one body when series are made to be held.
const DELTAS_PER_BODY: usize = 1000;

/// One message per series of the push workloads: a counter with two labels, 166 to 180 bytes long, the
/// size of what clients of the original send.
pub(crate) fn pushed_deltas() -> Vec<Vec<u8>> {
    let delta = |series| {
        format!(
            r#"{{"type":"counter","name":"http_requests_total","help":"Requests answered, by their path and status.","method":"inc","labels":{{"path":"/api/v1/orders/{series:04}","status":"200"}}}}"#
        )
    };
    (0..PUSHED_SERIES).map(|series| delta(series).into_bytes()).collect()
}

/// Bodies that make `series` of the held series, given as numbers below [`HELD_SERIES_MAX`].
pub(crate) fn held_bodies(series: &[usize]) -> impl Iterator<Item = Vec<u8>> {
    series.chunks(DELTAS_PER_BODY).map(|chunk| {
        let deltas: Vec<String> = chunk.iter().map(|&number| held_delta(number)).collect();
        format!("[{}]", deltas.join(",")).into_bytes()
    })
}

fn held_delta(number: usize) -> String {
    let Held { family, instance, path } = held(number);
    // Values as mixed as those of real counters, below a million so that they are written plainly.
    let value = 1 + number * 7919 % 999_983;
    format!(
        r#"{{"type":"counter","name":"{HELD_PREFIX}{family:02}_total","help":"A family of many series.","method":"add","value":{value},"labels":{{"instance":"web-{instance:03}.example.org","path":"/api/v1/orders/{path:04}","status":"200"}}}}"#
    )
}

/// What tells a held series from the others.
struct Held {
    family: usize,
    instance: usize,
    path: usize,
}

fn held(number: usize) -> Held {
    let in_family = number / HELD_FAMILIES;
    Held { family: number % HELD_FAMILIES, instance: in_family % 50, path: in_family / 50 }
}

/// The least that a series can be: the text of its labels and a number of 8 bytes.
pub(crate) fn least_bytes_per_series() -> f64 {
    float_len(held_labels(0).len() + size_of::<u64>())
}

fn held_labels(number: usize) -> String {
    let Held { instance, path, .. } = held(number);
    format!(
        r#"instance="web-{instance:03}.example.org",path="/api/v1/orders/{path:04}",status="200""#
    )
}

/// The numbers of the held series in no order that memory or a sort could profit from.
pub(crate) fn scattered() -> Vec<usize> {
    const BITS: u32 = 20;
    const MASK: usize = (1 << BITS) - 1;
    const _: () = assert!(HELD_SERIES_MAX <= MASK + 1, "every number is hit");
    // Each step maps the numbers of 20 bits onto themselves.
    let scatter = |number: usize| {
        let number = number.wrapping_mul(0x9e375) & MASK;
        let number = number ^ (number >> (BITS / 2));
        number.wrapping_mul(0x2c1b5) & MASK
    };
    (0..=MASK).map(scatter).filter(|&number| number < HELD_SERIES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_have_the_size_they_are_said_to_have() {
        let deltas = pushed_deltas();
        assert!(
            deltas.iter().all(|delta| (166..=180).contains(&delta.len())),
            "{}",
            deltas[0].len()
        );
        assert_eq!(held_labels(0).len(), held_labels(HELD_SERIES_MAX - 1).len());
        assert_eq!(held_labels(0).len(), 70);
    }

    #[test]
    fn scattering_loses_and_repeats_no_series() {
        let mut numbers = scattered();
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..HELD_SERIES_MAX));
    }
}
