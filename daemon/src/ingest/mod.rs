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
    policy::{Policy, Source},
    registry::Registry,
};

use crate::telemetry::{Reason, Telemetry, Transport};

/// Where deltas go.
pub struct Ingest {
    registry: Registry,
    policy: Policy,
    limits: Limits,
    telemetry: Arc<Telemetry>,
}

/// A fault of ours ended the handling of a message. It has been counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Ingest {
    /// An empty registry behind `limits`.
    pub fn new(
        registry: Registry,
        policy: Policy,
        limits: Limits,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self { registry, policy, limits, telemetry }
    }

    /// What becomes of the deltas of anybody.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// All series and families.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes in one message, by the intake of the thread that it came to. A panic in here ends this
    /// message alone. What was refused is recorded; the tally of what was applied is the caller's to
    /// record, so that many messages cost one record.
    pub fn message(
        &self,
        intake: &mut Intake,
        message: &[u8],
        source: Source<'_>,
        transport: Transport,
        broken: Broken,
        now: Timestamp,
    ) -> Result<Outcome, Panicked> {
        let limits = match transport {
            Transport::Http => self.limits,
            // The flag is about bodies; a datagram has its own limit.
            Transport::Udp | Transport::Unix => {
                Limits { message_bytes: DATAGRAM_BYTES_MAX, ..self.limits }
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
    use super::*;

    fn ingest() -> Ingest {
        let registry = Registry::new(pushprom_core::registry::SchemaConflicts::Adopt);
        Ingest::new(registry, Policy::default(), Limits::default(), Arc::default())
    }

    #[track_caller]
    fn check(message: &str, broken: Broken, applied: u64, refused: &[usize], is_broken: bool) {
        let (ingest, mut intake) = (ingest(), Intake::default());
        let (message, now) = (message.as_bytes(), Timestamp(0));
        let source = ingest.policy().source();
        let outcome = ingest.message(&mut intake, message, source, Transport::Udp, broken, now);
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
