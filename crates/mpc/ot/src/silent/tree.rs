//! Trees of seeds: both sides know every leaf of a tree but one, which the receiver lacks.
//!
//! The child of side `s` of a node is `AES_{k_s}(node) ^ node` under two keys of the round. Nodes of a level are stored
//! side by side: the children of side 0 first, then those of side 1, so the side taken at level `l` is bit `l` of the
//! final index.

use crate::block::Block;
use crate::context::Context;
use crate::kernel::{AesKey, Isa};

use super::Params;

/// Keys and sizes of a round's trees.
pub(super) struct Trees {
    params: Params,
    isa: Isa,
    sides: [AesKey; 2],
    /// Key of the hash that makes pads.
    pad_seed: Block,
}

fn sum(blocks: &[Block]) -> Block {
    blocks.iter().fold(Block::ZERO, |sum, block| sum ^ *block)
}

/// Children of the nodes: `nodes` has room for twice as many as there are.
fn double(isa: Isa, sides: &[AesKey; 2], nodes: &mut [Block], count: usize) {
    let (first, second) = nodes.split_at_mut(count.min(nodes.len()));
    let mut scratch = [Block::ZERO; PIECE];
    let second = second.get_mut(..count).unwrap_or_default();
    for (left, right) in first.chunks_mut(PIECE).zip(second.chunks_mut(PIECE)) {
        let parents = scratch.get_mut(..left.len()).unwrap_or_default();
        parents.copy_from_slice(left);
        right.copy_from_slice(left);
        isa.encrypt(&sides[0], left);
        isa.encrypt(&sides[1], right);
        for ((left, right), parent) in left.iter_mut().zip(right).zip(parents) {
            *left ^= *parent;
            *right ^= *parent;
        }
    }
}

/// Nodes expanded at once.
const PIECE: usize = 64;

/// The receiver's noise positions, one per tree.
pub(super) type Noise = Vec<usize>;

impl Trees {
    pub(super) fn new(context: &Context, isa: Isa, params: Params) -> Self {
        let key = |side: u64| AesKey::new(isa, context.hasher("silent tree").number(side).block());
        Self {
            params,
            isa,
            sides: [key(0), key(1)],
            pad_seed: context.hasher("silent pads").block(),
        }
    }

    /// Sender: fills all leaves and returns message 1: per tree two masked sums per level, then the sum of the leaves
    /// shifted by the offset.
    pub(super) fn grow(
        &self,
        seed: Block,
        delta: Block,
        pads: &[Block],
        leaves: &mut [Block],
    ) -> Vec<Block> {
        let depth = self.params.depth;
        let mut roots = vec![Block::ZERO; self.params.trees];
        self.isa
            .key_stream(&AesKey::new(self.isa, seed), 0, &mut roots);
        let mut zero = pads.to_vec();
        let mut one = vec![Block::ZERO; pads.len()];
        self.isa
            .hash_both(self.pad_seed, 0, delta, &mut zero, &mut one);
        let mut message = Vec::with_capacity(
            self.params
                .trees
                .saturating_mul(depth.saturating_mul(2).saturating_add(1)),
        );
        let pads = zero.chunks_exact(depth).zip(one.chunks_exact(depth));
        let trees = leaves.chunks_exact_mut(1 << depth).zip(roots).zip(pads);
        for ((nodes, root), (zero, one)) in trees {
            if let Some(first) = nodes.first_mut() {
                *first = root;
            }
            for (level, (zero, one)) in zero.iter().zip(one).enumerate() {
                let count = 1_usize << level;
                double(self.isa, &self.sides, nodes, count);
                let (left, right) = nodes.split_at(count);
                let right = right.get(..count).unwrap_or_default();
                message.push(sum(left) ^ *zero);
                message.push(sum(right) ^ *one);
            }
            super::normalise_sent(nodes);
            message.push(sum(nodes) ^ delta);
        }
        message
    }

    /// Receiver: fills all leaves, at the noise position the sender's leaf shifted by the offset; returns the positions.
    ///
    /// A choice bit of a pad is the side whose sum can be opened; the noise goes to the other side. Reads and writes
    /// follow the receiver's own noise positions.
    pub(super) fn puncture(
        &self,
        pads: &[Block],
        message: &[Block],
        leaves: &mut [Block],
    ) -> Noise {
        let depth = self.params.depth;
        let mut hashed = pads.to_vec();
        self.isa.hash(self.pad_seed, 0, &mut hashed);
        let per_tree = depth.saturating_mul(2).saturating_add(1);
        let pads = pads.chunks_exact(depth).zip(hashed.chunks_exact(depth));
        let trees = leaves
            .chunks_exact_mut(1 << depth)
            .zip(message.chunks_exact(per_tree))
            .zip(pads);
        let mut noise = Vec::with_capacity(self.params.trees);
        for ((nodes, message), (choices, pads)) in trees {
            nodes.fill(Block::ZERO);
            let mut hole = 0_usize;
            let sums = message.as_chunks::<2>().0;
            for (level, ((sums, choice), pad)) in sums.iter().zip(choices).zip(pads).enumerate() {
                hole = self.level(nodes, level, hole, (*sums, choice.select(), *pad));
            }
            super::normalise_sent(nodes);
            let last = message.last().copied().unwrap_or_default();
            let all = sum(nodes);
            if let Some(leaf) = nodes.get_mut(hole) {
                // The hole still holds whatever stood there; its share of the sum cancels.
                *leaf = all ^ *leaf ^ last;
            }
            noise.push(hole);
        }
        noise
    }

    /// One level: children of all known nodes, then the one child of the hole that the sums give. Returns the new hole.
    fn level(
        &self,
        nodes: &mut [Block],
        level: usize,
        hole: usize,
        (sums, side, pad): ([Block; 2], bool, Block),
    ) -> usize {
        let count = 1_usize << level;
        double(self.isa, &self.sides, nodes, count);
        let known = hole.saturating_add(if side { count } else { 0 });
        let lost = hole.saturating_add(if side { 0 } else { count });
        for at in [known, lost] {
            if let Some(node) = nodes.get_mut(at) {
                *node = Block::ZERO;
            }
        }
        let start = if side { count } else { 0 };
        let half = nodes
            .get(start..start.saturating_add(count))
            .unwrap_or_default();
        let opened = if side { sums[1] } else { sums[0] };
        let value = sum(half) ^ opened ^ pad;
        if let Some(node) = nodes.get_mut(known) {
            *node = value;
        }
        lost
    }
}
