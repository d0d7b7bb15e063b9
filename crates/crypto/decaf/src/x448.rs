//! X448 key agreement (RFC 7748) on the same field.

use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::field::Fe;

/// Bytes of secrets, public values and shared values.
pub const X448_BYTES: usize = 56;
/// (A - 2) / 4 of curve448.
const A24: u32 = 39_081;
/// The u coordinate of the base point.
const BASE: [u8; X448_BYTES] = {
    let mut b = [0; X448_BYTES];
    b[0] = 5;
    b
};

/// The function X448 of RFC 7748 section 5: clamps the scalar, reduces u. Constant time.
#[must_use]
pub fn x448(scalar: &[u8; X448_BYTES], u: &[u8; X448_BYTES]) -> [u8; X448_BYTES] {
    let mut k = *scalar;
    let [first, .., last] = &mut k;
    *first &= 252;
    *last |= 128;
    let x1 = Fe::from_bytes_reducing(u);
    let (mut x2, mut z2, mut x3, mut z3) = (Fe::ONE, Fe::ZERO, x1, Fe::ONE);
    let mut swap = 0;
    for byte in k.iter().rev() {
        for shift in (0..8).rev() {
            let bit = (byte >> shift) & 1;
            let choice = Choice::from(swap ^ bit);
            Fe::conditional_swap(&mut x2, &mut x3, choice);
            Fe::conditional_swap(&mut z2, &mut z3, choice);
            swap = bit;
            (x2, z2, x3, z3) = ladder(&x1, [&x2, &z2, &x3, &z3]);
        }
    }
    let choice = Choice::from(swap);
    Fe::conditional_swap(&mut x2, &mut x3, choice);
    Fe::conditional_swap(&mut z2, &mut z3, choice);
    k.zeroize();
    x2.times(&z2.invert()).to_bytes()
}

/// One step of the Montgomery ladder.
#[inline(always)]
fn ladder(x1: &Fe, [x2, z2, x3, z3]: [&Fe; 4]) -> (Fe, Fe, Fe, Fe) {
    let (a, b) = (x2.lazy_add(z2), x2.lazy_sub(z2));
    let (aa, bb) = (a.square(), b.square());
    let e = aa.lazy_sub(&bb);
    let da = x3.lazy_sub(z3).times(&a);
    let cb = x3.lazy_add(z3).times(&b);
    (
        aa.times(&bb),
        e.times(&aa.lazy_add(&e.mul_small(A24))),
        da.lazy_add(&cb).square(),
        x1.times(&da.lazy_sub(&cb).square()),
    )
}

/// An X448 secret: erased on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct X448Secret([u8; X448_BYTES]);

impl core::fmt::Debug for X448Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("X448Secret(..)")
    }
}

/// A shared value: erased on drop, never printed. Derive keys from it, never use it as one.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct X448Shared([u8; X448_BYTES]);

impl core::fmt::Debug for X448Shared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("X448Shared(..)")
    }
}

impl X448Shared {
    /// The value, as input of a key derivation.
    #[must_use]
    pub const fn expose(&self) -> &[u8; X448_BYTES] {
        &self.0
    }
}

/// The other side's public value has small order: the shared value would be known to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shared value is zero")]
pub struct SmallOrderError;

impl X448Secret {
    /// Any 56 bytes; clamping happens on use.
    #[must_use]
    pub const fn new(bytes: [u8; X448_BYTES]) -> Self {
        Self(bytes)
    }

    /// Uniform.
    #[must_use]
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut b = [0; X448_BYTES];
        rng.fill_bytes(&mut b);
        Self(b)
    }

    /// The public value.
    #[must_use]
    pub fn public(&self) -> [u8; X448_BYTES] {
        x448(&self.0, &BASE)
    }

    /// The value shared with the owner of `their_public`.
    ///
    /// # Errors
    /// [`SmallOrderError`] when the result is zero (RFC 7748 section 6.2).
    pub fn agree(&self, their_public: &[u8; X448_BYTES]) -> Result<X448Shared, SmallOrderError> {
        let shared = X448Shared(x448(&self.0, their_public));
        if bool::from(shared.0.ct_eq(&[0; X448_BYTES])) {
            return Err(SmallOrderError);
        }
        Ok(shared)
    }
}
