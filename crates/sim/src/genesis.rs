//! Genesis documents for simulations.

use quil_hotstuff::KeyedSigner;
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, ProverEntry, ShardEntry,
    ShardMember, TokenGenesis, VERSION, native_domain,
};
use quil_types::limits::G1_BYTES;
use quil_types::{Bounded, Genesis, PeerKey, ShardAddr, Sorted, Timestamp};

/// Wall-clock time at which every simulated network starts, milliseconds since 1970.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// What a simulation chooses.
#[derive(Clone, Copy, Debug)]
pub struct SimGenesis {
    /// Nodes.
    pub nodes: u16,
    /// Frame interval, milliseconds.
    pub interval_ms: u64,
    /// Frames per epoch.
    pub epoch_frames: u64,
    /// Mint authority, a compressed point.
    pub authority: [u8; 56],
}

/// Network identity (Ed25519 secret) of a process of a node: the master is core 0.
pub(crate) fn peer_secret(node: u16, core: u16) -> [u8; 32] {
    let mut secret = [0x11; 32];
    secret
        .iter_mut()
        .zip(node.to_le_bytes().into_iter().chain(core.to_le_bytes()))
        .for_each(|(a, b)| *a = b);
    secret
}

/// Consensus key of a process of a node.
pub(crate) fn signer(node: u16, core: u16) -> KeyedSigner {
    KeyedSigner::new(
        u64::from(node)
            .saturating_mul(1000)
            .saturating_add(u64::from(core))
            .saturating_add(1),
    )
}

fn entry(node: u16, core: u16) -> ProverEntry {
    let identity =
        quil_engine::Identity::new(&peer_secret(node, core), None, quil_types::ProverId::ZERO);
    ProverEntry {
        key: signer(node, core).public(),
        possession: [0; G1_BYTES],
        peer: PeerKey(identity.peer().0),
    }
}

/// A network with one shard, whose committee is the workers of all nodes.
#[must_use]
pub fn sim_genesis(choice: &SimGenesis) -> Genesis {
    let committee: Vec<_> = (0..choice.nodes).map(|n| entry(n, 0)).collect();
    let members = (0..choice.nodes)
        .zip(&committee)
        .map(|(n, prover)| ShardMember {
            prover: prover.id(),
            worker: entry(n, 1),
            certificate: [0; G1_BYTES],
        });
    let shard = ShardEntry {
        addr: ShardAddr(native_domain().0),
        members: Bounded::try_from(members.collect::<Vec<_>>()).unwrap_or_default(),
    };
    Genesis {
        version: VERSION,
        binding: NetworkBinding {
            name: NetworkName::new("sim").unwrap_or_default(),
            seed: [9; 32],
        },
        devnet: true,
        time: Timestamp::new(START_MS),
        pacing: Pacing {
            min_spacing_ms: choice.interval_ms,
            target_ms: choice.interval_ms,
            difficulty: Difficulty::Fixed(50),
            discriminant_bits: 128,
        },
        epoch_frames: choice.epoch_frames,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: choice.interval_ms.saturating_mul(250),
            anchor_age: 16,
        },
        lifecycle: Lifecycle {
            shard_stall: 4,
            weak_subjectivity: 1000,
            validity: 1000,
        },
        srs: Bounded::new(),
        committee: Bounded::try_from(committee).unwrap_or_default(),
        shards: Bounded::try_from(vec![shard]).unwrap_or_default(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: choice.authority,
            fee_per_byte: 1,
        },
        upgrades: no_upgrades(),
    }
}

/// The empty list is in order.
#[expect(clippy::expect_used, reason = "the empty list is in order")]
fn no_upgrades() -> Sorted<quil_types::genesis::Upgrade, 64> {
    Sorted::try_from(Vec::new()).expect("in order")
}
