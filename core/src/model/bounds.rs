//! Upper bounds of a histogram's buckets.

use std::sync::Arc;

use crate::limits::BOUNDS_PER_HISTOGRAM_MAX;

/// The bounds of a histogram that names none: those of the original, made for seconds.
pub const DEFAULT_BOUNDS: [f64; 11] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of buckets, inclusive: finite, strictly increasing. The bucket `+Inf` that every histogram
/// has is not among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds(Choice);

/// Most histograms share the default.
#[derive(Clone, Debug, Default, PartialEq)]
enum Choice {
    /// [`DEFAULT_BOUNDS`].
    #[default]
    Default,
    /// None but `+Inf`.
    None,
    // Invariant: at least one, and not those of `Default`.
    Listed(Arc<[f64]>),
}

/// Why a list is no bounds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BoundsError {
    /// A bound that is not above the one before it.
    #[error(
        "bucket bound {bound:?} follows {previous:?}; list bounds in increasing order, each once"
    )]
    NotIncreasing {
        /// The bound before.
        previous: f64,
        /// The bound that should be above it.
        bound: f64,
    },
    /// A bound that is infinite or not a number.
    #[error("bucket bound {0:?} is not finite; leave out the bound +Inf, it is always added")]
    NotFinite(f64),
    /// More bounds than a histogram may have.
    #[error("{0} bucket bounds; the limit is {BOUNDS_PER_HISTOGRAM_MAX}: use fewer, wider buckets")]
    TooMany(usize),
}

impl Bounds {
    /// Checks `bounds`. None at all means the default, as on the wire.
    pub fn new(bounds: &[f64]) -> Result<Self, BoundsError> {
        if bounds.len() > BOUNDS_PER_HISTOGRAM_MAX {
            return Err(BoundsError::TooMany(bounds.len()));
        }
        if let Some(&bound) = bounds.iter().find(|bound| !bound.is_finite()) {
            return Err(BoundsError::NotFinite(bound));
        }
        for (&previous, &bound) in bounds.iter().zip(bounds.iter().skip(1)) {
            if bound <= previous {
                return Err(BoundsError::NotIncreasing { previous, bound });
            }
        }
        let is_default = bounds.is_empty() || bounds == DEFAULT_BOUNDS;
        Ok(Self(if is_default { Choice::Default } else { Choice::Listed(bounds.into()) }))
    }

    /// No bounds: all observations fall into the bucket `+Inf`.
    pub const fn none() -> Self {
        Self(Choice::None)
    }

    /// Whether these are the default bounds, asked for or not.
    pub const fn is_default(&self) -> bool {
        matches!(self.0, Choice::Default)
    }

    /// The bounds in order, without `+Inf`.
    pub fn as_slice(&self) -> &[f64] {
        match &self.0 {
            Choice::Default => &DEFAULT_BOUNDS,
            Choice::None => &[],
            Choice::Listed(bounds) => bounds,
        }
    }

    /// Buckets that these bounds make, `+Inf` among them.
    pub fn buckets(&self) -> usize {
        self.as_slice().len() + 1
    }

    /// The index of the bucket that `value` falls into: the first whose bound is not below it; the
    /// last, `+Inf`, for everything else and for NaN.
    pub fn bucket_of(&self, value: f64) -> usize {
        self.as_slice().partition_point(|&bound| bound < value || value.is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bounds: &[f64], want: Result<&[f64], &str>) {
        let got = Bounds::new(bounds);
        let got = got.as_ref().map(Bounds::as_slice).map_err(ToString::to_string);
        assert_eq!(got, want.map_err(str::to_owned));
    }

    #[test]
    fn only_finite_increasing_bounds() {
        check(&[], Ok(&DEFAULT_BOUNDS));
        check(&DEFAULT_BOUNDS, Ok(&DEFAULT_BOUNDS));
        check(&[-1.0, 0.0, 1e300], Ok(&[-1.0, 0.0, 1e300]));
        let order = "list bounds in increasing order, each once";
        check(&[2.0, 1.0], Err(&format!("bucket bound 1.0 follows 2.0; {order}")));
        check(&[0.0, -0.0], Err(&format!("bucket bound -0.0 follows 0.0; {order}")));
        check(
            &[1.0, f64::INFINITY],
            Err("bucket bound inf is not finite; leave out the bound +Inf, it is always added"),
        );
        let many: Vec<f64> = (0..257).map(f64::from).collect();
        check(&many, Err("257 bucket bounds; the limit is 256: use fewer, wider buckets"));
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let bounds = Bounds::new(&[1.0, 2.0]).unwrap();
        let found =
            [-5.0, 1.0, 1.5, 2.0, 2.5, f64::INFINITY, f64::NAN].map(|v| bounds.bucket_of(v));
        assert_eq!(found, [0, 0, 1, 1, 2, 2, 2]);
        assert_eq!(bounds.buckets(), 3);
    }
}
