//! One step of the reel and the seeds it comes from (R1).

use quil_types::hash::h;
use quil_types::{Beacon, BeaconWitness, Epoch, FrameId, FrameNumber, GenesisHash, tags};

/// Everything that determines a beacon: `seed_n = H("reel", genesis, e, n, T_e, beacon_{n-1}, A_n)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The network.
    pub genesis: GenesisHash,
    /// The epoch, which fixes the discriminant.
    pub epoch: Epoch,
    /// Number of the global frame.
    pub number: FrameNumber,
    /// Squarings.
    pub t: u64,
    /// Beacon of the frame before.
    pub previous: Beacon,
    /// Closing frame of the previous epoch for the first frame of an epoch, else zero.
    pub epoch_anchor: FrameId,
    /// Seed of the epoch's discriminant.
    pub discriminant: [u8; 32],
}

impl Step {
    /// Seed of the base form.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        let position = (self.epoch.get(), self.number.get(), self.t);
        h(
            tags::REEL,
            &(self.genesis, position, self.previous, self.epoch_anchor),
        )
    }

    /// `H("beacon", y)`; the proof is no part of it.
    #[must_use]
    pub fn beacon(witness: &BeaconWitness) -> Beacon {
        Beacon(h(tags::BEACON, &witness.y))
    }
}

/// Beacon of the genesis frame (D4).
#[must_use]
pub fn genesis_beacon(genesis: GenesisHash) -> Beacon {
    Beacon(h(tags::BEACON_ZERO, &genesis))
}

/// Seed of the discriminant of an epoch. Epochs 0 and 1 share one, known from genesis; a later one needs the
/// beacon of the closing frame two epochs before, so it is known one epoch ahead.
#[must_use]
pub fn discriminant_seed(
    genesis: GenesisHash,
    epoch: Epoch,
    closing_beacon: Option<Beacon>,
) -> [u8; 32] {
    match closing_beacon {
        Some(beacon) if epoch.get() >= 2 => h(tags::DISCRIMINANT, &(genesis, epoch, beacon)),
        _ => h(tags::DISCRIMINANT, &genesis),
    }
}
