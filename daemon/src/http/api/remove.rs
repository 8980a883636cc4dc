//! Series that an operator wants gone.

use std::{cell::RefCell, ops::ControlFlow};

use pushprom_core::{registry::Registry, selector::Selector};
use serde_json::json;

use super::{
    failure::Failure,
    parameters::{Parameters, invalid},
    walk::Walk,
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

#[cfg(test)]
impl Who {
    /// One of whom nothing is known.
    pub(super) fn nobody() -> Self {
        Self { peer: Peer::Unix, principal: String::new() }
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

/// Deletes what is wanted, as far as its time allows; logs and counts it.
pub(super) fn remove(
    registry: &Registry,
    telemetry: &Telemetry,
    wanted: &Wanted,
    who: &Who,
    walk: &mut Walk,
) -> Vec<u8> {
    let pause = std::thread::yield_now;
    let walk = RefCell::new(walk);
    // Each time: one look at a series may cost what a thousand of others do.
    let in_time = |answer: &dyn Fn() -> bool| {
        if walk.borrow_mut().is_late() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(answer())
        }
    };
    let (removal, deleted, shown) = match wanted {
        Wanted::Selected(selectors) => {
            let deleted = registry.delete(
                |name| in_time(&|| selectors.iter().any(|selector| selector.matches_name(name))),
                |name, labels| {
                    let means = |selector: &Selector| {
                        selector.matches_name(name) && selector.matches_labels(labels)
                    };
                    in_time(&|| selectors.iter().any(means))
                },
                pause,
            );
            let shown: Vec<String> = selectors.iter().map(ToString::to_string).collect();
            (Removal::Delete, deleted, shown.join(" or "))
        }
        Wanted::All => {
            let all = || in_time(&|| true);
            (Removal::Wipe, registry.delete(|_| all(), |_, _| all(), pause), String::new())
        }
    };
    telemetry.record_removed(removal, deleted.series);
    let shown: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
    let action = removal.as_str();
    let (peer, principal) = (who.peer, &who.principal);
    let (series, complete) = (deleted.series, deleted.is_complete);
    tracing::warn!(action, %peer, principal, selectors = shown, series, complete, "series deleted");
    let data = json!({"deleted": series, "complete": complete});
    let answer = json!({"status": "success", "data": data});
    format!("{answer}\n").into_bytes()
}
