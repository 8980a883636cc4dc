//! What keys and messages are known by: 128 bits of SHA-256. Nobody can look for two that have the same, as with a
//! hash that is quicker and has no secret; and a secret would have to outlive the process.

use sha2::{Digest, Sha256};

use super::Owner;
use crate::model::Key;

/// Of a key and whose it is.
pub(super) fn of_key(owner: Owner<'_>, key: &Key<'_>) -> u128 {
    let mut hash = Sha256::new();
    // No key has a line feed, and no name of a principal, so this is read in one way alone.
    match owner {
        Owner::Anybody => {}
        Owner::Principal(name) => {
            hash.update(name);
            hash.update(b"\n");
        }
        Owner::User(name) => {
            hash.update(b"\n");
            hash.update(name);
            hash.update(b"\n");
        }
    }
    hash.update(key.as_str());
    shortened(hash)
}

/// Of a message.
pub(super) fn of_message(message: &[u8]) -> u128 {
    shortened(Sha256::new_with_prefix(message))
}

fn shortened(hash: Sha256) -> u128 {
    let bytes: [u8; 32] = hash.finalize().into();
    bytes.first_chunk().copied().map(u128::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn digests_are_the_same_for_ever() {
        let key = Key::new("a".into()).unwrap();
        assert_eq!(of_message(b""), 0xe3b0_c442_98fc_1c14_9afb_f4c8_996f_b924);
        assert_eq!(of_key(Owner::Anybody, &key), 0xca97_8112_ca1b_bdca_fac2_31b3_9a23_dc4d);
        let owners = [
            Owner::Anybody,
            Owner::Principal(""),
            Owner::Principal("b"),
            Owner::Principal("c"),
            Owner::User(""),
            Owner::User("b"),
        ];
        let digests: HashSet<u128> = owners.iter().map(|owner| of_key(*owner, &key)).collect();
        assert_eq!(digests.len(), owners.len());
    }
}
