//! What curve and tower code needs from a field.

use core::fmt::Debug;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::fp::{Fp, FpWide};

/// Sums of unreduced products of a field.
pub trait Wide: Copy + Debug {
    /// `self += rhs`.
    fn add_assign(&mut self, rhs: &Self);
    /// `self -= rhs`.
    fn sub_assign(&mut self, rhs: &Self);
    /// `self += n rhs`, `n` the non-residue that defines the next level of the tower.
    fn add_nonresidue(&mut self, rhs: &Self);
    /// `self -= n rhs`.
    fn sub_nonresidue(&mut self, rhs: &Self);
    /// Zero.
    fn zero() -> Self;

    /// `n self`.
    fn mul_nonresidue(&self) -> Self {
        let mut r = Self::zero();
        r.add_nonresidue(self);
        r
    }

    /// `-self`.
    fn neg(&self) -> Self {
        let mut r = Self::zero();
        r.sub_assign(self);
        r
    }
}

/// A level of the tower. Coordinates are below `2p` at rest.
///
/// Lazy operations skip reductions: a value may pass a few of them, then must enter a product. The bound (`2^16 p` per
/// coordinate) is asserted in debug builds.
pub trait Field:
    Copy + PartialEq + Eq + Debug + Default + ConditionallySelectable + ConstantTimeEq
{
    /// Unreduced products.
    type Wide: Wide;
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// Sum.
    fn add(&self, rhs: &Self) -> Self;
    /// Difference.
    fn sub(&self, rhs: &Self) -> Self;
    /// Negation.
    fn neg(&self) -> Self;
    /// Half.
    fn halve(&self) -> Self;
    /// Sum without reduction.
    fn add_lazy(&self, rhs: &Self) -> Self;
    /// Difference plus a multiple of `p`, without reduction.
    fn sub_lazy(&self, rhs: &Self) -> Self;
    /// Unreduced product of lazy operands.
    fn mul_wide(&self, rhs: &Self) -> Self::Wide;
    /// Unreduced square of a lazy operand.
    fn sqr_wide(&self) -> Self::Wide;
    /// Reduction.
    fn reduce(wide: &Self::Wide) -> Self;
    /// `self` times the non-residue that defines the next level.
    fn mul_nonresidue(&self) -> Self;
    /// Product with an element of the base field.
    fn mul_fp(&self, k: &Fp) -> Self;
    /// Inverse, zero for zero. Constant time.
    fn invert_or_zero(&self) -> Self;
    /// `p`-th power.
    fn frobenius(&self) -> Self;
    /// Square root of a public value.
    fn sqrt_vartime(&self) -> Option<Self>;
    /// Whether a public value is a square.
    fn is_square_vartime(&self) -> bool;
    /// "sgn0" of RFC 9380: the lowest bit of the first non-zero coordinate, lowest coordinate first.
    fn sign(&self) -> bool;
    /// Appends the canonical encoding, highest coordinate first.
    fn write_be(&self, out: &mut [u8]);
    /// Reads [`write_be`](Self::write_be); `None` if a coordinate is not below `p` or the length is wrong.
    fn read_be(bytes: &[u8]) -> Option<Self>;

    /// Whether this is zero.
    fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// `2 self`.
    fn double(&self) -> Self {
        self.add(self)
    }

    /// Product.
    #[inline]
    fn mul(&self, rhs: &Self) -> Self {
        Self::reduce(&self.mul_wide(rhs))
    }

    /// Square.
    #[inline]
    fn square(&self) -> Self {
        Self::reduce(&self.sqr_wide())
    }

    /// `self` or `-self`.
    fn conditional_neg(&self, choice: Choice) -> Self {
        Self::conditional_select(self, &self.neg(), choice)
    }
}

/// Replaces non-zero elements by their inverses with one inversion; zeros stay.
pub(crate) fn batch_invert<F: Field>(values: &mut [F]) {
    let mut prefix = Vec::with_capacity(values.len());
    let mut acc = F::ONE;
    for v in values.iter() {
        prefix.push(acc);
        if !v.is_zero() {
            acc = acc.mul(v);
        }
    }
    let mut inv = acc.invert_or_zero();
    for (v, before) in values.iter_mut().zip(&prefix).rev() {
        if !v.is_zero() {
            let next = inv.mul(v);
            *v = inv.mul(before);
            inv = next;
        }
    }
}

impl Wide for FpWide {
    #[inline(always)]
    fn add_assign(&mut self, rhs: &Self) {
        Self::add_assign(self, rhs);
    }

    #[inline(always)]
    fn sub_assign(&mut self, rhs: &Self) {
        Self::sub_assign(self, rhs);
    }

    /// The non-residue is `-1`.
    #[inline(always)]
    fn add_nonresidue(&mut self, rhs: &Self) {
        Self::sub_assign(self, rhs);
    }

    #[inline(always)]
    fn sub_nonresidue(&mut self, rhs: &Self) {
        Self::add_assign(self, rhs);
    }

    fn zero() -> Self {
        Self::ZERO
    }
}

impl Field for Fp {
    type Wide = FpWide;
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        Self::add(self, rhs)
    }

    #[inline(always)]
    fn sub(&self, rhs: &Self) -> Self {
        Self::sub(self, rhs)
    }

    #[inline(always)]
    fn neg(&self) -> Self {
        Self::neg(self)
    }

    #[inline(always)]
    fn halve(&self) -> Self {
        Self::halve(self)
    }

    #[inline(always)]
    fn add_lazy(&self, rhs: &Self) -> Self {
        Self::add_lazy(self, rhs)
    }

    #[inline(always)]
    fn sub_lazy(&self, rhs: &Self) -> Self {
        Self::sub_lazy(self, rhs)
    }

    #[inline(always)]
    fn mul_wide(&self, rhs: &Self) -> FpWide {
        Self::mul_wide(self, rhs)
    }

    #[inline(always)]
    fn sqr_wide(&self) -> FpWide {
        Self::sqr_wide(self)
    }

    #[inline(always)]
    fn reduce(wide: &FpWide) -> Self {
        wide.reduce()
    }

    /// `-1` is not a square because `p = 3 mod 4`.
    #[inline(always)]
    fn mul_nonresidue(&self) -> Self {
        Self::neg(self)
    }

    #[inline(always)]
    fn mul_fp(&self, k: &Fp) -> Self {
        Self::mul(self, k)
    }

    fn invert_or_zero(&self) -> Self {
        Self::invert_or_zero(self)
    }

    fn frobenius(&self) -> Self {
        *self
    }

    fn sqrt_vartime(&self) -> Option<Self> {
        Self::sqrt_vartime(self)
    }

    fn is_square_vartime(&self) -> bool {
        Self::is_square_vartime(self)
    }

    fn sign(&self) -> bool {
        self.is_odd()
    }

    fn write_be(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.to_be_bytes());
    }

    fn read_be(bytes: &[u8]) -> Option<Self> {
        Self::from_canonical_bytes(bytes.try_into().ok()?)
    }

    fn is_zero(&self) -> bool {
        Self::is_zero(self)
    }

    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        Self::mul(self, rhs)
    }

    #[inline(always)]
    fn square(&self) -> Self {
        Self::square(self)
    }
}
