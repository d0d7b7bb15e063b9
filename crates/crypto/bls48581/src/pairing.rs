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
#[cfg(target_arch = "x86_64")]
use crate::tower::{Fp48V, LinePointV};

/// Signed binary digits of `|x|` below the leading one: `2^32 + 2^30 + 2^10 - 2^7 + 1`.
const PLUS: u64 = (1 << 30) | (1 << 10) | 1;
const MINUS: u64 = 1 << 7;
const TOP: u32 = 32;
const _: () = assert!((1 << TOP) + PLUS - MINUS == X_ABS);
/// Doublings and additions of the loop.
const LINES: usize = 36;

/// Slope `k` of a line on the twist and `k x - y` of a point on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineCoefficients {
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

/// Calls a function that is generic in [`Target`] with the form that this process uses.
macro_rules! with_target {
    ($f:ident($($arg:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        {
            if Fp48V::available() {
                $f::<Fp48V>($($arg),*)
            } else {
                $f::<Fp48>($($arg),*)
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        { $f::<Fp48>($($arg),*) }
    }};
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
        Self(with_target!(power_vartime(&self.0, k)))
    }

    /// Coordinates, highest first, 73 bytes each. Not a wire format: no protocol message carries a pairing value.
    #[must_use]
    pub fn to_be_bytes(&self) -> Vec<u8> {
        let mut out = vec![0; Self::BYTES];
        self.0.write_be(&mut out);
        out
    }
}

/// A form of the target field in which a pairing is computed: [`Fp48`] itself or its form in vectors.
pub(crate) trait Target: Copy + 'static {
    /// `(-x/y, 1/y)` of a point, with which all its lines scale to constant term one.
    type Point;

    fn enter(z: &Fp48) -> Self;
    fn leave(&self) -> Fp48;
    fn point(x: &Fp, y: &Fp) -> Self::Point;
    fn mul_by_line(&self, line: &LineCoefficients, at: &Self::Point) -> Self;
    fn mul(&self, rhs: &Self) -> Self;
    fn square(&self) -> Self;
    fn conjugate(&self) -> Self;
    /// Square in the cyclotomic subgroup.
    fn cyclotomic_square(&self) -> Self;
    /// `x`-th power in the cyclotomic subgroup.
    fn pow_x(&self) -> Self;
}

impl Target for Fp48 {
    type Point = (Fp, Fp);

    fn enter(z: &Fp48) -> Self {
        *z
    }

    fn leave(&self) -> Fp48 {
        *self
    }

    fn point(x: &Fp, y: &Fp) -> (Fp, Fp) {
        (*x, *y)
    }

    fn mul_by_line(&self, line: &LineCoefficients, (x, y): &(Fp, Fp)) -> Self {
        Self::mul_by_line(
            self,
            &Line {
                v1: line.slope.mul_fp(x),
                v3: line.offset.mul_fp(y),
            },
        )
    }

    fn mul(&self, rhs: &Self) -> Self {
        Self::mul(self, rhs)
    }

    fn square(&self) -> Self {
        Self::square(self)
    }

    fn conjugate(&self) -> Self {
        Self::conjugate(self)
    }

    fn cyclotomic_square(&self) -> Self {
        Self::cyclotomic_square(self)
    }

    fn pow_x(&self) -> Self {
        Self::pow_x(self)
    }
}

#[cfg(target_arch = "x86_64")]
impl Target for Fp48V {
    type Point = LinePointV;

    fn enter(z: &Fp48) -> Self {
        Self::enter(z)
    }

    fn leave(&self) -> Fp48 {
        Self::leave(self)
    }

    fn point(x: &Fp, y: &Fp) -> LinePointV {
        LinePointV::new(x, y)
    }

    fn mul_by_line(&self, line: &LineCoefficients, at: &LinePointV) -> Self {
        Self::mul(self, &Self::line(&line.slope, &line.offset, at))
    }

    fn mul(&self, rhs: &Self) -> Self {
        Self::mul(self, rhs)
    }

    fn square(&self) -> Self {
        Self::square(self)
    }

    fn conjugate(&self) -> Self {
        Self::conjugate(self)
    }

    fn cyclotomic_square(&self) -> Self {
        Self::cyclotomic_square(self)
    }

    /// Squares in full: in vectors they are so cheap that compressed ones do not pay for their inversion.
    fn pow_x(&self) -> Self {
        let mut z = *self;
        let mut done = 0;
        let [p7, p10, p30, p32] = [7, 10, 30, 32].map(|n| {
            for _ in done..n {
                z = z.cyclotomic_square();
            }
            done = n;
            z
        });
        p32.mul(&p30)
            .mul(&p10)
            .mul(&p7.conjugate())
            .mul(self)
            .conjugate()
    }
}

/// Product of the Miller functions of all pairs without an identity. Variable time.
fn miller_loop<T: Target>(pairs: &[(&G1Affine, &G2Prepared)]) -> Fp48 {
    let pairs: Vec<_> = pairs
        .iter()
        .filter(|(p, q)| !p.is_identity() && !q.lines.is_empty())
        .collect();
    let mut inverses: Vec<Fp> = pairs.iter().map(|(p, _)| p.y).collect();
    Fp::batch_invert(&mut inverses);
    let mut sources: Vec<_> = pairs
        .iter()
        .zip(&inverses)
        .map(|((p, q), inv)| (T::point(&p.x.mul(inv).neg(), inv), q.lines.iter()))
        .collect();
    let mut f = T::enter(&Fp48::ONE);
    for i in (0..TOP).rev() {
        if i + 1 < TOP {
            f = f.square();
        }
        for _ in 0..=u8::from(digit(i) != 0) {
            for (point, lines) in &mut sources {
                if let Some(line) = lines.next() {
                    f = f.mul_by_line(line, point);
                }
            }
        }
    }
    f.conjugate().leave()
}

/// Power `(p^24 - 1)(p^8 + 1)`, into the cyclotomic subgroup.
fn easy_part(f: &Fp48) -> Fp48 {
    let f = f.conjugate().mul(&f.invert_or_zero());
    f.frobenius_8().mul(&f)
}

fn final_exponentiation<T: Target>(f: &Fp48) -> Fp48 {
    let m = T::enter(&easy_part(f));
    // z^(x-1)
    let pow_x_minus_1 = |z: &T| z.pow_x().mul(&z.conjugate());
    let frobenius = |z: &T, n| T::enter(&z.leave().frobenius_n(n));
    let mut z = pow_x_minus_1(&pow_x_minus_1(&m));
    for k in [1, 2, 4] {
        let power = (0..k).fold(z, |w, _| w.pow_x());
        z = power.mul(&frobenius(&z, k));
    }
    let power = (0..8).fold(z, |w, _| w.pow_x());
    let z = power
        .mul(&T::enter(&z.leave().frobenius_8()))
        .mul(&z.conjugate());
    z.mul(&m.cyclotomic_square()).mul(&m).leave()
}

/// Square and multiply in the cyclotomic subgroup.
fn power_vartime<T: Target>(z: &Fp48, k: &Fr) -> Fp48 {
    let base = T::enter(z);
    let mut acc = T::enter(&Fp48::ONE);
    for byte in k.to_be_bytes() {
        for i in (0..8).rev() {
            acc = acc.cyclotomic_square();
            if (byte >> i) & 1 == 1 {
                acc = acc.mul(&base);
            }
        }
    }
    acc.leave()
}

/// The pairing of two points of the subgroups; one if either is the identity.
#[must_use]
pub fn pairing(p: &G1Affine, q: &G2Affine) -> Gt {
    multi_pairing(&[(p, &G2Prepared::from(q))])
}

fn pairing_value<T: Target>(pairs: &[(&G1Affine, &G2Prepared)]) -> Fp48 {
    final_exponentiation::<T>(&miller_loop::<T>(pairs))
}

/// Product of pairings with one shared final exponentiation.
#[must_use]
pub fn multi_pairing(pairs: &[(&G1Affine, &G2Prepared)]) -> Gt {
    Gt(with_target!(pairing_value(pairs)))
}

/// Whether the product of the pairings is one. Points must be in their subgroups; true for no pairs.
#[must_use]
pub fn pairing_product_is_one(pairs: &[(&G1Affine, &G2Prepared)]) -> bool {
    multi_pairing(pairs).is_one()
}

/// The parts of a pairing, for measurements.
#[cfg(feature = "workload")]
pub(crate) mod stages {
    #[cfg(target_arch = "x86_64")]
    use super::Fp48V;
    use super::{
        Fp48, G1Affine, G2Affine, G2Prepared, easy_part, final_exponentiation, miller_loop,
    };

    use quil_workload::Workload;

    use super::Target;

    /// Rows of the tower, on elements in the form of this process.
    pub(crate) fn tower_rows(f: &Fp48, m: &Fp48) -> Vec<Workload> {
        with_target!(tower_rows_of(f, m))
    }

    fn tower_rows_of<T: Target>(f: &Fp48, m: &Fp48) -> Vec<Workload> {
        let (f, m) = (T::enter(f), T::enter(m));
        let (mut x, mut y, mut z) = (f, f, m);
        vec![
            Workload::new("fp48.mul", move || x = x.mul(&m)),
            Workload::new("fp48.square", move || y = y.square()),
            Workload::new("fp48.cyclotomic_square", move || z = z.cyclotomic_square()),
        ]
    }

    /// Miller loop from affine points.
    pub(crate) fn miller(p: &G1Affine, q: &G2Affine) -> Fp48 {
        with_target!(miller_loop(&[(p, &G2Prepared::from(q))]))
    }

    /// The easy part of the final exponentiation.
    pub(crate) fn to_cyclotomic(f: &Fp48) -> Fp48 {
        easy_part(f)
    }

    /// The whole final exponentiation.
    pub(crate) fn exponentiate(f: &Fp48) -> Fp48 {
        with_target!(final_exponentiation(f))
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::{G1Projective, G2Projective};

    #[test]
    fn both_forms_of_the_target_field_give_one_pairing() {
        if !quil_simd::Features::of_machine().ifma {
            return;
        }
        let points: Vec<_> = (1..4u64)
            .map(|i| {
                let p = G1Projective::generator().mul(&Fr::from_u64(i * 0x1234_5678_9abc));
                let q = G2Projective::generator().mul(&Fr::from_u64(i * 0xfedc_ba98_7654));
                (p.to_affine(), G2Prepared::from(&q.to_affine()))
            })
            .collect();
        let pairs: Vec<_> = points.iter().map(|(p, q)| (p, q)).collect();
        for n in 0..=pairs.len() {
            let f = miller_loop::<Fp48>(&pairs[..n]);
            let g = miller_loop::<Fp48V>(&pairs[..n]);
            let e = final_exponentiation::<Fp48>(&f);
            assert_eq!(e, final_exponentiation::<Fp48V>(&g));
            let m = easy_part(&f);
            assert_eq!(m, easy_part(&g), "equal up to the subfield");
            let k = Fr::from_be_bytes_wide(&[0x5a; 64]);
            assert_eq!(
                power_vartime::<Fp48>(&e, &k),
                power_vartime::<Fp48V>(&e, &k)
            );
        }
    }
}
