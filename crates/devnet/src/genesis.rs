//! A genesis document with everything that a public one has: possession proofs, worker certificates, a ceremony.

#[cfg(test)]
mod tests;

use quil_kzg::{Ceremony, SrsFile};
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, ShardEntry, TokenGenesis,
    VERSION, native_domain,
};
use quil_types::{Bounded, Bytes, Genesis, PeerKey, ShardAddr, Sorted, Timestamp};
use quil_vdf::DISCRIMINANT_BITS;
use rand_core::CryptoRng;

use crate::error::DevnetError;
use crate::keys::{NodeKeys, People, Sealed};
use crate::plan::DevnetPlan;

/// Name of the network.
pub const NAME: &str = "devnet";
/// Frames of an epoch: an hour of two-second frames, so that a network that is kept running changes epochs.
pub const EPOCH_FRAMES: u64 = 1_800;
/// Largest body, bytes.
pub const BODY_BYTES: u32 = 1 << 20;
/// Body cost for each millisecond of the frame interval, microseconds: a quarter of it, the most that is allowed (C4).
pub const COST_US_PER_MS: u64 = 250;
/// Oldest anchor of a shard frame, global frames.
pub const ANCHOR_AGE: u64 = 16;
/// Global frames that a transfer may stay valid.
pub const VALIDITY: u64 = 1_000;
/// Units that a transfer pays per byte: about 0.0003 QUIL for a small one.
pub const FEE_PER_BYTE: u64 = 1_000;

const _: () = assert!(
    VALIDITY <= EPOCH_FRAMES,
    "a transfer outlives no epoch (T6)"
);

/// What a genesis takes from the moment and the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Timestamp of frame 0.
    pub time: Timestamp,
    /// Squarings of a reel step.
    pub squarings: u64,
}

/// The secret side of a node, and who its processes are.
#[derive(Debug)]
pub struct NodePart {
    /// Its key store.
    pub sealed: Sealed,
    /// Network identities of its processes, by core.
    pub peers: Vec<PeerKey>,
}

/// Everything that a network's folders are written from.
#[derive(Debug)]
pub struct Blueprint {
    /// The network.
    pub genesis: Genesis,
    /// Its nodes.
    pub nodes: Vec<NodePart>,
    /// Key store of the accounts.
    pub client: Sealed,
    /// Names and addresses.
    pub accounts: Vec<(String, String)>,
}

fn defect(e: impl core::fmt::Debug) -> DevnetError {
    DevnetError::Genesis(format!("{e:?}"))
}

impl Blueprint {
    /// Draws keys, runs a ceremony with one contribution of each node, and certifies everything. Cost: about 100 ms
    /// per node.
    ///
    /// # Errors
    /// [`DevnetError::Genesis`], never seen in practice.
    pub fn draw(
        plan: &DevnetPlan,
        moment: Moment,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, DevnetError> {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let binding = NetworkBinding {
            name: NetworkName::new(NAME).map_err(defect)?,
            seed,
        };
        let keys: Vec<_> = (0..plan.nodes())
            .map(|_| NodeKeys::generate(plan.workers(), rng))
            .collect();
        let people = People::generate(rng)?;
        let srs = ceremony(&binding, &keys, rng)?;
        let genesis = document(plan, moment, binding, &keys, (srs, people.authority))?;
        let nodes = keys.into_iter().map(|node| {
            Ok(NodePart {
                peers: node.peers(),
                sealed: node.seal(rng)?,
            })
        });
        Ok(Self {
            genesis,
            nodes: nodes.collect::<Result<_, DevnetError>>()?,
            client: people.sealed,
            accounts: people.accounts,
        })
    }
}

/// One contribution of each node, signed by its prover key (D5).
fn ceremony(
    binding: &NetworkBinding,
    nodes: &[NodeKeys],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, DevnetError> {
    let mut ceremony = Ceremony::init(binding.clone());
    for node in nodes {
        ceremony.contribute(&node.signer()?, rng).map_err(defect)?;
    }
    Ok(SrsFile::of(&ceremony).encode())
}

fn document(
    plan: &DevnetPlan,
    moment: Moment,
    binding: NetworkBinding,
    nodes: &[NodeKeys],
    (srs, authority): (Vec<u8>, [u8; 56]),
) -> Result<Genesis, DevnetError> {
    let interval = plan.frame_time().millis();
    let addr = ShardAddr(native_domain().0);
    let committee = nodes.iter().map(|n| n.committee_entry(&binding));
    let committee = committee.collect::<Result<Vec<_>, _>>()?;
    let members = nodes.iter().flat_map(|n| n.members(&binding, addr));
    let members = Bounded::try_from(members.collect::<Vec<_>>()).map_err(defect)?;
    Ok(Genesis {
        version: VERSION,
        devnet: true,
        time: moment.time,
        pacing: Pacing {
            min_spacing_ms: interval,
            target_ms: interval,
            difficulty: Difficulty::Fixed(moment.squarings),
            discriminant_bits: u32::try_from(DISCRIMINANT_BITS).map_err(defect)?,
        },
        epoch_frames: EPOCH_FRAMES,
        limits: Limits {
            body_bytes: BODY_BYTES,
            body_cost_us: interval.saturating_mul(COST_US_PER_MS),
            anchor_age: ANCHOR_AGE,
        },
        lifecycle: Lifecycle {
            shard_stall: 4,
            weak_subjectivity: 1_000,
            validity: VALIDITY,
        },
        srs: Bytes::try_from(srs).map_err(defect)?,
        committee: Bounded::try_from(committee).map_err(defect)?,
        shards: Bounded::try_from(vec![ShardEntry { addr, members }]).map_err(defect)?,
        token: TokenGenesis {
            domain: native_domain(),
            authority,
            fee_per_byte: FEE_PER_BYTE,
        },
        upgrades: Sorted::try_from(Vec::new()).map_err(defect)?,
        binding,
    })
}
