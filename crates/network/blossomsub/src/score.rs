//! Peer scores: integers, decayed in steps, comparable between runs.
//!
//! ```text
//! score = min(positive_max, mesh seconds + first deliveries per class)
//!       - invalid_weight   * sum over classes of invalid^2
//!       - behaviour_weight * max(0, misbehaviours - free)^2
//!       - colocation_weight * max(0, operators on the address - free)^2       (not on a devnet)
//!       - penalties of the application
//! ```
//!
//! There is no penalty for a mesh member that delivers little: with the masks of rule W2 a quiet shard and a silent
//! peer look alike.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use quil_types::PeerKey;

use crate::{
    limits::RETAINED_SCORES_MAX,
    mask::{CLASSES, Class},
    params::ScoreParams,
};

/// One event in the thousandths counters are kept in.
const ONE: u64 = 1000;
/// Where counters stop, so that their squares stay far from overflow.
const COUNTER_MAX: u64 = 1_000_000 * ONE;

#[derive(Clone, Debug, Default)]
struct Record {
    connected: bool,
    address: Option<IpAddr>,
    operator: Option<[u8; 32]>,
    mesh_slices: u32,
    mesh_since_ms: u64,
    first: [u64; CLASSES],
    invalid: [u64; CLASSES],
    behaviour: u64,
    /// Units.
    penalty: u64,
    /// End of retention, once disconnected.
    until_ms: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Scores {
    params: ScoreParams,
    devnet: bool,
    records: BTreeMap<PeerKey, Record>,
    /// Operators on one address and how many connected peers each has. A peer without a known operator is its own.
    addresses: BTreeMap<IpAddr, BTreeMap<[u8; 32], u32>>,
    next_decay_ms: u64,
}

impl Scores {
    pub(crate) const fn new(params: ScoreParams, devnet: bool, now_ms: u64) -> Self {
        let next_decay_ms = now_ms.saturating_add(params.decay_ms);
        Self {
            params,
            devnet,
            records: BTreeMap::new(),
            addresses: BTreeMap::new(),
            next_decay_ms,
        }
    }

    pub(crate) fn connect(&mut self, peer: PeerKey, ip: Option<IpAddr>) {
        self.uncount(&peer);
        let record = self.records.entry(peer).or_default();
        record.connected = true;
        record.address = ip.map(scored_address);
        self.count(&peer);
    }

    /// Forgets a good score and keeps a bad one.
    pub(crate) fn disconnect(&mut self, peer: PeerKey, now_ms: u64) {
        self.uncount(&peer);
        let Some(r) = self.records.get_mut(&peer) else {
            return;
        };
        r.connected = false;
        r.mesh_slices = 0;
        r.first = [0; CLASSES];
        r.until_ms = now_ms.saturating_add(self.params.retain_ms);
        let clean = r.behaviour == 0 && r.penalty == 0 && r.invalid.iter().all(|n| *n == 0);
        if clean {
            self.records.remove(&peer);
        } else {
            self.bound_retained();
        }
    }

    fn bound_retained(&mut self) {
        let gone = || self.records.iter().filter(|(_, r)| !r.connected);
        if gone().count() > RETAINED_SCORES_MAX
            && let Some(oldest) = gone().min_by_key(|(_, r)| r.until_ms).map(|(p, _)| *p)
        {
            self.records.remove(&oldest);
        }
    }

    pub(crate) fn operator(&mut self, peer: PeerKey, operator: [u8; 32]) {
        self.uncount(&peer);
        if let Some(r) = self.records.get_mut(&peer) {
            r.operator = Some(operator);
        }
        self.count(&peer);
    }

    fn count(&mut self, peer: &PeerKey) {
        if let Some((address, operator)) = self.origin(peer) {
            let n = self
                .addresses
                .entry(address)
                .or_default()
                .entry(operator)
                .or_default();
            *n = n.saturating_add(1);
        }
    }

