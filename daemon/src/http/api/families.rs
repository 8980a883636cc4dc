//! Families: searched, and the largest of them.

use std::{cmp::Ordering, collections::BinaryHeap, ops::Bound, sync::Arc};

use pushprom_core::{
    limits::METRIC_NAME_BYTES_MAX,
    model::count_as_f64,
    registry::{FamilyFacts, Inspected, Registry},
    selector::Selector,
};
use serde_json::{Value, json};

use super::{
    failure::Failure,
    listing::Listing,
    parameters::{Parameters, invalid},
    rates::Rates,
    series::is_any_meant,
    walk::Walk,
};

/// Which families are asked for.
pub(super) struct Query {
    selectors: Vec<Selector>,
    /// In lower case.
    search: Option<String>,
    limit: usize,
    /// The last family of the page before. Names stay as they are, and so does their order: no family is shown
    /// twice, and none left out that is there all the time.
    after: Option<String>,
}

/// Which families are the largest.
pub(super) struct Top {
    by: By,
    limit: usize,
}

/// A family among the largest.
struct Place {
    size: f64,
    facts: FamilyFacts,
}

/// The largest first, and then by name.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_size = other.size.total_cmp(&self.size);
        by_size.then_with(|| self.facts.name.cmp(&other.facts.name))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Place {}

/// What families are measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Series,
    Deltas,
}

impl Query {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let after = parameters.one("cursor")?.map(ToOwned::to_owned);
        let length = after.as_ref().map_or(0, |name| name.chars().count());
        if length > METRIC_NAME_BYTES_MAX {
            return Err(invalid("cursor", "it is none: send the nextCursor of the page before"));
        }
        let (selectors, search) = (parameters.selectors()?, parameters.search()?);
        Ok(Self { selectors, search, limit: parameters.limit()?, after })
    }

    /// Whether a family is meant; `None` if the time was over before that was known.
    fn means(&self, family: &Inspected, walk: &mut Walk) -> Option<bool> {
        let is_found = self.search.as_ref().is_none_or(|search| {
            let contains = |text: &str| text.to_lowercase().contains(search);
            contains(family.name()) || contains(&family.facts().help)
        });
        if !is_found {
            return Some(false);
        }
        is_any_meant(family, &self.selectors, walk)
    }
}

impl Top {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let by = match parameters.one("by")? {
            None | Some("series") => By::Series,
            Some("deltas") => By::Deltas,
            Some(_) => return Err(invalid("by", "use series or deltas")),
        };
        Ok(Self { by, limit: parameters.limit()? })
    }
}

/// The page of families that `query` asks for.
pub(super) fn list(
    registry: &Registry,
    rates: &Rates,
    query: &Query,
    walk: &mut Walk,
) -> Result<Vec<u8>, Failure> {
    let from = query.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut listing = Listing::new("families", query.limit);
    let mut last: Option<Arc<str>> = None;
    let mut next = None;
    for family in registry.inspect(from) {
        match query.means(&family, walk) {
            // The next page looks at it again, from its first series on.
            None if last.is_none() => return Err(Failure::Unavailable(TOO_LONG)),
            None => {
                next = last.as_deref().map(ToOwned::to_owned);
                break;
            }
            Some(false) => {}
            Some(true) if listing.room() == 0 => {
                next = last.as_deref().map(ToOwned::to_owned);
                break;
            }
            Some(true) => listing.push(&item(&family.facts(), rates)),
        }
        last = Some(Arc::clone(family.name()));
        if walk.is_over() {
            next = last.as_deref().map(ToOwned::to_owned);
            break;
        }
    }
    Ok(listing.finish(&[("nextCursor", json!(next))]))
}

/// The largest families, the largest first, and then by name.
pub(super) fn top(
    registry: &Registry,
    rates: &Rates,
    top: &Top,
    walk: &mut Walk,
) -> Result<Vec<u8>, Failure> {
    let mut largest = BinaryHeap::new();
    for family in registry.inspect(Bound::Unbounded) {
        let facts = family.facts();
        let size = match top.by {
            By::Series => count_as_f64(u64::try_from(facts.series).unwrap_or(u64::MAX)),
            By::Deltas => rates.of(&facts.name).unwrap_or_default(),
        };
        largest.push(Place { size, facts });
        if largest.len() > top.limit {
            largest.pop();
        }
        if walk.is_over() {
            return Err(Failure::Unavailable(TOO_LONG));
        }
    }
    let mut listing = Listing::new("families", top.limit);
    for place in largest.into_sorted_vec() {
        listing.push(&item(&place.facts, rates));
    }
    Ok(listing.finish(&[]))
}

/// What is said where half an answer would be a wrong one.
pub(super) const TOO_LONG: &str = "this took too long: ask for less, or try again later";

fn item(family: &FamilyFacts, rates: &Rates) -> Value {
    json!({
        "name": *family.name,
        "type": family.kind.as_str(),
        "help": *family.help,
        "series": family.series,
        "overflowedDeltas": family.overflowed,
        "overflowLabel": family.culprit.as_ref().map(|culprit| &*culprit.label),
        "deltasPerSecond": rates.of(&family.name),
    })
}
