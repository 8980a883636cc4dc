//! Networks, of which the narrowest that an address is in counts.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use ipnet::IpNet;

use super::Principal;

/// Principals by network. A look-up costs one hash for each length of prefix that there is, at most 162.
#[derive(Debug, Default)]
pub(super) struct Networks {
    /// Lengths of prefixes of IPv4, the longest first.
    v4: Vec<u8>,
    /// The same of IPv6.
    v6: Vec<u8>,
    principals: HashMap<IpNet, Arc<Principal>>,
}

impl Networks {
    pub(super) fn insert(&mut self, network: IpNet, principal: Arc<Principal>) {
        let lengths = match network {
            IpNet::V4(_) => &mut self.v4,
            IpNet::V6(_) => &mut self.v6,
        };
        let length = network.prefix_len();
        if let Err(place) = lengths.binary_search_by(|held| length.cmp(held)) {
            lengths.insert(place, length);
        }
        self.principals.insert(network, principal);
    }

    /// Whose the narrowest network is that `address` is in. An IPv4 address may come as an IPv6 one, from a
    /// socket for both.
    pub(super) fn find(&self, address: IpAddr) -> Option<&Arc<Principal>> {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        lengths.iter().find_map(|length| {
            let network = IpNet::new(address, *length).ok()?.trunc();
            self.principals.get(&network)
        })
    }
}
