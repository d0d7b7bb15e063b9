//! The optimal ate pairing `e: G1 x G2 -> GT`.
//!
//! Miller loop of length `|x|` with affine line coefficients prepared per G2 point, one conjugation because `x < 0`,
//! and the final exponentiation of the BLS48 family (Hayashida, Hayasaka and Teruya, 2020/875) by a multiple coprime to
//! `r` of the hard part: `(x-1)^2 (x+p) (x^2+p^2) (x^4+p^4) (x^8+p^8-1) + 3`.

use crate::curve::{G1Affine, G2Affine, X_ABS};
use crate::field::Field;
use crate::fp::Fp;
use crate::fr::Fr;
use crate::tower::{Fp8, Fp48, Line};

/// Signed binary digits of `|x|` below the leading one: `2^32 + 2^30 + 2^10 - 2^7 + 1`.
const PLUS: u64 = (1 << 30) | (1 << 10) | 1;
const MINUS: u64 = 1 << 7;
const TOP: u32 = 32;
const _: () = assert!((1 << TOP) + PLUS - MINUS == X_ABS);
/// Doublings and additions of the loop.
const LINES: usize = 36;

/// Slope `k` of a line on the twist and `k x - y` of a point on it.
#[derive(Clone, Copy, Debug)]
struct LineCoefficients {
    slope: Fp8,
    offset: Fp8,
}

/// Line coefficients of a fixed point of G2, about 46 kB. Preparing costs 36 inversions in `Fp8`.
#[derive(Clone, Debug)]
pub struct G2Prepared {
    /// Empty for the identity.
    lines: Vec<LineCoefficients>,
}

impl G2Prepared {
    /// The line through the running point and `q`, or the tangent if `q` is `None`; moves the point.
    fn step(&mut self, t: &mut (Fp8, Fp8), q: Option<&(Fp8, Fp8)>) {
        let (x, y) = *t;
        let (num, den, x2) = match q {
            None => (x.square().add(&x.square().double()), y.double(), x),
            Some((qx, qy)) => (y.sub(qy), x.sub(qx), *qx),
        };
        let slope = num.mul(&den.invert_or_zero());
        let offset = slope.mul(&x).sub(&y);
        let x3 = slope.square().sub(&x).sub(&x2);
        *t = (x3, offset.sub(&slope.mul(&x3)));
        self.lines.push(LineCoefficients { slope, offset });
    }
}

impl From<&G2Affine> for G2Prepared {
    /// The pairing is defined for points of the subgroup; for others the lines are meaningless, not unsafe.
    fn from(q: &G2Affine) -> Self {
        let mut prepared = Self { lines: Vec::new() };
        if q.is_identity() {
            return prepared;
        }
        prepared.lines.reserve_exact(LINES);
        let (plus, minus) = ((q.x, q.y), (q.x, q.y.neg()));
        let mut t = plus;
        for i in (0..TOP).rev() {
            prepared.step(&mut t, None);
            match digit(i) {
                1 => prepared.step(&mut t, Some(&plus)),
                -1 => prepared.step(&mut t, Some(&minus)),
                _ => {}
            }
        }
        prepared
    }
}

const fn digit(i: u32) -> i8 {
    if (PLUS >> i) & 1 == 1 {
        1
    } else if (MINUS >> i) & 1 == 1 {
        -1
    } else {
        0
    }
}

/// An element of the target group, order dividing `r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gt(Fp48);

impl Gt {
    /// Length of [`to_be_bytes`](Self::to_be_bytes).
    pub const BYTES: usize = 48 * Fp::BYTES;

