//! The daemon around `pushprom_core`: sockets, HTTP, flags, logs, life and death.
//!
//! Imports point one way: [`app`] puts together [`http`] and [`ingest`]; [`config`], [`telemetry`],
//! [`shutdown`], [`notify`], [`web`], [`socket`], [`datagram`], [`log`] and [`clock`] are leaves. `tests/house.rs` holds
//! them to it.

#[forbid(unsafe_code)]
pub mod app;
#[forbid(unsafe_code)]
pub mod config;

#[forbid(unsafe_code)]
pub mod ingest;

#[forbid(unsafe_code)]
pub mod http;

#[forbid(unsafe_code)]
pub mod store;
pub mod telemetry;

#[forbid(unsafe_code)]
pub mod access;
#[forbid(unsafe_code)]
pub mod live;
#[forbid(unsafe_code)]
pub mod reload;

#[forbid(unsafe_code)]
pub mod declare;
#[forbid(unsafe_code)]
pub mod upkeep;

#[forbid(unsafe_code)]
pub mod clock;
pub mod datagram;
#[forbid(unsafe_code)]
pub mod file;
#[forbid(unsafe_code)]
pub mod log;
#[forbid(unsafe_code)]
pub mod notify;
#[forbid(unsafe_code)]
pub mod shutdown;
#[forbid(unsafe_code)]
pub mod socket;
#[forbid(unsafe_code)]
pub mod version;
#[forbid(unsafe_code)]
pub mod web;
