//! What a histogram sorts its observations into.

use super::{Bounds, BoundsError, whole};
use crate::limits::{NATIVE_BUCKETS_MAX, NATIVE_BUCKETS_MIN};

/// The finest schema: bounds grow by 2^(1/256), that is by 0.27 %.
pub const SCHEMA_FINEST: i8 = 8;

/// The coarsest schema: bounds grow by 2^16.
pub const SCHEMA_COARSEST: i8 = -4;

/// How fine the buckets of a native histogram are: each bound is 2^(2^-schema) times the one before. The
/// schemas are those of Prometheus (its `histogram.proto`: 8 is the finest, -4 the coarsest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Invariant: schema from SCHEMA_COARSEST to SCHEMA_FINEST, buckets from NATIVE_BUCKETS_MIN on.
pub struct Resolution {
    schema: i8,
    buckets_max: u16,
}

/// Why two numbers are no resolution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ResolutionError {
    /// A schema that Prometheus does not have.
    #[error(
        "native schema {0:?} does not exist: use a whole number from {SCHEMA_COARSEST} (coarse) to \
         {SCHEMA_FINEST} (fine)"
    )]
    Schema(f64),
    /// A number of buckets that is out of range.
    #[error(
        "max_buckets {0:?} is out of range: use a whole number from {NATIVE_BUCKETS_MIN} to \
         {NATIVE_BUCKETS_MAX}"
    )]
    BucketsMax(f64),
}

impl Resolution {
    /// What a histogram gets that asks for no other: bounds grow by 9 %, and as many buckets as it may
    /// have span a factor of a million.
    pub const DEFAULT: Self = Self { schema: 3, buckets_max: 160 };

    /// That of the sketches behind quantiles: the middle of a bucket is off by 1.1 % at most.
    pub const SKETCH: Self = Self { schema: 5, buckets_max: 640 };

    /// That of several such sketches together, which leaves each as fine as it is.
    pub(super) const SKETCHES: Self = Self { buckets_max: u16::MAX, ..Self::SKETCH };

    /// Checks what a client or an operator asks for; what is not said is as in [`Self::DEFAULT`].
    pub fn new(schema: Option<f64>, buckets_max: Option<f64>) -> Result<Self, ResolutionError> {
        let mut resolution = Self::DEFAULT;
        if let Some(asked) = schema {
            let schemas = SCHEMA_COARSEST..=SCHEMA_FINEST;
            let found = schemas
                .into_iter()
                .find(|schema| f64::from(*schema).total_cmp(&(asked + 0.0)).is_eq());
            resolution.schema = found.ok_or(ResolutionError::Schema(asked))?;
        }
        if let Some(asked) = buckets_max {
            let found = whole(asked).and_then(|asked| u16::try_from(asked).ok());
            let found =
                found.filter(|found| (NATIVE_BUCKETS_MIN..=NATIVE_BUCKETS_MAX).contains(found));
            resolution.buckets_max = found.ok_or(ResolutionError::BucketsMax(asked))?;
        }
        Ok(resolution)
    }

    /// The schema to begin with.
    pub const fn schema(self) -> i8 {
        self.schema
    }

    /// How many buckets may hold observations. Where more would, the schema gets coarser.
    pub fn buckets_max(self) -> usize {
        usize::from(self.buckets_max)
    }
}

/// The bounds of a histogram's classic buckets, and how fine its native ones are, if it has any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The classic buckets. A histogram that is native alone has none but `+Inf`.
    pub bounds: Bounds,
    /// The native buckets.
    pub native: Option<Resolution>,
}

impl Layout {
    /// What a client asks for: native buckets stand instead of classic ones, unless it lists bounds too.
    pub fn asked(bounds: &[f64], native: Option<Resolution>) -> Result<Self, BoundsError> {
        let bounds = match native {
            Some(_) if bounds.is_empty() => Bounds::none(),
            Some(_) | None => Bounds::new(bounds)?,
        };
        Ok(Self { bounds, native })
    }
}

impl From<Bounds> for Layout {
    /// Classic buckets alone.
    fn from(bounds: Bounds) -> Self {
        Self { bounds, native: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schema: Option<f64>, buckets_max: Option<f64>, want: Result<(i8, usize), &str>) {
        let got = Resolution::new(schema, buckets_max);
        let got =
            got.map(|got| (got.schema(), got.buckets_max())).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned));
    }

    #[test]
    fn resolutions_are_those_of_prometheus() {
        check(None, None, Ok((3, 160)));
        check(Some(8.0), Some(8.0), Ok((8, 8)));
        check(Some(-4.0), Some(1024.0), Ok((-4, 1024)));
        check(Some(-0.0), None, Ok((0, 160)));
        let schema = "use a whole number from -4 (coarse) to 8 (fine)";
        for bad in [9.0, -5.0, 1.5] {
            let want = format!("native schema {bad:?} does not exist: {schema}");
            check(Some(bad), None, Err(&want));
        }
        for bad in [7.0, 1025.0, 10.5, -8.0, 1e300] {
            let want =
                format!("max_buckets {bad:?} is out of range: use a whole number from 8 to 1024");
            check(None, Some(bad), Err(&want));
        }
    }
}
