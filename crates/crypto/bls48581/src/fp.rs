//! The base field: integers modulo the 581-bit prime `p`.
//!
//! `p` leaves 59 bits of the ten limbs free. Elements are below `2p` at rest; inside one formula the `_lazy` operations
//! skip reductions and [`FpWide`] holds sums of products in two's complement, reduced once at the end.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::should_implement_trait,
    reason = "arithmetic kernel: constant bounds, truncation to limbs; inherent methods take references, operators exist"
)]

use core::fmt;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::inverse::Modulus;
use crate::kernel;
use crate::prime_field::prime_field;

prime_field! {
    /// Element of the base field; 73 bytes big-endian.
    Fp, limbs = 10, wide = 20, bytes = 73, bits = 581,
    modulus = "1280f73ff3476f313824e31d47012a0056e84f8d122131bb3be6c0f1f3975444a48ae43af6e082acd9cd30394f4736daf68367a5513170ee0a578fdf721a4a48ac3edc154e6565912b",
    r2 = "7d5bcb5f14f6da60b05759d0acabb030f572058972c6fc5c4deeb59df773a9e7ea0c7ecb02a693c4a3620c7407448c4cbfc7d832ed0f81e69755a0271c039067cf36bbf2089e765f6",
    inv62_limbs = 10
}

/// Bits by which the result of one formula may exceed `p` before it is multiplied or reduced.
const LAZY_BITS: usize = 16;
/// Multiple of `p` added by [`Fp::sub_lazy`]: its subtrahend must be below it.
const LAZY_SHIFT: u32 = 10;

/// Sum of unreduced products, two's complement, at most `2^40 p^2` in absolute value.
#[derive(Clone, Copy, Debug)]
pub struct FpWide(pub(crate) [u64; 20]);

impl Fp {
    /// `(p - 3) / 4`.
    pub(crate) const P_MINUS_3_OVER_4: [u64; 10] = kernel::limbs_from_hex(
        "4a03dcffcd1dbcc4e0938c751c04a8015ba13e344884c6ecef9b03c7ce5d5112922b90ebdb820ab36734c0e53d1cdb6bda0d9e9544c5c3b8295e3f7dc8692922b0fb705539959644a",
    );
    const LAZY_P: [u64; 10] = {
        let mut r = Self::MODULUS;
        let mut i = 0;
        while i < LAZY_SHIFT {
            r = kernel::add(&r, &r);
            i += 1;
        }
        r
    };

    /// `self / 2`.
    #[must_use]
    pub const fn halve(&self) -> Self {
        let mask = (self.0[0] & 1).wrapping_neg();
        let t = kernel::add(&self.0, &kernel::select(&[0; 10], &Self::MODULUS, mask));
        let mut r = [0; 10];
        let mut i = 0;
        while i < 9 {
            r[i] = (t[i] >> 1) | (t[i + 1] << 63);
            i += 1;
        }
        r[9] = t[9] >> 1;
        Self(r)
    }

    /// The lowest bit of the canonical integer, "sgn0" of RFC 9380.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        self.to_limbs()[0] & 1 == 1
    }

    /// A square root of a public value, `None` for a non-residue.
    #[must_use]
    pub fn sqrt_vartime(&self) -> Option<Self> {
        // p = 3 mod 4.
        let root = self.pow_vartime(&Self::P_MINUS_3_OVER_4).mul(self);
        (root.square() == *self).then_some(root)
    }

    /// Whether a public value is a square (zero is).
    #[must_use]
    pub fn is_square_vartime(&self) -> bool {
        // The Montgomery factor 2^640 is a square.
        match Self::INVERTER.jacobi_vartime(&self.representative()) {
            Some(j) => j >= 0,
            None => self.sqrt_vartime().is_some(),
        }
    }

    /// Sum without reduction.
    #[inline(always)]
    pub(crate) fn add_lazy(&self, rhs: &Self) -> Self {
        Self(kernel::add(&self.0, &rhs.0))
    }

    /// Difference plus `2^10 p`, without reduction; `rhs` below `2^10 p`.
    #[inline(always)]
    pub(crate) fn sub_lazy(&self, rhs: &Self) -> Self {
        Self(kernel::sub(&kernel::add(&self.0, kernel::opaque(&Self::LAZY_P)), &rhs.0).0)
    }

    #[inline(always)]
    fn debug_assert_lazy(&self) {
        debug_assert!(
            self.0[9] >> (Self::BITS - 576 + LAZY_BITS) == 0,
            "lazy bound exceeded"
        );
    }

    /// Unreduced product of lazy operands.
    #[inline(always)]
    pub(crate) fn mul_wide(&self, rhs: &Self) -> FpWide {
        self.debug_assert_lazy();
        rhs.debug_assert_lazy();
        FpWide(kernel::product(&self.0, &rhs.0))
    }

    /// Unreduced square of a lazy operand.
    #[inline(always)]
    pub(crate) fn sqr_wide(&self) -> FpWide {
        self.debug_assert_lazy();
        FpWide(kernel::square(&self.0))
    }
}

impl FpWide {
    /// Zero.
    pub(crate) const ZERO: Self = Self([0; 20]);

    /// Sum.
    #[inline(always)]
    pub(crate) fn add_assign(&mut self, rhs: &Self) {
        kernel::add_assign(&mut self.0, &rhs.0);
    }

    /// Difference.
    #[inline(always)]
    pub(crate) fn sub_assign(&mut self, rhs: &Self) {
        kernel::sub_assign(&mut self.0, &rhs.0);
    }

    /// `2^624 p`, larger than any sum in absolute value.
    const BIAS: [u64; 20] = {
        let mut r = [0; 20];
        let mut i = 0;
        while i < 10 {
            r[9 + i] |= Fp::MODULUS[i] << 48;
            r[10 + i] |= Fp::MODULUS[i] >> 16;
            i += 1;
        }
        r
    };

    /// The element.
    #[inline]
    pub(crate) fn reduce(&self) -> Fp {
        // With the bias the sum lies in [0, 2^625 p), which gives a result below (1 + 2^-15) p.
        let mut t = self.0;
        let mut carry = false;
        for (w, b) in t.iter_mut().zip(kernel::opaque(&Self::BIAS)).skip(9) {
            (*w, carry) = kernel::adc(*w, *b, carry);
        }
        Fp(kernel::reduce::<Fp, 10, 20>(&t))
    }
}
