//! Homogeneous projective points: `(X : Y : Z)` stands for `(X/Z, Y/Z)`, the identity is `(0 : 1 : 0)`.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Affine, Curve};
use crate::field::{Field, Wide};
use crate::fr::Fr;

/// A point of the curve in projective coordinates.
#[derive(Clone, Copy, Debug)]
pub struct Projective<C: Curve> {
    pub(crate) x: C::Base,
    pub(crate) y: C::Base,
    pub(crate) z: C::Base,
}

/// Shared end of both additions: products of the two points to the sum.
struct AddTerms<F> {
    /// `x1 x2`
    xx: F,
    /// `y1 y2`
    yy: F,
    /// `3 b z1 z2`
    bzz: F,
    /// `x1 y2 + x2 y1`
    xy: F,
    /// `y1 z2 + y2 z1`
    yz: F,
    /// `3 b (x1 z2 + x2 z1)`
    bxz: F,
}

impl<F: Field> AddTerms<F> {
    #[inline(always)]
    fn finish<C: Curve<Base = F>>(&self) -> Projective<C> {
        let xx3 = self.xx.add_lazy(&self.xx).add_lazy(&self.xx);
        let plus = self.yy.add_lazy(&self.bzz);
        let minus = self.yy.sub_lazy(&self.bzz);
        let mut x = self.xy.mul_wide(&minus);
        x.sub_assign(&self.yz.mul_wide(&self.bxz));
        let mut y = minus.mul_wide(&plus);
        y.add_assign(&self.bxz.mul_wide(&xx3));
        let mut z = plus.mul_wide(&self.yz);
        z.add_assign(&xx3.mul_wide(&self.xy));
        Projective {
            x: F::reduce(&x),
            y: F::reduce(&y),
            z: F::reduce(&z),
        }
    }
}

/// `(a1 + b1)(a2 + b2) - c - d`.
#[inline(always)]
fn cross<F: Field>(l: (&F, &F), r: (&F, &F), c: &F::Wide, d: &F::Wide) -> F {
    let mut t = l.0.add_lazy(l.1).mul_wide(&r.0.add_lazy(r.1));
    t.sub_assign(c);
    t.sub_assign(d);
    F::reduce(&t)
}

impl<C: Curve> Projective<C> {
    /// The neutral element.
    #[must_use]
    pub fn identity() -> Self {
        Self {
            x: C::Base::ZERO,
            y: C::Base::ONE,
            z: C::Base::ZERO,
        }
    }

    /// The fixed generator of the subgroup.
    #[must_use]
    pub fn generator() -> Self {
        Self::from_affine(&Affine::generator())
    }

    /// Projective form.
    #[must_use]
    pub fn from_affine(p: &Affine<C>) -> Self {
        let z = C::Base::conditional_select(&C::Base::ONE, &C::Base::ZERO, p.infinity.into());
        Self { x: p.x, y: p.y, z }
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.z.is_zero()
    }

    /// Affine form. Constant time; one field inversion.
    #[must_use]
    pub fn to_affine(&self) -> Affine<C> {
        self.scaled_affine(&self.z.invert_or_zero())
    }

    fn scaled_affine(&self, z_inv: &C::Base) -> Affine<C> {
        let p = Affine {
            x: self.x.mul(z_inv),
            y: self.y.mul(z_inv),
            infinity: 0,
        };
        Affine::conditional_select(&p, &Affine::identity(), self.z.ct_eq(&C::Base::ZERO))
    }

