//! The door at which passwords are compared. bcrypt is slow by design, so comparing is done on a thread
//! apart, one at a time whoever asks, for a few that wait; and what came out is remembered.

use std::{collections::HashSet, hash::BuildHasher, sync::Arc};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use parking_lot::Mutex;
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::{sync::Semaphore, task};

use super::users::{Basic, Users};

/// What is remembered of passwords that fit, and as many of those that do not.
const REMEMBERED_MAX: usize = 100;

/// Requests whose password waits to be compared. A further one is refused.
const WAITING_MAX: usize = 64;

/// Compares passwords for everybody.
#[derive(Debug)]
pub struct Passwords {
    memory: Arc<Mutex<Memory>>,
    /// Known to this process alone.
    key: hmac::Key,
    places: Semaphore,
    turn: Arc<Semaphore>,
}

/// Too many passwords wait to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Passwords {
    /// A door that nobody has come to. `None` if the system has no random numbers.
    pub fn new() -> Option<Self> {
        // From the kernel: the generator of aws-lc takes 36 ms to start, which nobody is to wait for who has no
        // password.
        let mut secret = [0; 32];
        let got = getrandom(&mut secret, GetRandomFlags::empty()).ok()?;
        if got < secret.len() {
            return None;
        }
        Some(Self {
            memory: Arc::default(),
            key: hmac::Key::new(HMAC_SHA256, &secret),
            places: Semaphore::new(WAITING_MAX),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whose password it is; `None` if it is nobody's. It takes as long for who is no user as for who
    /// is one. Has to be called on a runtime.
    pub async fn check(&self, users: &Users, given: Basic) -> Result<Option<Arc<str>>, Busy> {
        let Some(looked) = users.look_up(&given.user) else { return Ok(None) };
        let (hash, known) = (looked.hash.clone(), looked.known);
        let digest = self.digest([&given.user, hash.as_str().as_bytes(), &given.password]);
        if let Some(fits) = self.memory.lock().recall(&digest) {
            return Ok(known.filter(|_| fits));
        }
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Busy)?;
        // Meanwhile another request may have brought the same.
        if let Some(fits) = self.memory.lock().recall(&digest) {
            return Ok(known.filter(|_| fits));
        }
        let (memory, is_known) = (Arc::clone(&self.memory), known.is_some());
        let compare = move || {
            let fits = bcrypt::verify(&given.password, hash.as_str()).unwrap_or(false);
            // Who is unknown has a decoy for a hash, which fits nobody.
            let fits = fits && is_known;
            memory.lock().remember(digest, fits);
            // Should the request be abandoned, the next one waits all the same.
            drop(turn);
            fits
        };
        let fits = task::spawn_blocking(compare).await.map_err(|_| Busy)?;
        Ok(known.filter(|_| fits))
    }

    /// What stands for all of the parts: those of two different triples are different. Without the key
    /// nothing can be learnt from it.
    fn digest(&self, parts: [&[u8]; 3]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            context.update(part);
        }
        let tag = context.sign();
        let mut digest = [0; 32];
        for (byte, of_tag) in digest.iter_mut().zip(tag.as_ref()) {
            *byte = *of_tag;
        }
        digest
    }
}

type Digest = [u8; 32];

/// What came out before. Passwords that fit have a room of their own, so that who guesses drives out none
/// of them.
#[derive(Debug, Default)]
struct Memory {
    fit: HashSet<Digest>,
    unfit: HashSet<Digest>,
}

impl Memory {
    fn recall(&self, digest: &Digest) -> Option<bool> {
        if self.fit.contains(digest) {
            return Some(true);
        }
        self.unfit.contains(digest).then_some(false)
    }

    fn remember(&mut self, digest: Digest, fits: bool) {
        let room = if fits { &mut self.fit } else { &mut self.unfit };
        if room.len() >= REMEMBERED_MAX {
            // About one in ten goes, by chance.
            let dice = std::hash::RandomState::new();
            room.retain(|digest| dice.hash_one(digest) % 10 != 0);
        }
        if room.len() >= REMEMBERED_MAX {
            // By chance none went.
            let any = room.iter().next().copied();
            any.map(|any| room.remove(&any));
        }
        room.insert(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::users::Hash, *};

    fn users() -> Users {
        Users::new(["alice", "bob"].map(|name| {
            let hash = bcrypt::hash(format!("{name}'s"), 4).expect("it hashes");
            (name.to_owned(), Hash::try_from(hash).expect("a hash"))
        }))
    }

    fn basic(user: &str, password: &str) -> Basic {
        Basic { user: user.into(), password: password.into() }
    }

    #[tokio::test]
    async fn a_password_is_that_of_its_user() {
        let (users, door) = (users(), Passwords::new().expect("random numbers"));
        for _ in 0..2 {
            for (user, password, want) in [
                ("alice", "alice's", Some("alice")),
                ("bob", "bob's", Some("bob")),
                ("alice", "bob's", None),
                ("alice", "", None),
                ("alice", "alice's ", None),
                ("carol", "alice's", None),
                ("", "", None),
            ] {
                let got = door.check(&users, basic(user, password)).await;
                assert_eq!(got.expect("nobody waits").as_deref(), want, "{user}:{password}");
            }
        }
        let memory = door.memory.lock();
        assert_eq!((memory.fit.len(), memory.unfit.len()), (2, 5));
    }

    #[test]
    fn no_two_triples_have_one_digest() {
        let door = Passwords::new().expect("random numbers");
        let digests: HashSet<Digest> =
            [["a", "b", "c"], ["ab", "", "c"], ["a", "bc", ""], ["", "ab", "c"], ["a:b", "c", ""]]
                .map(|parts| door.digest(parts.map(str::as_bytes)))
                .into();
        assert_eq!(digests.len(), 5);
    }

    #[test]
    fn guesses_drive_out_guesses_alone() {
        let mut memory = Memory::default();
        let digest = |n: u16| {
            let mut digest = [0; 32];
            digest[..2].copy_from_slice(&n.to_le_bytes());
            digest
        };
        for n in 0..50 {
            memory.remember(digest(n), true);
        }
        for n in 50..1000 {
            memory.remember(digest(n), false);
            assert!(memory.unfit.len() <= REMEMBERED_MAX);
            assert_eq!(memory.recall(&digest(n)), Some(false));
        }
        assert!((0..50).all(|n| memory.recall(&digest(n)) == Some(true)));
    }

    #[tokio::test]
    async fn few_wait() {
        let (users, door) = (users(), Passwords::new().expect("random numbers"));
        let turn = Arc::clone(&door.turn).acquire_owned().await.expect("it is open");
        let (users, door) = (Arc::new(users), Arc::new(door));
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|n| {
                let (users, door) = (Arc::clone(&users), Arc::clone(&door));
                task::spawn(async move { door.check(&users, basic("alice", &n.to_string())).await })
            })
            .collect();
        while door.places.available_permits() > 0 {
            task::yield_now().await;
        }
        assert_eq!(door.check(&users, basic("alice", "alice's")).await, Err(Busy));
        drop(turn);
        for one in waiting {
            assert_eq!(one.await.expect("it ends"), Ok(None));
        }
        let got = door.check(&users, basic("alice", "alice's")).await;
        assert_eq!(got.expect("nobody waits").as_deref(), Some("alice"));
    }
}
