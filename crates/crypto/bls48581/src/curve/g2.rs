//! G2: the subgroup of order `r` of the sextic twist `y^2 = x^3 - 1/t` over `Fp8`.
//!
//! Untwisting is `(x, y) -> (x v^2, y v^3)`.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::scalar::{bits_at, split_by_x};
use super::{Affine, Curve, HalfScalar, Projective};
use crate::field::Field;
use crate::fr::Fr;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Vectors, g2};
#[cfg(target_arch = "x86_64")]
use crate::msm::naf;
use crate::tower::{Fp2, Fp4, Fp8, mul_kappa2, mul_kappa3};

/// Marker of the second group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G2;

/// Length of an encoded G2 point.
pub const G2_BYTES: usize = 585;
/// Affine point of G2's curve.
pub type G2Affine = Affine<G2>;
/// Projective point of G2's curve.
pub type G2Projective = Projective<G2>;

/// Digits of a scalar in base `|x|`.
const DIGITS: usize = 16;
/// Digits are grouped by four, one table of sixteen sums serves a group.
const GROUP: usize = 4;
/// Width of the non-adjacent forms for vectors: wider ones would need too many images of table entries.
#[cfg(target_arch = "x86_64")]
const NAF_WIDTH: usize = 4;

const fn fp8(c: [&str; 8]) -> Fp8 {
    // Wire order: highest coordinate first.
    let [h, g, f, e, d, c, b, a] = c;
    Fp8 {
        a: Fp4 {
            a: Fp2::from_hex(a, b),
            b: Fp2::from_hex(c, d),
        },
        b: Fp4 {
            a: Fp2::from_hex(e, f),
            b: Fp2::from_hex(g, h),
        },
    }
}

/// `z / t`: with `t^2 = -s` and `s^2 = -(1 + i)`, so `1/s = -(1 - i) s / 2`.
fn div_t(z: &Fp8) -> Fp8 {
    // z = (c + d s) + b t, z / t = b - (c + d s) / s t
    let (c, d) = (&z.a.a, &z.a.b);
    let c_times = Fp2 {
        a: c.a.add(&c.b).halve(),
        b: c.b.sub(&c.a).halve(),
    };
    Fp8 {
        a: z.b,
        b: Fp4 {
            a: d.neg(),
            b: c_times,
        },
    }
}

/// `psi`: the Frobenius map between untwisting and twisting; acts on G2 as `x`.
fn psi(p: &Projective<G2>) -> Projective<G2> {
    Projective {
        x: mul_kappa2(&p.x.frobenius()),
        y: mul_kappa3(&p.y.frobenius()),
        z: p.z.frobenius(),
    }
}

