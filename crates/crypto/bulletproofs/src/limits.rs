//! Bounds, once each.

use quil_types::limits;

/// Values of one range proof: the outputs of a transfer (T5).
pub const VALUES_MAX: usize = limits::OUTPUTS_MAX;
/// Widest range, bits: amounts are `u64` (T5).
pub const BITS_MAX: usize = 64;
/// Scalars and points that every range proof has: A, S, T1, T2, three blinding scalars, a, b.
const FIXED_ELEMENTS: usize = 9;
/// Bytes of one scalar or point.
const ELEMENT_BYTES: usize = 56;
/// Rounds of the largest proof: log2(16 * 64).
pub(crate) const ROUNDS_MAX: usize = (VALUES_MAX * BITS_MAX).ilog2() as usize;
/// Proofs in one batch: more gain nothing and cost memory.
pub const BATCH_MAX: usize = 1024;

/// Bytes of a range proof with `rounds` rounds.
pub(crate) const fn proof_bytes(rounds: usize) -> usize {
    ELEMENT_BYTES * (FIXED_ELEMENTS + 2 * rounds)
}

/// Bytes of the largest range proof.
pub const RANGE_PROOF_BYTES_MAX: usize = proof_bytes(ROUNDS_MAX);

const _: () = assert!(
    VALUES_MAX.is_power_of_two(),
    "padding stays within the generators"
);
const _: () = assert!(
    RANGE_PROOF_BYTES_MAX <= limits::RANGE_PROOF_BYTES_MAX,
    "the bundle has room for it"
);
const _: () =
    assert!(ELEMENT_BYTES == quil_decaf::POINT_BYTES && ELEMENT_BYTES == quil_decaf::SCALAR_BYTES);
