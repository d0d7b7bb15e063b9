//! GF(p), p = 2^448 - 2^224 - 1, in eight limbs of 56 bits.
//!
//! With phi = 2^224 the prime satisfies phi^2 = phi + 1, so one level of Karatsuba over the two halves of an element
//! folds the reduction into the product (Hamburg, "Ed448-Goldilocks").
//!
//! Bounds: a *tight* element has limbs below 3 * 2^56 + 2^16 (every product, square and carried sum is tight); a *loose*
//! one has limbs below 2^60. Products accept loose inputs; `lazy_sub` needs a tight subtrahend. Debug builds check.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::needless_range_loop,
    reason = "arithmetic kernel: fixed-size limb arrays, constant indices, truncation to a limb is the point"
)]

use core::ops::{Add, Mul, Neg, Sub};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

mod kernel;

const MASK: u64 = (1 << 56) - 1;
/// The limbs of p.
const P: [u64; 8] = [MASK, MASK, MASK, MASK, MASK - 1, MASK, MASK, MASK];
/// Upper bound (exclusive) of the limbs of a tight element.
const TIGHT: u64 = (3 << 56) + (1 << 16);

/// An element of the field; not necessarily reduced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe(pub(crate) [u64; 8]);

impl Zeroize for Fe {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 8]);
    pub(crate) const ONE: Self = Self::small(1);

    pub(crate) const fn small(v: u64) -> Self {
        Self([v, 0, 0, 0, 0, 0, 0, 0])
    }

    fn is_tight(&self) -> bool {
        self.0.iter().all(|l| *l < TIGHT)
    }

    fn is_loose(&self) -> bool {
        self.0.iter().all(|l| *l < 1 << 60)
    }

    /// Product; accepts loose inputs, returns a tight one.
    ///
    /// Not inlined: several products in one function compete for registers and lose a fifth of the speed.
    #[inline(never)]
    pub(crate) fn times(&self, b: &Self) -> Self {
        debug_assert!(self.is_loose() && b.is_loose(), "limb bound");
        Self(kernel::product(&self.0, &b.0))
    }

    /// Square; accepts a loose input, returns a tight one.
    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        debug_assert!(self.is_loose(), "limb bound");
        Self(kernel::square(&self.0))
    }

    /// x^(2^n).
    pub(crate) fn square_n(&self, n: usize) -> Self {
        let mut r = *self;
        for _ in 0..n {
            r = r.square();
        }
        r
    }

    /// Product with a small constant; accepts a loose input, returns a tight one.
    pub(crate) fn mul_small(&self, w: u32) -> Self {
        debug_assert!(self.is_loose(), "limb bound");
        Self(kernel::product_small(&self.0, w))
    }

    /// Sum without carry: loose.
    #[inline(always)]
    pub(crate) fn lazy_add(&self, b: &Self) -> Self {
        let mut r = [0; 8];
        for i in 0..8 {
            r[i] = self.0[i].wrapping_add(b.0[i]);
        }
        Self(r)
    }

    /// Difference without carry, biased by 4p: `b` must be tight.
    #[inline(always)]
    pub(crate) fn lazy_sub(&self, b: &Self) -> Self {
        debug_assert!(b.is_tight(), "limb bound");
        let mut r = [0; 8];
        for i in 0..8 {
            r[i] = self.0[i].wrapping_add(P[i] << 2).wrapping_sub(b.0[i]);
        }
        Self(r)
    }

    /// One carry pass: loose to tight.
    #[inline(always)]
    pub(crate) fn carry(&self) -> Self {
        let a = &self.0;
        let top = a[7] >> 56;
        let mut r = [0; 8];
        r[0] = (a[0] & MASK).wrapping_add(top);
        for i in 1..8 {
            r[i] = (a[i] & MASK).wrapping_add(a[i - 1] >> 56);
        }
        r[4] = r[4].wrapping_add(top);
        Self(r)
    }

    /// The unique representative below p.
    fn canonical(&self) -> [u64; 8] {
        // Two passes bring any loose element below 2p.
        let a = self.carry().carry().0;
        let mut r = [0u64; 8];
        let mut borrow = 0i64;
        for i in 0..8 {
            let s = (a[i] as i64).wrapping_sub(P[i] as i64).wrapping_add(borrow);
            r[i] = (s as u64) & MASK;
            borrow = s >> 56;
        }
        // borrow is -1 when the value was already below p.
        let mask = borrow as u64;
        let mut carry = 0u64;
        for i in 0..8 {
            let s = r[i].wrapping_add(P[i] & mask).wrapping_add(carry);
            r[i] = s & MASK;
            carry = s >> 56;
        }
        r
    }

    /// 56 bytes little-endian, below p.
    pub(crate) fn to_bytes(self) -> [u8; 56] {
        let mut out = [0; 56];
        for (chunk, limb) in out.chunks_exact_mut(7).zip(self.canonical()) {
            chunk.copy_from_slice(&limb.to_le_bytes()[..7]);
        }
        out
    }

    /// 56 bytes little-endian, reduced modulo p.
    pub(crate) fn from_bytes_reducing(bytes: &[u8; 56]) -> Self {
        let mut r = [0; 8];
        for (limb, chunk) in r.iter_mut().zip(bytes.chunks_exact(7)) {
            let mut b = [0; 8];
            b[..7].copy_from_slice(chunk);
            *limb = u64::from_le_bytes(b);
        }
        Self(r)
    }

    /// 56 bytes little-endian; the choice is false for values of p and above.
    pub(crate) fn from_bytes(bytes: &[u8; 56]) -> (Self, Choice) {
        let r = Self::from_bytes_reducing(bytes);
        (r, r.to_bytes().ct_eq(bytes))
    }

    /// The sign of RFC 9496: the lowest bit of the canonical form.
    pub(crate) fn is_negative(&self) -> Choice {
        Choice::from((self.canonical()[0] & 1) as u8)
    }

    pub(crate) fn is_zero(&self) -> Choice {
        self.canonical().ct_eq(&[0; 8])
    }

    pub(crate) fn conditional_negate(&mut self, choice: Choice) {
        let n = -*self;
        *self = Self::conditional_select(self, &n, choice);
    }

    /// The representative of {x, -x} that is not negative.
    pub(crate) fn abs(&self) -> Self {
        let mut r = *self;
        r.conditional_negate(self.is_negative());
        r
    }

    /// x^((p - 3) / 4): exponent bits are 223 ones, a zero, 222 ones.
    pub(crate) fn pow_p34(&self) -> Self {
        let x1 = *self;
        let x2 = x1.square().times(&x1);
        let x3 = x2.square().times(&x1);
        let x6 = x3.square_n(3).times(&x3);
        let x9 = x6.square_n(3).times(&x3);
        let x18 = x9.square_n(9).times(&x9);
        let x19 = x18.square().times(&x1);
        let x37 = x19.square_n(18).times(&x18);
        let x74 = x37.square_n(37).times(&x37);
        let x111 = x74.square_n(37).times(&x37);
        let x222 = x111.square_n(111).times(&x111);
        let x223 = x222.square().times(&x1);
        x223.square_n(223).times(&x222)
    }

    /// 1/x; zero stays zero.
    pub(crate) fn invert(&self) -> Self {
        self.pow_p34().square_n(2).times(self)
    }

    /// Some square root of 1/x, and whether x is a non-zero square.
    pub(crate) fn inverse_sqrt(&self) -> (Choice, Self) {
        let r = self.pow_p34();
        (self.times(&r.square()).ct_eq(&Self::ONE), r)
    }

    /// `SQRT_RATIO_M1` of RFC 9496 section 5.2: u and v must not be secret-zero; the root is not negative.
    pub(crate) fn sqrt_ratio(u: &Self, v: &Self) -> (Choice, Self) {
        let r = u.times(&u.times(v).pow_p34());
        (v.times(&r.square()).ct_eq(u), r.abs())
    }

    /// Inverts all elements with one inversion; no element may be zero.
    pub(crate) fn batch_invert(values: &mut [Self]) {
        let mut prefix = Vec::with_capacity(values.len());
        let mut acc = Self::ONE;
        for v in values.iter() {
            prefix.push(acc);
            acc = acc.times(v);
        }
        let mut inv = acc.invert();
        for (v, p) in values.iter_mut().zip(prefix).rev() {
            let next = inv.times(v);
            *v = inv.times(&p);
            inv = next;
        }
    }
}

impl Add for Fe {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        self.lazy_add(&b).carry()
    }
}

impl Sub for Fe {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self.lazy_sub(&b.carry()).carry()
    }
}

impl Neg for Fe {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Fe {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        self.times(&b)
    }
}

impl ConstantTimeEq for Fe {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.canonical().ct_eq(&other.canonical())
    }
}

impl ConditionallySelectable for Fe {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        let mut r = *a;
        r.assign_masked(b, mask(choice));
        r
    }
}

impl Fe {
    /// Takes `b` where `mask` is all ones, keeps `self` where it is zero.
    #[inline(always)]
    pub(crate) fn assign_masked(&mut self, b: &Self, mask: u64) {
        for i in 0..8 {
            self.0[i] ^= mask & (self.0[i] ^ b.0[i]);
        }
    }
}

/// All ones for true, zero for false.
#[inline(always)]
pub(crate) fn mask(choice: Choice) -> u64 {
    u64::from(choice.unwrap_u8()).wrapping_neg()
}

#[cfg(test)]
mod tests;
