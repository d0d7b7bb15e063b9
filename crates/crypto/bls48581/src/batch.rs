//! Verification of many independent signatures with one final exponentiation.

use rand_core::CryptoRng;

use crate::curve::{G1Affine, G1Projective, Projective};
use crate::error::SignatureError;
use crate::fr::Fr;
use crate::hash::{Dst, hash_to_g1};
use crate::keys::PublicKey;
use crate::msm::msm_vartime;
use crate::pairing::G2Prepared;
use crate::signature::{Signature, verify_terms};

/// Bytes of a random weight: a forged entry survives with probability `2^-128`.
const WEIGHT_BYTES: usize = 16;

/// Verifies triples of key, message and signature at once.
///
/// Each signature gets a random 128-bit weight from `rng`, which the authors of the signatures must not predict. On
/// failure at least one triple is invalid (callers bisect); on success all are valid except with probability `2^-128`.
/// Cost: one hash, one short multiplication and one Miller loop per triple.
///
/// # Errors
/// [`SignatureError::Empty`], [`SignatureError::Invalid`].
pub fn verify_batch<R: CryptoRng + ?Sized>(
    triples: &[(&PublicKey, &[u8], &Signature)],
    rng: &mut R,
) -> Result<(), SignatureError> {
    if triples.is_empty() {
        return Err(SignatureError::Empty);
    }
    let weights: Vec<Fr> = triples.iter().map(|_| weight(rng)).collect();
    let signatures: Vec<G1Affine> = triples.iter().map(|(_, _, s)| **s.point()).collect();
    let sigma = msm_vartime(&signatures, &weights).to_affine();
    let hashes: Vec<G1Projective> = triples
        .iter()
        .zip(&weights)
        .map(|((_, message, _), w)| hash_to_g1(message, Dst::SIGNATURE).mul_vartime(w))
        .collect();
    let hashes = Projective::batch_to_affine(&hashes);
    let lines: Vec<_> = triples
        .iter()
        .map(|(key, _, _)| G2Prepared::from(&**key.point()))
        .collect();
    let terms: Vec<_> = hashes.into_iter().zip(&lines).collect();
    verify_terms(&terms, &sigma)
}

/// A non-zero weight.
fn weight<R: CryptoRng + ?Sized>(rng: &mut R) -> Fr {
    let mut bytes = [0; WEIGHT_BYTES];
    rng.fill_bytes(&mut bytes);
    // Zero would drop the entry; one is as good as any other fixed replacement.
    let w = Fr::from_be_slice_reduced(&bytes);
    if w.is_zero() { Fr::ONE } else { w }
}
