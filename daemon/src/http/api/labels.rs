//! Label names by how many values they have.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    ops::Bound,
};

use pushprom_core::{registry::Registry, selector::Selector};
use serde_json::{Value, json};

use super::{
    failure::Failure, families::TOO_LONG, listing::Listing, parameters::Parameters, walk::Walk,
};

/// Label names that are counted; what else there is is not.
const NAMES_MAX: usize = 4096;

/// Hashes of values that are kept of a name. Up to so many values are counted, more are estimated, with an
/// error of some four in a hundred.
const HASHES_MAX: usize = 1024;

/// Whose labels are asked for.
pub(super) struct Query {
    selectors: Vec<Selector>,
    limit: usize,
}

impl Query {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        Ok(Self { selectors: parameters.selectors()?, limit: parameters.limit()? })
    }
}

/// How many different texts there are, from a sample of their hashes: those that end in so many zeros, of
/// which there are ever fewer (adaptive sampling, after M. Wegman).
#[derive(Default)]
struct Distinct {
    sample: HashSet<u64>,
    zeros: u32,
}

impl Distinct {
    fn add(&mut self, hash: u64) {
        if hash.trailing_zeros() >= self.zeros {
            self.sample.insert(hash);
            while self.sample.len() > HASHES_MAX {
                self.zeros += 1;
                let zeros = self.zeros;
                self.sample.retain(|hash| hash.trailing_zeros() >= zeros);
            }
        }
    }

    fn count(&self) -> u64 {
        (self.sample.len() as u64) << self.zeros
    }

    fn is_exact(&self) -> bool {
        self.zeros == 0
    }
}

/// What is known of a label name.
#[derive(Default)]
struct Label {
    series: u64,
    values: Distinct,
}

/// The label names with the most values, the most first, and then by name.
pub(super) fn top(registry: &Registry, query: &Query, walk: &mut Walk) -> Result<Vec<u8>, Failure> {
    let hasher = RandomState::new();
    let mut labels: HashMap<String, Label> = HashMap::new();
    let mut is_complete = true;
    for family in registry.inspect(Bound::Unbounded) {
        let name = family.name();
        let selectors: Vec<&Selector> =
            query.selectors.iter().filter(|selector| selector.matches_name(name)).collect();
        if !query.selectors.is_empty() && selectors.is_empty() {
            walk.charge(&query.selectors, name.len());
            if walk.is_over() {
                return Err(Failure::Unavailable(TOO_LONG));
            }
            continue;
        }
        let index = family.index();
        let mut sets = index.labels();
        while let Some(set) = sets.next() {
            let fits = |selector: &&Selector| selector.matches_labels(set);
            if selectors.is_empty() || selectors.iter().any(fits) {
                for (name, value) in set.iter() {
                    if !labels.contains_key(&*name) && labels.len() < NAMES_MAX {
                        labels.insert(name.clone().into_owned(), Label::default());
                    }
                    match labels.get_mut(&*name) {
                        Some(label) => {
                            label.series += 1;
                            label.values.add(hasher.hash_one(&value));
                        }
                        None => is_complete = false,
                    }
                }
            }
            walk.charge(selectors.iter().copied(), set.as_str().len());
            if walk.is_over() {
                return Err(Failure::Unavailable(TOO_LONG));
            }
        }
    }
    let mut labels: Vec<(String, Label)> = labels.into_iter().collect();
    labels.sort_by(|(a, one), (b, other)| {
        other.values.count().cmp(&one.values.count()).then_with(|| a.cmp(b))
    });
    let mut listing = Listing::new("labels", query.limit);
    for (name, label) in labels.iter().take(query.limit) {
        listing.push(&json!({
            "name": name,
            "values": label.values.count(),
            "exact": label.values.is_exact(),
            "series": label.series,
        }));
    }
    Ok(listing.finish(&[("complete", Value::Bool(is_complete))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_values_are_estimated() {
        let hasher = RandomState::new();
        for count in [0_u64, 1, 1000, 1024, 100_000] {
            let mut distinct = Distinct::default();
            for _ in 0..2 {
                (0..count).for_each(|value| distinct.add(hasher.hash_one(value)));
            }
            assert_eq!(distinct.is_exact(), count <= 1024);
            // Eight deviations.
            assert!(distinct.count().abs_diff(count) <= count * 3 / 10, "{}", distinct.count());
            assert!(!distinct.is_exact() || distinct.count() == count, "{}", distinct.count());
        }
    }
}
