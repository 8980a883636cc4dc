//! Bearer tokens (RFC 6750), of which we keep what SHA-256 makes of them.

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// The scheme of a header with a token.
const SCHEME: &[u8] = b"bearer";

/// A token. The time it takes to compare two says nothing of where they differ, and that to find one in a
/// table nothing of the token, since where it lies depends on the hash alone.
#[derive(Clone, Copy)]
pub(super) struct Token([u8; 32]);

impl Token {
    /// The token with this SHA-256.
    pub(super) const fn of_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The token in the value of a header `Authorization`, if that is of a token.
    pub(super) fn of_header(value: &[u8]) -> Option<Self> {
        let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) || rest.first() != Some(&b' ') {
            return None;
        }
        // Over HTTP/2 a space at the end reaches us. What follows it is no token if it is nothing.
        let token = Some(rest.trim_ascii()).filter(|token| !token.is_empty())?;
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token).as_ref());
        Some(Self(bytes))
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Token {}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl std::fmt::Debug for Token {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}
