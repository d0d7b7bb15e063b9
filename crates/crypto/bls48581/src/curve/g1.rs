//! G1: the subgroup of order `r` of `y^2 = x^3 + 1` over the base field.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::scalar::signed_windows;
use super::{Affine, Curve, HalfScalar, Projective, split_by_eigenvalue};
use crate::field::Field;
use crate::fp::Fp;
use crate::fr::Fr;
use crate::lanes::{Vectors, g1};
use crate::msm::{self, SignedPoint};

/// Marker of the first group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G1;

/// Length of an encoded G1 point.
pub const G1_BYTES: usize = 74;
/// Affine point of G1's curve.
pub type G1Affine = Affine<G1>;
/// Projective point of G1's curve.
pub type G1Projective = Projective<G1>;

/// A primitive cube root of unity; `(x, y) -> (BETA x, y)` acts on G1 as `-x^8`.
pub(crate) const BETA: Fp = Fp::from_hex(
    "2c68b75055dd5d1f4e2096384f2afa56583d66c1e5fcbed6ff46a846b5fa6aa73422b5fb82f4316694b9b60db5d62ab21f74f7421a205cd8e3f88e5de824de9ac5e1c79b90",
);

/// Width of the non-adjacent forms for vectors.
const NAF_WIDTH: usize = 5;
/// Window of the constant-time multiplication and number of windows for a digit.
const WINDOW: usize = 5;
const WINDOWS: usize = 53;

impl Curve for G1 {
    type Base = Fp;
    const BYTES: usize = G1_BYTES;
    const GENERATOR: (Fp, Fp) = (
        Fp::from_hex(
            "2af59b7ac340f2baf2b73df1e93f860de3f257e0e86868cf61abdbaedffb9f7544550546a9df6f9645847665d859236ebdbc57db368b11786cb74da5d3a1e6d8c3bce8732315af640",
        ),
        Fp::from_hex(
            "cefda44f6531f91f86b3a2d1fb398a488a553c9efeb8a52e991279dd41b720ef7bb7beffb98aee53e80f678584c3ef22f487f77c2876d1b2e35f37aef7b926b576dbb5de3e2587a70",
        ),
    );
    const HAS_TWO_TORSION: bool = true;
    const DIGITS: usize = 2;
    const DIGIT_BITS: usize = 259;

    fn b() -> Fp {
        Fp::ONE
    }

    #[inline(always)]
    fn mul_3b(v: &Fp) -> Fp {
        v.double().add(v)
    }

    /// `-phi`, eigenvalue `x^8`.
    fn endomorphism(p: &G1Projective) -> G1Projective {
        Projective {
            x: p.x.mul(&BETA),
            y: p.y.neg(),
            z: p.z,
        }
    }

    fn endomorphism_affine(p: &G1Affine) -> G1Affine {
        Affine {
            x: p.x.mul(&BETA),
            ..p.neg()
        }
    }

    fn digits(k: &Fr) -> Vec<HalfScalar> {
        split_by_eigenvalue(k).to_vec()
    }

    /// `[x^8]P = -phi(P)`. The endomorphism `phi + x^8` has degree `x^16 - x^8 + 1 = r`, so its kernel has exactly
    /// `r` points: the subgroup and nothing else.
    fn in_subgroup(p: &G1Affine) -> bool {
        let p = Projective::from_affine(p);
        if vectors() {
            // In the subgroup the formulas always hold.
            return g1::mul_x_power::<Vectors>(&p, 8).is_some_and(|m| m == Self::endomorphism(&p));
        }
        let multiple = (0..8).fold(p, |q, _| q.mul_x_abs());
        multiple == Self::endomorphism(&p)
    }

    fn mul_ct(p: &G1Projective, k: &Fr) -> G1Projective {
        let halves = Zeroizing::new(split_by_eigenvalue(k));
        let [d0, d1] = halves
            .each_ref()
            .map(|half| Zeroizing::new(signed_windows(half, WINDOW, WINDOWS)));
        if vectors() {
            let product = g1::mul_ct::<Vectors>(p, [&d0, &d1], WINDOW, &BETA);
            // In the subgroup the formulas always hold.
            return product.unwrap_or_else(Projective::identity);
        }
        let table = Table::new(p);
        d0.iter()
            .zip(d1.iter())
            .rev()
            .fold(Projective::identity(), |acc, (&a, &b)| {
                let acc = acc.double_n(WINDOW).add(&table.select(a));
                acc.add(&Self::endomorphism(&table.select(b)))
            })
    }

    fn add_vectors(p: &G1Projective, q: &G1Projective) -> Option<G1Projective> {
        vectors().then(|| g1::add::<Vectors>(p, q)).flatten()
    }

    fn double_vectors(p: &G1Projective) -> Option<G1Projective> {
        vectors().then(|| g1::double::<Vectors>(p)).flatten()
    }

    fn mul_vectors_vartime(p: &G1Projective, k: &Fr) -> Option<G1Projective> {
        if !vectors() {
            return None;
        }
        let digits =
            split_by_eigenvalue(k).map(|half| msm::naf(&half, NAF_WIDTH, Self::DIGIT_BITS));
        g1::mul_vartime::<Vectors>(p, &digits, &BETA)
    }

    fn sum_groups_vectors(groups: &[Vec<G1Affine>]) -> Option<Vec<G1Affine>> {
        if !vectors() {
            return None;
        }
        let groups: Vec<Vec<SignedPoint<'_>>> = groups
            .iter()
            .map(|g| g.iter().map(SignedPoint::plus).collect())
            .collect();
        Some(msm::sum_lanes::<Vectors>(&groups))
    }

    fn sum_by_bits_vectors(terms: &[G1Affine]) -> Option<G1Projective> {
        vectors()
            .then(|| g1::sum_by_bits::<Vectors>(terms))
            .flatten()
    }
}

/// Whether G1 uses [`Vectors`] in this process.
#[inline]
fn vectors() -> bool {
    Vectors::available()
}

/// `[0] p .. [16] p`.
struct Table([G1Projective; 17]);

impl Table {
    fn new(p: &G1Projective) -> Self {
        let mut last = Projective::identity();
        Self(core::array::from_fn(|i| {
            if i > 0 {
                last = last.add(p);
            }
            last
        }))
    }

    /// `[digit] p`, every entry is read.
    fn select(&self, digit: i8) -> G1Projective {
        let mut r = Projective::identity();
        for (i, entry) in (0u8..).zip(&self.0).skip(1) {
            r.conditional_assign(entry, digit.unsigned_abs().ct_eq(&i));
        }
        let negative = Choice::from((digit.to_le_bytes()[0]) >> 7);
        Projective {
            y: r.y.conditional_neg(negative),
            ..r
        }
    }
}

impl Affine<G1> {
    /// The one encoding: tag and x, big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G1_BYTES] {
        let mut out = [0; G1_BYTES];
        self.encode(&mut out);
        out
    }
}
