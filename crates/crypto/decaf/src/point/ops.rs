//! Addition and doubling on E' in extended coordinates (Hisil, Wong, Carter, Dawson 2008, a = -1).

use core::{
    iter::Sum,
    ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign},
};

use subtle::Choice;
use zeroize::Zeroize;

use super::{Point, TWO_ONE_MINUS_D};
use crate::{
    Scalar,
    field::{Fe, mask},
    mul,
};

/// (X : Y : Z), enough for doubling.
#[derive(Clone, Copy)]
pub(crate) struct Projective {
    x: Fe,
    y: Fe,
    z: Fe,
}

/// The four factors before the last products: x = E/G... of the unified formulas, X = EF, Y = GH, Z = FG, T = EH.
#[derive(Clone, Copy)]
pub(crate) struct Completed {
    e: Fe,
    f: Fe,
    g: Fe,
    h: Fe,
}

/// A point prepared for addition: Y + X, Y - X, 2(d-1)T, 2Z.
#[derive(Clone, Copy)]
pub(crate) struct Niels {
    ypx: Fe,
    ymx: Fe,
    td: Fe,
    zz: Fe,
}

/// A point with Z = 1 prepared for addition: y + x, y - x, 2(d-1)xy. Exactly three cache lines: tables of it are larger
/// than the caches close to the core.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct AffineNiels {
    pub(crate) ypx: Fe,
    pub(crate) ymx: Fe,
    pub(crate) td: Fe,
}

impl Projective {
    /// Twice the point: 4 squares here, 3 or 4 products after.
    #[inline]
    pub(crate) fn double(&self) -> Completed {
        let (a, b, z2) = (self.x.square(), self.y.square(), self.z.square());
        let h = a.lazy_add(&b);
        // All four factors are the negatives of the textbook's; the products are the same.
        let e = h.lazy_sub(&self.x.lazy_add(&self.y).square());
        let g = a.lazy_sub(&b);
        let f = g.lazy_add(&z2.lazy_add(&z2));
        Completed { e, f, g, h }
    }
}

impl Projective {
    /// Doubles n times.
    #[inline]
    pub(crate) fn double_n(&mut self, n: usize) {
        for _ in 0..n {
            let c = self.double();
            self.x = c.e.times(&c.f);
            self.y = c.g.times(&c.h);
            self.z = c.f.times(&c.g);
        }
    }
}

impl Completed {
    #[inline]
    pub(crate) fn extended(&self) -> Point {
        let mut p = Point::IDENTITY;
        self.write(&mut p);
        p
    }

    /// Writes the point in place: copies of points cost as much as a product.
    #[inline]
    pub(crate) fn write(&self, out: &mut Point) {
        out.x = self.e.times(&self.f);
        out.y = self.g.times(&self.h);
        out.z = self.f.times(&self.g);
        out.t = self.e.times(&self.h);
    }
}

impl Point {
    #[inline]
    pub(crate) fn projective(&self) -> Projective {
        Projective {
            x: self.x,
            y: self.y,
            z: self.z,
        }
    }

    #[inline]
    pub(crate) fn niels(&self) -> Niels {
        Niels {
            ypx: self.y + self.x,
            ymx: self.y - self.x,
            td: -self.t.mul_small(TWO_ONE_MINUS_D),
            zz: self.z + self.z,
        }
    }

    /// Affine form for z_inv = 1/Z.
    pub(crate) fn affine_niels(&self, z_inv: &Fe) -> AffineNiels {
        let (x, y) = (self.x.times(z_inv), self.y.times(z_inv));
        AffineNiels {
            ypx: y + x,
            ymx: y - x,
            td: -x.times(&y).mul_small(TWO_ONE_MINUS_D),
        }
    }

    #[inline(always)]
    fn add_parts(&self, ypx: &Fe, ymx: &Fe, td: &Fe, zz: &Fe, negate: bool) -> Completed {
        let (p, m) = if negate { (ymx, ypx) } else { (ypx, ymx) };
        let a = self.y.lazy_sub(&self.x).times(m);
        let b = self.y.lazy_add(&self.x).times(p);
        let c = self.t.times(td);
        let (e, h) = (b.lazy_sub(&a), b.lazy_add(&a));
        let (minus, plus) = (zz.lazy_sub(&c), zz.lazy_add(&c));
        let (f, g) = if negate { (plus, minus) } else { (minus, plus) };
        Completed { e, f, g, h }
    }

