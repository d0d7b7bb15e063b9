//! Multiplication in G1 with points spread over lanes.

use subtle::{Choice, ConstantTimeEq};

use super::{LANES, Lanes, Mask};
use crate::curve::{G1Affine, G1Projective};
use crate::fp::Fp;

/// The lanes of a projective point; the free lanes repeat coordinates.
pub(crate) fn load<F: Lanes>(p: &G1Projective) -> F {
    let (x, y, z) = (&p.x, &p.y, &p.z);
    F::load([x, y, z, x, y, z, x, y])
}

/// The lanes of an affine point with `z = 1`, also of the identity.
fn load_affine<F: Lanes>(p: &G1Affine) -> F {
    let z = if p.is_identity() { &Fp::ZERO } else { &Fp::ONE };
    F::load([&p.x, &p.y, z, &p.x, &p.y, z, &p.x, &p.y])
}

/// `None` if an addition of points whose difference has order two came before.
pub(crate) fn store<F: Lanes>(v: &F) -> Option<G1Projective> {
    let [x, y, z, ..] = v.store();
    (!(x.is_zero() && y.is_zero() && z.is_zero())).then_some(G1Projective { x, y, z })
}

fn identity<F: Lanes>() -> F {
    load(&G1Projective::identity())
}

/// Of a reduced value.
fn negate<F: Lanes>(v: &F) -> F {
    v.sub_if(&v.add(v), 0b10).settle()
}

/// The endomorphism with eigenvalue `x^8`: `(beta X, -Y, Z)`.
fn endomorphism<F: Lanes>(v: &F, beta: &Fp) -> F {
    let one = &Fp::ONE;
    negate(&v.mul(&F::load([beta, one, one, one, one, one, one, one])))
}

fn double_n<F: Lanes>(v: &F, n: usize) -> F {
    (0..n).fold(*v, |v, _| v.spread_double())
}

/// Sum of two points.
pub(crate) fn add<F: Lanes>(p: &G1Projective, q: &G1Projective) -> Option<G1Projective> {
    store(&load::<F>(p).spread_add(&load::<F>(q).spread_prepare()))
}

/// Twice a point.
pub(crate) fn double<F: Lanes>(p: &G1Projective) -> Option<G1Projective> {
    store(&load::<F>(p).spread_double())
}

/// `|x| v`, by the non-adjacent form `2^32 + 2^30 + 2^10 - 2^7 + 1`.
fn times_x<F: Lanes>(v: &F) -> F {
    let plus = v.spread_prepare();
    let minus = negate(&v.reduce()).spread_prepare();
    let mut acc = *v;
    for (n, term) in [(2, &plus), (20, &plus), (3, &minus), (7, &plus)] {
        acc = double_n(&acc, n).spread_add(term);
    }
    acc
}

/// `[|x|^n] p` for any point of the curve.
pub(crate) fn mul_x_power<F: Lanes>(p: &G1Projective, n: usize) -> Option<G1Projective> {
    let multiple = (0..n).fold(load::<F>(p), |v, _| times_x(&v));
    store(&multiple)
}

/// `[|x| + 1] p` for any point of the curve.
pub(crate) fn mul_cofactor<F: Lanes>(p: &G1Projective) -> Option<G1Projective> {
    let v = load::<F>(p);
    store(&times_x(&v).spread_add(&v.spread_prepare()))
}

/// Sum of affine points, one after the other.
pub(crate) fn sum<'a, F: Lanes>(
    points: impl Iterator<Item = (&'a G1Affine, bool)>,
) -> Option<G1Projective> {
    let acc = points.fold(identity::<F>(), |acc, (p, negative)| {
        let v = load_affine::<F>(p);
        let v = if negative { negate(&v) } else { v };
        acc.spread_add(&v.spread_prepare())
    });
    store(&acc)
}

/// `sum 2^i terms[i]`, by Horner's rule.
pub(crate) fn sum_by_bits<F: Lanes>(terms: &[G1Affine]) -> Option<G1Projective> {
    let acc = terms.iter().rev().fold(identity::<F>(), |acc, p| {
        let acc = acc.spread_double();
        if p.is_identity() {
            acc
        } else {
            acc.spread_add(&load_affine::<F>(p).spread_prepare())
        }
    });
    store(&acc)
}

