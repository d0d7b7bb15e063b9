//! An independent model of garbling: no batches, no renaming, no kernels; recursion over the circuit as written, one
//! gate at a time, in an order of its own. It takes the key of each gate from the scheme's counter, so that it proves
//! the arithmetic, and it proves the plan's order by agreeing on labels only.

use quil_ot::block::Block;

/// `sigma(x)` on integers, from its definition.
fn sigma(x: u128) -> u128 {
    let (hi, lo) = (x >> 64, x & u128::from(u64::MAX));
    ((hi ^ lo) << 64) | hi
}

pub(crate) fn hash(seed: Block, tweak: u64, x: Block) -> Block {
    use quil_ot::kernel::{AesKey, Isa};
    let input = Block::new(sigma(x.value()));
    let mut out = [input];
    Isa::PORTABLE.encrypt(
        &AesKey::new(Isa::PORTABLE, seed ^ Block::new(u128::from(tweak))),
        &mut out,
    );
    out[0] ^ input
}

/// Garbles `a & b`: table and zero-label of the output (Zahur, Rosulek, Evans 2014/756, figure 2).
pub(crate) fn garble_and(
    seed: Block,
    tweak: u64,
    offset: Block,
    a0: Block,
    b0: Block,
) -> ([Block; 2], Block) {
    let (pa, pb) = (a0.select(), b0.select());
    let h = |label, half| hash(seed, tweak + half, label);
    let garbler_row = h(a0, 0) ^ h(a0 ^ offset, 0) ^ if pb { offset } else { Block::ZERO };
    let garbler_zero = h(a0, 0) ^ if pa { garbler_row } else { Block::ZERO };
    let evaluator_row = h(b0, 1) ^ h(b0 ^ offset, 1) ^ a0;
    let evaluator_zero = h(b0, 1) ^ if pb { evaluator_row ^ a0 } else { Block::ZERO };
    ([garbler_row, evaluator_row], garbler_zero ^ evaluator_zero)
}
