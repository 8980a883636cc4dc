//! What the bytes of a delta mean, and what numbers become.
//!
//! Everything here is a function of its arguments: no I/O, no async, no clock, no logging. Time comes
//! in as a [`model::Timestamp`]; what happened goes out as a return value. `clippy.toml` beside this
//! crate and the import table in `tests/house.rs` hold that line.
//!
//! In reading order: [`limits`], then [`model`] (the words), [`wire`] (bytes to deltas), [`registry`]
//! (deltas to totals, in the cells of [`atomic`]), [`intake`] (the way of a message through both, shortened
//! by a [`memo`], and cut off where [`answers`] know it), [`snapshot`] and [`expose`] (totals to pages), [`lint`] (what is odd about names), and [`selector`]
//! (which series are meant), and [`record`] (what a store keeps).
//! `wire`, `registry` and `expose` never see each other.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::as_conversions,
        clippy::float_cmp
    )
)]

pub mod limits;
pub mod model;

pub mod wire;

pub mod atomic;

pub mod rules;

pub mod policy;

pub mod record;

pub mod selector;

pub mod registry;

pub mod memo;

pub mod answers;

pub mod intake;

pub mod snapshot;

pub mod expose;

pub mod lint;
