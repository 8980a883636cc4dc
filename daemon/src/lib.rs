//! The daemon around `pushprom_core`: sockets, HTTP, flags, logs, life and death.
//!
//! Imports point one way: [`app`] puts together [`http`] and [`ingest`]; [`config`], [`telemetry`],
//! [`shutdown`], [`socket`], [`log`] and [`clock`] are leaves. `tests/house.rs` holds them to it.

pub mod app;
pub mod config;

pub mod ingest;

pub mod http;

pub mod telemetry;

pub mod clock;
pub mod log;
pub mod shutdown;
pub mod socket;
pub mod version;
