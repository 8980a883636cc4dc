//! Which quantiles a summary shows.

use std::sync::Arc;

use crate::limits::OBJECTIVES_PER_SUMMARY_MAX;

/// Quantiles in increasing order, at least one, each once. Clones share them.
#[derive(Clone, Debug, PartialEq)]
pub struct Objectives(Arc<[f64]>);

/// Why a list is no objectives.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ObjectivesError {
    /// A quantile outside 0 to 1.
    #[error("objective {0} is no quantile: use a number from 0 to 1")]
    Quantile(super::Quoted),
    /// An error outside 0 to 1.
    #[error("the error {0:?} of an objective is out of range: use a number from 0 to 1")]
    Error(f64),
    /// More quantiles than a summary may show.
    #[error("{0} objectives; the limit is {OBJECTIVES_PER_SUMMARY_MAX}: ask for fewer quantiles")]
    TooMany(usize),
}

impl Objectives {
    /// Takes quantiles as text, as JSON has keys, each with the error that is allowed; none at all means
    /// no objectives. The errors are checked, and met whatever they are: see `Resolution::SKETCH`.
    pub fn new<'a>(
        listed: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Option<Self>, ObjectivesError> {
        let mut quantiles = Vec::new();
        for (text, error) in listed {
            let quantile = text.parse::<f64>().ok().filter(|part| (0.0..=1.0).contains(part));
            let Some(quantile) = quantile else {
                return Err(ObjectivesError::Quantile(super::Quoted::new(text)));
            };
            if !(0.0..=1.0).contains(&error) {
                return Err(ObjectivesError::Error(error));
            }
            // -0 is 0.
            quantiles.push(quantile + 0.0);
        }
        quantiles.sort_by(f64::total_cmp);
        quantiles.dedup_by(|next, quantile| next.total_cmp(quantile).is_eq());
        if quantiles.len() > OBJECTIVES_PER_SUMMARY_MAX {
            return Err(ObjectivesError::TooMany(quantiles.len()));
        }
        Ok((!quantiles.is_empty()).then(|| Self(quantiles.into())))
    }

    /// The quantiles.
    pub fn quantiles(&self) -> &[f64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(listed: &[(&str, f64)], want: Result<&[f64], &str>) {
        let got = Objectives::new(listed.iter().copied());
        let got = got
            .map(|got| got.map(|got| got.quantiles().to_vec()).unwrap_or_default())
            .map_err(|error| error.to_string());
        assert_eq!(got, want.map(<[f64]>::to_vec).map_err(str::to_owned));
    }

    #[test]
    fn objectives_are_quantiles_in_order() {
        check(&[], Ok(&[]));
        check(&[("0.99", 0.001), ("0.5", 0.05), ("0.50", 0.01)], Ok(&[0.5, 0.99]));
        check(&[("1", 0.0), ("0", 1.0), ("-0", 0.0)], Ok(&[0.0, 1.0]));
        for bad in ["1.1", "-0.1", "", "x", "nan", "inf"] {
            let want = format!("objective {bad:?} is no quantile: use a number from 0 to 1");
            check(&[(bad, 0.1)], Err(&want));
        }
        let range = "the error 2.0 of an objective is out of range: use a number from 0 to 1";
        check(&[("0.5", 2.0)], Err(range));
        let many: Vec<String> = (0..33).map(|n| format!("0.{n:02}")).collect();
        let many: Vec<(&str, f64)> = many.iter().map(|text| (&**text, 0.01)).collect();
        check(&many, Err("33 objectives; the limit is 32: ask for fewer quantiles"));
    }
}
