//! The section `access`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    net::IpAddr,
    path::Path,
};

use aws_lc_rs::digest::{SHA256, digest};
use ipnet::IpNet;
use pushprom_core::{
    limits::{LABELS_PER_SERIES_MAX, NameScheme},
    model::Labels,
    rules::Pattern,
};
use serde::Deserialize;

use crate::{
    config::{
        Granted, Mark, Named, Principals, Right, Rights,
        yaml::{At, Place, Problem, given},
    },
    file,
    web::Hash,
};

/// Principals in a file: each has its place in tables that are looked through.
const PRINCIPALS_MAX: usize = 10_000;

/// Bytes of a token, and of the file that one is in.
const TOKEN_BYTES_MAX: u64 = 4096;

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    #[serde(default)]
    principals: Vec<Entry>,
    #[serde(default, deserialize_with = "given")]
    anonymous: Option<Anonymous>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: At<String>,
    #[serde(default, deserialize_with = "given")]
    user: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    password_hash: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    token: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    token_file: Option<At<String>>,
    #[serde(default, deserialize_with = "given")]
    token_sha256: Option<At<String>>,
    #[serde(default)]
    certificates: Vec<At<String>>,
    #[serde(default)]
    networks: Vec<At<String>>,
    rights: Vec<At<String>>,
    #[serde(default, deserialize_with = "given")]
    metrics: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    labels: Option<At<BTreeMap<String, String>>>,
    #[serde(default, deserialize_with = "given")]
    series_limit: Option<At<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anonymous {
    rights: Vec<At<String>>,
    #[serde(default, deserialize_with = "given")]
    metrics: Option<Vec<At<String>>>,
    #[serde(default, deserialize_with = "given")]
    labels: Option<At<BTreeMap<String, String>>>,
    #[serde(default, deserialize_with = "given")]
    series_limit: Option<At<usize>>,
}

impl Section {
    /// What the section says. Paths are looked for in `folder`, that of the file.
    pub(super) fn principals(
        &self,
        folder: &Path,
        names: NameScheme,
    ) -> Result<Principals, Problem> {
        let (mut seen, mut taken) = (BTreeSet::new(), Vec::new());
        if self.principals.len() > PRINCIPALS_MAX {
            let place = self.principals.first().and_then(|entry| entry.name.place);
            let problem = format!("there are more principals than the limit of {PRINCIPALS_MAX}");
            return Err(Problem::at(place, problem));
        }
        let mut known = Vec::new();
        for entry in &self.principals {
            let name = &entry.name;
            if name.value.is_empty() || name.value.chars().any(char::is_control) {
                let problem = format!("{:?} is no name: use a word", name.value);
                return Err(Problem::at(name.place, problem));
            }
            if !seen.insert(&*name.value) {
                let problem = format!("principal {:?} is there twice", name.value);
                return Err(Problem::at(name.place, problem));
            }
            let marks = entry.marks(folder)?;
            if marks.is_empty() {
                let problem = format!(
                    "principal {:?} is known by nothing: give it a user, token, token_file, \
                     token_sha256, certificates or networks",
                    name.value
                );
                return Err(Problem::at(name.place, problem));
            }
            let granted = entry.granted(names)?;
            check_rights(&name.value, &marks, granted.rights)
                .map_err(|problem| Problem::at(name.place, problem))?;
            let mut own = Vec::new();
            for At { value: mark, place } in marks {
                taken.push((mark.clone(), place, &*name.value));
                own.push(mark);
            }
            known.push(Named { name: name.value.clone(), marks: own, granted });
        }
        each_is_one_principals(taken)?;
        let anonymous = self.anonymous.as_ref().map(|anonymous| anonymous.granted(names));
        Ok(Principals { named: known, anonymous: anonymous.transpose()?.unwrap_or_default() })
    }
}

