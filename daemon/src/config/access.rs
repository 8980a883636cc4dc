//! Who may do what, as the file says it.

use std::fmt;

use ipnet::IpNet;
use pushprom_core::rules::Pattern;

/// Those who are known, and what everybody else may do.
#[derive(Clone, Debug)]
pub struct Principals {
    /// Those who are known, each by a name of its own.
    pub named: Vec<Named>,
    /// What those may do who show nothing.
    pub anonymous: Granted,
}

/// One who is known.
#[derive(Clone, Debug)]
pub struct Named {
    /// As the log and answers call it.
    pub name: String,
    /// What it is known by, each of which is enough. None of them is another's.
    pub marks: Vec<Mark>,
    /// What it may do.
    pub granted: Granted,
}

/// What a principal is known by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A user of the file of `-web.config.file`.
    WebUser(String),
    /// A user with a password of this file.
    User {
        /// The name.
        name: String,
        /// What bcrypt makes of the password.
        hash: String,
    },
    /// A token, by what SHA-256 makes of it.
    Token([u8; 32]),
    /// A name in a client's certificate.
    Certificate(String),
    /// The network that UDP datagrams come from.
    Network(IpNet),
    /// The unix sockets that datagrams come to.
    Unix,
}

/// What is allowed to somebody.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// What it may do at all.
    pub rights: Rights,
    /// Names of metrics that it may push; `None` allows any.
    pub metrics: Option<Vec<Pattern>>,
    /// Labels that its series get, whatever it sends.
    pub labels: Vec<(String, String)>,
    /// Series that it may begin.
    pub series_max: Option<usize>,
}

/// A right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To push deltas.
    Push,
    /// To read what has become of them.
    Scrape,
    /// To look into the process, to change what it holds, and to reload and end it.
    Admin,
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights([bool; Right::ALL.len()]);

impl Right {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Push, Self::Scrape, Self::Admin];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Scrape => "scrape",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let right = Self::ALL.into_iter().find(|right| right.as_str() == text);
        right.ok_or_else(|| format!("{text:?} is no right: use push, scrape or admin"))
    }
}

impl Rights {
    /// Every one.
    pub const ALL: Self = Self([true; Right::ALL.len()]);

    /// Whether a right is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0[right as usize]
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let mut set = Self::default();
        for right in rights {
            set.0[right as usize] = true;
        }
        set
    }
}

impl fmt::Debug for Mark {
    /// Without what opens a door.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebUser(name) | Self::User { name, .. } => write!(f, "user {name:?}"),
            Self::Token(_) => f.write_str("token"),
            Self::Certificate(name) => write!(f, "certificate {name:?}"),
            Self::Network(network) => write!(f, "network {network}"),
            Self::Unix => f.write_str("network unix"),
        }
    }
}
