//! AND gates over the tweaked hash of any form: what the fused kernels compute.

use zeroize::Zeroize;

use super::{HashKeys, Isa, Rows};
use crate::block::Block;

/// Gates hashed at once: a multiple of every kernel's width, small enough for the first-level cache.
const BATCH: usize = 32;

/// Labels of one batch, both inputs of a gate next to each other.
struct Batch([Block; 2 * BATCH]);

impl Batch {
    /// A copy of the labels; says how many.
    fn of(inputs: &[[Block; 2]]) -> (Self, usize) {
        let mut batch = Self([Block::ZERO; 2 * BATCH]);
        for (slot, label) in batch.0.iter_mut().zip(inputs.as_flattened()) {
            *slot = *label;
        }
        (batch, inputs.len().saturating_mul(2).min(2 * BATCH))
    }

    fn first(&mut self, count: usize) -> &mut [Block] {
        self.0.get_mut(..count).unwrap_or_default()
    }

    const fn pairs(&self) -> &[[Block; 2]] {
        self.0.as_chunks::<2>().0
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

pub(super) fn garble(
    isa: Isa,
    keys: HashKeys,
    offset: Block,
    inputs: &[[Block; 2]],
    rows: &mut [Rows],
    outs: &mut [Block],
) {
    let HashKeys { seed, mut tweak } = keys;
    let batches = inputs.chunks(BATCH).zip(rows.chunks_mut(BATCH));
    for ((inputs, rows), outs) in batches.zip(outs.chunks_mut(BATCH)) {
        let ((mut plain, count), (mut shifted, _)) = (Batch::of(inputs), Batch::of(inputs));
        isa.hash_both(
            seed,
            tweak,
            offset,
            plain.first(count),
            shifted.first(count),
        );
        tweak = tweak.wrapping_add(count as u64);
        let hashes = plain.pairs().iter().zip(shifted.pairs());
        let results = rows.iter_mut().zip(outs);
        for (([a, b], ([ha, hb], [ha1, hb1])), (row, out)) in inputs.iter().zip(hashes).zip(results)
        {
            let (mask_a, mask_b) = (a.select_mask(), b.select_mask());
            let garbler_row = *ha ^ *ha1 ^ (offset & mask_b);
            let evaluator_row = *hb ^ *hb1 ^ *a;
            let garbler_half = *ha ^ (garbler_row & mask_a);
            let evaluator_half = *hb ^ ((evaluator_row ^ *a) & mask_b);
            *row = [garbler_row.to_bytes(), evaluator_row.to_bytes()];
            *out = garbler_half ^ evaluator_half;
        }
    }
}

pub(super) fn evaluate(
    isa: Isa,
    keys: HashKeys,
    inputs: &[[Block; 2]],
    rows: &[Rows],
    outs: &mut [Block],
) {
    let HashKeys { seed, mut tweak } = keys;
    let batches = inputs.chunks(BATCH).zip(rows.chunks(BATCH));
    for ((inputs, rows), outs) in batches.zip(outs.chunks_mut(BATCH)) {
        let (mut hashes, count) = Batch::of(inputs);
        isa.hash(seed, tweak, hashes.first(count));
        tweak = tweak.wrapping_add(count as u64);
        let gates = inputs.iter().zip(hashes.pairs()).zip(rows);
        for ((([a, b], [ha, hb]), row), out) in gates.zip(outs) {
            let [garbler_row, evaluator_row] = row.map(Block::from_bytes);
            let garbler_half = *ha ^ (garbler_row & a.select_mask());
            let evaluator_half = *hb ^ ((evaluator_row ^ *a) & b.select_mask());
            *out = garbler_half ^ evaluator_half;
        }
    }
}
