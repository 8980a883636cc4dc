//! Who may do what: principals by what they show, as the section `access` of the file has them. Without one
//! everybody may do everything, as in the original.

mod check;
mod networks;
mod token;

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, LazyLock},
};

use pushprom_core::{
    model::Quoted,
    policy::{Client, Grant, Policy, Source},
    rules::Rules,
};

pub use self::check::{CheckError, check, is_open_to_others};
use self::{networks::Networks, token::Token};
use crate::{
    config::{Granted, Mark, Principals, Right, Rights},
    web::{Hash, Names, Users},
};

/// Who may do what.
#[derive(Debug)]
pub enum Access {
    /// Everybody may do everything.
    Open(Arc<Principal>),
    /// Principals have rights.
    Granted(Box<Table>),
}

/// Somebody, known or not, and what it may do.
#[derive(Debug)]
pub struct Principal {
    name: Option<Arc<str>>,
    rights: Rights,
    policy: Policy,
}

/// Those who are known, by what they show.
#[derive(Debug)]
pub struct Table {
    anonymous: Arc<Principal>,
    /// Passwords of those users who are in no other file.
    users: Users,
    by_user: HashMap<String, Arc<Principal>>,
    tokens: HashMap<Token, Arc<Principal>>,
    certificates: HashMap<String, Arc<Principal>>,
    networks: Networks,
    unix: Option<Arc<Principal>>,
}

/// What a request shows of who sent it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The value of its header `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// Names in the certificate of its connection, which has been verified.
    pub certificate: Option<&'a Names>,
}

/// Where deltas come from, as far as it matters for whoever is no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// A user of `-web.config.file`.
    User(&'a str),
    /// An address.
    Address(IpAddr),
    /// A unix socket.
    Unix,
    /// Nobody has asked.
    Untold,
}

/// Nobody is known by what a request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// A principal without the right that something takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{principal} has no right to {}: ask whoever runs this server for it", .right.as_str())]
pub struct Forbidden {
    /// Who.
    pub principal: Quoted,
    /// The right.
    pub right: Right,
}

impl Access {
    /// The access that the configuration grants, where `rules` make series of deltas.
    pub fn new(principals: Option<&Principals>, rules: &Arc<Rules>) -> Self {
        let Some(principals) = principals else {
            let policy = Policy::open(Arc::clone(rules));
            return Self::Open(Arc::new(Principal { name: None, rights: Rights::ALL, policy }));
        };
        let mut table = Table {
            anonymous: principal(None, &principals.anonymous, rules),
            users: users(principals),
            by_user: HashMap::new(),
            tokens: HashMap::new(),
            certificates: HashMap::new(),
            networks: Networks::default(),
            unix: None,
        };
        for named in &principals.named {
            let principal = principal(Some(Arc::from(&*named.name)), &named.granted, rules);
            for mark in &named.marks {
                table.insert(mark, &principal);
            }
        }
        Self::Granted(Box::new(table))
    }

    /// Who sent a request, by all but a user's password.
    pub fn of_request(&self, shown: Shown<'_>) -> Result<&Arc<Principal>, Unknown> {
        match self {
            Self::Open(everybody) => Ok(everybody),
            Self::Granted(table) => table.of_request(shown),
        }
    }

    /// Users with passwords of their own.
    pub fn users(&self) -> &Users {
        static NONE: LazyLock<Users> = LazyLock::new(Users::default);
        match self {
            Self::Open(_) => &NONE,
            Self::Granted(table) => &table.users,
        }
    }

    /// Who a user is that has proved to be one: who its certificate says, if it is no principal itself.
    pub fn of_user(&self, name: &str, certificate: Option<&Names>) -> &Arc<Principal> {
        match self {
            Self::Open(everybody) => everybody,
            Self::Granted(table) => {
                let of_user = table.by_user.get(name);
                of_user.or_else(|| table.of_certificate(certificate)).unwrap_or(&table.anonymous)
            }
        }
    }

    /// Who shows nothing.
    pub fn anonymous(&self) -> &Arc<Principal> {
        match self {
            Self::Open(everybody) => everybody,
            Self::Granted(table) => &table.anonymous,
        }
    }

