//! Frame headers and bodies (section 1).

use crate::hash::h;
use crate::limits::{BUNDLES_PER_BODY_MAX, FORM_BYTES_MAX, ROOT_BYTES, SHARD_UPDATES_MAX};
use crate::{
    Beacon, Bounded, Bundle, Bytes, Canonical, Chain, Digest, Epoch, FinalityProof, FrameId,
    FrameNumber, GenesisHash, ProverId, Rank, Timestamp, canonical, merkle, tags,
};

/// A trie root: the slot value of the top node (K1).
pub type Root = [u8; ROOT_BYTES];
/// Roots of the four phase sets: vertex adds, vertex removes, hyperedge adds, hyperedge removes.
pub type StateRoots = [Root; 4];

canonical! {
    /// A final global frame that a shard frame refers to (R5).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Anchor {
        /// Its number.
        pub number: FrameNumber,
        /// Its identity.
        pub id: FrameId,
    }
}

canonical! {
    /// What a quorum certifies. Witnesses (body, certificates, reel output and proof) travel beside it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Header {
        /// The protocol version that the epoch demands.
        pub version: u16,
        /// The chain.
        pub chain: Chain,
        /// The committee's term.
        pub epoch: Epoch,
        /// Consensus round within the epoch.
        pub rank: Rank,
        /// Rank of the parent; 0 when the parent is the epoch root.
        pub parent_rank: Rank,
        /// Position in the chain.
        pub number: FrameNumber,
        /// When the leader built it, milliseconds since 1970.
        pub timestamp: Timestamp,
        /// Identity of the parent frame.
        pub parent: FrameId,
        /// The leader.
        pub proposer: ProverId,
        /// Merkle root of the body's items.
        pub requests_root: Digest,
        /// Merkle root of the receipts of the parent's body.
        pub receipts_root: Digest,
        /// Fee multiplier in force, parts per million (F2).
        pub multiplier: u64,
        /// Root of the committee list of this epoch.
        pub committee_root: Digest,
        /// Root of the committee list after the next one; zero unless this frame closes an epoch (C2).
        pub next_committee_root: Digest,
        /// Roots after executing the parent.
        pub state_roots: StateRoots,
        /// Root of the shard table after executing the parent; global chain only, else zero (S1).
        pub shards_root: Root,
        /// Reel output of this frame, or of the anchor (R1, R5).
        pub beacon: Beacon,
        /// The final global frame this one builds on; shards only.
        pub anchor: Option<Anchor>,
    }
}

impl Header {
    /// `H("frame", header)`.
    #[must_use]
    pub fn id(&self) -> FrameId {
        FrameId(h(tags::FRAME, self))
    }

    /// Whether a certificate of this frame makes its parent final (C3).
    #[must_use]
    pub fn commits_parent(&self) -> bool {
        self.rank == self.parent_rank.next()
    }

    /// Identity of the parent of the genesis frame (D4).
    #[must_use]
    pub const fn genesis_parent(genesis: GenesisHash) -> FrameId {
        FrameId(genesis.0)
    }
}

canonical! {
    /// The reel output of a global frame with its proof; a witness (R2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct BeaconWitness {
        /// Number of the global frame.
        pub number: FrameNumber,
        /// The form `y`.
        pub y: Bytes<FORM_BYTES_MAX>,
        /// The Wesolowski proof, a form.
        pub pi: Bytes<FORM_BYTES_MAX>,
    }
}

canonical! {
    /// What a frame orders.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Body {
        /// Global chain: at most one update per shard (S1).
        Global(Bounded<FinalityProof, SHARD_UPDATES_MAX>) = 0,
        /// Shard chain: bundles in execution order.
        Shard(Bounded<Bundle, BUNDLES_PER_BODY_MAX>) = 1,
    }
}

impl Body {
    /// The empty body of a chain.
    #[must_use]
    pub const fn empty(chain: Chain) -> Self {
        match chain {
            Chain::Global => Self::Global(Bounded::new()),
            Chain::Shard(_) => Self::Shard(Bounded::new()),
        }
    }

    /// Whether the body belongs on this kind of chain.
    #[must_use]
    pub const fn fits(&self, chain: Chain) -> bool {
        matches!(
            (self, chain),
            (Self::Global(_), Chain::Global) | (Self::Shard(_), Chain::Shard(_))
        )
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Global(updates) => updates.len(),
            Self::Shard(bundles) => bundles.len(),
        }
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Merkle root of the items, for the header.
    #[must_use]
    pub fn requests_root(&self) -> Digest {
        match self {
            Self::Global(updates) => merkle::root(updates),
            Self::Shard(bundles) => merkle::root(bundles),
        }
    }

    /// Encoded size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.encode().len()
    }
}

canonical! {
    /// A row of the global shard table (S1). Its key is `addr || 0 x 32`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShardRow {
        /// Epoch of the recorded update.
        pub epoch: Epoch,
        /// Number of the last settled shard frame.
        pub height: FrameNumber,
        /// Its identity.
        pub id: FrameId,
        /// State roots after it.
        pub roots: StateRoots,
        /// Bytes of state that the shard reports.
        pub size: u64,
    }
}

/// Largest encoded [`ShardRow`], bytes.
pub const SHARD_ROW_BYTES_MAX: usize = 512;
