//! The prover registry's records and the genesis states (D4).

use quil_types::genesis::{ProverEntry, prover_id};
use quil_types::hash::h;
use quil_types::{
    Bounded, Canonical, Domain, Epoch, FrameId, FrameNumber, Genesis, ProverId, ShardAddr,
    ShardRow, StateRoots, canonical, tags,
};

use crate::state::{MemoryState, Overlay, RecordKey, WriteSet};
use crate::token::records::supply_key;
use crate::token::{Supply, TokenRecord};

/// Shards that one prover may serve, one worker each: keeps a record below the bound of an entry.
pub const ASSIGNMENTS_MAX: usize = 64;

canonical! {
    /// A worker of a prover and the shard it serves.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Assignment {
        /// The shard.
        pub shard: ShardAddr,
        /// The worker's key, possession and network identity (I1).
        pub worker: ProverEntry,
    }
}

canonical! {
    /// Where a prover stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Standing {
        /// Member of committees.
        Active = 1,
    }
}

canonical! {
    /// What the registry keeps about a prover.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProverRecord {
        /// Key, possession and network identity.
        pub entry: ProverEntry,
        /// Whether it takes part.
        pub standing: Standing,
        /// The epoch in which it joined.
        pub joined: Epoch,
        /// Strictly increasing number of its last registry operation.
        pub nonce: u64,
        /// Its workers, ascending by shard.
        pub assignments: Bounded<Assignment, ASSIGNMENTS_MAX>,
    }
}

/// Largest encoded [`ProverRecord`], bytes: 64 assignments of 723 bytes.
pub const PROVER_RECORD_BYTES_MAX: usize = 64 * 1024;

const _: () = assert!(PROVER_RECORD_BYTES_MAX <= quil_hypergraph::CONTENT_BYTES_MAX);

/// Domain of the registry: `H("registry", 0)`.
#[must_use]
pub fn registry_domain() -> Domain {
    Domain(h(tags::REGISTRY, &0u64))
}

/// Where a prover's record lives.
#[must_use]
pub fn prover_key(prover: ProverId) -> RecordKey {
    RecordKey {
        domain: registry_domain(),
        data: prover.0,
    }
}

/// Why a genesis document does not make a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// Two provers of the committee have one key.
    #[error("prover {0:?} is listed twice")]
    RepeatedProver(ProverId),
    /// A shard's member belongs to no prover of the global committee.
    #[error("shard member of unknown prover {0:?}")]
    UnknownProver(ProverId),
    /// Shards are not strictly ascending by address.
    #[error("shards are not in ascending order")]
    ShardOrder,
    /// One prover serves more shards than a record holds.
    #[error("prover {0:?} has too many workers")]
    TooManyWorkers(ProverId),
}

/// State of the global chain at genesis: one record per prover, with its workers (D4).
///
/// # Errors
/// [`GenesisError`], one variant per rule.
pub fn global_genesis(genesis: &Genesis) -> Result<WriteSet, GenesisError> {
    let provers: Vec<ProverId> = genesis.committee.iter().map(ProverEntry::id).collect();
    let mut overlay = Overlay::new(MemoryState::new());
    if !genesis
        .shards
        .windows(2)
        .all(|w| matches!(w, [a, b] if a.addr < b.addr))
    {
        return Err(GenesisError::ShardOrder);
    }
    let members = genesis.shards.iter().flat_map(|s| s.members.iter());
    if let Some(stranger) = members.map(|m| m.prover).find(|p| !provers.contains(p)) {
        return Err(GenesisError::UnknownProver(stranger));
    }
    for (at, entry) in genesis.committee.iter().enumerate() {
        let id = prover_id(&entry.key);
        if provers.iter().take(at).any(|p| *p == id) {
            return Err(GenesisError::RepeatedProver(id));
        }
        let record = ProverRecord {
            entry: entry.clone(),
            standing: Standing::Active,
            joined: Epoch::ZERO,
            nonce: 0,
            assignments: assignments(genesis, id)?,
        };
        let put = overlay.put(prover_key(id), record.encode());
        debug_assert!(put.is_ok(), "a state in memory answers");
    }
    Ok(overlay.into_writes())
}

fn assignments(
    genesis: &Genesis,
    prover: ProverId,
) -> Result<Bounded<Assignment, ASSIGNMENTS_MAX>, GenesisError> {
    let of_shard = genesis
        .shards
        .iter()
        .flat_map(|s| s.members.iter().map(move |m| (s.addr, m)));
    let own = of_shard.filter(|(_, m)| m.prover == prover);
    let list: Vec<_> = own
        .map(|(shard, m)| Assignment {
            shard,
            worker: m.worker.clone(),
        })
        .collect();
    Bounded::try_from(list).map_err(|_| GenesisError::TooManyWorkers(prover))
}

/// State of the token shard at genesis: a supply record of zero, nothing else (T9).
#[must_use]
pub fn token_genesis(domain: Domain) -> WriteSet {
    let mut overlay = Overlay::new(MemoryState::new());
    let supply = TokenRecord::Supply(Supply::default()).encode();
    let inserted = overlay.put(supply_key(domain), supply);
    debug_assert!(inserted.is_ok(), "the empty state holds no record");
    overlay.into_writes()
}

/// Row of a shard before its first settled frame.
///
/// The identity is zero: that of shard frame 0 depends on global frame 0, which commits this row (D4).
#[must_use]
pub const fn genesis_row(roots: StateRoots) -> ShardRow {
    ShardRow {
        epoch: Epoch::ZERO,
        height: FrameNumber::ZERO,
        id: FrameId::ZERO,
        roots,
        size: 0,
    }
}
