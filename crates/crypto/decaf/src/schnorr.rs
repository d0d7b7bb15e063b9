//! Schnorr signatures over Decaf448, on the generator or on another fixed base.
//!
//! c = Hs(tag, B, P, R, u32 len(m) || m), s = k + c x, encoded c || s. The challenge covers the base, the public key
//! and the message, so a signature belongs to one (tag, base, key, message). Encodings are canonical: nobody can turn
//! a signature into a second one of the same message.

use rand_core::CryptoRng;

use crate::{CompressedPoint, FixedBase, Point, Scalar, SecretScalar, hash, scalar::SCALAR_BYTES};

/// Bytes of an encoded signature.
pub const SIGNATURE_BYTES: usize = 2 * SCALAR_BYTES;

/// A Schnorr signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    c: Scalar,
    s: Scalar,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchnorrError {
    /// A scalar of the encoding is not below the group order.
    #[error("signature encoding is not canonical")]
    Encoding,
    /// The public key is the identity.
    #[error("the public key is the identity")]
    IdentityKey,
    /// The equation does not hold.
    #[error("signature does not verify")]
    Invalid,
}

impl Signature {
    /// c || s.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        pair_to_bytes(&self.c, &self.s)
    }

    /// Strict decoding.
    ///
    /// # Errors
    /// [`SchnorrError::Encoding`].
    pub fn from_bytes(bytes: &[u8; SIGNATURE_BYTES]) -> Result<Self, SchnorrError> {
        let (c, s) = pair_from_bytes(bytes).ok_or(SchnorrError::Encoding)?;
        Ok(Self { c, s })
    }
}

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// Signs with the secret of `P = x G`. The nonce is hedged: derived from the secret, fresh randomness and the message.
pub fn sign<R: CryptoRng + ?Sized>(
    tag: &str,
    secret: &SecretScalar,
    message: &[u8],
    rng: &mut R,
) -> Signature {
    sign_on(FixedBase::generator(), tag, secret, message, rng)
}

/// Verifies a signature on the generator. Variable time.
///
/// # Errors
/// [`SchnorrError::IdentityKey`], [`SchnorrError::Invalid`].
pub fn verify(
    tag: &str,
    public: &Point,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SchnorrError> {
    verify_on(FixedBase::generator(), tag, public, message, signature)
}

/// Signs with the secret of `P = x B` for another base.
pub fn sign_on<R: CryptoRng + ?Sized>(
    base: &FixedBase,
    tag: &str,
    secret: &SecretScalar,
    message: &[u8],
    rng: &mut R,
) -> Signature {
    let public = base.mul(secret.expose()).compress();
    let k = hash::nonce(
        tag,
        secret,
        rng,
        &[base.encoding().as_bytes(), public.as_bytes(), message],
    );
    let r = base.mul(k.expose()).compress();
    let c = challenge(base, tag, &public, &r, message);
    Signature {
        c,
        s: *k.expose() + c * *secret.expose(),
    }
}

/// Verifies a signature on another base. Variable time.
///
/// # Errors
/// [`SchnorrError::IdentityKey`], [`SchnorrError::Invalid`].
pub fn verify_on(
    base: &FixedBase,
    tag: &str,
    public: &Point,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SchnorrError> {
    if public.is_identity() {
        return Err(SchnorrError::IdentityKey);
    }
    let r = base.double_mul_vartime(&signature.s, &-signature.c, public);
    let c = challenge(base, tag, &public.compress(), &r.compress(), message);
    if c == signature.c {
        Ok(())
    } else {
        Err(SchnorrError::Invalid)
    }
}

fn challenge(
    base: &FixedBase,
    tag: &str,
    public: &CompressedPoint,
    r: &CompressedPoint,
    message: &[u8],
) -> Scalar {
    let len = u32::try_from(message.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    Scalar::hash(
        tag,
        &[
            base.encoding().as_bytes(),
            public.as_bytes(),
            r.as_bytes(),
            &len,
            message,
        ],
    )
}

/// c || s.
pub(crate) fn pair_to_bytes(c: &Scalar, s: &Scalar) -> [u8; SIGNATURE_BYTES] {
    let mut out = [0; SIGNATURE_BYTES];
    let (a, b) = out.split_at_mut(SCALAR_BYTES);
    a.copy_from_slice(&c.to_bytes());
    b.copy_from_slice(&s.to_bytes());
    out
}

/// Both scalars, if canonical.
pub(crate) fn pair_from_bytes(bytes: &[u8; SIGNATURE_BYTES]) -> Option<(Scalar, Scalar)> {
    let (a, b) = bytes.split_at(SCALAR_BYTES);
    let c = Scalar::from_bytes(a.first_chunk()?)?;
    let s = Scalar::from_bytes(b.first_chunk()?)?;
    Some((c, s))
}
