//! How many connections each peer address holds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by address. Holds at most as many entries as there are connections.
#[derive(Debug)]
pub(super) struct Peers {
    max: usize,
    counts: Mutex<BTreeMap<IpAddr, usize>>,
}

impl Peers {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            counts: Mutex::default(),
        })
    }

    /// A place for a connection from `ip`; none when it has its share.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<PeerSlot> {
        let key = key(ip);
        if !key.is_loopback() {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(key).or_default();
            if *count >= self.max {
                return None;
            }
            *count = count.saturating_add(1);
        }
        Some(PeerSlot {
            peers: Arc::clone(self),
            key,
        })
    }

    fn leave(&self, key: IpAddr) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = counts.entry(key) {
            match entry.get().saturating_sub(1) {
                0 => drop(entry.remove()),
                left => *entry.get_mut() = left,
            }
        }
    }
}

/// What one holder of an address can easily change does not count as another peer.
fn key(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) if v6.is_loopback() => IpAddr::V6(v6),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(super) struct PeerSlot {
    peers: Arc<Peers>,
    key: IpAddr,
}

impl Drop for PeerSlot {
    fn drop(&mut self) {
        self.peers.leave(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn share_of_an_address_is_bounded_and_given_back() {
        let peers = Peers::new(2);
        let first = peers.enter(ip("203.0.113.1")).unwrap();
        let _second = peers.enter(ip("::ffff:203.0.113.1")).unwrap();
        assert!(peers.enter(ip("203.0.113.1")).is_none());
        let _other = peers.enter(ip("203.0.113.2")).unwrap();
        drop(first);
        assert!(peers.enter(ip("203.0.113.1")).is_some());
    }

    #[test]
    fn one_network_of_ipv6_is_one_peer() {
        let peers = Peers::new(1);
        let held = peers.enter(ip("2001:db8:0:1::5")).unwrap();
        assert!(peers.enter(ip("2001:db8:0:1:ffff::9")).is_none());
        let other = peers.enter(ip("2001:db8:0:2::5")).unwrap();
        drop((held, other));
        assert!(peers.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn loopback_is_not_counted() {
        let peers = Peers::new(1);
        let held: Vec<_> = (0..5)
            .map(|_| {
                (
                    peers.enter(ip("127.0.0.1")).unwrap(),
                    peers.enter(ip("::1")).unwrap(),
                )
            })
            .collect();
        assert!(peers.counts.lock().unwrap().is_empty());
        drop(held);
    }
}