    /// Affine forms with a single field inversion. The positions of identities are not hidden.
    #[must_use]
    pub fn batch_to_affine(points: &[Self]) -> Vec<Affine<C>> {
        let mut acc = C::Base::ONE;
        let mut prefix = Vec::with_capacity(points.len());
        for p in points {
            prefix.push(acc);
            if !p.is_identity() {
                acc = acc.mul(&p.z);
            }
        }
        let mut inv = acc.invert_or_zero();
        let mut out: Vec<_> = points
            .iter()
            .zip(&prefix)
            .rev()
            .map(|(p, before)| {
                if p.is_identity() {
                    return Affine::identity();
                }
                let z_inv = inv.mul(before);
                inv = inv.mul(&p.z);
                Affine {
                    x: p.x.mul(&z_inv),
                    y: p.y.mul(&z_inv),
                    infinity: 0,
                }
            })
            .collect();
        out.reverse();
        out
    }

    /// Sum.
    #[must_use]
    pub fn add(&self, rhs: &Self) -> Self {
        if let Some(sum) = C::add_vectors(self, rhs) {
            return sum;
        }
        self.add_scalar(rhs)
    }

    /// Sum without vectors.
    pub(crate) fn add_scalar(&self, rhs: &Self) -> Self {
        let (p, q) = (self, rhs);
        let (xx, yy, zz) = (p.x.mul_wide(&q.x), p.y.mul_wide(&q.y), p.z.mul_wide(&q.z));
        let xy = cross((&p.x, &p.y), (&q.x, &q.y), &xx, &yy);
        let yz = cross((&p.y, &p.z), (&q.y, &q.z), &yy, &zz);
        let xz = cross((&p.x, &p.z), (&q.x, &q.z), &xx, &zz);
        let terms = AddTerms {
            xx: C::Base::reduce(&xx),
            yy: C::Base::reduce(&yy),
            bzz: C::mul_3b(&C::Base::reduce(&zz)),
            xy,
            yz,
            bxz: C::mul_3b(&xz),
        };
        terms.finish().or_exceptional(p, q)
    }

    /// Sum with an affine point.
    #[must_use]
    pub fn add_mixed(&self, rhs: &Affine<C>) -> Self {
        let (p, q) = (self, rhs);
        let (xx, yy) = (p.x.mul_wide(&q.x), p.y.mul_wide(&q.y));
        let terms = AddTerms {
            xx: C::Base::reduce(&xx),
            yy: C::Base::reduce(&yy),
            bzz: C::mul_3b(&p.z),
            xy: cross((&p.x, &p.y), (&q.x, &q.y), &xx, &yy),
            yz: q.y.mul(&p.z).add(&p.y),
            bxz: C::mul_3b(&q.x.mul(&p.z).add(&p.x)),
        };
        // The formula does not cover an affine identity.
        let sum = Self::conditional_select(&terms.finish(), self, q.infinity.into());
        if C::HAS_TWO_TORSION && sum.is_degenerate() {
            sum.or_exceptional(p, &Self::from_affine(q))
        } else {
            sum
        }
    }

    /// Twice the point.
    #[must_use]
    pub fn double(&self) -> Self {
        if let Some(twice) = C::double_vectors(self) {
            return twice;
        }
        self.double_scalar()
    }

    /// Twice the point without vectors.
    pub(crate) fn double_scalar(&self) -> Self {
        let yy = self.y.square();
        let bzz = C::mul_3b(&self.z.square());
        let yz = self.y.mul(&self.z);
        let xy = self.x.mul(&self.y);
        let yy8 = yy.double().double().double();
        let minus = yy.sub_lazy(&bzz.add_lazy(&bzz).add_lazy(&bzz));
        let mut y = minus.mul_wide(&yy.add_lazy(&bzz));
        y.add_assign(&bzz.mul_wide(&yy8));
        Self {
            x: minus.mul(&xy.add_lazy(&xy)),
            y: C::Base::reduce(&y),
            z: yz.mul(&yy8),
        }
    }

    /// `[2^n] self`.
    #[must_use]
    pub(crate) fn double_n(&self, n: usize) -> Self {
        (0..n).fold(*self, |p, _| p.double())
    }

    /// Difference.
    #[must_use]
    pub fn sub(&self, rhs: &Self) -> Self {
        self.add(&rhs.neg())
    }

