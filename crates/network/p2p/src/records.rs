//! Addresses of peers, signed by those peers. The node persists them as bytes and gives them back at start.

use std::collections::{BTreeMap, btree_map::Entry};

use bytes::Bytes;
use libp2p::{
    Multiaddr,
    core::{PeerRecord, SignedEnvelope},
    multiaddr::Protocol,
};
use quil_types::PeerKey;

use crate::{
    gossip::ip_of,
    identity::peer_key,
    limits::{RECORD_ADDRESSES_MAX, RECORD_BYTES_MAX, RECORD_FAILURES_MAX, RECORDS_MAX, REDIAL_MS},
};

/// Why a peer record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Above [`RECORD_BYTES_MAX`].
    #[error("peer record of {0} bytes")]
    TooLarge(usize),
    /// Not a signed peer record, or its signature does not verify.
    #[error("not a signed peer record")]
    Invalid,
    /// Not signed by an Ed25519 key.
    #[error("not an Ed25519 peer")]
    NotEd25519,
    /// No address in it that can be dialled from here.
    #[error("no usable address")]
    NoAddress,
    /// A newer record of the peer is known.
    #[error("an older record")]
    Old,
}

#[derive(Clone, Debug)]
struct Record {
    seq: u64,
    bytes: Bytes,
    addresses: Vec<Multiaddr>,
    failures: u32,
    retry_ms: u64,
}

/// Signed peer records by peer; at most [`RECORDS_MAX`].
#[derive(Debug)]
pub(crate) struct Records {
    devnet: bool,
    me: PeerKey,
    records: BTreeMap<PeerKey, Record>,
}

impl Records {
    pub(crate) const fn new(me: PeerKey, devnet: bool) -> Self {
        Self {
            devnet,
            me,
            records: BTreeMap::new(),
        }
    }

    /// Checks and keeps a record; when full, another gives way.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<PeerKey, RecordError> {
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(RecordError::TooLarge(bytes.len()));
        }
        let envelope =
            SignedEnvelope::from_protobuf_encoding(bytes).map_err(|_| RecordError::Invalid)?;
        let record =
            PeerRecord::from_signed_envelope(envelope).map_err(|_| RecordError::Invalid)?;
        let peer = peer_key(&record.peer_id()).ok_or(RecordError::NotEd25519)?;
        let usable = |a: &&Multiaddr| is_usable(a, self.devnet);
        let addresses: Vec<Multiaddr> = record
            .addresses()
            .iter()
            .filter(usable)
            .take(RECORD_ADDRESSES_MAX)
            .cloned()
            .collect();
        if addresses.is_empty() || peer == self.me {
            return Err(RecordError::NoAddress);
        }
        if self
            .records
            .get(&peer)
            .is_some_and(|known| known.seq > record.seq())
        {
            return Err(RecordError::Old);
        }
        if self.records.len() >= RECORDS_MAX && !self.records.contains_key(&peer) {
            self.evict(&peer);
        }
        let record = Record {
            seq: record.seq(),
            bytes: Bytes::copy_from_slice(bytes),
            addresses,
            failures: 0,
            retry_ms: 0,
        };
        // The same record again does not undo what dialling it has shown.
        match self.records.entry(peer) {
            Entry::Occupied(known) if known.get().seq == record.seq => {}
            Entry::Occupied(mut known) => *known.get_mut() = record,
            Entry::Vacant(place) => {
                place.insert(record);
            }
        }
        Ok(peer)
    }

    /// One whose dials failed most often, else the neighbour of the newcomer: to displace a chosen record, its attacker
    /// must find a key next to it.
    fn evict(&mut self, newcomer: &PeerKey) {
        let failed = self.records.iter().filter(|(_, r)| r.failures > 0);
        let victim = failed
            .max_by_key(|(_, r)| r.failures)
            .or_else(|| self.records.range(newcomer..).next())
            .or_else(|| self.records.first_key_value())
            .map(|(peer, _)| *peer);
        if let Some(victim) = victim {
            self.records.remove(&victim);
        }
    }

    pub(crate) fn export(&self) -> Vec<Bytes> {
        self.records.values().map(|r| r.bytes.clone()).collect()
    }

    /// Peers that may be dialled now, with their addresses.
    pub(crate) fn due(
        &self,
        now_ms: u64,
        skip: impl Fn(&PeerKey) -> bool,
    ) -> Vec<(PeerKey, Vec<Multiaddr>)> {
        self.records
            .iter()
            .filter(|(peer, r)| r.retry_ms <= now_ms && !skip(peer))
            .map(|(peer, r)| (*peer, r.addresses.clone()))
            .collect()
    }

    pub(crate) fn succeeded(&mut self, peer: &PeerKey) {
        if let Some(r) = self.records.get_mut(peer) {
            (r.failures, r.retry_ms) = (0, 0);
        }
    }

    /// Waits longer after every failure and forgets the record in the end.
    pub(crate) fn failed(&mut self, peer: &PeerKey, now_ms: u64) {
        let Some(r) = self.records.get_mut(peer) else {
            return;
        };
        r.failures = r.failures.saturating_add(1);
        r.retry_ms = now_ms.saturating_add(REDIAL_MS.1.saturating_mul(u64::from(r.failures)));
        if r.failures >= RECORD_FAILURES_MAX {
            self.records.remove(peer);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }
}

