//! The genesis document: everything a network's nodes must agree on before they start (D2, D4).

use crate::bundle::PointBytes;
use crate::hash::h;
use crate::limits::{COMMITTEE_MAX, G1_BYTES, G2_BYTES, SHARDS_MAX, SRS_BYTES_MAX};
use crate::{
    Bounded, Bytes, Committee, Domain, Epoch, GenesisHash, Member, PeerKey, ProverId, ShardAddr,
    Sorted, Text, Timestamp, canonical, tags,
};

/// Network names are labels for people.
pub type NetworkName = Text<32>;

/// The protocol version of the first epoch.
pub const VERSION: u16 = 1;

canonical! {
    /// What proofs of possession, ceremony contributions and worker certificates bind before there is a
    /// genesis hash (D2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NetworkBinding {
        /// The network's name.
        pub name: NetworkName,
        /// 32 random bytes.
        pub seed: [u8; 32],
    }
}

canonical! {
    /// How long a reel step takes (R3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Difficulty {
        /// T squarings in every epoch.
        Fixed(u64) = 0,
        /// T follows the median spacing of an epoch.
        Median {
            /// T of the first two epochs.
            initial: u64,
            /// Smallest T.
            floor: u64,
        } = 1,
    }
}

canonical! {
    /// Frame pacing (R3).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Pacing {
        /// Least milliseconds between the timestamps of parent and child.
        pub min_spacing_ms: u64,
        /// Frame interval `I` that pacing aims at, milliseconds.
        pub target_ms: u64,
        /// Squarings per step.
        pub difficulty: Difficulty,
        /// Bits of the class-group discriminant.
        pub discriminant_bits: u32,
    }
}

canonical! {
    /// Bounds of frames (C4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Limits {
        /// Largest encoded body, bytes.
        pub body_bytes: u32,
        /// Largest body cost in microseconds of verification on the genesis machine: at most a quarter of the
        /// frame interval.
        pub body_cost_us: u64,
        /// Oldest anchor of a shard frame at vote time, global frames (R5).
        pub anchor_age: u64,
    }
}

canonical! {
    /// Windows of the network's life, in epochs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Lifecycle {
        /// Epochs without a closing update after which a shard restarts with its next committee (S3).
        pub shard_stall: u64,
        /// Epochs after which a node that joins needs a checkpoint (R6).
        pub weak_subjectivity: u64,
        /// Global frames for which a transfer may at most stay valid (T6).
        pub validity: u64,
    }
}

canonical! {
    /// A key with its proof of possession (I2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProverEntry {
        /// BLS48-581 public key.
        pub key: [u8; G2_BYTES],
        /// Over the binding, the key and the peer key.
        pub possession: [u8; G1_BYTES],
        /// Network identity of the prover's master process.
        pub peer: PeerKey,
    }
}

impl ProverEntry {
    /// `H("prover", key)`.
    #[must_use]
    pub fn id(&self) -> ProverId {
        prover_id(&self.key)
    }
}

/// Address of a prover: `H("prover", key)`.
#[must_use]
pub fn prover_id(key: &[u8; G2_BYTES]) -> ProverId {
    ProverId(h(tags::PROVER, key))
}

canonical! {
    /// A worker in a shard's first committee (D4).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShardMember {
        /// The prover behind it.
        pub prover: ProverId,
        /// The worker's own key, possession and network identity (I1).
        pub worker: ProverEntry,
        /// The prover's signature over [`WorkerStatement`].
        pub certificate: [u8; G1_BYTES],
    }
}

canonical! {
    /// What a prover signs about its worker, under tag `worker` (D4).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WorkerStatement {
        /// The network.
        pub binding: NetworkBinding,
        /// The shard.
        pub shard: ShardAddr,
        /// The worker's key.
        pub key: [u8; G2_BYTES],
    }
}

canonical! {
    /// What a proof of possession signs, under tag `pop` (I2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PossessionStatement {
        /// The network.
        pub binding: NetworkBinding,
        /// The key.
        pub key: [u8; G2_BYTES],
        /// The network identity it belongs to.
        pub peer: PeerKey,
    }
}

canonical! {
    /// A shard with its first committee.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShardEntry {
        /// Address.
        pub addr: ShardAddr,
        /// First committee.
        pub members: Bounded<ShardMember, COMMITTEE_MAX>,
    }
}

impl ShardEntry {
    /// The committee that the entries make.
    #[must_use]
    pub fn committee(&self) -> Committee {
        let members = self.members.iter().map(|m| Member {
            prover: m.prover,
            key: m.worker.key,
            peer: m.worker.peer,
        });
        Committee {
            members: Bounded::try_from(members.collect::<Vec<_>>()).unwrap_or_default(),
        }
    }
}

canonical! {
    /// The native token.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TokenGenesis {
        /// Its domain.
        pub domain: Domain,
        /// Who may mint; a devnet's faucet.
        pub authority: PointBytes,
        /// Units that a transfer pays per encoded byte at multiplier one.
        pub fee_per_byte: u64,
    }
}

canonical! {
    /// A protocol version and the epoch from which it holds.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Upgrade {
        /// First epoch.
        pub epoch: Epoch,
        /// The version.
        pub version: u16,
    }
}

canonical! {
    /// The genesis document.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Genesis {
        /// Protocol version of epoch 0.
        pub version: u16,
        /// Name and seed.
        pub binding: NetworkBinding,
        /// Whether the network is a local one: peers on one machine are not taken for one attacker (W2).
        pub devnet: bool,
        /// Timestamp of frame 0.
        pub time: Timestamp,
        /// Pacing of the reel.
        pub pacing: Pacing,
        /// Frames per epoch, `E`.
        pub epoch_frames: u64,
        /// Bounds of frames.
        pub limits: Limits,
        /// Windows.
        pub lifecycle: Lifecycle,
        /// The SRS file, with the whole ceremony transcript (D5).
        pub srs: Bytes<SRS_BYTES_MAX>,
        /// First committee of the global chain.
        pub committee: Bounded<ProverEntry, COMMITTEE_MAX>,
        /// Shards, ascending by address.
        pub shards: Bounded<ShardEntry, SHARDS_MAX>,
        /// The native token.
        pub token: TokenGenesis,
        /// Later versions, ascending.
        pub upgrades: Sorted<Upgrade, 64>,
    }
}

impl Genesis {
    /// `H("genesis", document)`.
    #[must_use]
    pub fn hash(&self) -> GenesisHash {
        GenesisHash(h(tags::GENESIS, self))
    }

    /// The committee of the global chain's first epoch.
    #[must_use]
    pub fn global_committee(&self) -> Committee {
        let members = self.committee.iter().map(|p| Member {
            prover: p.id(),
            key: p.key,
            peer: p.peer,
        });
        Committee {
            members: Bounded::try_from(members.collect::<Vec<_>>()).unwrap_or_default(),
        }
    }

    /// The shard at an address.
    #[must_use]
    pub fn shard(&self, addr: ShardAddr) -> Option<&ShardEntry> {
        self.shards.iter().find(|s| s.addr == addr)
    }

    /// The version that an epoch demands (D3).
    #[must_use]
    pub fn version_at(&self, epoch: Epoch) -> u16 {
        self.upgrades
            .iter()
            .rev()
            .find(|u| u.epoch <= epoch)
            .map_or(self.version, |u| u.version)
    }
}

/// Domain and shard address of the native token: `H("native", 0)`.
#[must_use]
pub fn native_domain() -> Domain {
    Domain(h(tags::NATIVE, &0u64))
}