impl Entry {
    fn marks(&self, folder: &Path) -> Result<Vec<At<Mark>>, Problem> {
        let mut marks = Vec::new();
        match (&self.user, &self.password_hash) {
            (None, None) => {}
            (None, Some(hash)) => {
                return Err(Problem::at(hash.place, "password_hash needs a user"));
            }
            (Some(user), hash) => {
                if user.value.is_empty() || user.value.contains(':') {
                    let problem = format!("user {:?} is empty or has a colon in it", user.value);
                    return Err(Problem::at(user.place, problem));
                }
                let name = user.value.clone();
                let value = match hash {
                    None => Mark::WebUser(name),
                    Some(hash) => {
                        hash.read("password_hash", |hash| Hash::try_from(hash.clone()))?;
                        Mark::User { name, hash: hash.value.clone() }
                    }
                };
                marks.push(At { value, place: user.place });
            }
        }
        if let Some(token) = &self.token {
            marks.push(mark(token, "token", |token| digest_of(token))?);
        }
        if let Some(path) = &self.token_file {
            marks.push(mark(path, "token_file", |path| {
                digest_of(&read_token(&folder.join(path))?)
            })?);
        }
        if let Some(hash) = &self.token_sha256 {
            marks.push(mark(hash, "token_sha256", |hash| parse_digest(hash))?);
        }
        for name in &self.certificates {
            marks.push(mark(name, "certificates", |name| match &**name {
                "" => Err("a name is empty".to_owned()),
                name => Ok(Mark::Certificate(name.to_owned())),
            })?);
        }
        for network in &self.networks {
            marks.push(mark(network, "networks", |text| parse_network(text))?);
        }
        Ok(marks)
    }

    fn granted(&self, names: NameScheme) -> Result<Granted, Problem> {
        let Self { rights, metrics, labels, series_limit, .. } = self;
        granted(rights, metrics.as_deref(), labels.as_ref(), series_limit.as_ref(), names)
    }
}

impl Anonymous {
    fn granted(&self, names: NameScheme) -> Result<Granted, Problem> {
        let Self { rights, metrics, labels, series_limit } = self;
        granted(rights, metrics.as_deref(), labels.as_ref(), series_limit.as_ref(), names)
    }
}

fn granted(
    rights: &[At<String>],
    metrics: Option<&[At<String>]>,
    labels: Option<&At<BTreeMap<String, String>>>,
    series_limit: Option<&At<usize>>,
    names: NameScheme,
) -> Result<Granted, Problem> {
    let rights = rights.iter().map(|right| right.read("rights", |right| Right::parse(right)));
    let metrics = metrics.map(|patterns| {
        patterns.iter().map(|pattern| pattern.read("metrics", |text| Pattern::new(text))).collect()
    });
    let labels = labels.map(|labels| labels.read("labels", |labels| check_labels(labels, names)));
    let series_max = series_limit.map(|limit| {
        limit.read("series_limit", |limit| match limit {
            0 => Err("use a whole number of at least 1"),
            &limit => Ok(limit),
        })
    });
    Ok(Granted {
        rights: rights.collect::<Result<_, _>>()?,
        metrics: metrics.transpose()?,
        labels: labels.transpose()?.unwrap_or_default(),
        series_max: series_max.transpose()?,
    })
}

fn mark(
    text: &At<String>,
    what: &str,
    read: impl FnOnce(&String) -> Result<Mark, String>,
) -> Result<At<Mark>, Problem> {
    Ok(At { value: text.read(what, read)?, place: text.place })
}

