//! The configuration in force, which a reload replaces as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use pushprom_core::rules::Rules;

use crate::{access::Access, config::Config};

/// The settings in force. Who has taken them keeps them: what has begun with them ends with them.
#[derive(Debug)]
pub struct Live(ArcSwap<Settings>);

/// A configuration, and what is made of it.
#[derive(Debug)]
pub struct Settings {
    /// The configuration.
    pub config: Config,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// Who may do what.
    pub access: Access,
}

impl Live {
    /// What `config` says is in force from the start.
    pub fn new(config: Config) -> Self {
        Self(ArcSwap::from_pointee(Settings::new(config)))
    }

    /// The settings in force now.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.load_full()
    }

    /// Puts others in force.
    pub fn replace(&self, config: Config) {
        self.0.store(Arc::new(Settings::new(config)));
    }
}

impl Settings {
    /// Whether it matters which address a datagram comes from.
    pub fn tell_addresses(&self) -> bool {
        !self.access.is_open() || self.rules.limits.per_client.is_some()
    }

    fn new(config: Config) -> Self {
        let rules = Arc::new(config.rules.clone());
        let access = Access::new(config.access.as_ref(), &rules);
        Self { config, rules, access }
    }
}
