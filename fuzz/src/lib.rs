//! What the fuzz targets share: a way in, a way back out, and a second opinion.
//!
//! In reading order: [`encode`] (a delta as a client spells it), [`model`] (what the registry should
//! make of it), [`parse`] (what a page says), [`negotiation`] (which page a scraper should get), [`disk`] (where a
//! store is kept). None of it calls the code that it judges; of `core` it takes the words alone.

pub mod disk;
pub mod encode;
pub mod model;
pub mod negotiation;
pub mod parse;