/// Whether a principal has rights that it can use. One that is known by where its datagrams come from can push
/// and nothing else; with no right at all it keeps a network within another's from that.
fn check_rights(name: &str, marks: &[At<Mark>], rights: Rights) -> Result<(), String> {
    let by_datagrams = marks.iter().all(|mark| match mark.value {
        Mark::Network(_) | Mark::Unix => true,
        Mark::WebUser(_) | Mark::User { .. } | Mark::Token(_) | Mark::Certificate(_) => false,
    });
    if !by_datagrams && rights.is_empty() {
        return Err(format!("principal {name:?} has no rights: use push, scrape or admin"));
    }
    let of_http = [Right::Scrape, Right::Admin].into_iter().find(|right| rights.has(*right));
    match of_http.filter(|_| by_datagrams) {
        None => Ok(()),
        Some(right) => Err(format!(
            "principal {name:?} is known by networks alone, from which datagrams push and do nothing \
             else: leave out {}, or give it a token",
            right.as_str()
        )),
    }
}

/// Whatever somebody is known by leads to one principal.
fn each_is_one_principals(taken: Vec<(Mark, Option<Place>, &str)>) -> Result<(), Problem> {
    let mut owners: BTreeMap<Key, &str> = BTreeMap::new();
    for (mark, place, owner) in taken {
        let shown = mark.to_string();
        if let Some(other) = owners.insert(Key::of(mark), owner) {
            let problem = format!("{shown} of principal {owner:?} is one of {other:?} already");
            return Err(Problem::at(place, problem));
        }
    }
    Ok(())
}

/// What two marks have in common that lead to the same place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    User(String),
    Token([u8; 32]),
    Certificate(String),
    Network(IpNet),
    Unix,
}

impl Key {
    fn of(mark: Mark) -> Self {
        match mark {
            Mark::WebUser(name) | Mark::User { name, .. } => Self::User(name),
            Mark::Token(digest) => Self::Token(digest),
            Mark::Certificate(name) => Self::Certificate(name),
            Mark::Network(network) => Self::Network(network),
            Mark::Unix => Self::Unix,
        }
    }
}

fn check_labels(
    labels: &BTreeMap<String, String>,
    names: NameScheme,
) -> Result<Vec<(String, String)>, String> {
    if labels.len() > LABELS_PER_SERIES_MAX {
        return Err(format!("there are more than the limit of {LABELS_PER_SERIES_MAX}"));
    }
    if let Some((name, _)) = labels.iter().find(|(_, value)| value.is_empty()) {
        return Err(format!("{name:?} has no value, which is as if it were not there"));
    }
    let pairs = labels.iter().map(|(name, value)| (name.into(), value.into()));
    Labels::new(pairs.collect(), names).map_err(|error| error.to_string())?;
    Ok(labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What SHA-256 makes of a token that can stand in a header.
fn digest_of(token: &str) -> Result<Mark, String> {
    // Not quoted: it is a secret, if a broken one.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("use letters, digits and signs of ASCII, without spaces".to_owned());
    }
    if token.len() as u64 > TOKEN_BYTES_MAX {
        return Err(format!("it is longer than the limit of {TOKEN_BYTES_MAX} bytes"));
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    Ok(Mark::Token(bytes))
}

/// The token in a file, of which the end of the line is no part.
fn read_token(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read =
        file::open(path).and_then(|file| file.take(TOKEN_BYTES_MAX + 2).read_to_string(&mut text));
    read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse_digest(text: &str) -> Result<Mark, String> {
    let problem = || "use the 64 hexadecimal digits that sha256sum writes".to_owned();
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(problem());
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| problem())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| problem())?;
    }
    if bytes == digest(&SHA256, b"").as_ref() {
        return Err("it is that of nothing: use that of a token".to_owned());
    }
    Ok(Mark::Token(bytes))
}

fn parse_network(text: &str) -> Result<Mark, String> {
    if text == "unix" {
        return Ok(Mark::Unix);
    }
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    match network {
        Some(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => {
            Err(format!("{text:?} stands for IPv4: write it so"))
        }
        Some(network) if network.trunc() == network => Ok(Mark::Network(network)),
        Some(network) => {
            Err(format!("{text:?} has bits beyond its prefix: use {}", network.trunc()))
        }
        None => Err(format!("{text:?} is no network: use one such as 10.0.0.0/8, or unix")),
    }
}
