//! One projective point spread over the lanes: `(X, Y, Z)` in the first three, anything in the others.
//!
//! The complete formulas of Renes, Costello and Batina (algorithms 7 and 9) have two layers of independent products:
//! four and four for a doubling, six and six for an addition. Each layer is one product of vectors, so the latency of
//! an operation is that of two field products. No branches: time depends on nothing.
//!
//! An addition of points whose difference has order two gives `(0, 0, 0)`, and so does all that follows from it.

use super::{LANES, Lanes, Mask};

/// What the formulas need from eight elements of the field of the curve; loose and settled values as in [`Lanes`].
pub(crate) trait Spread: Copy {
    /// Product of settled values, reduced.
    fn mul(&self, rhs: &Self) -> Self;
    /// Sum, loose.
    fn add(&self, rhs: &Self) -> Self;
    /// Sum in the lanes of the mask, loose.
    fn add_if(&self, rhs: &Self, mask: Mask) -> Self;
    /// Difference in the lanes of the mask, loose.
    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self;
    /// Lanes of `b` where `mask` is set, of `a` elsewhere.
    fn blend(a: &Self, b: &Self, mask: Mask) -> Self;
    /// Lane `i` of the result is lane `from[i]`.
    fn permute(&self, from: [u8; LANES]) -> Self;
    /// Makes a factor of a loose value.
    fn settle(&self) -> Self;
    /// Product of a small value with `3 b`, loose: at most `700 p` in absolute value.
    fn times_3b(&self) -> Self;
}

impl<F: Lanes> Spread for F {
    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        Lanes::mul(self, rhs)
    }

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        Lanes::add(self, rhs)
    }

    #[inline(always)]
    fn add_if(&self, rhs: &Self, mask: Mask) -> Self {
        Lanes::add_if(self, rhs, mask)
    }

    #[inline(always)]
    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self {
        Lanes::sub_if(self, rhs, mask)
    }

    #[inline(always)]
    fn blend(a: &Self, b: &Self, mask: Mask) -> Self {
        Lanes::blend(a, b, mask)
    }

    #[inline(always)]
    fn permute(&self, from: [u8; LANES]) -> Self {
        Lanes::permute(self, from)
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        Lanes::settle(self)
    }

    /// `b = 1`.
    #[inline(always)]
    fn times_3b(&self) -> Self {
        Lanes::add(&Lanes::add(self, self), self)
    }
}

/// `2 P`, for any point of the curve. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn double<F: Spread>(p: &F) -> F {
    // yy, zz, yz, xy
    let m = p
        .permute([1, 2, 1, 0, 0, 0, 0, 0])
        .mul(&p.permute([1, 2, 2, 1, 1, 1, 1, 1]));
    let bzz = m.permute([1; 8]).times_3b();
    // yy - 3bzz, yy - 3bzz, yz, bzz
    let left = m.permute([0, 0, 2, 1, 0, 0, 0, 0]);
    let left = F::blend(&left, &bzz, 0b1000).sub_if(&bzz.add(&bzz).add(&bzz), 0b0011);
    // 2xy, yy + bzz, 8yy, 8yy
    let right = m.permute([3, 0, 0, 0, 0, 0, 0, 0]);
    let right = right.add_if(&right, 0b1101).add_if(&bzz, 0b0010);
    let right = right.add_if(&right, 0b1100);
    let right = right.add_if(&right, 0b1100);
    // X, first half of Y, Z, second half of Y
    let n = left.settle().mul(&right.settle());
    n.add_if(&n.permute([0, 3, 0, 0, 0, 0, 0, 0]), 0b10)
        .settle()
}

/// `X, Y, Z, X + Y, Y + Z, X + Z`: the form of the second summand. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn prepare<F: Spread>(p: &F) -> F {
    p.permute([0, 1, 2, 0, 1, 0, 0, 0])
        .add_if(&p.permute([0, 0, 0, 1, 2, 2, 0, 0]), 0b11_1000)
        .settle()
}

