//! Proofs of per-core work (R8): who owes one, and what it is about. They are checked before a reward is paid, off
//! the voting path.

use quil_types::hash::{h, xof};
use quil_types::{Beacon, BeaconWitness, Epoch, GenesisHash, MemberIndex, ProverId, tags};
use quil_vdf::{Discriminant, VdfProof};

use crate::machine::ReelMachine;

/// Members expected to owe a proof per frame.
pub const SAMPLED_EXPECTED: u64 = 2;

/// Who owes a proof for the frame with this beacon: every member independently with probability `2 / n`.
#[must_use]
pub fn sampled(beacon: Beacon, members: u16) -> Vec<MemberIndex> {
    let mut draw = xof(tags::WORK_SAMPLE, &beacon);
    (0..members)
        .map(MemberIndex)
        .filter(|_| draw.below(u64::from(members)) < SAMPLED_EXPECTED)
        .collect()
}

/// What one core of one prover proves in one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTask {
    /// The network.
    pub genesis: GenesisHash,
    /// The epoch.
    pub epoch: Epoch,
    /// The prover.
    pub prover: ProverId,
    /// The core.
    pub core: u16,
    /// Beacon of the frame that asks.
    pub challenge: Beacon,
    /// Squarings.
    pub t: u64,
}

impl WorkTask {
    /// Seed of the core's own discriminant: work of one core is worth nothing to another.
    #[must_use]
    pub fn discriminant_seed(&self) -> [u8; 32] {
        h(
            tags::WORK_DISCRIMINANT,
            &(self.genesis, self.epoch, self.prover, self.core),
        )
    }

    fn base_seed(&self) -> [u8; 32] {
        h(tags::WORK_BASE, &(self.challenge, self.t))
    }

    /// Does the work. Blocks for the whole delay.
    #[must_use]
    pub fn prove(&self, machine: &ReelMachine) -> Option<BeaconWitness> {
        let discriminant = machine.discriminant(&self.discriminant_seed())?;
        let x = quil_vdf::base(&discriminant, &self.base_seed()).ok()?;
        let (y, pi) = quil_vdf::prove(&discriminant, &x, self.t).ok()?.to_bytes();
        Some(BeaconWitness {
            number: quil_types::FrameNumber::ZERO,
            y: quil_types::Bytes::from_slice(y.as_ref()).ok()?,
            pi: quil_types::Bytes::from_slice(pi.as_ref()).ok()?,
        })
    }

    /// Whether the work was done.
    #[must_use]
    pub fn verify(&self, machine: &ReelMachine, proof: &BeaconWitness) -> bool {
        let Some(discriminant) = machine.discriminant(&self.discriminant_seed()) else {
            return false;
        };
        self.holds(&discriminant, proof)
    }

    fn holds(&self, discriminant: &Discriminant, proof: &BeaconWitness) -> bool {
        let Ok(x) = quil_vdf::base(discriminant, &self.base_seed()) else {
            return false;
        };
        VdfProof::from_bytes(discriminant, &proof.y, &proof.pi)
            .is_ok_and(|p| p.verify(discriminant, &x, self.t).is_ok())
    }
}
