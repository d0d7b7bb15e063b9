//! What the reel needs to know of an epoch: T and the discriminant's seed (R1, R2).

use quil_types::{Beacon, Epoch, FrameId, GenesisHash, Header, canonical};

use crate::difficulty::{Adjuster, DifficultyAdjuster, EpochMeasure};
use crate::step::{Step, discriminant_seed};

canonical! {
    /// The constants of one epoch's reel; stored when they become known, one epoch ahead.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ReelEpoch {
        /// The network.
        pub genesis: GenesisHash,
        /// The epoch.
        pub epoch: Epoch,
        /// Squarings per step.
        pub t: u64,
        /// Seed of the discriminant.
        pub discriminant: [u8; 32],
    }
}

/// Largest encoded [`ReelEpoch`], bytes.
pub const REEL_EPOCH_BYTES_MAX: usize = 128;

impl ReelEpoch {
    /// Epochs 0 and 1, known from genesis.
    #[must_use]
    pub fn initial(genesis: GenesisHash, t: u64) -> [Self; 2] {
        [0, 1].map(|e| {
            let epoch = Epoch::new(e);
            Self {
                genesis,
                epoch,
                t,
                discriminant: discriminant_seed(genesis, epoch, None),
            }
        })
    }

    /// Epoch `e + 2`, from the closing frame of epoch `e` and what was measured in `e` (R1, R3).
    #[must_use]
    pub fn after(
        this: &Self,
        next: &Self,
        closing: Beacon,
        measured: &EpochMeasure,
        adjuster: &Adjuster,
    ) -> Self {
        let epoch = next.epoch.next();
        Self {
            genesis: this.genesis,
            epoch,
            t: adjuster.adjust(measured, this.t, next.t),
            discriminant: discriminant_seed(this.genesis, epoch, Some(closing)),
        }
    }

    /// The step of the child of `parent` in this epoch. A parent of an earlier epoch is this epoch's root: its
    /// closing frame is bound as `A_n`.
    #[must_use]
    pub fn step_after(&self, parent: &Header) -> Step {
        let first = parent.epoch < self.epoch;
        Step {
            genesis: self.genesis,
            epoch: self.epoch,
            number: parent.number.next(),
            t: self.t,
            previous: parent.beacon,
            epoch_anchor: if first { parent.id() } else { FrameId::ZERO },
            discriminant: self.discriminant,
        }
    }
}
