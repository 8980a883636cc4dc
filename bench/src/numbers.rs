//! The little arithmetic that is needed.

/// A count as a float. Nothing here counts as far as 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a float.
pub(crate) fn float_len(length: usize) -> f64 {
    float(u64::try_from(length).unwrap_or(u64::MAX))
}

/// The middle one; the upper of the two middle ones of an even number. NaN if there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least and the greatest one. Infinite, and the wrong way round, if there are none.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    })
}

/// The value that `per_mille` thousandths of `sorted` do not exceed.
pub(crate) fn percentile(sorted: &[u64], per_mille: usize) -> u64 {
    let place = (sorted.len() * per_mille).div_ceil(1000).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// A count with commas between thousands.
pub(crate) fn with_commas(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A float that stands for a count, with commas between thousands.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count")]
pub(crate) fn whole_with_commas(value: f64) -> String {
    with_commas(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_edges_are_found() {
        let is_two = |values: &[f64]| (median(values.iter().copied()) - 2.0).abs() < 1e-9;
        assert!(is_two(&[3.0, 1.0, 2.0]) && is_two(&[2.0, 1.0]));
        assert!(median([]).is_nan());
        let (least, greatest) = range([2.0, 1.0, 3.0]);
        assert!((least - 1.0).abs() < 1e-9 && (greatest - 3.0).abs() < 1e-9);
        let thousand: Vec<u64> = (1..=1000).collect();
        assert_eq!([500, 990, 999].map(|place| percentile(&thousand, place)), [500, 990, 999]);
        assert_eq!((percentile(&[7], 999), percentile(&[], 990)), (7, 0));
    }

    #[test]
    fn thousands_are_kept_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(with_commas), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(whole_with_commas(12_345.6), "12,346");
    }
}