impl Curve for G2 {
    type Base = Fp8;
    const BYTES: usize = G2_BYTES;
    const GENERATOR: (Fp8, Fp8) = (
        fp8([
            "827d5c22fb2bdec5282624c4f4aaa2b1e5d7a9defaf47b5211cf741719728a7f9f8cfca93f29cff364a7190b7e2b0d4585479bd6aebf9fc44e56af2fc9e97c3f84e19da00fbc6ae34",
            "b9b7951c6061ee3f0197a498908aee660dea41b39d13852b6db908ba2c0b7a449cef11f293b13ced0fd0caa5efcf3432aad1cbe4324c22d63334b5b0e205c3354e41607e60750e057",
            "c96c7797eb0738603f1311e4ecda088f7b8f35dcef0977a3d1a58677bb037418181df63835d28997eb57b40b9c0b15dd7595a9f177612f097fc7960910fce3370f2004d914a3c093a",
            "38b91c600b35913a3c598e4caa9dd63007c675d0b1642b5675ff0e7c5805386699981f9e48199d5ac10b2ef492ae589274fad55fc1889aa80c65b5f746c9d4cbb739c3a1c53f8cce5",
            "be2218c25ceb6185c78d8012954d4bfe8f5985ac62f3e5821b7b92a393f8be0cc218a95f63e1c776e6ec143b1b279b9468c31c5257c200ca52310b8cb4e80bc3f09a7033cbb7feafe",
            "1fccc70198f1334e1b2ea1853ad83bc73a8a6ca9ae237ca7a6d6957ccbab5ab6860161c1dbd19242ffae766f0d2a6d55f028cbdfbb879d5fea8ef4cded6b3f0b46488156ca55a3e6a",
            "7c4973ece2258512069b0e86abc07e8b22bb6d980e1623e9526f6da12307f4e1c3943a00abfedf16214a76affa62504f0c3c7630d979630ffd75556a01afa143f1669b36676b47c57",
            "5d615d9a7871e4a38237fa45a2775debabbefc70344dbccb7de64db3a2ef156c46ff79baad1a8c42281a63ca0612f400503004d80491f510317b79766322154dec34fd0b4ace8bfab",
        ]),
        fp8([
            "35e2524ff89029d393a5c07e84f981b5e068f1406be8e50c87549b6ef8eca9a9533a3f8e69c31e97e1ad0333ec719205417300d8c4ab33f748e5ac66e84069c55d667ffcb732718b6",
            "896767811be65ea25c2d05dfdd17af8a006f364fc0841b064155f14e4c819a6df98f425ae3a2864f22c1fab8c74b2618b5bb40fa639f53dccc9e884017d9aa62b3d41faeafeb23986",
            "7d0d03745736b7a513d339d5ad537b90421ad66eb16722b589d82e2055ab7504fa83420e8c270841f6824f47c180d139e3aafc198caa72b679da59ed8226cf3a594eedc58cf90bee4",
            "d209d5a223a9c46916503fa5a88325a2554dc541b43dd93b5a959805f1129857ed85c77fa238cdce8a1e2ca4e512b64f59f430135945d137b08857fdddfcf7a43f47831f982e50137",
            "aec25a4621edc0688223fbbd478762b1c2cded3360dcee23dd8b0e710e122d2742c89b224333fa40dced2817742770ba10d67bda503ee5e578fb3d8b8a1e5337316213da92841589d",
            "b36a201dd008523e421efb70367669ef2c2fc5030216d5b119d3a480d370514475f7d5c99d0e90411515536ca3295e5e2f0c1d35d51a652269cbc7c46fc3b8fde68332a526a2a8474",
            "284dc75979e0ff144da6531815fcadc2b75a422ba325e6fba01d72964732fcbf3afb096b243b1f192c5c3d1892ab24e1dd212fa097d760e2e588b423525ffc7b111471db936cd5665",
            "eb53356c375b5dfa497216452f3024b918b4238059a577e6f3b39ebfc435faab0906235afa27748d90f7336d8ae5163c1599abf77eea6d659045012ab12c0ff323edd3fe4d2d7971",
        ]),
    );
    /// `1/t` is no cube, so `x^3 = 1/t` has no solution.
    const HAS_TWO_TORSION: bool = false;
    const DIGITS: usize = DIGITS;
    const DIGIT_BITS: usize = 33;

    fn b() -> Fp8 {
        div_t(&Fp8::ONE).neg()
    }

    fn mul_3b(v: &Fp8) -> Fp8 {
        let w = div_t(v);
        w.double().add(&w).neg()
    }

    /// `-psi`, eigenvalue `|x|`.
    fn endomorphism(p: &G2Projective) -> G2Projective {
        psi(p).neg()
    }

    fn endomorphism_affine(p: &G2Affine) -> G2Affine {
        Affine {
            x: mul_kappa2(&p.x.frobenius()),
            y: Fp8::conditional_select(
                &mul_kappa3(&p.y.frobenius()).neg(),
                &p.y,
                p.infinity.into(),
            ),
            infinity: p.infinity,
        }
    }

