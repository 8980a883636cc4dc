//! Whose connections there are: at the limit, those of a client that has few are spared.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

/// Who has connected, as far as a connection tells: an address, of IPv6 its first 64 bits, because that many
/// are one network's; all of unix sockets are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    V4([u8; 4]),
    V6([u16; 4]),
    Unix,
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [network @ .., _, _, _, _] = address.segments();
                Self::V6(network)
            }
        }
    }
}

/// How many connections each client has. There are no more clients than connections.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<HashMap<Client, Arc<AtomicUsize>>>);

/// One connection of a client, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    all: Arc<Clients>,
    client: Client,
    connections: Arc<AtomicUsize>,
}

impl Clients {
    /// Counts one more connection of a client.
    pub(super) fn count(self: &Arc<Self>, client: Client) -> Counted {
        let mut clients = self.0.lock();
        let connections = Arc::clone(clients.entry(client).or_default());
        connections.fetch_add(1, Relaxed);
        Counted { all: Arc::clone(self), client, connections }
    }

    /// How many there are with connections.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Counted {
    /// Whether its client has less than half of what each of so many clients would have of `open` connections.
    /// So never do all have few.
    pub(super) fn is_of_few(&self, open: usize, clients: usize) -> bool {
        2 * self.connections.load(Relaxed) * clients < open
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut clients = self.all.0.lock();
        if self.connections.fetch_sub(1, Relaxed) == 1 {
            clients.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_who_it_is() {
        let client = |address: &str| Client::from(address.parse::<IpAddr>().expect("an address"));
        assert_eq!(client("10.0.0.1"), client("::ffff:10.0.0.1"));
        assert_ne!(client("10.0.0.1"), client("10.0.0.2"));
        assert_eq!(client("2001:db8::1"), client("2001:db8::2:0:0:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
    }

    #[test]
    fn whoever_has_gone_is_forgotten() {
        let all = Arc::new(Clients::default());
        let [one, other] = [Client::V4([1; 4]), Client::Unix];
        let connections: Vec<Counted> = (0..9).map(|_| all.count(one)).collect();
        let single = all.count(other);
        assert_eq!(all.len(), 2);
        assert!(single.is_of_few(10, 2) && !connections[0].is_of_few(10, 2));
        drop(connections);
        assert!(!single.is_of_few(1, 1));
        drop(single);
        assert_eq!(all.len(), 0);
    }
}
