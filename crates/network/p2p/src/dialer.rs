//! Bootstrap addresses: dialled at start and again, with growing pauses, whenever their peer is not connected.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};

use crate::limits::{BOOTSTRAP_MAX, REDIAL_MS};

#[derive(Clone, Debug)]
struct Target {
    address: Multiaddr,
    /// Pinned by the address, or learnt from the first connection.
    peer: Option<PeerId>,
    dialing: Option<ConnectionId>,
    connected: bool,
    failures: u32,
    next_ms: u64,
}

/// The bootstrap list.
#[derive(Debug)]
pub(crate) struct Dialer {
    targets: Vec<Target>,
    /// State of a SplitMix64 generator: pauses must differ between nodes, nothing more.
    jitter: u64,
}

impl Dialer {
    pub(crate) fn new(addresses: &[Multiaddr], seed: u64) -> Self {
        let targets = addresses.iter().take(BOOTSTRAP_MAX).map(|address| Target {
            peer: pinned(address),
            address: address.clone(),
            dialing: None,
            connected: false,
            failures: 0,
            next_ms: 0,
        });
        Self {
            targets: targets.collect(),
            jitter: seed,
        }
    }

    /// When [`Self::due`] may have something next.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        self.targets
            .iter()
            .filter(|t| t.is_idle())
            .map(|t| t.next_ms)
            .min()
    }

    /// Addresses to dial now, with their pinned peer.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<(usize, Multiaddr, Option<PeerId>)> {
        let due = |t: &Target| t.is_idle() && t.next_ms <= now_ms;
        self.targets
            .iter()
            .enumerate()
            .filter(|(_, t)| due(t))
            .map(|(n, t)| (n, t.address.clone(), pinned(&t.address)))
            .collect()
    }

    pub(crate) fn dialing(&mut self, target: usize, connection: ConnectionId) {
        if let Some(t) = self.targets.get_mut(target) {
            t.dialing = Some(connection);
        }
    }

    /// The dial could not even begin.
    pub(crate) fn refused(&mut self, target: usize, now_ms: u64) {
        let pause = self.targets.get(target).map_or(0, |t| pause_ms(t.failures));
        let pause = self.spread(pause);
        if let Some(t) = self.targets.get_mut(target) {
            t.dialing = None;
            t.failures = t.failures.saturating_add(1);
            t.next_ms = now_ms.saturating_add(pause);
        }
    }

    pub(crate) fn failed(&mut self, connection: ConnectionId, now_ms: u64) {
        if let Some(target) = self
            .targets
            .iter()
            .position(|t| t.dialing == Some(connection))
        {
            self.refused(target, now_ms);
        }
    }

    pub(crate) fn connected(&mut self, connection: ConnectionId, peer: PeerId) {
        for t in &mut self.targets {
            if t.dialing == Some(connection) {
                (t.dialing, t.peer) = (None, Some(peer));
            }
            if t.peer == Some(peer) {
                t.connected = true;
                t.failures = 0;
            }
        }
    }

    /// The last connection of a peer ended.
    pub(crate) fn disconnected(&mut self, peer: &PeerId, now_ms: u64) {
        let pause = self.spread(REDIAL_MS.0);
        for t in self.targets.iter_mut().filter(|t| t.peer == Some(*peer)) {
            t.connected = false;
            // A postponement stays in force.
            t.next_ms = t.next_ms.max(now_ms.saturating_add(pause));
        }
    }

    /// The peer is not one of this network, or not to be dialled for long for another reason.
    pub(crate) fn postpone(&mut self, peer: &PeerId, until_ms: u64) {
        for t in self.targets.iter_mut().filter(|t| t.peer == Some(*peer)) {
            t.next_ms = t.next_ms.max(until_ms);
        }
    }

    /// Up to a quarter more than `pause_ms`.
    fn spread(&mut self, pause_ms: u64) -> u64 {
        self.jitter = self.jitter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.jitter;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let quarter = (pause_ms / 4).max(1);
        pause_ms.saturating_add((z ^ (z >> 31)) % quarter)
    }
}

impl Target {
    const fn is_idle(&self) -> bool {
        !self.connected && self.dialing.is_none()
    }
}

/// Doubles with every failure between the two bounds.
const fn pause_ms(failures: u32) -> u64 {
    let doubled = REDIAL_MS
        .0
        .saturating_mul(1 << if failures > 16 { 16 } else { failures });
    if doubled > REDIAL_MS.1 {
        REDIAL_MS.1
    } else {
        doubled
    }
}

fn pinned(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|p| {
        if let Protocol::P2p(peer) = p {
            Some(peer)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn peer() -> PeerId {
        Identity::from_secret(&mut [1; 32]).peer_id()
    }

    fn dialer(pin: bool) -> Dialer {
        let mut a: Multiaddr = "/ip4/203.0.113.7/tcp/9".parse().unwrap();
        if pin {
            a.push(Protocol::P2p(peer()));
        }
        Dialer::new(&[a], 1)
    }

    fn connection(n: usize) -> ConnectionId {
        ConnectionId::new_unchecked(n)
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut d = dialer(true);
        let mut now = 0;
        let mut pauses = Vec::new();
        for n in 0..12 {
            assert_eq!(d.due(now).len(), 1);
            d.dialing(0, connection(n));
            assert!(
                d.due(now).is_empty() && d.deadline_ms().is_none(),
                "one dial at a time"
            );
            d.failed(connection(n), now);
            let next = d.deadline_ms().unwrap();
            assert!(d.due(next - 1).is_empty());
            pauses.push(next - now);
            now = next;
        }
        for (n, pause) in pauses.iter().enumerate() {
            let base = pause_ms(u32::try_from(n).unwrap());
            assert!((base..=base + base / 4).contains(pause), "{n}: {pause}");
        }
        assert!(*pauses.last().unwrap() >= REDIAL_MS.1);
    }

    #[test]
    fn connected_target_rests_and_is_dialled_soon_after_its_loss() {
        for pin in [true, false] {
            let mut d = dialer(pin);
            d.dialing(0, connection(1));
            d.connected(connection(1), peer());
            assert!(d.due(u64::MAX).is_empty());
            d.disconnected(&peer(), 1000);
            assert!(d.due(1000).is_empty());
            assert_eq!(d.due(1000 + 2 * REDIAL_MS.0).len(), 1);
            d.postpone(&peer(), 50_000);
            assert!(d.due(49_999).is_empty());
        }
    }

    #[test]
    fn pinned_peer_that_dialled_us_counts() {
        let mut d = dialer(true);
        d.connected(connection(7), peer());
        assert!(d.due(u64::MAX).is_empty());
    }
}
