//! The way in that all transports share: a message is decoded, its deltas are applied, and what
//! happened is recorded. What a transport does with a broken message is its own: see [`Broken`].

pub mod datagrams;
pub mod udp;

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use pushprom_core::{
    limits::{DATAGRAM_BYTES_MAX, Limits},
    model::Timestamp,
    registry::{Registry, Rejected},
    wire::json::{self, DeltaError, MessageError},
};

use crate::telemetry::{Reason, Telemetry, Transport};

/// Where deltas go.
pub struct Ingest {
    registry: Registry,
    limits: Limits,
    telemetry: Arc<Telemetry>,
}

/// What becomes of the good deltas of a message that breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// They count: nobody will send them again.
    Salvage,
    /// They do not: the sender is told, and sends the message again, mended.
    Refuse,
}

/// What became of a message.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Deltas told apart, good and bad.
    pub deltas: usize,
    /// Deltas applied.
    pub applied: usize,
    /// Deltas refused, by their place in the message.
    pub refused: Vec<(usize, Refusal)>,
    /// Why the rest of the message could not be read.
    pub broken: Option<MessageError>,
}

/// Why a delta was refused.
#[derive(Debug)]
pub enum Refusal {
    /// It is none.
    Decode(DeltaError),
    /// The registry cannot take it.
    Apply(Rejected),
}

/// A fault of ours ended the handling of a message. It has been counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Ingest {
    /// An empty registry behind `limits`.
    pub fn new(registry: Registry, limits: Limits, telemetry: Arc<Telemetry>) -> Self {
        Self { registry, limits, telemetry }
    }

    /// All series and families.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes in one message. A panic in here ends this message alone.
    pub fn message(
        &self,
        message: &[u8],
        transport: Transport,
        broken: Broken,
        now: Timestamp,
    ) -> Result<Outcome, Panicked> {
        let outcome = contain(|| self.take_in(message, transport, broken, now));
        if outcome.is_err() {
            self.telemetry.record_rejected(transport, Reason::Panic);
        }
        outcome
    }

    fn take_in(
        &self,
        message: &[u8],
        transport: Transport,
        broken: Broken,
        now: Timestamp,
    ) -> Outcome {
        let limits = match transport {
            Transport::Http => self.limits,
            // The flag is about bodies; a datagram has its own limit.
            Transport::Udp | Transport::Unix => {
                Limits { message_bytes: DATAGRAM_BYTES_MAX, ..self.limits }
            }
        };
        let decoded = json::decode(message, &limits);
        let mut outcome = Outcome { deltas: decoded.deltas.len(), ..Outcome::default() };
        if let Some(error) = decoded.broken {
            self.telemetry.record_rejected(transport, Reason::from(&error));
            outcome.broken = Some(error);
            match broken {
                Broken::Refuse => return outcome,
                Broken::Salvage => {}
            }
        }
        for (index, delta) in decoded.deltas.into_iter().enumerate() {
            let applied = delta.map_err(Refusal::Decode).and_then(|delta| {
                let applied = self.registry.apply(&delta, now).map_err(Refusal::Apply)?;
                Ok((delta.kind(), applied))
            });
            match applied {
                Ok((kind, applied)) => {
                    self.telemetry.record_applied(transport, kind, applied);
                    outcome.applied += 1;
                }
                Err(refusal) => {
                    self.telemetry.record_rejected(transport, refusal.reason());
                    outcome.refused.push((index, refusal));
                }
            }
        }
        outcome
    }
}

impl Refusal {
    /// The label value of our own metrics.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Decode(error) => error.into(),
            Self::Apply(error) => error.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Apply(error) => error.fmt(f),
        }
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
        let limits = Limits::default();
        let registry = Registry::new(pushprom_core::registry::SchemaConflicts::Adopt, &limits);
        Ingest::new(registry, limits, Arc::default())
    }

    #[track_caller]
    fn check(message: &str, broken: Broken, applied: usize, refused: &[usize], is_broken: bool) {
        let ingest = ingest();
        let outcome = ingest.message(message.as_bytes(), Transport::Udp, broken, Timestamp(0));
        let outcome = outcome.expect("no panic");
        let indexes: Vec<usize> = outcome.refused.iter().map(|(index, _)| *index).collect();
        assert_eq!(
            (outcome.applied, &*indexes, outcome.broken.is_some()),
            (applied, refused, is_broken)
        );
        assert_eq!(ingest.registry().series_count(), applied);
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
