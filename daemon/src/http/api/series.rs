//! Series with their values.

use std::{ops::Bound, sync::Arc};

use pushprom_core::{
    model::{Kind, LabelSet, Timestamp},
    registry::{Inspected, Registry},
    selector::Selector,
};
use serde_json::{Map, Value, json};

use super::{
    cursor::Cursor, failure::Failure, listing::Listing, parameters::Parameters, value, walk::Walk,
};

/// Series whose values are read in one go. What a histogram holds is a hundred numbers and more.
const SERIES_AT_ONCE: usize = 10_000;
const OBSERVED_SERIES_AT_ONCE: usize = 256;

/// What is asked for.
pub(super) struct Query {
    selectors: Vec<Selector>,
    limit: usize,
    cursor: Option<Cursor>,
}

impl Query {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let cursor = parameters.one("cursor")?.map(Cursor::read).transpose()?;
        let (selectors, limit) = (parameters.selectors()?, parameters.limit()?);
        Ok(Self { selectors, limit, cursor })
    }
}

/// The page of series that `query` asks for, as of `now`.
pub(super) fn list(registry: &Registry, query: &Query, now: Timestamp, walk: &mut Walk) -> Vec<u8> {
    let mut page = Page { listing: Listing::new("series", query.limit), last: None, now };
    let from =
        query.cursor.as_ref().map_or(Bound::Unbounded, |cursor| Bound::Included(&*cursor.name));
    let mut next = None;
    for family in registry.inspect(from) {
        let name = family.name();
        let selectors: Vec<&Selector> =
            query.selectors.iter().filter(|selector| selector.matches_name(name)).collect();
        let is_meant = query.selectors.is_empty() || !selectors.is_empty();
        if is_meant {
            let cursor = query.cursor.as_ref().filter(|cursor| *cursor.name == **name);
            next = page.add_family(&family, &selectors, cursor, walk);
        } else {
            walk.charge(&query.selectors, name.len());
            if walk.is_over() {
                next = Some(Cursor::new(name, &LabelSet::default(), 0));
            }
        }
        if next.is_some() {
            break;
        }
    }
    let next = next.map_or(Value::Null, |cursor| cursor.text().into());
    page.listing.finish(&[("nextCursor", next)])
}

/// A page that is being made.
struct Page {
    listing: Listing,
    /// The last series on it.
    last: Option<Cursor>,
    now: Timestamp,
}

/// Series that are going to be on a page.
#[derive(Default)]
struct Wanted {
    labels: Vec<LabelSet>,
    places: Vec<usize>,
}

impl Page {
    /// Adds the series of a family that `selectors` mean; all, if there are none. Returns where the next page
    /// begins, if this one ends here.
    fn add_family(
        &mut self,
        family: &Inspected,
        selectors: &[&Selector],
        cursor: Option<&Cursor>,
        walk: &mut Walk,
    ) -> Option<Cursor> {
        let at_once = match family.kind() {
            Kind::Counter | Kind::Gauge => SERIES_AT_ONCE,
            Kind::Histogram | Kind::Summary => OBSERVED_SERIES_AT_ONCE,
        };
        let mut wanted = Wanted::default();
        let index = family.index();
        let (mut walked, mut place) = (index.labels(), 0);
        while let Some(labels) = walked.next() {
            let is_next = cursor.is_none_or(|cursor| cursor.is_before(labels, place));
            let fits = |selector: &&Selector| selector.matches_labels(labels);
            if is_next && (selectors.is_empty() || selectors.iter().any(fits)) {
                if wanted.labels.len() == at_once {
                    self.add_wanted(family, &mut wanted);
                }
                if wanted.labels.len() >= self.listing.room() {
                    self.add_wanted(family, &mut wanted);
                    return self.last.clone();
                }
                wanted.labels.push(labels.clone());
                wanted.places.push(place);
            }
            if is_next {
                walk.charge(selectors.iter().copied(), labels.as_str().len());
            }
            // What is skipped takes little, and a page that ended there would get nowhere.
            if walk.is_over() && is_next {
                let here = Cursor::new(family.name(), labels, place);
                return self.add_wanted(family, &mut wanted).or(Some(here));
            }
            place += 1;
        }
        self.add_wanted(family, &mut wanted)
    }

    /// Adds series with their values, those that are still there. Where not all of them have room, returns
    /// where the next page begins.
    fn add_wanted(&mut self, family: &Inspected, wanted: &mut Wanted) -> Option<Cursor> {
        let Wanted { labels: wanted, places } = std::mem::take(wanted);
        if wanted.is_empty() {
            return None;
        }
        let (held, touched) = family.values(&wanted, self.now);
        let values = value::all(&held.values);
        let (mut labels, mut places) = (held.index.labels(), wanted.iter().zip(places));
        let times = held.index.born().iter().zip(touched);
        for (value, (born, touched)) in values.into_iter().zip(times) {
            if self.listing.room() == 0 {
                return self.last.clone();
            }
            let Some(labels) = labels.next() else { break };
            let place = places.find(|(wanted, _)| *wanted == labels);
            self.last = place.map(|(_, place)| Cursor::new(family.name(), labels, place));
            self.listing.push(&json!({
                "name": **family.name(),
                "type": family.kind().as_str(),
                "labels": pairs(labels),
                "value": value,
                "birth": value::time(*born),
                "lastTouch": value::time(touched),
            }));
        }
        None
    }
}

/// Labels as an object.
fn pairs(labels: &LabelSet) -> Map<String, Value> {
    labels.iter().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
}

/// Whether any series of a family is meant; all are, if there are no selectors. `None` if the time was over
/// before that was known.
pub(super) fn is_any_meant(
    family: &Inspected,
    selectors: &[Selector],
    walk: &mut Walk,
) -> Option<bool> {
    let name: &Arc<str> = family.name();
    walk.charge(selectors, name.len());
    let of_name = selectors.iter().filter(|selector| selector.matches_name(name));
    let of_name: Vec<&Selector> = of_name.collect();
    if of_name.is_empty() || of_name.iter().any(|selector| selector.is_of_names_alone()) {
        return Some(selectors.is_empty() || !of_name.is_empty());
    }
    let index = family.index();
    let mut labels = index.labels();
    while let Some(labels) = labels.next() {
        if of_name.iter().any(|selector| selector.matches_labels(labels)) {
            return Some(true);
        }
        walk.charge(of_name.iter().copied(), labels.as_str().len());
        if walk.is_over() {
            return None;
        }
    }
    Some(false)
}