    /// The neutral element.
    #[must_use]
    pub const fn one() -> Self {
        Self(Fp48::ONE)
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_one(&self) -> bool {
        *self == Self::one()
    }

    /// Product.
    #[must_use]
    pub fn mul(&self, rhs: &Self) -> Self {
        Self(self.0.mul(&rhs.0))
    }

    /// Inverse.
    #[must_use]
    pub fn invert(&self) -> Self {
        Self(self.0.conjugate())
    }

    /// Power with a public exponent.
    #[must_use]
    pub fn pow_vartime(&self, k: &Fr) -> Self {
        let mut acc = Fp48::ONE;
        for byte in k.to_be_bytes() {
            for i in (0..8).rev() {
                acc = acc.cyclotomic_square();
                if (byte >> i) & 1 == 1 {
                    acc = acc.mul(&self.0);
                }
            }
        }
        Self(acc)
    }

    /// Coordinates, highest first, 73 bytes each. Not a wire format: no protocol message carries a pairing value.
    #[must_use]
    pub fn to_be_bytes(&self) -> Vec<u8> {
        let mut out = vec![0; Self::BYTES];
        self.0.write_be(&mut out);
        out
    }
}

/// `(-x/y, 1/y)` of a point, with which all its lines scale to constant term one.
struct LinePoint {
    x: Fp,
    y: Fp,
}

impl LinePoint {
    fn line(&self, c: &LineCoefficients) -> Line {
        Line {
            v1: c.slope.mul_fp(&self.x),
            v3: c.offset.mul_fp(&self.y),
        }
    }
}

/// Product of the Miller functions of all pairs without an identity. Variable time.
fn miller_loop(pairs: &[(&G1Affine, &G2Prepared)]) -> Fp48 {
    let pairs: Vec<_> = pairs
        .iter()
        .filter(|(p, q)| !p.is_identity() && !q.lines.is_empty())
        .collect();
    let mut inverses: Vec<Fp> = pairs.iter().map(|(p, _)| p.y).collect();
    Fp::batch_invert(&mut inverses);
    let mut sources: Vec<_> = pairs
        .iter()
        .zip(&inverses)
        .map(|((p, q), inv)| {
            (
                LinePoint {
                    x: p.x.mul(inv).neg(),
                    y: *inv,
                },
                q.lines.iter(),
            )
        })
        .collect();
    let mut f = Fp48::ONE;
    for i in (0..TOP).rev() {
        if i + 1 < TOP {
            f = f.square();
        }
        for _ in 0..=u8::from(digit(i) != 0) {
            for (point, lines) in &mut sources {
                if let Some(c) = lines.next() {
                    f = f.mul_by_line(&point.line(c));
                }
            }
        }
    }
    f.conjugate()
}

/// Power `(p^24 - 1)(p^8 + 1)`, into the cyclotomic subgroup.
fn easy_part(f: &Fp48) -> Fp48 {
    let f = f.conjugate().mul(&f.invert_or_zero());
    f.frobenius_8().mul(&f)
}

fn final_exponentiation(f: &Fp48) -> Fp48 {
    let m = easy_part(f);
    // z^(x-1)
    let pow_x_minus_1 = |z: &Fp48| z.pow_x().mul(&z.conjugate());
    let mut z = pow_x_minus_1(&pow_x_minus_1(&m));
    for k in [1, 2, 4] {
        let power = (0..k).fold(z, |w, _| w.pow_x());
        z = power.mul(&z.frobenius_n(k));
    }
    let power = (0..8).fold(z, |w, _| w.pow_x());
    let z = power.mul(&z.frobenius_8()).mul(&z.conjugate());
    z.mul(&m.cyclotomic_square()).mul(&m)
}

/// The pairing of two points of the subgroups; one if either is the identity.
#[must_use]
pub fn pairing(p: &G1Affine, q: &G2Affine) -> Gt {
    multi_pairing(&[(p, &G2Prepared::from(q))])
}

/// Product of pairings with one shared final exponentiation.
#[must_use]
pub fn multi_pairing(pairs: &[(&G1Affine, &G2Prepared)]) -> Gt {
    Gt(final_exponentiation(&miller_loop(pairs)))
}

/// Whether the product of the pairings is one. Points must be in their subgroups; true for no pairs.
#[must_use]
pub fn pairing_product_is_one(pairs: &[(&G1Affine, &G2Prepared)]) -> bool {
    multi_pairing(pairs).is_one()
}

/// The parts of a pairing, for measurements.
#[cfg(feature = "workload")]
pub(crate) mod stages {
    use super::{G1Affine, G2Affine, G2Prepared, miller_loop};
    use crate::tower::Fp48;

    /// The whole final exponentiation.
    pub(crate) fn final_exponentiation(f: &Fp48) -> Fp48 {
        super::final_exponentiation(f)
    }

    /// Miller loop from affine points.
    pub(crate) fn miller(p: &G1Affine, q: &G2Affine) -> Fp48 {
        miller_loop(&[(p, &G2Prepared::from(q))])
    }

    /// The easy part of the final exponentiation.
    pub(crate) fn to_cyclotomic(f: &Fp48) -> Fp48 {
        super::easy_part(f)
    }
}
