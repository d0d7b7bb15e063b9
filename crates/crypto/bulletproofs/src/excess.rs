//! The sum of a transfer balances (T5).
//!
//! `E = sum C_in + mint G_v - sum C_out - (fee + burn) G_v` is a multiple of `H_b` exactly if the amounts balance (or
//! the prover knows a logarithm between `G_v` and `H_b`). The proof is a Schnorr signature by E on the base `H_b`.

use quil_decaf::{
    Point, Scalar, SecretScalar,
    schnorr::{self, SIGNATURE_BYTES, SchnorrError, Signature},
};
use quil_types::tags;
use rand_core::CryptoRng;

use crate::Generators;

/// Bytes of an excess proof.
pub const EXCESS_PROOF_BYTES: usize = SIGNATURE_BYTES;

/// The public amounts of a transfer, units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicAmounts {
    /// New value by the authority.
    pub mint: u64,
    /// Fee.
    pub fee: u64,
    /// Burned beyond the fee.
    pub burn: u64,
}

/// A proof that a transfer balances; `c || s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExcessProof(Signature);

/// Why a sum is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExcessError {
    /// A scalar of the encoding is not below the group order.
    #[error("excess proof encoding is not canonical")]
    Encoding,
    /// The excess is the identity: no key could sign.
    #[error("the excess is the identity")]
    Identity,
    /// The amounts do not balance, or the proof is for another message.
    #[error("the sum does not balance")]
    Unbalanced,
}

/// `E` of T5. Amounts are added as scalars, so no sum overflows.
#[must_use]
pub fn excess<'a>(
    generators: &Generators,
    inputs: impl IntoIterator<Item = &'a Point>,
    outputs: impl IntoIterator<Item = &'a Point>,
    public: PublicAmounts,
) -> Point {
    let net = Scalar::from(public.mint) - Scalar::from(public.fee) - Scalar::from(public.burn);
    let spent: Point = inputs.into_iter().copied().sum();
    let made: Point = outputs.into_iter().copied().sum();
    spent - made + generators.value().mul(&net)
}

impl ExcessProof {
    /// Proves that the sum balances, from the blindings of all inputs and outputs, for the message `m` of T6.
    pub fn prove<'a, R: CryptoRng + ?Sized>(
        generators: &Generators,
        inputs: impl IntoIterator<Item = &'a SecretScalar>,
        outputs: impl IntoIterator<Item = &'a SecretScalar>,
        message: &[u8; 32],
        rng: &mut R,
    ) -> Self {
        let sum = |i: &mut dyn Iterator<Item = &'a SecretScalar>| -> Scalar {
            i.map(|b| *b.expose()).sum()
        };
        let z = SecretScalar::new(sum(&mut inputs.into_iter()) - sum(&mut outputs.into_iter()));
        Self(schnorr::sign_on(
            generators.blinding(),
            tags::EXCESS.as_str(),
            &z,
            message,
            rng,
        ))
    }

    /// Checks the proof for an excess computed by [`excess`]. Variable time.
    ///
    /// # Errors
    /// [`ExcessError::Identity`], [`ExcessError::Unbalanced`].
    pub fn verify(
        &self,
        generators: &Generators,
        excess: &Point,
        message: &[u8; 32],
    ) -> Result<(), ExcessError> {
        schnorr::verify_on(
            generators.blinding(),
            tags::EXCESS.as_str(),
            excess,
            message,
            &self.0,
        )
        .map_err(|e| match e {
            SchnorrError::IdentityKey => ExcessError::Identity,
            SchnorrError::Encoding | SchnorrError::Invalid => ExcessError::Unbalanced,
        })
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; EXCESS_PROOF_BYTES] {
        self.0.to_bytes()
    }

    /// Strict decoding.
    ///
    /// # Errors
    /// [`ExcessError::Encoding`].
    pub fn from_bytes(bytes: &[u8; EXCESS_PROOF_BYTES]) -> Result<Self, ExcessError> {
        Signature::from_bytes(bytes)
            .map(Self)
            .map_err(|_| ExcessError::Encoding)
    }
}
