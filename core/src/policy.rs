//! How the deltas of one principal become series: what it may push, which labels it cannot choose, and the rules
//! of all.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::{
    model::{Delta, InvalidDelta, LabelError, LabelPairs, Labels, MetricName, Quoted},
    rules::{Draft, Pattern, Relabeled, Rules},
};

/// How the deltas of one principal become series. A change of the configuration makes a new one.
#[derive(Debug)]
pub struct Policy {
    /// Of this one alone among all there ever are in the process: what is remembered of a delta holds for one.
    id: u64,
    rules: Arc<Rules>,
    principal: Option<Arc<str>>,
    /// Names that may be pushed; `None` allows any.
    names: Option<Vec<Pattern>>,
    forced: Labels<'static>,
    /// Series that the principal may begin.
    series_max: Option<usize>,
    /// Whether all deltas are applied as they come.
    is_plain: bool,
}

/// What the configuration grants to a principal.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Its name, as the log and errors show it.
    pub principal: Option<Arc<str>>,
    /// Names that it may push; `None` allows any.
    pub names: Option<Vec<Pattern>>,
    /// Labels that its series get, whatever it sends.
    pub forced: Vec<(String, String)>,
    /// Series that it may begin, instead of the limit for all clients.
    pub series_max: Option<usize>,
}

/// Where a delta comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Who is held to the limit of series per client.
    pub client: Client<'a>,
    /// What becomes of its deltas.
    pub policy: &'a Policy,
}

/// Who pushes, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client<'a> {
    /// Nobody in particular: it has no limit.
    Unnamed,
    /// An address, or a network that is taken for one client: an IPv6 address as a number, of IPv4 the mapped
    /// one.
    Address(u128),
    /// Whoever sends over a unix socket: the kernel does not tell one from another.
    Unix,
    /// A principal, by name.
    Principal(&'a str),
    /// A user, by name, who is no principal.
    User(&'a str),
}

/// Why a policy does not let a delta in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Barred {
    /// The name is none of the principal's.
    #[error(
        "{name} is not among the names that {principal} may push: use one of those, or ask for it"
    )]
    Name {
        /// The name.
        name: Quoted,
        /// Who pushed it.
        principal: Quoted,
    },
    /// The rules make something of it that is no delta.
    #[error("the rules of this server make no delta of {name}: {error}")]
    Relabeled {
        /// The name that was pushed.
        name: Quoted,
        /// What is wrong with what they make of it.
        error: Box<InvalidDelta>,
    },
}

impl Policy {
    /// A policy that allows everything that `rules` do.
    pub fn open(rules: Arc<Rules>) -> Self {
        Self {
            id: next_id(),
            is_plain: !rules.relabel(),
            rules,
            principal: None,
            names: None,
            forced: Labels::default(),
            series_max: None,
        }
    }

    /// The policy of a principal. Its forced labels have to be labels.
    pub fn new(rules: Arc<Rules>, grant: Grant) -> Result<Self, LabelError> {
        let pairs: LabelPairs<'static> =
            grant.forced.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let forced = Labels::new(pairs, rules.names)?;
        let is_free = grant.names.is_none() && forced.iter().next().is_none();
        Ok(Self {
            is_plain: is_free && !rules.relabel(),
            forced,
            principal: grant.principal,
            names: grant.names,
            series_max: grant.series_max,
            ..Self::open(rules)
        })
    }

    /// The number that no other policy has.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The rules of all.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whose it is.
    pub fn principal(&self) -> Option<&str> {
        self.principal.as_deref()
    }

    /// Series that each client of this policy may begin.
    pub fn series_max(&self) -> Option<usize> {
        self.series_max.or(self.rules.limits.per_client)
    }

    /// The labels that all its series have.
    pub fn forced(&self) -> &Labels<'static> {
        &self.forced
    }

    /// A delta from nobody in particular.
    pub const fn source(&self) -> Source<'_> {
        Source { client: Client::Unnamed, policy: self }
    }

    /// Whether all deltas are applied as they come.
    pub const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// What is to be applied of a delta; `None` if a rule drops it.
    pub fn shape<'a>(&self, delta: &Delta<'a>) -> Result<Option<Delta<'a>>, Barred> {
        if let Some(names) = &self.names
            && !names.iter().any(|pattern| pattern.is_match(delta.name()))
        {
            let principal = Quoted::new(self.principal().unwrap_or("anonymous"));
            return Err(Barred::Name { name: Quoted::new(delta.name()), principal });
        }
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut draft = Draft {
            name: delta.name().to_owned(),
            labels: delta.labels().iter().map(owned).collect(),
        };
        match self.rules.relabeled(&mut draft) {
            Relabeled::Dropped => return Ok(None),
            Relabeled::Kept => {}
        }
        for (label, value) in self.forced.iter() {
            draft.labels.retain(|(name, _)| name != label);
            draft.labels.push((label.to_owned(), value.to_owned()));
        }
        let called = self.called(draft);
        let renamed = called.and_then(|(name, labels)| delta.renamed(name, labels));
        let barred =
            |error| Barred::Relabeled { name: Quoted::new(delta.name()), error: Box::new(error) };
        renamed.map(Some).map_err(barred)
    }

    fn called<'a>(&self, draft: Draft) -> Result<(MetricName<'a>, Labels<'a>), InvalidDelta> {
        let name = MetricName::new(Cow::Owned(draft.name), self.rules.names)?;
        let pairs = draft.labels.into_iter().map(|(name, value)| (name.into(), value.into()));
        Ok((name, Labels::new(pairs.collect(), self.rules.names)?))
    }
}

impl Default for Policy {
    /// That of a server without rules: everything is allowed.
    fn default() -> Self {
        Self::open(Arc::default())
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}
