//! What is hashed: bases (R1) and challenge primes (R7).

use quil_classgroup::{Discriminant, Exhausted, Form, Prime256};
use quil_types::tags;
use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

/// Candidates for the challenge prime; one in 89 is prime.
const CANDIDATES_MAX: u32 = 1 << 20;

/// `HashToForm(D, seed)`: the base of an evaluation (R1, R8).
///
/// Bases of different seeds are independent: nobody knows a relation between them, so work for one is no work for
/// another. Cost: well under a millisecond per base at 2048 bits.
///
/// # Errors
/// [`Exhausted`] when no candidate serves, which does not happen in practice.
pub fn base(discriminant: &Discriminant, seed: &[u8; 32]) -> Result<Form, Exhausted> {
    discriminant.hash_to_form(tags::FORM.as_str().as_bytes(), seed)
}

/// The challenge: the first prime among `SHAKE256(tag, |D|, x, y, u64 T, u32 j)`, 32 bytes big-endian with the top and
/// the low bit set, `j = 0, 1, ..`. Byte strings carry a `u32` length, integers are little-endian.
pub(crate) fn challenge_prime(
    discriminant: &Discriminant,
    x: &Form,
    y: &Form,
    squarings: u64,
) -> Option<Prime256> {
    let mut prefix = Shake256::default();
    prefix.update(&tags::VDF_PRIME.prefix());
    for part in [
        discriminant.to_be_bytes().as_slice(),
        x.to_bytes().as_ref(),
        y.to_bytes().as_ref(),
    ] {
        prefix.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        prefix.update(part);
    }
    prefix.update(&squarings.to_le_bytes());
    (0..CANDIDATES_MAX).find_map(|j| {
        let mut candidate = [0; 32];
        let mut hasher = prefix.clone();
        hasher.update(&j.to_le_bytes());
        hasher.finalize_xof().read(&mut candidate);
        Prime256::from_candidate(&candidate)
    })
}