    /// Whether it matters where a datagram comes from.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Who sends datagrams from an address.
    pub fn of_address(&self, address: IpAddr) -> &Arc<Principal> {
        match self {
            Self::Open(everybody) => everybody,
            Self::Granted(table) => table.networks.find(address).unwrap_or(&table.anonymous),
        }
    }

    /// Who sends datagrams to unix sockets.
    pub fn of_unix(&self) -> &Arc<Principal> {
        match self {
            Self::Open(everybody) => everybody,
            Self::Granted(table) => table.unix.as_ref().unwrap_or(&table.anonymous),
        }
    }
}

impl Table {
    fn of_request(&self, shown: Shown<'_>) -> Result<&Arc<Principal>, Unknown> {
        let Some(authorization) = shown.authorization else {
            return Ok(self.of_certificate(shown.certificate).unwrap_or(&self.anonymous));
        };
        // Who shows something wrong is not taken for one who shows nothing: it would not find out.
        let token = Token::of_header(authorization).ok_or(Unknown)?;
        self.tokens.get(&token).ok_or(Unknown)
    }

    fn of_certificate(&self, names: Option<&Names>) -> Option<&Arc<Principal>> {
        let names = names.into_iter();
        let mut names = names.flat_map(|names| names.alternative.iter().chain(&names.common_name));
        names.find_map(|name| self.certificates.get(name))
    }

    fn insert(&mut self, mark: &Mark, principal: &Arc<Principal>) {
        let principal = Arc::clone(principal);
        match mark {
            Mark::WebUser(name) | Mark::User { name, .. } => {
                self.by_user.insert(name.clone(), principal);
            }
            Mark::Token(digest) => {
                self.tokens.insert(Token::of_digest(*digest), principal);
            }
            Mark::Certificate(name) => {
                self.certificates.insert(name.clone(), principal);
            }
            Mark::Network(network) => self.networks.insert(*network, principal),
            Mark::Unix => self.unix = Some(principal),
        }
    }
}

impl Principal {
    /// Its name, if it is known.
    pub fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// Whether it has a right.
    pub fn may(&self, right: Right) -> Result<(), Forbidden> {
        if self.rights.has(right) {
            return Ok(());
        }
        let principal = Quoted::new(self.name.as_deref().unwrap_or("anonymous"));
        Err(Forbidden { principal, right })
    }

    /// What its deltas are taken for, if they come from there.
    pub fn source<'a>(&'a self, place: Place<'a>) -> Source<'a> {
        let client = match (&self.name, place) {
            (Some(name), _) => Client::Principal(name),
            (None, Place::User(name)) => Client::User(name),
            (None, Place::Address(address)) => match address.to_canonical() {
                IpAddr::V4(address) => Client::Address(address.to_ipv6_mapped().to_bits()),
                // What is handed out to one customer is rarely less.
                IpAddr::V6(address) => Client::Address(address.to_bits() >> 64 << 64),
            },
            (None, Place::Unix) => Client::Unix,
            (None, Place::Untold) => Client::Unnamed,
        };
        Source { client, policy: &self.policy }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("anonymous"))
    }
}

fn users(principals: &Principals) -> Users {
    let marks = principals.named.iter().flat_map(|named| &named.marks);
    Users::new(marks.filter_map(|mark| match mark {
        Mark::User { name, hash } => {
            let hash = Hash::try_from(hash.clone());
            Some((name.clone(), hash.expect("the configuration has checked the hash")))
        }
        Mark::WebUser(_)
        | Mark::Token(_)
        | Mark::Certificate(_)
        | Mark::Network(_)
        | Mark::Unix => None,
    }))
}

fn principal(name: Option<Arc<str>>, granted: &Granted, rules: &Arc<Rules>) -> Arc<Principal> {
    let Granted { rights, metrics, labels, series_max } = granted.clone();
    let grant = Grant { principal: name.clone(), names: metrics, forced: labels, series_max };
    let policy = Policy::new(Arc::clone(rules), grant);
    let policy = policy.expect("the configuration has checked the labels");
    Arc::new(Principal { name, rights, policy })
}

#[cfg(test)]
mod tests;
