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
    let minus = negate(v).spread_prepare();
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
        plain.push(odd);
        image.push(endomorphism(&odd, beta));
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
        table.push(last);
        last = last.spread_add(&prepared);
    }
    let images: Vec<F> = table.iter().map(|v| endomorphism(v, beta)).collect();
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
