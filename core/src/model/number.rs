//! The few conversions between counts and floats that a metric needs, each with its loss stated.

/// 2^64, the first float that no longer fits a u64.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// A count as the float that an exposition shows: exact to 2^53, the nearest float above that.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "rounds to nearest, as said"
)]
pub const fn count_as_f64(count: u64) -> f64 {
    count as f64
}

/// A size in memory as a count.
pub(super) fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// `value` as a count, if it is a whole number in 0 ≤ value < 2^64; then the conversion is exact.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "range and wholeness are checked first"
)]
pub fn whole(value: f64) -> Option<u64> {
    ((0.0..TWO_POW_64).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_takes_exactly_the_whole_numbers_of_u64() {
        assert_eq!(whole(0.0), Some(0));
        assert_eq!(whole(-0.0), Some(0));
        assert_eq!(whole(9_007_199_254_740_993.0), Some(9_007_199_254_740_992));
        assert_eq!(whole(TWO_POW_64.next_down()), Some(u64::MAX - 2047));
        for not in [TWO_POW_64, 0.5, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(whole(not), None, "{not}");
        }
    }
}
