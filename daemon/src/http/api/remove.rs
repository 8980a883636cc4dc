//! Series that an operator wants gone.

use pushprom_core::{registry::Registry, selector::Selector};
use serde_json::json;

use super::{
    failure::Failure,
    parameters::{Parameters, invalid},
};
use crate::{
    http::{gate::Caller, listener::Peer},
    telemetry::{Removal, Telemetry},
};

/// Characters of selectors that the log shows.
const SHOWN_CHARS_MAX: usize = 2000;

/// Which series are to go.
pub(super) enum Wanted {
    /// Those that one of these means.
    Selected(Vec<Selector>),
    /// All.
    All,
}

/// Who wants it, for the log.
pub(super) struct Who {
    peer: Peer,
    principal: String,
}

impl Who {
    pub(super) fn of(caller: &Caller) -> Self {
        Self { peer: caller.peer, principal: caller.name().to_owned() }
    }
}

impl Wanted {
    /// What is to be deleted.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        match parameters.selectors()? {
            selectors if selectors.is_empty() => {
                Err(invalid("match[]", "it is missing: say which series to delete"))
            }
            selectors => Ok(Self::Selected(selectors)),
        }
    }
}

/// Deletes what is wanted; logs and counts it.
pub(super) fn remove(
    registry: &Registry,
    telemetry: &Telemetry,
    wanted: &Wanted,
    who: &Who,
) -> Vec<u8> {
    let pause = std::thread::yield_now;
    let (removal, deleted, shown) = match wanted {
        Wanted::Selected(selectors) => {
            let deleted = registry.delete(
                |name| selectors.iter().any(|selector| selector.matches_name(name)),
                |name, labels| {
                    let means = |selector: &Selector| {
                        selector.matches_name(name) && selector.matches_labels(labels)
                    };
                    selectors.iter().any(means)
                },
                pause,
            );
            let shown: Vec<String> = selectors.iter().map(ToString::to_string).collect();
            (Removal::Delete, deleted, shown.join(" or "))
        }
        Wanted::All => {
            (Removal::Wipe, registry.delete(|_| true, |_, _| true, pause), String::new())
        }
    };
    telemetry.record_removed(removal, deleted);
    let shown: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
    let action = removal.as_str();
    let (peer, principal) = (who.peer, &who.principal);
    tracing::warn!(action, %peer, principal, selectors = shown, series = deleted, "series deleted");
    let answer = json!({"status": "success", "data": {"deleted": deleted}});
    format!("{answer}\n").into_bytes()
}
