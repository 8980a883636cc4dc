//! A family as a page shows it.

use std::{borrow::Cow, sync::Arc};

use crate::{
    model::Exemplar,
    snapshot::{Exemplars, FamilySnapshot, Index, Values},
};

/// A family whose names may be others than those in the snapshot. Only what is renamed is copied.
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) index: Cow<'a, Index>,
    pub(super) values: &'a Values,
    pub(super) exemplars: Cow<'a, [(usize, Exemplars)]>,
}

/// The exemplars of one series after another.
#[derive(Default)]
pub(super) struct ExemplarWalk<'a> {
    /// Of the next series, and of those after it.
    rest: &'a [(usize, Exemplars)],
    place: usize,
}

impl<'a> Family<'a> {
    /// A family whose name alone may be another.
    pub(super) fn unchanged(family: &'a FamilySnapshot, name: &'a str) -> Self {
        Self {
            name,
            help: &family.help,
            index: Cow::Borrowed(&family.index),
            values: &family.values,
            exemplars: Cow::Borrowed(&family.exemplars),
        }
    }

    /// Before the first series.
    pub(super) fn exemplar_walk(&self) -> ExemplarWalk<'_> {
        ExemplarWalk { rest: &self.exemplars, place: 0 }
    }
}

impl<'a> ExemplarWalk<'a> {
    /// The exemplars of the next series, in the order of their places.
    pub(super) fn next(&mut self) -> &'a [(usize, Arc<Exemplar>)] {
        let place = self.place;
        self.place += 1;
        match self.rest {
            [(of, exemplars), rest @ ..] if *of == place => {
                self.rest = rest;
                exemplars
            }
            _ => &[],
        }
    }
}

/// The one of some exemplars that came last.
pub(super) fn latest<'a>(
    exemplars: impl Iterator<Item = &'a (usize, Arc<Exemplar>)>,
) -> Option<&'a Exemplar> {
    exemplars.map(|(_, exemplar)| &**exemplar).last()
}
