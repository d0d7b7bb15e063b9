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

/// Children of the nodes: `nodes` has room for twice as many as there are. Returns the sums of both sides.
fn double(isa: Isa, sides: &[AesKey; 2], nodes: &mut [Block], count: usize) -> [Block; 2] {
    let (first, second) = nodes.split_at_mut(count.min(nodes.len()));
    let mut scratch = [Block::ZERO; PIECE];
    let mut sums = [Block::ZERO; 2];
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
            sums[0] ^= *left;
            sums[1] ^= *right;
        }
    }
    sums
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

    /// Sender: fills the leaves of a piece, whose first tree is `first`, and returns the piece's message: per tree two
    /// masked sums per level, then the sum of the leaves shifted by the offset.
    pub(super) fn grow(
        &self,
        seed: &AesKey,
        delta: Block,
        first: usize,
        pads: &[Block],
        leaves: &mut [Block],
    ) -> Vec<Block> {
        let depth = self.params.depth;
        let mut roots = vec![Block::ZERO; pads.len() / depth.max(1)];
        self.isa.key_stream(seed, first as u64, &mut roots);
        let mut zero = pads.to_vec();
        let mut one = vec![Block::ZERO; pads.len()];
        self.isa
            .hash_both(self.pad_seed, self.tweak(first), delta, &mut zero, &mut one);
        let mut message = Vec::with_capacity(roots.len().saturating_mul(self.per_tree()));
        let pads = zero.chunks_exact(depth).zip(one.chunks_exact(depth));
        let trees = leaves.chunks_exact_mut(1 << depth).zip(roots).zip(pads);
        for ((nodes, root), (zero, one)) in trees {
            if let Some(first) = nodes.first_mut() {
                *first = root;
            }
            let mut total = Block::ZERO;
            for (level, (zero, one)) in zero.iter().zip(one).enumerate() {
                let sums = double(self.isa, &self.sides, nodes, 1 << level);
                message.push(sums[0] ^ *zero);
                message.push(sums[1] ^ *one);
                total = sums[0] ^ sums[1];
            }
            super::normalise_sent(nodes);
            message.push(total.with_select(false) ^ delta);
        }
        message
    }

    /// Blocks of message 1 per tree.
    const fn per_tree(&self) -> usize {
        2 * self.params.depth + 1
    }

    /// Number of the first pad of a tree.
    const fn tweak(&self, tree: usize) -> u64 {
        (tree * self.params.depth) as u64
    }

    /// Receiver: fills the leaves of a piece, at the noise positions the sender's leaf shifted by the offset; appends the
    /// positions.
    ///
    /// A choice bit of a pad is the side whose sum can be opened; the noise goes to the other side. Reads and writes
    /// follow the receiver's own noise positions.
    pub(super) fn puncture(
        &self,
        first: usize,
        pads: &[Block],
        message: &[Block],
        leaves: &mut [Block],
        noise: &mut Noise,
    ) {
        let depth = self.params.depth;
        let mut hashed = pads.to_vec();
        self.isa.hash(self.pad_seed, self.tweak(first), &mut hashed);
        let pads = pads.chunks_exact(depth).zip(hashed.chunks_exact(depth));
        let trees = leaves
            .chunks_exact_mut(1 << depth)
            .zip(message.chunks_exact(self.per_tree()))
            .zip(pads);
        for ((nodes, message), (choices, pads)) in trees {
            if let Some(root) = nodes.first_mut() {
                *root = Block::ZERO;
            }
            let mut hole = 0_usize;
            let sums = message.as_chunks::<2>().0;
            for (level, ((sums, choice), pad)) in sums.iter().zip(choices).zip(pads).enumerate() {
                hole = self.level(nodes, level, hole, (*sums, choice.select(), *pad));
            }
            super::normalise_sent(nodes);
            let last = message.last().copied().unwrap_or_default();
            // The hole itself is zero up to here.
            let all = sum(nodes);
            if let Some(leaf) = nodes.get_mut(hole) {
                *leaf = all ^ last;
            }
            noise.push(hole);
        }
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
        let all = double(self.isa, &self.sides, nodes, count);
        let known = hole.saturating_add(if side { count } else { 0 });
        let lost = hole.saturating_add(if side { 0 } else { count });
        let (all, opened) = if side {
            (all[1], sums[1])
        } else {
            (all[0], sums[0])
        };
        if let Some(node) = nodes.get_mut(known) {
            // What the empty hole gave is in the sum and leaves it again.
            *node = all ^ *node ^ opened ^ pad;
        }
        if let Some(node) = nodes.get_mut(lost) {
            *node = Block::ZERO;
        }
        lost
    }
}
