//! One projective point of G1 spread over the lanes: `(X, Y, Z)` in the first three, anything in the others.
//!
//! The complete formulas of Renes, Costello and Batina (algorithms 7 and 9) have two layers of independent products:
//! four and four for a doubling, six and six for an addition. Each layer is one product of vectors, so the latency of
//! an operation is that of two field products. No branches: time depends on nothing.
//!
//! An addition of points whose difference has order two gives `(0, 0, 0)`, and so does all that follows from it.

use super::Lanes;

/// `2 P`, for any point of the curve. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn double<F: Lanes>(p: &F) -> F {
    // yy, zz, yz, xy
    let m = p
        .permute([1, 2, 1, 0, 0, 0, 0, 0])
        .mul(&p.permute([1, 2, 2, 1, 1, 1, 1, 1]));
    let zz = m.permute([1; 8]);
    let zz3 = zz.add(&zz).add(&zz);
    let zz9 = zz3.add(&zz3).add(&zz3);
    // yy - 9zz, yy - 9zz, yz, 3zz
    let left = m.permute([0, 0, 2, 1, 0, 0, 0, 0]);
    let left = left
        .sub_if(&zz9, 0b0011)
        .add_if(&zz, 0b1000)
        .add_if(&zz, 0b1000);
    // 2xy, yy + 3zz, 8yy, 8yy
    let right = m.permute([3, 0, 0, 0, 0, 0, 0, 0]);
    let right = right.add_if(&right, 0b1101).add_if(&zz3, 0b0010);
    let right = right.add_if(&right, 0b1100);
    let right = right.add_if(&right, 0b1100);
    // X, first half of Y, Z, second half of Y
    let n = left.settle().mul(&right.settle());
    n.add_if(&n.permute([0, 3, 0, 0, 0, 0, 0, 0]), 0b10)
        .settle()
}

/// `X, Y, Z, X + Y, Y + Z, X + Z`: the form of the second summand. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn prepare<F: Lanes>(p: &F) -> F {
    p.permute([0, 1, 2, 0, 1, 0, 0, 0])
        .add_if(&p.permute([0, 0, 0, 1, 2, 2, 0, 0]), 0b11_1000)
        .settle()
}

/// `P + Q` for the prepared form of `Q`. `P` must be settled; so is the result.
#[inline(always)]
pub(crate) fn add<F: Lanes>(p: &F, q: &F) -> F {
    // xx, yy, zz, xy + yx + xx + yy, yz + zy + yy + zz, xz + zx + xx + zz
    let m = prepare(p).mul(q);
    // xy, 3xz, yy + 3zz, 3xz, yy + 3zz, xy
    let left = m.permute([3, 5, 1, 5, 1, 3, 0, 0]);
    let d = m.permute([0, 0, 2, 0, 2, 0, 0, 0]);
    let e = m.permute([1, 2, 2, 2, 2, 1, 0, 0]);
    let left = left.sub_if(&d, 0b10_1011).sub_if(&e, 0b10_1011);
    let left = left.add_if(&left.add(&left), 0b00_1010);
    let left = left.add_if(&d.add(&d).add(&d), 0b01_0100);
    // yy - 3zz, yz, yy - 3zz, 3xx, yz, 3xx
    let right = m.permute([1, 4, 1, 0, 4, 0, 0, 0]);
    let g = m.permute([2, 1, 2, 0, 1, 0, 0, 0]);
    let h = m.permute([2; 8]);
    let right = right.sub_if(&g, 0b01_0111).sub_if(&h, 0b01_0010);
    let right = right.sub_if(&g.add(&g), 0b00_0101);
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
            assert_eq!(store(&load::<F>(p).spread_double()), p.double());
            let chain = (0..9).fold(load::<F>(p), |v, _| v.spread_double());
            assert_eq!(store(&chain), p.double_n(9));
            for q in &points {
                let sum = load::<F>(p).spread_add(&load::<F>(q).spread_prepare());
                assert_eq!(store(&sum), p.add(q));
                let again = sum.spread_add(&load::<F>(q).spread_prepare());
                assert_eq!(store(&again), p.add(q).add(q));
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
        let sum = load::<F>(&p.add(&two)).spread_add(&load::<F>(&p).spread_prepare());
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
