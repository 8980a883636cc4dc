//! What this build is.

/// The version, as in the changelog.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, or `unknown`.
pub const REVISION: &str = env!("PUSHPROM_REVISION");
/// The compiler.
pub const RUSTC: &str = env!("PUSHPROM_RUSTC");
