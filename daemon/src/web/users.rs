//! Users and the hashes of their passwords.

use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use bcrypt::HashParts;
use hyper::{HeaderMap, header::AUTHORIZATION};
use serde::Deserialize;

/// The costs of bcrypt: fewer rounds than 2^4 it does not have, and 2^20 take a minute each time.
const COST_MIN: u32 = 4;
const COST_MAX: u32 = 20;

/// The cost of who is unknown where nobody is known.
const COST_DEFAULT: u32 = 10;

/// Salt and hash that belong to no password that anybody knows.
const DECOY: &str = "h0gP6Ae4QKxnl208unmuXO5grtxbxSWVuDInbLBBGtS9h/W7tgfB.";

/// A password as bcrypt has hashed it.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Hash(Arc<str>);

/// Why a text is no hash of a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// It has another form. It is not shown: it may be a password.
    #[error(
        "the value is no bcrypt hash of 60 characters: make one by htpasswd -nBC 10 USER, and quote it"
    )]
    Form,
    /// It would take too long, or no time.
    #[error(
        "the cost of the bcrypt hash is {0}: use one from {COST_MIN} to {COST_MAX}, such as 10"
    )]
    Cost(u32),
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        let parts = HashParts::from_str(&text).map_err(|_| HashError::Form)?;
        match parts.get_cost() {
            COST_MIN..=COST_MAX => Ok(Self(text.into())),
            other => Err(HashError::Cost(other)),
        }
    }
}

impl Hash {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn cost(&self) -> u32 {
        HashParts::from_str(&self.0).map_or(COST_DEFAULT, |parts| parts.get_cost())
    }

    fn decoy(cost: u32) -> Self {
        Self(format!("$2b${cost:02}${DECOY}").into())
    }
}

/// It tells no one.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Users by name.
#[derive(Debug, Default)]
pub struct Users {
    known: HashMap<Arc<str>, Hash>,
    /// One of each cost that a known user has, as often as users have it.
    decoys: Vec<Hash>,
    key: Option<hmac::Key>,
}

/// What a password is compared with.
#[derive(Debug)]
pub(super) struct Looked<'a> {
    pub(super) hash: &'a Hash,
    /// The name, if there is such a user.
    pub(super) known: Option<Arc<str>>,
}

impl Users {
    /// These users.
    pub fn new(users: impl IntoIterator<Item = (String, Hash)>) -> Self {
        let known: HashMap<Arc<str>, Hash> =
            users.into_iter().map(|(name, hash)| (name.into(), hash)).collect();
        let mut hashes: Vec<&Hash> = known.values().collect();
        hashes.sort_by(|a, b| a.0.cmp(&b.0));
        let decoys = hashes.iter().map(|hash| Hash::decoy(hash.cost())).collect();
        let secret: Vec<&str> = hashes.iter().map(|hash| &*hash.0).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.join("\n").as_bytes());
        Self { known, decoys, key: Some(key) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The hash of a user; of who is unknown, a decoy. Which cost that one has follows from the name, by a
    /// secret that lasts as long as the hashes do, and is as common among names as among users: whatever
    /// comparing with it takes, one of the users could take it too.
    pub(super) fn look_up(&self, name: &[u8]) -> Option<Looked<'_>> {
        let (name_known, hash) = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.known.get_key_value(name))
            .map_or((None, None), |(name, hash)| (Some(Arc::clone(name)), Some(hash)));
        let chosen = self.key.as_ref().map(|key| hmac::sign(key, name))?;
        let chosen = chosen
            .as_ref()
            .iter()
            .fold(0_usize, |sum, byte| sum.wrapping_mul(256).wrapping_add(usize::from(*byte)));
        let decoy = self.decoys.get(chosen.checked_rem(self.decoys.len())?)?;
        Some(Looked { hash: hash.unwrap_or(decoy), known: name_known })
    }
}

/// Name and password as they come with a request (RFC 7617). They are whatever bytes the client sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// The name.
    pub user: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
}

impl Basic {
    /// Those of a request, if it has any; as Go reads them, so that what Prometheus sends is understood.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        const SCHEME: &[u8] = b"basic ";
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let (scheme, code) = value.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let mut user = STANDARD.decode(code).ok()?;
        let colon = user.iter().position(|byte| *byte == b':')?;
        let password = user.split_off(colon + 1);
        user.truncate(colon);
        Some(Self { user, password })
    }
}

/// It tells no one the password.
impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic")
            .field("user", &String::from_utf8_lossy(&self.user))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn hash(cost: u32, of: &str) -> Hash {
        let hash = bcrypt::hash(of, cost).expect("it hashes");
        Hash::try_from(hash).expect("a hash")
    }

    #[test]
    fn a_hash_has_its_form() {
        let good = "$2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq";
        for (text, want) in [
            (good.to_owned(), Ok(())),
            (good.replace("2y", "2a"), Ok(())),
            (good.replace("2y", "2b"), Ok(())),
            (good.replace("2y", "2z"), Err(HashError::Form)),
            (good.replace("$10$", "$04$"), Ok(())),
            (good.replace("$10$", "$03$"), Err(HashError::Cost(3))),
            (good.replace("$10$", "$20$"), Ok(())),
            (good.replace("$10$", "$21$"), Err(HashError::Cost(21))),
            (good.replace('/', "!"), Err(HashError::Form)),
            (format!("{good}x"), Err(HashError::Form)),
            ("doe".to_owned(), Err(HashError::Form)),
            (String::new(), Err(HashError::Form)),
        ] {
            assert_eq!(Hash::try_from(text.clone()).map(|_| ()), want, "{text:?}");
        }
    }

    #[test]
    fn who_is_unknown_costs_what_users_cost() {
        assert!(
            HashParts::from_str(Hash::decoy(7).as_str()).is_ok_and(|parts| parts.get_cost() == 7)
        );
        let users = Users::new([4, 5, 5, 5].map(|cost| {
            let hash = hash(cost, "secret");
            (hash.as_str().to_owned(), hash)
        }));
        let cost =
            |name: &str| users.look_up(name.as_bytes()).expect("there are users").hash.cost();
        let costs: Vec<u32> = (0..400).map(|name| cost(&name.to_string())).collect();
        let again: Vec<u32> = (0..400).map(|name| cost(&name.to_string())).collect();
        assert_eq!(costs, again);
        let cheap = costs.iter().filter(|cost| **cost == 4).count();
        assert!((50..150).contains(&cheap) && costs.iter().all(|cost| matches!(cost, 4 | 5)));
        assert!(users.look_up(b"\xff").expect("there are users").known.is_none());
        assert!(Users::default().look_up(b"x").is_none());
    }

    #[test]
    fn names_and_passwords_are_read_as_go_does() {
        for (value, want) in [
            ("Basic YTpi", Some(("a", "b"))),
            ("bAsIC YTpi", Some(("a", "b"))),
            ("Basic YTpiOmM=", Some(("a", "b:c"))),
            ("Basic Og==", Some(("", ""))),
            ("Basic YWI=", None),
            ("Basic YTpiOmM", None),
            ("Basic  YTpi", None),
            ("Basic", None),
            ("Bearer YTpi", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            let want = want.map(|(user, password)| Basic {
                user: user.as_bytes().to_vec(),
                password: password.as_bytes().to_vec(),
            });
            assert_eq!(Basic::of(&headers), want, "{value:?}");
        }
        assert_eq!(Basic::of(&HeaderMap::new()), None);
    }
}