/// TCP or QUIC on an IP address; loopback only on a devnet.
pub(crate) fn is_usable(address: &Multiaddr, devnet: bool) -> bool {
    let Some(ip) = ip_of(address) else {
        return false;
    };
    let port = address
        .iter()
        .any(|p| matches!(p, Protocol::Tcp(n) | Protocol::Udp(n) if n != 0));
    port && !ip.is_unspecified()
        && !ip.is_multicast()
        && (devnet || !ip.is_loopback())
        && address.len() <= 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn record(n: u8, addresses: &[&str]) -> Vec<u8> {
        let id = Identity::from_secret(&mut [n; 32]);
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        PeerRecord::new(id.keypair(), addresses)
            .unwrap()
            .into_signed_envelope()
            .into_protobuf_encoding()
    }

    fn key(n: u8) -> PeerKey {
        Identity::from_secret(&mut [n; 32]).key()
    }

    const A: &str = "/ip4/203.0.113.7/udp/8336/quic-v1";

    #[test]
    fn signed_records_are_kept_and_given_back_as_bytes() {
        let mut r = Records::new(key(0), false);
        let bytes = record(1, &[A, "/ip4/127.0.0.1/tcp/9", "/dns4/x/tcp/1"]);
        assert_eq!(r.add(&bytes), Ok(key(1)));
        assert_eq!(r.export(), [Bytes::from(bytes)]);
        assert_eq!(
            r.due(0, |_| false),
            [(key(1), vec![A.parse().unwrap()])],
            "loopback and names are left out"
        );
        assert!(r.due(0, |p| *p == key(1)).is_empty());
    }

    #[test]
    fn each_rule_is_its_own_error() {
        let mut r = Records::new(key(0), false);
        assert_eq!(
            r.add(&vec![0; RECORD_BYTES_MAX + 1]),
            Err(RecordError::TooLarge(RECORD_BYTES_MAX + 1))
        );
        assert_eq!(r.add(b"nonsense"), Err(RecordError::Invalid));
        assert_eq!(
            r.add(&record(1, &["/ip4/127.0.0.1/tcp/9"])),
            Err(RecordError::NoAddress)
        );
        assert_eq!(
            r.add(&record(0, &[A])),
            Err(RecordError::NoAddress),
            "our own"
        );
        let mut devnet = Records::new(key(0), true);
        assert!(devnet.add(&record(1, &["/ip4/127.0.0.1/tcp/9"])).is_ok());
    }

    #[test]
    fn mutated_records_are_refused() {
        let bytes = record(1, &[A]);
        for at in 0..bytes.len() {
            let mut m = bytes.clone();
            m[at] ^= 1;
            let mut r = Records::new(key(0), false);
            // Whatever still verifies says the same thing.
            if r.add(&m).is_ok() {
                assert_eq!(
                    r.due(0, |_| false),
                    [(key(1), vec![A.parse().unwrap()])],
                    "byte {at}"
                );
            }
        }
    }

    #[test]
    fn full_table_prefers_records_that_can_be_dialled() {
        let mut r = Records::new(key(0), false);
        r.add(&record(1, &[A])).unwrap();
        let known = r.records[&key(1)].clone();
        for n in 0..RECORDS_MAX - 1 {
            let mut k = [0; 32];
            k[..8].copy_from_slice(&n.to_be_bytes());
            r.records.insert(PeerKey(k), known.clone());
        }
        let unreachable = PeerKey([0; 32]);
        r.failed(&unreachable, 0);
        r.add(&record(2, &[A])).unwrap();
        assert_eq!(r.len(), RECORDS_MAX);
        assert!(!r.records.contains_key(&unreachable) && r.records.contains_key(&key(2)));
        r.add(&record(3, &[A])).unwrap();
        assert_eq!(r.len(), RECORDS_MAX);
        assert!(r.records.contains_key(&key(3)));
    }

    #[test]
    fn same_record_again_keeps_its_failures() {
        let mut r = Records::new(key(0), false);
        let bytes = record(1, &[A]);
        r.add(&bytes).unwrap();
        r.failed(&key(1), 0);
        r.add(&bytes).unwrap();
        assert!(r.due(0, |_| false).is_empty());
    }

    #[test]
    fn failures_delay_then_forget() {
        let mut r = Records::new(key(0), false);
        r.add(&record(1, &[A])).unwrap();
        r.failed(&key(1), 0);
        assert!(
            r.due(REDIAL_MS.1 - 1, |_| false).is_empty()
                && !r.due(REDIAL_MS.1, |_| false).is_empty()
        );
        r.succeeded(&key(1));
        assert!(!r.due(0, |_| false).is_empty());
        (0..RECORD_FAILURES_MAX).for_each(|_| r.failed(&key(1), u64::MAX));
        assert_eq!(r.len(), 0);
    }
}