    /// The inverse point.
    #[must_use]
    pub fn neg(&self) -> Self {
        Self {
            y: self.y.neg(),
            ..*self
        }
    }

    /// `[k] self` for a point of the subgroup, in time independent of `k`.
    ///
    /// For a point outside the subgroup the result is some point of the curve: check first.
    #[must_use]
    pub fn mul(&self, k: &Fr) -> Self {
        C::mul_ct(self, k)
    }

    /// As [`mul`](Self::mul) for a public scalar.
    #[must_use]
    pub fn mul_vartime(&self, k: &Fr) -> Self {
        crate::msm::mul_vartime(self, k)
    }

    /// `[|x|] self` for any point of the curve: `2^32 + 2^30 + 2^10 - 2^7 + 1`.
    #[must_use]
    pub(crate) fn mul_x_abs(&self) -> Self {
        let minus = self.neg();
        [(2, self), (20, self), (3, &minus), (7, self)]
            .into_iter()
            .fold(*self, |acc, (n, term)| acc.double_n(n).add(term))
    }

    /// `[k] self` for a small public scalar and any point of the curve.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn mul_u64_vartime(&self, k: u64) -> Self {
        let mut acc = Self::identity();
        for i in (0..64 - k.leading_zeros()).rev() {
            acc = acc.double();
            if (k >> i) & 1 == 1 {
                acc = acc.add(self);
            }
        }
        acc
    }

    fn is_degenerate(&self) -> bool {
        self.x.is_zero() && self.y.is_zero() && self.z.is_zero()
    }

    /// The formulas give `(0 : 0 : 0)` exactly if the difference of the points has order two. That cannot happen in
    /// the subgroup, so this branch says nothing about a secret scalar.
    #[inline(always)]
    fn or_exceptional(self, p: &Self, q: &Self) -> Self {
        if C::HAS_TWO_TORSION && self.is_degenerate() {
            exceptional_sum(p, q)
        } else {
            self
        }
    }
}

/// Sum by chord or tangent, for any two points. Slow.
#[cold]
fn exceptional_sum<C: Curve>(p: &Projective<C>, q: &Projective<C>) -> Projective<C> {
    let (p, q) = (p.to_affine(), q.to_affine());
    if p.is_identity() {
        return Projective::from_affine(&q);
    }
    if q.is_identity() {
        return Projective::from_affine(&p);
    }
    let slope = if p.x != q.x {
        q.y.sub(&p.y).mul(&q.x.sub(&p.x).invert_or_zero())
    } else if p.y == q.y && !p.y.is_zero() {
        let xx = p.x.square();
        xx.double().add(&xx).mul(&p.y.double().invert_or_zero())
    } else {
        return Projective::identity();
    };
    let x = slope.square().sub(&p.x).sub(&q.x);
    let y = slope.mul(&p.x.sub(&x)).sub(&p.y);
    Projective {
        x,
        y,
        z: C::Base::ONE,
    }
}

impl<C: Curve> Default for Projective<C> {
    fn default() -> Self {
        Self::identity()
    }
}

impl<C: Curve> From<Affine<C>> for Projective<C> {
    fn from(p: Affine<C>) -> Self {
        Self::from_affine(&p)
    }
}

impl<C: Curve> ConstantTimeEq for Projective<C> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.x.mul(&other.z).ct_eq(&other.x.mul(&self.z))
            & self.y.mul(&other.z).ct_eq(&other.y.mul(&self.z))
    }
}

impl<C: Curve> PartialEq for Projective<C> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<C: Curve> Eq for Projective<C> {}

impl<C: Curve> ConditionallySelectable for Projective<C> {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: C::Base::conditional_select(&a.x, &b.x, choice),
            y: C::Base::conditional_select(&a.y, &b.y, choice),
            z: C::Base::conditional_select(&a.z, &b.z, choice),
        }
    }
}

impl<C: Curve> core::iter::Sum for Projective<C> {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::identity(), |a, b| a.add(&b))
    }
}
