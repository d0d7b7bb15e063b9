//! The consistency check: one random linear combination of all leaves of all trees.
//!
//! Coefficient of leaf `i` of tree `t` is `psi_t * chi_i`, both uniform and derived from the hash of message 1, so a
//! wrong set of leaves passes with probability 2 / 2^128 per try at hashing.

use crate::block::Block;
use crate::context::{Context, Hasher};
use crate::kernel::{AesKey, Isa};

use super::Params;

pub(super) struct Challenge {
    /// One per leaf of a tree.
    chi: Vec<Block>,
    /// One per tree.
    psi: Vec<Block>,
}

impl Challenge {
    /// From the hash of all pieces of message 1.
    pub(super) fn new(pieces: &Hasher, isa: Isa, params: &Params) -> Self {
        let key = AesKey::new(isa, pieces.block());
        let mut chi = vec![Block::ZERO; 1 << params.depth];
        let mut psi = vec![Block::ZERO; params.trees];
        isa.key_stream(&key, 0, &mut chi);
        isa.key_stream(&key, chi.len() as u64, &mut psi);
        Self { chi, psi }
    }

    /// Sum of all leaves with their coefficients.
    pub(super) fn sum(&self, isa: Isa, leaves: &[Block]) -> Block {
        let trees: Vec<Block> = leaves
            .chunks_exact(self.chi.len())
            .map(|tree| isa.inner_product(&self.chi, tree))
            .collect();
        isa.inner_product(&self.psi, &trees)
    }

    /// Sum of the coefficients at the noise positions.
    pub(super) fn at_noise(&self, isa: Isa, noise: &[usize]) -> Block {
        let chi: Vec<Block> = noise
            .iter()
            .map(|at| self.chi.get(*at).copied().unwrap_or_default())
            .collect();
        isa.inner_product(&self.psi, &chi)
    }
}

/// `sum x^i * block_i`: the masks as one field element.
pub(super) fn pack(isa: Isa, blocks: &[Block]) -> Block {
    let powers: Vec<Block> = (0..blocks.len())
        .map(|i| Block::new(1_u128.wrapping_shl(u32::try_from(i).unwrap_or(0))))
        .collect();
    isa.inner_product(&powers, blocks)
}

/// Receiver: its masks as a field element, and their choices as one.
pub(super) fn pack_received(isa: Isa, masks: &[Block]) -> (Block, Block) {
    let bits = masks
        .iter()
        .rev()
        .fold(0_u128, |sum, block| (sum << 1) | u128::from(block.select()));
    (pack(isa, masks), Block::new(bits))
}

pub(super) fn digest(context: &Context, sum: Block) -> [u8; 32] {
    context
        .hasher("silent digest")
        .part(&sum.to_bytes())
        .digest()
}
