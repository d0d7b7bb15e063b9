//! Signatures, aggregates, proofs of possession.

use std::sync::LazyLock;

use crate::curve::{Checked, G1_BYTES, G1Affine, G2Affine};
use crate::error::{PointError, SignatureError};
use crate::hash::{Dst, hash_to_g1};
use crate::keys::{PreparedPublicKey, PublicKey};
use crate::msm::sum_affine_vartime;
use crate::pairing::{G2Prepared, pairing_product_is_one};

/// Length of an encoded signature.
pub const SIGNATURE_BYTES: usize = G1_BYTES;

/// Lines of the negated generator: `e(sigma, -G2) e(H(m), pk) = 1`.
static NEG_GENERATOR: LazyLock<G2Prepared> =
    LazyLock::new(|| G2Prepared::from(&G2Affine::generator().neg()));

/// A signature or an aggregate of signatures: a point of G1, in the subgroup and not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub(crate) Checked<G1Affine>);

impl Signature {
    /// Decodes and checks a signature.
    ///
    /// # Errors
    /// Every [`PointError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        Self::from_point(G1Affine::decode_checked(bytes)?)
    }

    /// A signature from a checked point.
    ///
    /// # Errors
    /// [`PointError::Identity`].
    pub fn from_point(point: Checked<G1Affine>) -> Result<Self, PointError> {
        if point.is_identity() {
            Err(PointError::Identity)
        } else {
            Ok(Self(point))
        }
    }

    /// The one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.to_bytes()
    }

    /// The point.
    #[must_use]
    pub fn point(&self) -> &Checked<G1Affine> {
        &self.0
    }

    /// Sum of signatures, in any order; a signature given twice counts twice.
    ///
    /// # Errors
    /// [`SignatureError::Empty`] for none, [`SignatureError::IdentityAggregate`] if they cancel.
    pub fn aggregate<'a>(
        signatures: impl IntoIterator<Item = &'a Self>,
    ) -> Result<Self, SignatureError> {
        let points: Vec<G1Affine> = signatures.into_iter().map(|s| *s.0).collect();
        if points.is_empty() {
            return Err(SignatureError::Empty);
        }
        let sum = sum_affine_vartime(&points);
        Self::from_point(Checked::from_subgroup(&sum))
            .map_err(|_| SignatureError::IdentityAggregate)
    }
}

impl PreparedPublicKey {
    /// Verifies a signature on the caller's tagged bytes: one hash, two pairings with one final exponentiation.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.verify_with(message, signature, Dst::SIGNATURE)
    }

    pub(crate) fn verify_with(
        &self,
        message: &[u8],
        signature: &Signature,
        dst: Dst,
    ) -> Result<(), SignatureError> {
        verify_terms(
            &[(hash_to_g1(message, dst).into_inner(), self.lines())],
            &signature.0,
        )
    }
}

/// `e(sigma, G2) = prod e(P_i, Q_i)`.
pub(crate) fn verify_terms(
    terms: &[(G1Affine, &G2Prepared)],
    sigma: &G1Affine,
) -> Result<(), SignatureError> {
    let mut pairs: Vec<_> = terms.iter().map(|(p, q)| (p, *q)).collect();
    pairs.push((sigma, &NEG_GENERATOR));
    if pairing_product_is_one(&pairs) {
        Ok(())
    } else {
        Err(SignatureError::Invalid)
    }
}

/// Verifies one message signed by all `keys`: keys are summed, then one signature check.
///
/// Sound only if every key has a verified [`ProofOfPossession`]; duplicates are the caller's to exclude.
///
/// # Errors
/// [`SignatureError::Empty`], [`SignatureError::IdentityAggregate`], [`SignatureError::Invalid`].
pub fn verify_aggregate_same_message(
    keys: &[PublicKey],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    PublicKey::aggregate(keys)?.verify(message, signature)
}

/// Verifies an aggregate over one message per key: one pairing per entry and one final exponentiation.
///
/// Messages may repeat only among keys with a verified [`ProofOfPossession`].
///
/// # Errors
/// [`SignatureError::Empty`], [`SignatureError::Invalid`].
pub fn verify_aggregate(
    entries: &[(&PublicKey, &[u8])],
    signature: &Signature,
) -> Result<(), SignatureError> {
    verify_aggregate_with(entries, signature, Dst::SIGNATURE)
}

pub(crate) fn verify_aggregate_with(
    entries: &[(&PublicKey, &[u8])],
    signature: &Signature,
    dst: Dst,
) -> Result<(), SignatureError> {
    if entries.is_empty() {
        return Err(SignatureError::Empty);
    }
    let lines: Vec<_> = entries
        .iter()
        .map(|(key, _)| G2Prepared::from(&**key.point()))
        .collect();
    let terms: Vec<_> = entries
        .iter()
        .zip(&lines)
        .map(|((_, message), q)| (hash_to_g1(message, dst).into_inner(), q))
        .collect();
    verify_terms(&terms, &signature.0)
}

/// A signature by a key on itself, under a tag of its own: excludes keys that were made from other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofOfPossession(pub(crate) Signature);

/// The encoded key has a fixed length, so the boundary to `context` is fixed.
pub(crate) fn possession_message(key: &PublicKey, context: &[u8]) -> Vec<u8> {
    [key.to_bytes().as_slice(), context].concat()
}

impl ProofOfPossession {
    /// Decodes and checks the point.
    ///
    /// # Errors
    /// Every [`PointError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        Signature::from_bytes(bytes).map(Self)
    }

    /// The one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.to_bytes()
    }

    /// Verifies possession of the secret of `key` for `context`, see
    /// [`SecretKey::prove_possession`](crate::SecretKey::prove_possession).
    ///
    /// # Errors
    /// [`SignatureError::Invalid`].
    pub fn verify(&self, key: &PublicKey, context: &[u8]) -> Result<(), SignatureError> {
        key.prepare()
            .verify_with(&possession_message(key, context), &self.0, Dst::POSSESSION)
    }
}

#[cfg(test)]
mod tests;
