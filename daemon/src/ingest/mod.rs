//! The way in that all transports share: a message is decoded, its deltas are applied, and what
//! happened is recorded. What a transport does with a broken message is its own: see [`Broken`].

pub mod datagrams;
pub mod udp;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use pushprom_core::{
    intake::{Broken, Intake, Outcome},
    limits::{DATAGRAM_BYTES_MAX, Limits},
    model::Timestamp,
    policy::Source,
    registry::Registry,
};

use crate::telemetry::{Reason, Telemetry, Transport};

/// Where deltas go.
pub struct Ingest {
    registry: Registry,
    telemetry: Arc<Telemetry>,
}

/// How a message came.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Who sent it, and what becomes of its deltas.
    pub source: Source<'a>,
    /// The limits in force when it came.
    pub limits: &'a Limits,
    /// The way it came.
    pub transport: Transport,
    /// What is done if it breaks off.
    pub broken: Broken,
}

/// A fault of ours ended the handling of a message. It has been counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Ingest {
    /// A way into `registry`.
    pub fn new(registry: Registry, telemetry: Arc<Telemetry>) -> Self {
        Self { registry, telemetry }
    }

    /// All series and families.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Where it is recorded what happens.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Takes in one message, by the intake of the thread that it came to. A panic in here ends this
    /// message alone. What was refused is recorded; the tally of what was applied is the caller's to
    /// record, so that many messages cost one record.
    pub fn message(
        &self,
        intake: &mut Intake,
        message: &[u8],
        arrival: Arrival<'_>,
        now: Timestamp,
    ) -> Result<Outcome, Panicked> {
        let Arrival { source, limits, transport, broken } = arrival;
        let limits = match transport {
            Transport::Http => *limits,
            // The flag is about bodies; a datagram has its own limit.
            Transport::Udp | Transport::Unix => {
                Limits { message_bytes: DATAGRAM_BYTES_MAX, ..*limits }
            }
        };
        let outcome =
            contain(|| intake.take_in(message, &self.registry, source, &limits, broken, now));
        match &outcome {
            Ok(outcome) => {
                for (_, refusal) in &outcome.refused {
                    self.telemetry.record_rejected(transport, Reason::from(refusal));
                }
                if let Some(error) = &outcome.broken {
                    self.telemetry.record_rejected(transport, Reason::from(error));
                }
            }
            Err(Panicked) => {
                // Whatever it was in the middle of, it shall not go on from there.
                *intake = Intake::default();
                self.telemetry.record_rejected(transport, Reason::Panic);
            }
        }
        outcome
    }
}

/// Runs `work`; a panic in it ends it and nothing else. The hook of [`crate::app`] counts and logs it.
fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // Unwind safety: the registry's locks do not poison, and each delta is applied by atomics last.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use pushprom_core::policy::Policy;

    use super::*;

    fn ingest() -> Ingest {
        let registry = Registry::new(pushprom_core::registry::SchemaConflicts::Adopt);
        Ingest::new(registry, Arc::default())
    }

    #[track_caller]
    fn check(message: &str, broken: Broken, applied: u64, refused: &[usize], is_broken: bool) {
        let (ingest, mut intake) = (ingest(), Intake::default());
        let (message, now) = (message.as_bytes(), Timestamp(0));
        let (policy, limits) = (Policy::default(), Limits::default());
        let (source, transport) = (policy.source(), Transport::Udp);
        let arrival = Arrival { source, limits: &limits, transport, broken };
        let outcome = ingest.message(&mut intake, message, arrival, now);
        let outcome = outcome.expect("no panic");
        let indexes: Vec<usize> = outcome.refused.iter().map(|(index, _)| *index).collect();
        assert_eq!(
            (outcome.applied(), &*indexes, outcome.broken.is_some()),
            (applied, refused, is_broken)
        );
        assert_eq!(ingest.registry().series_count() > 0, applied > 0);
    }

    #[test]
    fn each_delta_of_a_message_stands_for_itself() {
        let (a, bad) = (r#"{"type":"counter","name":"a","method":"inc"}"#, r#"{"type":"x"}"#);
        check(a, Broken::Refuse, 1, &[], false);
        check(&format!("[{bad},{a},{bad}]"), Broken::Refuse, 1, &[0, 2], false);
        check(&format!("{a}{{"), Broken::Refuse, 0, &[], true);
        check(&format!("{bad}{a}{{"), Broken::Salvage, 1, &[0], true);
    }

    #[test]
    fn a_panic_is_contained() {
        assert_eq!(contain(|| panic!("on purpose")), Err::<(), _>(Panicked));
        assert_eq!(contain(|| 1), Ok(1));
    }
}