/// `[k] p` from the two halves of `k` in non-adjacent form of width five.
pub(crate) fn mul_vartime<F: Lanes>(
    p: &G1Projective,
    digits: &[Vec<i8>; 2],
    beta: &Fp,
) -> Option<G1Projective> {
    let p = load::<F>(p);
    let twice = p.spread_double().spread_prepare();
    let mut odd = p;
    let mut tables = [Vec::with_capacity(8), Vec::with_capacity(8)];
    for _ in 0..8 {
        let [plain, image] = &mut tables;
        let entry = odd.reduce();
        plain.push(entry);
        image.push(endomorphism(&entry, beta).reduce());
        odd = odd.spread_add(&twice);
    }
    let [a, b] = digits;
    let mut acc = identity::<F>();
    for i in (0..a.len().max(b.len())).rev() {
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

/// As [`mul_vartime`] with signed windows of `width` bits, in `[-16, 16]`, every entry read for every digit: time
/// depends on nothing but the number of digits.
pub(crate) fn mul_ct<F: Lanes>(
    p: &G1Projective,
    digits: [&[i8]; 2],
    width: usize,
    beta: &Fp,
) -> Option<G1Projective> {
    let p = load::<F>(p);
    let prepared = p.spread_prepare();
    let mut table = vec![identity::<F>()];
    let mut last = p;
    for _ in 0..16 {
        table.push(last.reduce());
        last = last.spread_add(&prepared);
    }
    let images: Vec<F> = table
        .iter()
        .map(|v| endomorphism(v, beta).reduce())
        .collect();
    let [a, b] = digits;
    let mut acc = identity::<F>();
    for (&a, &b) in a.iter().zip(b).rev() {
        acc = double_n(&acc, width).spread_add(&select(&table, a).spread_prepare());
        acc = acc.spread_add(&select(&images, b).spread_prepare());
    }
    store(&acc)
}

fn mask(choice: Choice) -> Mask {
    choice.unwrap_u8().wrapping_neg()
}

/// Entry `digit`, negated if that is negative; every entry is read.
fn select<F: Lanes>(table: &[F], digit: i8) -> F {
    let mut v = identity::<F>();
    for (i, entry) in (0u8..).zip(table) {
        v = F::blend(&v, entry, mask(digit.unsigned_abs().ct_eq(&i)));
    }
    let negative = Choice::from(digit.to_le_bytes()[0] >> 7);
    F::blend(&v, &negate(&v), mask(negative))
}

const _: () = assert!(LANES == 8);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::split_by_eigenvalue;
    use crate::fr::Fr;
    use crate::lanes::Portable;
    use crate::msm::naf;

    const BETA: Fp = crate::curve::BETA;

    /// Double and add, one bit at a time, with the scalar formulas.
    fn textbook(p: &G1Projective, k: &Fr) -> G1Projective {
        let bytes = k.to_be_bytes();
        let bits = bytes
            .iter()
            .flat_map(|b| (0..8).rev().map(move |i| (b >> i) & 1));
        bits.fold(G1Projective::identity(), |acc, bit| {
            let acc = acc.double_scalar();
            if bit == 1 { acc.add_scalar(p) } else { acc }
        })
    }

    fn scalars() -> Vec<Fr> {
        let mut all = vec![
            Fr::ZERO,
            Fr::ONE,
            -Fr::ONE,
            Fr::from_u64(2),
            Fr::from_u64(31),
        ];
        all.extend((1..5u64).map(|i| Fr::from_u64(i + 5).pow_vartime(&[u64::MAX / i, i, 99])));
        // Halves of zero, and with their highest bits set.
        let x8 = Fr::from_u64(crate::curve::X_ABS).pow_vartime(&[8]);
        all.extend([x8, x8 - Fr::ONE, -x8, x8 + Fr::ONE]);
        all
    }

    fn check<F: Lanes>() {
        let g = G1Projective::generator();
        let points = [g, G1Projective::identity(), textbook(&g, &Fr::from_u64(77))];
        for p in &points {
            for k in scalars() {
                let want = textbook(p, &k);
                let halves = split_by_eigenvalue(&k);
                let digits = halves.map(|h| naf(&h, 5, 259));
                assert_eq!(mul_vartime::<F>(p, &digits, &BETA), Some(want));
                let [a, b] = halves.map(|h| crate::curve::signed_windows(&h, 5, 53));
                assert_eq!(mul_ct::<F>(p, [&a, &b], 5, &BETA), Some(want));
            }
            let x = Fr::from_u64(crate::curve::X_ABS);
            assert_eq!(mul_x_power::<F>(p, 1), Some(textbook(p, &x)));
            assert_eq!(mul_x_power::<F>(p, 3), Some(textbook(p, &(x * x * x))));
            assert_eq!(mul_cofactor::<F>(p), Some(textbook(p, &(x + Fr::ONE))));
            assert_eq!(add::<F>(p, p), Some(p.double_scalar()));
            assert_eq!(add::<F>(p, &p.neg()), Some(G1Projective::identity()));
            assert_eq!(double::<F>(p), Some(p.double_scalar()));
        }
        let affine: Vec<G1Affine> = points.iter().map(G1Projective::to_affine).collect();
        let list = [
            (0, false),
            (0, false),
            (1, true),
            (2, true),
            (0, true),
            (2, false),
            (2, false),
        ];
        let want = list
            .iter()
            .fold(G1Projective::identity(), |acc, (i, negative)| {
                let p: &G1Projective = &points[*i];
                acc.add_scalar(&if *negative { p.neg() } else { *p })
            });
        let terms = list.iter().map(|(i, negative)| (&affine[*i], *negative));
        assert_eq!(sum::<F>(terms), Some(want));
        let ladder: Vec<G1Affine> = list.iter().map(|(i, _)| affine[*i]).collect();
        let want = ladder
            .iter()
            .rev()
            .fold(G1Projective::identity(), |acc, p| {
                acc.double_scalar()
                    .add_scalar(&G1Projective::from_affine(p))
            });
        assert_eq!(sum_by_bits::<F>(&ladder), Some(want));
    }

    #[test]
    fn multiplications_equal_double_and_add_portable() {
        check::<Portable>();
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn multiplications_equal_double_and_add_vectors() {
        if quil_simd::Features::of_machine().ifma {
            check::<crate::lanes::Ifma>();
        }
    }

    /// A point of order three times `|x|^8`, and sums that meet a point of order two, are not reported as values.
    #[test]
    fn sums_over_a_point_of_order_two_have_no_value() {
        let two = G1Affine {
            x: Fp::ONE.neg(),
            y: Fp::ZERO,
            infinity: 0,
        };
        let g = G1Projective::generator();
        let shifted = g.add_scalar(&G1Projective::from_affine(&two));
        assert_eq!(add::<Portable>(&shifted, &g), None);
        // The public operation falls back.
        assert_eq!(shifted.add(&g), shifted.add_scalar(&g));
        assert_eq!(
            shifted.add(&g),
            g.double().add(&G1Projective::from_affine(&two))
        );
        assert!(!shifted.to_affine().is_in_subgroup());
        assert!(!two.is_in_subgroup());
    }
}
