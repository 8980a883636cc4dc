//! What identifies a series: a keyed hash of its name and labels.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

use siphasher::sip128::SipHasher13;
use smallvec::SmallVec;

use crate::{
    model::{Delta, Labels},
    policy::Policy,
};

/// The identity of a series. Two series have the same one with probability 2^-128, and nobody who does not
/// know the key can look for such a pair; so nothing else of a series is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Finds the shard, the slot, and the candidates in it.
    pub(super) low: u64,
    high: u64,
}

/// Makes fingerprints, by a key of its own.
pub(super) struct Fingerprinter(SipHasher13);

/// Bytes of name and labels that are hashed without an allocation: most series have fewer.
const BYTES_INLINE: usize = 512;

impl Fingerprinter {
    /// With a random key.
    pub(super) fn new() -> Self {
        // The standard library is the one source of randomness here: each has a key of the process's own.
        let random = || RandomState::new().build_hasher().finish();
        Self(SipHasher13::new_with_keys(random(), random()))
    }

    /// The fingerprint of a series.
    pub(super) fn of(&self, name: &str, labels: &Labels<'_>) -> Fingerprint {
        // No text contains the byte 0xff, so it keeps the parts apart.
        let mut parts: SmallVec<[u8; BYTES_INLINE]> = SmallVec::new();
        let mut write = |text: &str| {
            parts.extend_from_slice(text.as_bytes());
            parts.push(0xff);
        };
        write(name);
        for (name, value) in labels.iter() {
            write(name);
            write(value);
        }
        let hash = self.0.hash(&parts);
        Fingerprint { low: hash.h1, high: hash.h2 }
    }

    /// The fingerprint of what `delta` is pushed as under a policy. It identifies that, and no series.
    pub(super) fn of_pushed(&self, policy: &Policy, delta: &Delta<'_>) -> Fingerprint {
        let Fingerprint { low, high } = self.of(delta.name(), delta.labels());
        // Of other names and labels the hash is as good as random, before and after.
        Fingerprint { low, high: high ^ policy.id() }
    }
}