    fn uncount(&mut self, peer: &PeerKey) {
        let Some((address, operator)) = self.origin(peer) else {
            return;
        };
        let Some(operators) = self.addresses.get_mut(&address) else {
            return;
        };
        if let Some(n) = operators.get_mut(&operator) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                operators.remove(&operator);
            }
        }
        if operators.is_empty() {
            self.addresses.remove(&address);
        }
    }

    fn origin(&self, peer: &PeerKey) -> Option<(IpAddr, [u8; 32])> {
        let r = self.records.get(peer).filter(|r| r.connected)?;
        Some((r.address?, r.operator.unwrap_or(peer.0)))
    }

    pub(crate) fn joined(&mut self, peer: PeerKey, now_ms: u64) {
        if let Some(r) = self.records.get_mut(&peer) {
            if r.mesh_slices == 0 {
                r.mesh_since_ms = now_ms;
            }
            r.mesh_slices = r.mesh_slices.saturating_add(1);
        }
    }

    pub(crate) fn left(&mut self, peer: PeerKey) {
        if let Some(r) = self.records.get_mut(&peer) {
            r.mesh_slices = r.mesh_slices.saturating_sub(1);
        }
    }

    pub(crate) fn first_delivery(&mut self, peer: PeerKey, class: Class) {
        let max = self.params.first_delivery_max.saturating_mul(ONE);
        self.edit(peer, |r| bump(&mut r.first, class, max));
    }

    pub(crate) fn invalid(&mut self, peer: PeerKey, class: Class) {
        self.edit(peer, |r| bump(&mut r.invalid, class, COUNTER_MAX));
    }

    pub(crate) fn misbehaved(&mut self, peer: PeerKey, times: u64) {
        self.edit(peer, |r| {
            r.behaviour = add(r.behaviour, times.saturating_mul(ONE), COUNTER_MAX)
        });
    }

    pub(crate) fn penalise(&mut self, peer: PeerKey, points: u32) {
        self.edit(peer, |r| {
            r.penalty = add(
                r.penalty,
                u64::from(points).saturating_mul(1000),
                COUNTER_MAX,
            )
        });
    }

    /// Peers that never connected have no record and get none.
    fn edit(&mut self, peer: PeerKey, f: impl FnOnce(&mut Record)) {
        if let Some(r) = self.records.get_mut(&peer) {
            f(r);
        }
    }

    /// Applies the decays due; at most one hundred steps, after which nothing is left anyway.
    pub(crate) fn decay(&mut self, now_ms: u64) {
        for _ in 0..100 {
            if now_ms < self.next_decay_ms {
                break;
            }
            self.next_decay_ms = self.next_decay_ms.saturating_add(self.params.decay_ms);
            let d = self.params.decay;
            for r in self.records.values_mut() {
                r.first.iter_mut().for_each(|n| shrink(n, d.first_delivery));
                r.invalid.iter_mut().for_each(|n| shrink(n, d.invalid));
                shrink(&mut r.behaviour, d.behaviour);
                shrink(&mut r.penalty, d.penalty);
            }
        }
        if now_ms >= self.next_decay_ms {
            self.next_decay_ms = now_ms.saturating_add(self.params.decay_ms);
        }
        self.records
            .retain(|_, r| r.connected || r.until_ms > now_ms);
    }

    /// Units; 0 for an unknown peer.
    pub(crate) fn score(&self, peer: &PeerKey, now_ms: u64) -> i64 {
        let Some(r) = self.records.get(peer) else {
            return 0;
        };
        let p = &self.params;
        let in_mesh = if r.mesh_slices > 0 {
            now_ms.saturating_sub(r.mesh_since_ms) / 1000
        } else {
            0
        };
        let first: i64 = r
            .first
            .iter()
            .map(|n| signed(*n).saturating_mul(p.first_delivery) / 1000)
            .sum();
        let positive = signed(in_mesh.min(p.mesh_seconds_max))
            .saturating_mul(p.mesh_second)
            .saturating_add(first);
        let invalid: i64 = r
            .invalid
            .iter()
            .map(|n| square(*n, p.invalid_weight))
            .fold(0, i64::saturating_add);
        let over = r
            .behaviour
            .saturating_sub(p.behaviour_free.saturating_mul(ONE));
        positive
            .min(p.positive_max)
            .saturating_sub(invalid)
            .saturating_sub(square(over, p.behaviour_weight))
            .saturating_sub(self.colocation(r))
            .saturating_sub(signed(r.penalty))
    }

    fn colocation(&self, r: &Record) -> i64 {
        if self.devnet || !r.connected {
            return 0;
        }
        let operators = r
            .address
            .and_then(|a| self.addresses.get(&a))
            .map_or(0, BTreeMap::len);
        let over = u64::try_from(operators.saturating_sub(self.params.colocation_free))
            .unwrap_or(u64::MAX);
        square(over.saturating_mul(ONE), self.params.colocation_weight)
    }

    pub(crate) fn retained(&self) -> usize {
        self.records.values().filter(|r| !r.connected).count()
    }
}

/// An IPv4 address, also when mapped into IPv6, or the /64 of an IPv6 address.
const fn scored_address(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !(u64::MAX as u128))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// `weight` points times the square of a counter, in units.
fn square(thousandths: u64, weight: i64) -> i64 {
    let n = signed(thousandths.min(COUNTER_MAX));
    (n.saturating_mul(n) / 1000).saturating_mul(weight)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn add(counter: u64, by: u64, max: u64) -> u64 {
    counter.saturating_add(by).min(max)
}

fn bump(counters: &mut [u64; CLASSES], class: Class, max: u64) {
    if let Some(n) = counters.get_mut(usize::from(class as u8)) {
        *n = add(*n, ONE, max);
    }
}

/// One decay step; always towards zero and reaches it.
const fn shrink(n: &mut u64, factor: u64) {
    *n = n.saturating_mul(factor) >> 16;
    if *n < 10 {
        *n = 0;
    }
}

#[cfg(test)]
mod tests;
