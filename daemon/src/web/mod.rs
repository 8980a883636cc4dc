//! What `-web.config.file` of Prometheus' exporter-toolkit asks for: TLS, users, headers, a rate of
//! requests. The file is looked at again with each request and each TLS connection; where it has become
//! invalid nobody gets in until it is mended.
//!
//! `file` reads it, `tls` makes TLS of it, [`Passwords`] compares passwords, and [`Web`] keeps it fresh.

mod client_cert;
mod file;
mod go;
mod live;
mod passwords;
mod rate_limit;
mod tls;
mod users;

pub use client_cert::Names;
pub use file::{FileError, Http2, Settings};
pub use live::{OpenError, Reload, TlsRefused, Web};
pub use passwords::{Busy, Passwords};
pub use rate_limit::RateLimiter;
pub use tls::TlsError;
pub use users::{Basic, Hash, HashError, Users};

/// A name that a client sent, for the log: cut at 64 characters. The layout quotes and escapes it.
pub fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(64).collect()
}
