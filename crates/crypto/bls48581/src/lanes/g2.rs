//! Multiplication in G2 with points spread over lanes.
//!
//! The points of the lanes are on `y^2 = x^3 + 2^6 b`, the image of the twist under `(x, y) -> (4 x, 8 y)`: its constant
//! needs no halves. The curve has no points of order two, so the formulas always hold.

use subtle::{Choice, ConstantTimeEq};

use super::Mask;
use super::fp8::Fp8Lanes;
use super::spread::Spread;
use crate::curve::{Curve, G2, G2Affine, G2Projective};
use crate::field::Field;
use crate::tower::Fp8;

/// The lanes of a point of the twist.
pub(crate) fn load(p: &G2Projective) -> Fp8Lanes {
    let (x, y, z) = (&p.x, &p.y, &p.z);
    let v = Fp8Lanes::load([x, y, z, x, y, z, x, y]);
    let v = v.add_if(&v, 0b11);
    let v = v.add_if(&v, 0b11);
    v.add_if(&v, 0b10).reduce()
}

fn load_affine(p: &G2Affine) -> Fp8Lanes {
    load(&G2Projective::from_affine(p))
}

/// Back to the twist.
pub(crate) fn store(v: &Fp8Lanes) -> G2Projective {
    let [x, y, z, ..] = v.store();
    // (x / 4 : y / 8 : z)
    G2Projective {
        x: x.double(),
        y,
        z: z.double().double().double(),
    }
}

fn identity() -> Fp8Lanes {
    load(&G2Projective::identity())
}

/// Of a reduced value.
fn negate(v: &Fp8Lanes) -> Fp8Lanes {
    v.sub_if(&v.add(v), 0b10).settle()
}

/// Sum of two points.
pub(crate) fn add(p: &G2Projective, q: &G2Projective) -> G2Projective {
    store(&load(p).spread_add(&load(q).spread_prepare()))
}

/// Twice a point.
pub(crate) fn double(p: &G2Projective) -> G2Projective {
    store(&load(p).spread_double())
}

/// `[|x|] p` for any point of the curve, by the non-adjacent form `2^32 + 2^30 + 2^10 - 2^7 + 1`.
pub(crate) fn mul_x(p: &G2Projective) -> G2Projective {
    let v = load(p);
    let plus = v.spread_prepare();
    let minus = negate(&v).spread_prepare();
    let mut acc = v;
    for (n, term) in [(2, &plus), (20, &plus), (3, &minus), (7, &plus)] {
        acc = (0..n).fold(acc, |v, _| v.spread_double()).spread_add(term);
    }
    store(&acc)
}

/// Sum of affine points.
pub(crate) fn sum(points: &[G2Affine]) -> G2Projective {
    let acc = points.iter().fold(identity(), |acc, p| {
        acc.spread_add(&load_affine(p).spread_prepare())
    });
    store(&acc)
}

/// `sum_i [k_i] E^i(p)`, `E` the endomorphism, from the non-adjacent forms of the `k_i` with odd digits below eight.
pub(crate) fn mul_vartime(p: &G2Projective, digits: &[Vec<i8>]) -> G2Projective {
    let twice = load(p).spread_double().spread_prepare();
    let mut odd = vec![*p];
    let mut last = load(p);
    for _ in 1..4 {
        last = last.spread_add(&twice);
        odd.push(store(&last));
    }
    let mut tables = Vec::with_capacity(digits.len());
    for _ in digits {
        tables.push(odd.iter().map(load).collect::<Vec<_>>());
        for q in &mut odd {
            *q = G2::endomorphism(q);
        }
    }
    let length = digits.iter().map(Vec::len).max().unwrap_or(0);
    let mut acc = identity();
    for i in (0..length).rev() {
        acc = acc.spread_double();
        for (table, digits) in tables.iter().zip(digits) {
            let digit = digits.get(i).copied().unwrap_or(0);
            let entry = table.get(usize::from(digit.unsigned_abs() / 2));
            if let Some(v) = entry.filter(|_| digit != 0) {
                let v = if digit < 0 { negate(v) } else { *v };
                acc = acc.spread_add(&v.spread_prepare());
            }
        }
    }
    store(&acc)
}

/// `sum_i 2^i sum_j tables[j][indices[j] at i]`; every entry is read for every index: time depends on the lengths only.
/// Indices come from the highest bit down.
pub(crate) fn mul_ct(
    tables: &[Vec<G2Projective>],
    indices: impl Iterator<Item = Vec<u64>>,
) -> G2Projective {
    let tables: Vec<Vec<Fp8Lanes>> = tables
        .iter()
        .map(|t| t.iter().map(|p| load(p).spread_prepare()).collect())
        .collect();
    let acc = indices.fold(identity(), |acc, indices| {
        tables
            .iter()
            .zip(&indices)
            .fold(acc.spread_double(), |acc, (table, index)| {
                acc.spread_add(&select(table, *index))
            })
    });
    store(&acc)
}

