//! What execution takes from the genesis document.

use quil_types::bundle::PointBytes;
use quil_types::genesis::{Limits, Upgrade};
use quil_types::{Domain, Epoch, Genesis, GenesisHash, Sorted};

/// Constants of a network that execution needs. Equal on every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The network.
    pub genesis: GenesisHash,
    /// The native token's domain.
    pub domain: Domain,
    /// Who may mint it.
    pub authority: PointBytes,
    /// Units per encoded byte at multiplier one (T8).
    pub fee_per_byte: u64,
    /// Longest validity of a transfer, global frames (T6).
    pub validity: u64,
    /// Bounds of a body (C4).
    pub limits: Limits,
    /// Frames per epoch, `E` (C1).
    pub epoch_frames: u64,
    /// Protocol version of epoch 0.
    version: u16,
    /// Later versions.
    upgrades: Sorted<Upgrade, 64>,
}

impl Rules {
    /// The rules of a network.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            genesis: genesis.hash(),
            domain: genesis.token.domain,
            authority: genesis.token.authority,
            fee_per_byte: genesis.token.fee_per_byte,
            validity: genesis.lifecycle.validity,
            limits: genesis.limits,
            epoch_frames: genesis.epoch_frames,
            version: genesis.version,
            upgrades: genesis.upgrades.clone(),
        }
    }

    /// The version that an epoch demands (D3).
    #[must_use]
    pub fn version_at(&self, epoch: Epoch) -> u16 {
        let upgrade = self.upgrades.iter().rev().find(|u| u.epoch <= epoch);
        upgrade.map_or(self.version, |u| u.version)
    }
}
