//! Eight field elements side by side, for the group formulas that run in vector registers.
//!
//! A vector kernel may hold elements with another Montgomery factor than [`Fp`]: what it loads stands for `s` times
//! the element, `s` a constant. The group formulas here never notice. Projective coordinates may share a factor; and
//! with `s` a square, `(x, y) -> (s x, s^(3/2) y)` is an isomorphism to another curve with `a = 0`, whose affine
//! addition has the same formulas. Hence the separate ways to load and store abscissas and ordinates.

#[cfg(target_arch = "x86_64")]
mod fp8;
pub(crate) mod g1;
#[cfg(target_arch = "x86_64")]
pub(crate) mod g2;
#[cfg(target_arch = "x86_64")]
mod ifma;
pub(crate) mod spread;

use crate::fp::Fp;
use crate::msm::{PointRow, Special};
pub(crate) use crate::x8::LANES;

#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;

/// The lanes that group operations use where they are available.
#[cfg(target_arch = "x86_64")]
pub(crate) type Vectors = Ifma;
/// The lanes that group operations use where they are available: never.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Vectors = Portable;

/// A set of lanes, one bit each.
pub(crate) type Mask = u8;

/// Eight elements on which the same operation is done.
///
/// Sums and differences are *loose*: they must be settled or reduced before anything else than another sum, a blend or
/// a permutation is made of them, and may not have fallen below `-2^12 p`.
pub(crate) trait Lanes: Copy {
    /// Loads abscissas of affine points, or projective coordinates.
    fn load(v: [&Fp; LANES]) -> Self;
    /// Loads ordinates of affine points; the result must be reduced.
    fn load_y(v: [&Fp; LANES]) -> Self;
    /// Stores settled abscissas, or projective coordinates.
    fn store(&self) -> [Fp; LANES];
    /// Stores settled ordinates.
    fn store_y(&self) -> [Fp; LANES];
    /// The unit of products in every lane.
    fn one() -> Self;
    /// Sum, loose.
    fn add(&self, rhs: &Self) -> Self;
    /// Difference, loose.
    fn sub(&self, rhs: &Self) -> Self;
    /// Sum in the lanes of the mask, loose.
    fn add_if(&self, rhs: &Self, mask: Mask) -> Self;
    /// Difference in the lanes of the mask, loose.
    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self;
    /// Makes a factor of a loose value.
    fn settle(&self) -> Self;
    /// Settles and makes the value small: what is kept over many operations.
    fn reduce(&self) -> Self;
    /// Product of settled values, reduced.
    fn mul(&self, rhs: &Self) -> Self;
    /// Square of a settled value, reduced.
    fn square(&self) -> Self {
        self.mul(self)
    }
    /// Lanes in which two reduced values are equal.
    fn same(&self, rhs: &Self) -> Mask;
    /// Lanes of `b` where `mask` is set, of `a` elsewhere.
    fn blend(a: &Self, b: &Self, mask: Mask) -> Self;
    /// Lane `i` of the result is lane `from[i]`.
    fn permute(&self, from: [u8; LANES]) -> Self;
    /// Inverse of every lane of a settled value; none may be zero. Public values.
    fn invert_vartime(&self) -> Self;

    /// [`spread::double`], compiled for the lanes.
    fn spread_double(&self) -> Self {
        spread::double(self)
    }
    /// [`spread::prepare`], compiled for the lanes.
    fn spread_prepare(&self) -> Self {
        spread::prepare(self)
    }
    /// [`spread::add`], compiled for the lanes.
    fn spread_add(&self, prepared: &Self) -> Self {
        spread::add(self, prepared)
    }
    /// [`crate::msm::add_rows`], compiled for the lanes.
    fn add_rows(
        p: &PointRow<Self>,
        q: &PointRow<Self>,
        inverse: &Self,
        special: Special,
    ) -> PointRow<Self> {
        crate::msm::add_rows(p, q, inverse, special)
    }
    /// [`crate::msm::denominator`], compiled for the lanes.
    fn denominator(p: &PointRow<Self>, q: &PointRow<Self>) -> (Self, Special) {
        crate::msm::denominator(p, q)
    }
}

/// The portable twin: eight elements one after the other.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable([Fp; LANES]);

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Portable {
    /// Slower than single elements: never chosen.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) const fn available() -> bool {
        false
    }

    fn zip(&self, rhs: &Self, f: impl Fn(&Fp, &Fp) -> Fp) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(&rhs.0) {
            *a = f(a, b);
        }
        Self(out)
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Lanes for Portable {
    fn load(v: [&Fp; LANES]) -> Self {
        Self(v.map(|x| *x))
    }

    fn load_y(v: [&Fp; LANES]) -> Self {
        Self::load(v)
    }

    fn store(&self) -> [Fp; LANES] {
        self.0
    }

    fn store_y(&self) -> [Fp; LANES] {
        self.0
    }

    fn one() -> Self {
        Self([Fp::ONE; LANES])
    }

    fn add(&self, rhs: &Self) -> Self {
        self.zip(rhs, Fp::add)
    }

    fn sub(&self, rhs: &Self) -> Self {
        self.zip(rhs, Fp::sub)
    }

    fn mul(&self, rhs: &Self) -> Self {
        self.zip(rhs, Fp::mul)
    }

    fn add_if(&self, rhs: &Self, mask: Mask) -> Self {
        Self::blend(self, &Lanes::add(self, rhs), mask)
    }

    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self {
        Self::blend(self, &Lanes::sub(self, rhs), mask)
    }

    fn settle(&self) -> Self {
        *self
    }

    fn reduce(&self) -> Self {
        *self
    }

    fn same(&self, rhs: &Self) -> Mask {
        let mut mask = 0;
        for (a, b) in self.0.iter().zip(&rhs.0).rev() {
            mask = (mask << 1) | u8::from(a == b);
        }
        mask
    }

    fn blend(a: &Self, b: &Self, mask: Mask) -> Self {
        let mut out = a.0;
        for (i, (to, from)) in out.iter_mut().zip(&b.0).enumerate() {
            if (mask >> i) & 1 == 1 {
                *to = *from;
            }
        }
        Self(out)
    }

    fn permute(&self, from: [u8; LANES]) -> Self {
        Self(from.map(|i| self.0.get(usize::from(i)).copied().unwrap_or_default()))
    }

    fn invert_vartime(&self) -> Self {
        Self(invert_eight(&self.0))
    }
}