fn mask(choice: Choice) -> Mask {
    choice.unwrap_u8().wrapping_neg()
}

/// Entry `index`; every entry is read.
fn select(table: &[Fp8Lanes], index: u64) -> Fp8Lanes {
    let mut v = Fp8Lanes::load([&Fp8::ZERO; 8]);
    for (i, entry) in (0u64..).zip(table) {
        v = Fp8Lanes::blend(&v, entry, mask(index.ct_eq(&i)));
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::X_ABS;
    use crate::fr::Fr;

    /// Double and add, one bit at a time, with the scalar formulas.
    fn textbook(p: &G2Projective, k: &Fr) -> G2Projective {
        let bytes = k.to_be_bytes();
        let bits = bytes
            .iter()
            .flat_map(|b| (0..8).rev().map(move |i| (b >> i) & 1));
        bits.fold(G2Projective::identity(), |acc, bit| {
            let acc = acc.double_scalar();
            if bit == 1 { acc.add_scalar(p) } else { acc }
        })
    }

    fn points() -> Vec<G2Projective> {
        let g = G2Projective::generator();
        let mut all = vec![G2Projective::identity(), g, g.neg(), g.double_scalar()];
        all.extend((2..5).map(|i| textbook(&g, &Fr::from_u64(i * 0x1234_5677))));
        // Outside the subgroup.
        all.push(G2Projective::from_affine(&outside()));
        all
    }

    fn outside() -> G2Affine {
        let mut bytes = [0; 585];
        bytes[0] = 2;
        (1..=u8::MAX)
            .find_map(|i| {
                bytes[584] = i;
                G2Affine::from_bytes(&bytes).ok()
            })
            .unwrap()
    }

    fn available() -> bool {
        quil_simd::Features::of_machine().ifma
    }

    #[test]
    fn spread_formulas_of_g2_equal_the_scalar_ones() {
        if !available() {
            return;
        }
        for p in points() {
            assert_eq!(store(&load(&p)), p);
            assert_eq!(double(&p), p.double_scalar());
            let chain = (0..7).fold(load(&p), |v, _| v.spread_double());
            assert_eq!(store(&chain), (0..7).fold(p, |p, _| p.double_scalar()));
            for q in points() {
                assert_eq!(add(&p, &q), p.add_scalar(&q));
                let chain = chain.spread_add(&load(&q).spread_prepare());
                let again = chain.spread_add(&load(&q).spread_prepare()).spread_double();
                let want = (0..7).fold(p, |p, _| p.double_scalar());
                let want = want.add_scalar(&q).add_scalar(&q).double_scalar();
                assert_eq!(store(&again), want);
            }
        }
    }

    #[test]
    fn multiplications_in_g2_equal_double_and_add() {
        if !available() {
            return;
        }
        let g = G2Projective::generator();
        let mut scalars = vec![
            Fr::ZERO,
            Fr::ONE,
            -Fr::ONE,
            Fr::from_u64(X_ABS),
            Fr::from_u64(X_ABS - 1),
        ];
        scalars.extend((1..3u64).map(|i| Fr::from_u64(i + 5).pow_vartime(&[u64::MAX / i, i, 99])));
        for p in [g, G2Projective::identity(), g.double_scalar()] {
            for k in &scalars {
                let want = textbook(&p, k);
                let digits: Vec<Vec<i8>> = G2::digits(k)
                    .iter()
                    .map(|d| crate::msm::naf(d, 4, 33))
                    .collect();
                assert_eq!(mul_vartime(&p, &digits), want);
                assert_eq!(G2::mul_ct(&p, k), want);
            }
        }
    }

    #[test]
    fn multiple_by_the_parameter_and_sums_hold_outside_the_subgroup() {
        if !available() {
            return;
        }
        for p in points() {
            assert_eq!(mul_x(&p), textbook(&p, &Fr::from_u64(X_ABS)));
        }
        let affine: Vec<G2Affine> = points().iter().map(G2Projective::to_affine).collect();
        let want = points()
            .iter()
            .fold(G2Projective::identity(), |acc, p| acc.add_scalar(p));
        assert_eq!(sum(&affine), want);
        assert_eq!(sum(&[]), G2Projective::identity());
        assert!(!outside().is_in_subgroup());
    }
}
