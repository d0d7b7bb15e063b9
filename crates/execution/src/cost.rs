//! What verifying an uncached bundle costs, from its counts alone (C4).
//!
//! The unit is a microsecond of one core. The formula is part of the rules: every node gets the same number, whatever
//! its own speed. The constants are about one and a half times what the benches `transfer` and `shape_x16` show on
//! one core of the machine that they were made on: 1.3 ms for one input and two outputs inside a batch of 64, where the
//! formula says 2.1 ms.

use quil_types::Bundle;
use quil_types::bundle::{FeePart, Transfer};

/// Decoding, hashing, state access, one excess or debit signature.
pub const BASE_US: u64 = 400;
/// Decoding a coin's key and image, hash to a point, one DLEQ.
pub const INPUT_US: u64 = 450;
/// Decoding the three points of an output, its records.
pub const OUTPUT_US: u64 = 200;
/// Proof-specific points of one range proof in a batch, beside its commitments.
pub const RANGE_US: u64 = 600;
/// Per value of a range proof after padding to a power of two: scalars of the shared generators.
pub const RANGE_VALUE_US: u64 = 120;
/// The authority's signature.
pub const MINT_US: u64 = 200;

/// Cost of a bundle in microseconds.
#[must_use]
pub fn bundle_cost_us(bundle: &Bundle) -> u64 {
    match &bundle.fee {
        FeePart::Transfer(t) => transfer_cost_us(t),
        FeePart::AccountDebit(_) => BASE_US,
    }
}

fn transfer_cost_us(t: &Transfer) -> u64 {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let inputs = count(t.body.inputs.len()).saturating_mul(INPUT_US);
    let outputs = count(t.body.outputs.len());
    let range = match outputs {
        0 => 0,
        // At most OUTPUTS_MAX, so the power of two exists.
        m => RANGE_US.saturating_add(m.next_power_of_two().saturating_mul(RANGE_VALUE_US)),
    };
    let mint = if t.body.mint.is_some() { MINT_US } else { 0 };
    BASE_US
        .saturating_add(inputs)
        .saturating_add(outputs.saturating_mul(OUTPUT_US))
        .saturating_add(range)
        .saturating_add(mint)
}