    fn digits(k: &Fr) -> Vec<HalfScalar> {
        split_by_x(k).iter().map(|&d| [d, 0, 0, 0, 0]).collect()
    }

    /// `psi(Q) = [x]Q` (Scott, "A note on group membership tests for G1, G2 and GT", 2021). Such a point is killed by
    /// `p - x = h1 r` and by the curve order `h2 r`; the cofactors are coprime, hence by `r`.
    fn in_subgroup(p: &G2Affine) -> bool {
        let p = Projective::from_affine(p);
        #[cfg(target_arch = "x86_64")]
        if Vectors::available() {
            return g2::mul_x(&p) == Self::endomorphism(&p);
        }
        p.mul_x_abs() == Self::endomorphism(&p)
    }

    fn mul_ct(p: &G2Projective, k: &Fr) -> G2Projective {
        let digits = Zeroizing::new(split_by_x(k));
        let mut tables = Vec::with_capacity(DIGITS / GROUP);
        let mut table = subset_sums(p);
        for _ in 0..DIGITS / GROUP {
            tables.push(table.clone());
            for q in &mut table {
                *q = (0..GROUP).fold(*q, |q, _| Self::endomorphism(&q));
            }
        }
        let index = |group: &[u64], i| {
            let bit = |d| bits_at(&[d, 0, 0, 0, 0], i, 1);
            group.iter().rev().fold(0, |n, &d| 2 * n + bit(d))
        };
        #[cfg(target_arch = "x86_64")]
        if Vectors::available() {
            let groups = |i| digits.chunks(GROUP).map(|g| index(g, i)).collect();
            return g2::mul_ct(&tables, (0..Self::DIGIT_BITS).rev().map(groups));
        }
        let mut acc = Projective::identity();
        for i in (0..Self::DIGIT_BITS).rev() {
            acc = acc.double();
            for (table, group) in tables.iter().zip(digits.chunks(GROUP)) {
                acc = acc.add(&select(table, index(group, i)));
            }
        }
        acc
    }

    #[cfg(target_arch = "x86_64")]
    fn add_vectors(p: &G2Projective, q: &G2Projective) -> Option<G2Projective> {
        Vectors::available().then(|| g2::add(p, q))
    }

    #[cfg(target_arch = "x86_64")]
    fn double_vectors(p: &G2Projective) -> Option<G2Projective> {
        Vectors::available().then(|| g2::double(p))
    }

    #[cfg(target_arch = "x86_64")]
    fn mul_vectors_vartime(p: &G2Projective, k: &Fr) -> Option<G2Projective> {
        if !Vectors::available() {
            return None;
        }
        let digits: Vec<Vec<i8>> = Self::digits(k)
            .iter()
            .map(|d| naf(d, NAF_WIDTH, Self::DIGIT_BITS))
            .collect();
        Some(g2::mul_vartime(p, &digits))
    }

    #[cfg(target_arch = "x86_64")]
    fn sum_vectors(points: &[G2Affine]) -> Option<G2Projective> {
        Vectors::available().then(|| g2::sum(points))
    }
}

/// `sum_j bit_j(m) E^j(p)` for `m` in `0..16`.
fn subset_sums(p: &G2Projective) -> Vec<G2Projective> {
    let mut sums = vec![Projective::identity()];
    let mut image = *p;
    for _ in 0..GROUP {
        let with: Vec<_> = sums.iter().map(|s| s.add(&image)).collect();
        sums.extend(with);
        image = G2::endomorphism(&image);
    }
    sums
}

/// Reads every entry.
fn select(table: &[G2Projective], index: u64) -> G2Projective {
    let mut r = Projective::identity();
    for (i, entry) in (0u64..).zip(table) {
        r.conditional_assign(entry, index.ct_eq(&i));
    }
    r
}

impl Affine<G2> {
    /// The one encoding: tag and x, highest tower coordinate first.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G2_BYTES] {
        let mut out = [0; G2_BYTES];
        self.encode(&mut out);
        out
    }
}