/// Inverses with one inversion; zeros stay.
pub(crate) fn invert_eight(values: &[Fp; LANES]) -> [Fp; LANES] {
    let mut prefix = [Fp::ONE; LANES];
    let mut acc = Fp::ONE;
    for (before, v) in prefix.iter_mut().zip(values) {
        *before = acc;
        if !v.is_zero() {
            acc = acc.mul(v);
        }
    }
    let mut inv = acc.invert_vartime().unwrap_or_default();
    let mut out = *values;
    for (v, before) in out.iter_mut().zip(&prefix).rev() {
        if !v.is_zero() {
            let next = inv.mul(v);
            *v = inv.mul(before);
            inv = next;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Fp> {
        let mut all = vec![Fp::ZERO, Fp::ONE, Fp::ONE.neg(), Fp(Fp::MODULUS)];
        let mut v = Fp::from_u64(3);
        for i in 0..60 {
            v = v.square().add(&Fp::from_u64(i));
            all.push(v);
            // The other representative, where it is below 2p.
            let (low, borrow) = crate::kernel::sub(&v.0, &Fp::MODULUS);
            all.push(if borrow == 0 {
                Fp(low)
            } else {
                Fp(crate::kernel::add(&v.0, &Fp::MODULUS))
            });
        }
        all
    }

    /// Products carry the constant of the representation; compared through projective ratios and round trips.
    fn check<F: Lanes>() {
        let all = samples();
        let eight = |at: usize| core::array::from_fn(|i| &all[(at + i * 5) % all.len()]);
        // What one product does to a stored value besides multiplying.
        let one = F::load([&Fp::ONE; LANES]);
        let scale = one.mul(&one).store()[0];
        for at in 0..all.len() {
            let (a, b): ([&Fp; 8], [&Fp; 8]) = (eight(at), eight(3 * at + 1));
            let (x, y) = (F::load(a), F::load(b));
            assert_eq!(x.store(), a.map(|v| *v));
            assert_eq!(F::load_y(a).reduce().store_y(), a.map(|v| *v));
            assert_eq!(x.mul(&F::one()).store(), a.map(|v| *v));
            let sum = x.add(&y).settle().store();
            let difference = x.sub(&y).settle().store();
            let chain = x.sub(&y).sub(&y).add(&x).reduce();
            let product = x.mul(&y).store();
            let squares = x.square().store();
            let of_chains = chain.mul(&x.sub(&y).settle()).store();
            for i in 0..LANES {
                assert_eq!(sum[i], a[i].add(b[i]));
                assert_eq!(difference[i], a[i].sub(b[i]));
                assert_eq!(product[i], a[i].mul(b[i]).mul(&scale));
                assert_eq!(squares[i], a[i].square().mul(&scale));
                let d = a[i].sub(b[i]);
                assert_eq!(chain.store()[i], d.double());
                assert_eq!(of_chains[i], d.square().double().mul(&scale));
                let same = x.same(&y);
                assert_eq!((same >> i) & 1 == 1, a[i] == b[i]);
            }
            let nonzero = a.map(|v| if v.is_zero() { &Fp::ONE } else { v });
            let z = F::load(nonzero);
            let unit = z.invert_vartime().mul(&z).store();
            assert_eq!(unit, F::one().store());
            let mask = 0b1010_0110;
            let (blended, added, subtracted) = (
                F::blend(&x, &y, mask).store(),
                x.add_if(&y, mask).settle().store(),
                x.sub_if(&y, mask).settle().store(),
            );
            let moved = x.permute([7, 0, 3, 3, 1, 6, 2, 5]).store();
            for (i, from) in [7, 0, 3, 3, 1, 6, 2, 5].into_iter().enumerate() {
                let set = (mask >> i) & 1 == 1;
                assert_eq!(blended[i], if set { *b[i] } else { *a[i] });
                assert_eq!(added[i], if set { a[i].add(b[i]) } else { *a[i] });
                assert_eq!(subtracted[i], if set { a[i].sub(b[i]) } else { *a[i] });
                assert_eq!(moved[i], *a[from]);
            }
        }
    }

    #[test]
    fn lanes_compute_like_single_elements_portable() {
        check::<Portable>();
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn lanes_compute_like_single_elements_vectors() {
        if quil_simd::Features::of_machine().ifma {
            check::<Ifma>();
        }
    }
}
