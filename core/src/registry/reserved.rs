//! Names that clients cannot write, because they are, or were, the server's own.

use crate::model::Kind;

/// Our own families begin with these.
const PREFIXES: [&str; 2] = ["pushprom_", "process_"];

/// Single families that the original exposes of itself and that we expose too.
const NAMES: [&str; 2] =
    ["promhttp_metric_handler_requests_in_flight", "promhttp_metric_handler_requests_total"];

/// The families of the Go runtime. We have none, but the original refuses these names, and a dashboard
/// of Pushprom's own memory must not turn into one of some application's.
const GO_NAMES: [&str; 3] = ["go_goroutines", "go_info", "go_threads"];
const GO_PREFIXES: [&str; 2] = ["go_gc_", "go_memstats_"];

/// Whether a family of this name and kind, or one of its sample names, would be among them: as it is, or with
/// underscores for what not all of Prometheus knows.
pub(super) fn is_reserved(name: &str, kind: Kind) -> bool {
    let is_known = |character: char| character.is_ascii_alphanumeric() || character == ':';
    let name = name.replace(|character| !is_known(character), "_");
    let is_reserved = |name: &str| {
        PREFIXES.iter().chain(&GO_PREFIXES).any(|prefix| name.starts_with(prefix))
            || NAMES.iter().chain(&GO_NAMES).any(|reserved| *reserved == name)
    };
    is_reserved(&name)
        || kind.suffixes().iter().any(|suffix| is_reserved(&format!("{name}{suffix}")))
}