/// `P + Q` for the prepared form of `Q`. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn add<F: Spread>(p: &F, q: &F) -> F {
    // xx, yy, zz, xy + yx + xx + yy, yz + zy + yy + zz, xz + zx + xx + zz
    let m = prepare(p).mul(q);
    // xy, bxz, yy + bzz, bxz, yy + bzz, xy
    let left = m.permute([3, 5, 1, 5, 1, 3, 0, 0]);
    let d = m.permute([0, 0, 2, 0, 2, 0, 0, 0]);
    let e = m.permute([1, 2, 2, 2, 2, 1, 0, 0]);
    let left = left.sub_if(&d, 0b10_1011).sub_if(&e, 0b10_1011);
    // ., bxz, bzz, bxz, bzz
    let b = F::blend(&left, &d, 0b01_0100).times_3b();
    let left = F::blend(&left, &b, 0b00_1010).add_if(&b, 0b01_0100);
    // yy - bzz, yz, yy - bzz, 3xx, yz, 3xx
    let right = m.permute([1, 4, 1, 0, 4, 0, 0, 0]);
    let g = m.permute([2, 1, 2, 0, 1, 0, 0, 0]);
    let h = m.permute([2; 8]);
    let right = right.sub_if(&g, 0b01_0010).sub_if(&h, 0b01_0010);
    let right = right.sub_if(&b.permute([2; 8]), 0b00_0101);
    let right = right.add_if(&right.add(&right), 0b10_1000);
    let n = left.settle().mul(&right.settle());
    // X = n0 - n1, Y = n2 + n3, Z = n4 + n5
    let second = n.permute([1, 3, 5, 0, 0, 0, 0, 0]);
    n.permute([0, 2, 4, 0, 0, 0, 0, 0])
        .sub_if(&second, 0b001)
        .add_if(&second, 0b110)
        .settle()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::{G1Affine, G1Projective};
    use crate::fp::Fp;
    use crate::lanes::Portable;

    fn load<F: Lanes>(p: &G1Projective) -> F {
        let (x, y, z) = (&p.x, &p.y, &p.z);
        F::load([x, y, z, z, x, z, x, y])
    }

    fn store<F: Lanes>(v: &F) -> G1Projective {
        let [x, y, z, ..] = v.store();
        G1Projective { x, y, z }
    }

    fn points() -> Vec<G1Projective> {
        let g = G1Projective::generator();
        let mut all = vec![G1Projective::identity(), g, g.neg(), g.double()];
        all.extend(
            (0..24u64).map(|i| g.mul_u64_vartime((i + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        );
        // A point of order three, outside the subgroup, and the largest representatives.
        all.push(G1Projective::from_affine(&G1Affine {
            x: Fp::ZERO,
            y: Fp::ONE,
            infinity: 0,
        }));
        let lift = |v: &Fp| Fp(crate::kernel::add(&v.0, &Fp::MODULUS));
        let q = g.double();
        let small = |v: &Fp| if v.0[9] >> 5 == 0 { lift(v) } else { *v };
        all.push(G1Projective {
            x: small(&q.x),
            y: small(&q.y),
            z: small(&q.z),
        });
        all
    }

    fn check<F: Lanes>() {
        let points = points();
        for p in &points {
            assert_eq!(store(&load::<F>(p).spread_double()), p.double_scalar());
            let chain = (0..9).fold(load::<F>(p), |v, _| v.spread_double());
            assert_eq!(store(&chain), (0..9).fold(*p, |p, _| p.double_scalar()));
            for q in &points {
                let sum = load::<F>(p).spread_add(&load::<F>(q).spread_prepare());
                assert_eq!(store(&sum), p.add_scalar(q));
                let again = sum.spread_add(&load::<F>(q).spread_prepare());
                assert_eq!(store(&again), p.add_scalar(q).add_scalar(q));
            }
        }
    }

    /// The difference of the summands has order two.
    fn degenerates<F: Lanes>() {
        let two = G1Projective::from_affine(&G1Affine {
            x: Fp::ONE.neg(),
            y: Fp::ZERO,
            infinity: 0,
        });
        let p = G1Projective::generator();
        let sum = load::<F>(&p.add_scalar(&two)).spread_add(&load::<F>(&p).spread_prepare());
        let later = sum
            .spread_double()
            .spread_add(&load::<F>(&p).spread_prepare());
        for v in [sum, later] {
            let [x, y, z, ..] = v.store();
            assert!(x.is_zero() && y.is_zero() && z.is_zero());
        }
    }

    #[test]
    fn spread_formulas_equal_the_scalar_ones_portable() {
        check::<Portable>();
        degenerates::<Portable>();
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn spread_formulas_equal_the_scalar_ones_vectors() {
        if quil_simd::Features::of_machine().ifma {
            check::<crate::lanes::Ifma>();
            degenerates::<crate::lanes::Ifma>();
        }
    }
}
