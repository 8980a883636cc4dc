//! Floats as the original writes them: the fewest digits that read back the same, an exponent of at
//! least two digits where the decimal exponent is below -4 or from 6 on (so `1e+06`, `1.5e-05`), plain
//! otherwise; `0` for both zeros. It is the layout of Go's `strconv.FormatFloat(f, 'g', -1, 64)`.

use crate::model::{Amount, whole};

/// Decimal exponents that are written out plainly.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -4..6;

/// Whole numbers below this are written as they are.
const SMALL: u64 = 1_000_000;

/// Appends an amount or a count, as the float that it is for Prometheus.
pub(super) fn write_amount(amount: Amount, page: &mut Vec<u8>) {
    // Most are small and whole, and need not become a float first.
    if amount.rest() <= 0.0 && amount.whole() < SMALL {
        write_small(amount.whole(), page);
    } else {
        write_f64(amount.as_f64(), page);
    }
}

/// A value or a bound as it stands on a page.
pub fn number(value: f64) -> String {
    let mut text = Vec::new();
    write_f64(value, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn write_small(small: u64, page: &mut Vec<u8>) {
    page.extend_from_slice(itoa::Buffer::new().format(small).as_bytes());
}

/// Appends a value or a bound.
pub(super) fn write_f64(value: f64, page: &mut Vec<u8>) {
    // Most values are small whole numbers.
    if let Some(small) = whole(value).filter(|&whole| whole < SMALL) {
        write_small(small, page);
    } else if value.is_nan() {
        page.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        page.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() < text.len() {
            page.push(b'-');
        }
        Decimal::read(digits).write(page);
    }
}

/// A number above zero: its significant digits, and the power of ten of the first of them.
struct Decimal {
    /// The first `len`; 17 digits tell any float from its neighbours.
    digits: [u8; 17],
    len: usize,
    exponent: i32,
}

impl Decimal {
    /// Reads the shortest form in any layout: `1234.5`, `0.00012`, `1.2e-7`, `1e20`.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (before_point, after_point) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut decimal = Self { digits: [b'0'; 17], len: 0, exponent: -1 };
        decimal.exponent += exponent.parse::<i32>().unwrap_or_default();
        let mut zeros = 0;
        for (digit, is_before_point) in before_point
            .bytes()
            .map(|digit| (digit, true))
            .chain(after_point.bytes().map(|digit| (digit, false)))
        {
            let is_leading_zero = digit == b'0' && decimal.len == 0;
            match (is_leading_zero, is_before_point) {
                (true, false) => decimal.exponent -= 1,
                (false, true) => decimal.exponent += 1,
                (true, true) | (false, false) => {}
            }
            // Zeros count once a digit follows them.
            if digit == b'0' {
                zeros += usize::from(!is_leading_zero);
            } else {
                decimal.len += zeros;
                zeros = 0;
                if let Some(place) = decimal.digits.get_mut(decimal.len) {
                    *place = digit;
                    decimal.len += 1;
                }
            }
        }
        decimal
    }

    fn write(&self, page: &mut Vec<u8>) {
        let digits = self.digits.get(..self.len).unwrap_or_default();
        if !PLAIN_EXPONENTS.contains(&self.exponent) {
            write_digits(digits, 1, page);
            page.extend_from_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
            let exponent = self.exponent.unsigned_abs();
            if exponent < 10 {
                page.push(b'0');
            }
            page.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
        } else if let Ok(exponent) = usize::try_from(self.exponent) {
            write_digits(digits, exponent + 1, page);
        } else {
            page.extend_from_slice(b"0.");
            page.extend((self.exponent + 1..0).map(|_| b'0'));
            page.extend_from_slice(digits);
        }
    }
}

/// Writes digits with a point after `before_point` of them, zeros filled in up to there.
fn write_digits(digits: &[u8], before_point: usize, page: &mut Vec<u8>) {
    let (before, after) = digits.split_at_checked(before_point).unwrap_or((digits, &[]));
    page.extend_from_slice(before);
    page.extend((before.len()..before_point).map(|_| b'0'));
    if !after.is_empty() {
        page.push(b'.');
        page.extend_from_slice(after);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: f64) -> String {
        let mut page = Vec::new();
        write_f64(value, &mut page);
        String::from_utf8(page).unwrap()
    }

    #[track_caller]
    fn check(value: f64, want: &str) {
        assert_eq!(written(value), want);
    }

    #[test]
    fn the_layout_is_that_of_the_original() {
        check(0.0, "0");
        check(-0.0, "0");
        check(1.0, "1");
        check(-1.0, "-1");
        check(3002.0, "3002");
        check(100_000.0, "100000");
        check(999_999.0, "999999");
        check(999_999.5, "999999.5");
        check(1e6, "1e+06");
        check(-1e6, "-1e+06");
        check(1_234_567.0, "1.234567e+06");
        check(123_456_789.0, "1.23456789e+08");
        check(0.1, "0.1");
        check(0.25, "0.25");
        check(12.5, "12.5");
        check(100.001, "100.001");
        check(0.0001, "0.0001");
        check(0.000_123, "0.000123");
        check(0.000_01, "1e-05");
        check(0.000_012_5, "1.25e-05");
        check(5e-324, "5e-324");
        check(1e100, "1e+100");
        check(f64::MAX, "1.7976931348623157e+308");
        check(10_000_000_000_000_002.0, "1.0000000000000002e+16");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
        check(f64::NAN, "NaN");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            let read: f64 = written(value).parse().unwrap();
            // -0 is written as 0.
            prop_assert_eq!((read + 0.0).to_bits(), (value + 0.0).to_bits());
        }

        #[test]
        fn counts_are_floats(count in any::<u64>()) {
            let mut page = Vec::new();
            write_amount(count.into(), &mut page);
            prop_assert_eq!(String::from_utf8(page).unwrap(), written(crate::model::count_as_f64(count)));
        }
    }
}
