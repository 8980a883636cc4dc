//! The units that names of metrics end in.

use crate::model::Kind;

/// The base units that Prometheus recommends, in the plural that its names have.
const UNITS: [&str; 12] = [
    "amperes", "bytes", "celsius", "grams", "hertz", "joules", "kelvin", "meters", "ratio",
    "seconds", "volts", "watts",
];

/// What a family counts or measures: its name, but for the `_total` that the samples of a counter end in.
pub(super) fn base_name(name: &str, kind: Kind) -> &str {
    match kind {
        Kind::Counter => name.strip_suffix("_total").unwrap_or(name),
        Kind::Gauge | Kind::Histogram | Kind::Summary => name,
    }
}

/// The unit that a base name says.
pub(super) fn unit_of(base_name: &str) -> Option<&'static str> {
    let (_, last) = base_name.rsplit_once('_')?;
    UNITS.into_iter().find(|unit| *unit == last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, kind: Kind, want: Option<&str>) {
        assert_eq!(unit_of(base_name(name, kind)), want, "{kind} {name}");
    }

    #[test]
    fn a_name_ends_in_its_unit() {
        assert!(UNITS.is_sorted());
        check("x_seconds", Kind::Histogram, Some("seconds"));
        check("x_seconds_total", Kind::Counter, Some("seconds"));
        check("x_seconds_total", Kind::Gauge, None);
        check("x_bytes", Kind::Counter, Some("bytes"));
        check("my.disk_ratio", Kind::Gauge, Some("ratio"));
        check("seconds", Kind::Gauge, None);
        check("x_kiloseconds", Kind::Gauge, None);
    }
}
