//! The deltas.

use std::ops::Range;

use crate::numbers::float_len;

/// Series that the push workloads change, in turn.
pub(crate) const PUSHED_SERIES: usize = 1000;

/// Series of the greatest workload that holds many.
pub(crate) const HELD_SERIES_MAX: usize = 1_000_000;

/// Families that the held series are spread over.
pub(crate) const HELD_FAMILIES: usize = 100;

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

/// Observations of histograms with fields of their own, one message each: of values that spread over four
/// powers of ten, as durations do.
pub(crate) fn observed_deltas(name: &str, fields: &str) -> Vec<Vec<u8>> {
    let delta = |number: usize| {
        let (series, value) = (number % PUSHED_SERIES, 1 + number * 7919 % 9973);
        format!(
            r#"{{"type":"histogram","name":"{name}","help":"Time that a request took.","method":"observe","value":0.{value:04},"labels":{{"path":"/api/v1/orders/{series:04}","status":"200"}}{fields}}}"#
        )
    };
    (0..10 * PUSHED_SERIES).map(|number| delta(number).into_bytes()).collect()
}

/// Messages of `per_message` deltas each; a last one of fewer is left out.
pub(crate) fn in_batches(deltas: &[Vec<u8>], per_message: usize) -> Vec<Vec<u8>> {
    let batch = |deltas: &[Vec<u8>]| [b"[", &*deltas.join(&b","[..]), b"]"].concat();
    deltas.chunks_exact(per_message).map(batch).collect()
}

/// What the held series are.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Counters,
    /// Of one observation each, with the 11 buckets that a client gets who names none.
    Histograms,
}

/// The counter of [`attack_messages`].
pub(crate) const ATTACK_NAME: &str = "attack_requests_total";

/// Messages of one delta for each of these numbers, each to a series of its own: somebody has put the id of a user
/// into a label.
pub(crate) fn attack_messages(users: Range<usize>, per_message: usize) -> Vec<Vec<u8>> {
    let deltas: Vec<Vec<u8>> = users
        .map(|user| {
            format!(
                r#"{{"type":"counter","name":"{ATTACK_NAME}","help":"Requests.","method":"inc","labels":{{"user":"user-{user:08}"}}}}"#
            )
            .into_bytes()
        })
        .collect();
    in_batches(&deltas, per_message)
}

/// Bodies that make the held series of these numbers, which are below [`HELD_SERIES_MAX`].
pub(crate) fn held_bodies(held: Held, series: &[usize]) -> impl Iterator<Item = Vec<u8>> {
    series.chunks(DELTAS_PER_BODY).map(move |chunk| {
        let deltas: Vec<String> = chunk.iter().map(|&number| held.delta(number)).collect();
        format!("[{}]", deltas.join(",")).into_bytes()
    })
}

/// One message for each of these held counters.
pub(crate) fn held_deltas(series: &[usize]) -> Vec<Vec<u8>> {
    series.iter().map(|&number| Held::Counters.delta(number).into_bytes()).collect()
}

impl Held {
    fn delta(self, number: usize) -> String {
        let Place { family, instance, path } = place(number);
        // Values as mixed as those of real counters, below a million so that they are written plainly.
        let value = 1 + number * 7919 % 999_983;
        let (kind, suffix, method) = match self {
            Self::Counters => ("counter", "total", "add"),
            Self::Histograms => ("histogram", "seconds", "observe"),
        };
        format!(
            r#"{{"type":"{kind}","name":"{HELD_PREFIX}{family:02}_{suffix}","help":"A family of many series.","method":"{method}","value":{value},"labels":{{"instance":"web-{instance:03}.example.org","path":"/api/v1/orders/{path:04}","status":"200"}}}}"#
        )
    }

    /// The least that a series can be: the text of its labels, and 8 bytes for each of its numbers.
    pub(crate) fn least_bytes_per_series(self) -> f64 {
        let numbers = match self {
            Self::Counters => 1,
            // A count for each bucket and for what is beyond the last, and the sum.
            Self::Histograms => 11 + 1 + 1,
        };
        float_len(held_labels(0).len() + numbers * size_of::<u64>())
    }
}

/// The number of the family of a held series, and its labels.
pub(crate) fn held_series(number: usize) -> (usize, [(&'static str, String); 3]) {
    let Place { family, instance, path } = place(number);
    let labels = [
        ("instance", format!("web-{instance:03}.example.org")),
        ("path", format!("/api/v1/orders/{path:04}")),
        ("status", "200".to_owned()),
    ];
    (family, labels)
}

/// What tells a held series from the others.
struct Place {
    family: usize,
    instance: usize,
    path: usize,
}

fn place(number: usize) -> Place {
    let in_family = number / HELD_FAMILIES;
    Place { family: number % HELD_FAMILIES, instance: in_family % 50, path: in_family / 50 }
}

fn held_labels(number: usize) -> String {
    let Place { instance, path, .. } = place(number);
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
        let datagram = &in_batches(&deltas, 8)[0];
        assert!((1300..1450).contains(&datagram.len()), "{}", datagram.len());
        assert_eq!(datagram[datagram.len() - 2..], *b"}]");
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