    #[inline]
    pub(crate) fn add_niels(&self, n: &Niels) -> Completed {
        self.add_parts(&n.ypx, &n.ymx, &n.td, &self.z.times(&n.zz), false)
    }

    #[inline]
    pub(crate) fn sub_niels(&self, n: &Niels) -> Completed {
        self.add_parts(&n.ypx, &n.ymx, &n.td, &self.z.times(&n.zz), true)
    }

    #[inline]
    pub(crate) fn add_affine(&self, n: &AffineNiels) -> Completed {
        self.add_parts(&n.ypx, &n.ymx, &n.td, &self.z.lazy_add(&self.z), false)
    }

    /// Variable time in the sign.
    #[inline]
    pub(crate) fn add_signed(&self, n: &AffineNiels, negative: bool) -> Completed {
        self.add_parts(&n.ypx, &n.ymx, &n.td, &self.z.lazy_add(&self.z), negative)
    }
}

impl Niels {
    #[inline(always)]
    pub(crate) fn assign_masked(&mut self, b: &Self, m: u64) {
        self.ypx.assign_masked(&b.ypx, m);
        self.ymx.assign_masked(&b.ymx, m);
        self.td.assign_masked(&b.td, m);
        self.zz.assign_masked(&b.zz, m);
    }

    #[inline(always)]
    pub(crate) fn conditional_negate(&mut self, c: Choice) {
        swap_masked(&mut self.ypx, &mut self.ymx, mask(c));
        self.td.conditional_negate(c);
    }
}

const _: () = assert!(size_of::<AffineNiels>() == 3 * 64);

impl AffineNiels {
    /// The neutral element.
    #[cfg(target_arch = "x86_64")]
    pub(crate) const IDENTITY: Self = Self {
        ypx: Fe::ONE,
        ymx: Fe::ONE,
        td: Fe::ZERO,
    };

    /// Reads every cache line, so that a later addition finds them close. Safe code has no prefetch instruction.
    #[inline(always)]
    pub(crate) fn touch(&self) {
        let ([a, ..], [b, ..], [c, ..]) = (&self.ypx.0, &self.ymx.0, &self.td.0);
        core::hint::black_box(*a | *b | *c);
    }

    #[inline(always)]
    pub(crate) fn assign_masked(&mut self, b: &Self, m: u64) {
        self.ypx.assign_masked(&b.ypx, m);
        self.ymx.assign_masked(&b.ymx, m);
        self.td.assign_masked(&b.td, m);
    }

    #[inline(always)]
    pub(crate) fn conditional_negate(&mut self, c: Choice) {
        swap_masked(&mut self.ypx, &mut self.ymx, mask(c));
        self.td.conditional_negate(c);
    }
}

impl Zeroize for Niels {
    fn zeroize(&mut self) {
        self.ypx.zeroize();
        self.ymx.zeroize();
        self.td.zeroize();
        self.zz.zeroize();
    }
}

#[inline(always)]
fn swap_masked(a: &mut Fe, b: &mut Fe, m: u64) {
    let old = *a;
    a.assign_masked(b, m);
    b.assign_masked(&old, m);
}

impl Add for Point {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        self.add_niels(&b.niels()).extended()
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self.sub_niels(&b.niels()).extended()
    }
}

impl AddAssign for Point {
    fn add_assign(&mut self, b: Self) {
        *self = *self + b;
    }
}

impl SubAssign for Point {
    fn sub_assign(&mut self, b: Self) {
        *self = *self - b;
    }
}

impl Neg for Point {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            x: -self.x,
            y: self.y,
            z: self.z,
            t: -self.t,
        }
    }
}

impl Sum for Point {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::IDENTITY, |a, b| a + b)
    }
}

/// Constant time in the scalar and the point.
impl Mul<&Scalar> for &Point {
    type Output = Point;
    fn mul(self, s: &Scalar) -> Point {
        mul::variable_base(self, s)
    }
}

/// Constant time in the scalar and the point.
impl Mul<Scalar> for Point {
    type Output = Self;
    fn mul(self, s: Scalar) -> Self {
        mul::variable_base(&self, &s)
    }
}
