//! Proof that two points have one discrete logarithm: P = x G and I = x Hp (Chaum-Pedersen, made non-interactive).
//!
//! c = Hs(tag, m, P, I, kG, kHp), s = k + c x, encoded c || s (rule T6). The message must determine Hp.

use rand_core::CryptoRng;

use crate::{
    FixedBase, Point, Scalar, SecretScalar, hash, mul,
    schnorr::{SIGNATURE_BYTES, pair_from_bytes, pair_to_bytes},
};

/// Bytes of an encoded proof.
pub const PROOF_BYTES: usize = SIGNATURE_BYTES;

/// What is proven.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The message that the proof signs; it must determine `base`.
    pub message: [u8; 32],
    /// Hp, the second base.
    pub base: Point,
    /// P = x G.
    pub public: Point,
    /// I = x Hp.
    pub image: Point,
}

/// A proof of equal discrete logarithms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    c: Scalar,
    s: Scalar,
}

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DleqError {
    /// A scalar of the encoding is not below the group order.
    #[error("proof encoding is not canonical")]
    Encoding,
    /// A point of the statement is the identity.
    #[error("a point of the statement is the identity")]
    IdentityPoint,
    /// The equation does not hold.
    #[error("proof does not verify")]
    Invalid,
}

impl Proof {
    /// c || s.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        pair_to_bytes(&self.c, &self.s)
    }

    /// Strict decoding.
    ///
    /// # Errors
    /// [`DleqError::Encoding`].
    pub fn from_bytes(bytes: &[u8; PROOF_BYTES]) -> Result<Self, DleqError> {
        let (c, s) = pair_from_bytes(bytes).ok_or(DleqError::Encoding)?;
        Ok(Self { c, s })
    }
}

impl core::fmt::Debug for Proof {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// Proves the statement with its secret x. A secret that does not fit gives a proof that does not verify.
pub fn prove<R: CryptoRng + ?Sized>(
    tag: &str,
    statement: &Statement,
    secret: &SecretScalar,
    rng: &mut R,
) -> Proof {
    let (p, i) = (statement.public.compress(), statement.image.compress());
    let k = hash::nonce(
        tag,
        secret,
        rng,
        &[&statement.message, p.as_bytes(), i.as_bytes()],
    );
    let (kg, kh) = (k.public(), &statement.base * k.expose());
    let c = challenge(tag, statement, &kg, &kh);
    Proof {
        c,
        s: *k.expose() + c * *secret.expose(),
    }
}

/// Verifies a proof. Variable time; two double-scalar products.
///
/// # Errors
/// [`DleqError::IdentityPoint`], [`DleqError::Invalid`].
pub fn verify(tag: &str, statement: &Statement, proof: &Proof) -> Result<(), DleqError> {
    let points = [&statement.base, &statement.public, &statement.image];
    if points.iter().any(|p| p.is_identity()) {
        return Err(DleqError::IdentityPoint);
    }
    let minus_c = -proof.c;
    let kg = FixedBase::generator().double_mul_vartime(&proof.s, &minus_c, &statement.public);
    let kh = mul::straus_vartime(&[proof.s, minus_c], &[statement.base, statement.image]);
    if challenge(tag, statement, &kg, &kh) == proof.c {
        Ok(())
    } else {
        Err(DleqError::Invalid)
    }
}

fn challenge(tag: &str, statement: &Statement, kg: &Point, kh: &Point) -> Scalar {
    let [p, i, kg, kh] = [&statement.public, &statement.image, kg, kh].map(Point::compress);
    Scalar::hash(
        tag,
        &[
            &statement.message,
            p.as_bytes(),
            i.as_bytes(),
            kg.as_bytes(),
            kh.as_bytes(),
        ],
    )
}
