//! Affine points and the proof-carrying [`Checked`] wrapper.

use core::ops::Deref;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Curve, Projective};
use crate::error::PointError;
use crate::field::Field;
use crate::fr::Fr;

/// A point of the curve in affine coordinates. On the curve by construction, not necessarily in the subgroup.
#[derive(Clone, Copy, Debug)]
pub struct Affine<C: Curve> {
    pub(crate) x: C::Base,
    pub(crate) y: C::Base,
    /// 1 for the identity; then x = 0 and y = 1.
    pub(crate) infinity: u8,
}

impl<C: Curve> Affine<C> {
    /// The neutral element.
    #[must_use]
    pub fn identity() -> Self {
        Self {
            x: C::Base::ZERO,
            y: C::Base::ONE,
            infinity: 1,
        }
    }

    /// The fixed generator of the subgroup.
    #[must_use]
    pub fn generator() -> Self {
        let (x, y) = C::GENERATOR;
        Self { x, y, infinity: 0 }
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.infinity != 0
    }

    /// The inverse point.
    #[must_use]
    pub fn neg(&self) -> Self {
        Self {
            y: C::Base::conditional_select(&self.y.neg(), &self.y, self.infinity.into()),
            ..*self
        }
    }

    /// `[k] self` for a point of the subgroup, in time independent of `k`.
    ///
    /// For a point outside the subgroup the result is some point of the curve: check first.
    #[must_use]
    pub fn mul(&self, k: &Fr) -> Projective<C> {
        Projective::from_affine(self).mul(k)
    }

    /// As [`mul`](Self::mul) for a public scalar.
    #[must_use]
    pub fn mul_vartime(&self, k: &Fr) -> Projective<C> {
        Projective::from_affine(self).mul_vartime(k)
    }

    /// Whether the coordinates satisfy the curve equation.
    #[must_use]
    pub fn is_on_curve(&self) -> bool {
        let rhs = self.x.square().mul(&self.x).add(&C::b());
        self.is_identity() || self.y.square() == rhs
    }

    /// Whether the point lies in the subgroup of order `r`; the identity does. Public points only.
    #[must_use]
    pub fn is_in_subgroup(&self) -> bool {
        self.is_identity() || C::in_subgroup(self)
    }

    /// Turns the subgroup test into a type.
    ///
    /// # Errors
    /// [`PointError::NotInSubgroup`].
    pub fn check_subgroup(self) -> Result<Checked<Self>, PointError> {
        if self.is_in_subgroup() {
            Ok(Checked(self))
        } else {
            Err(PointError::NotInSubgroup)
        }
    }
}

impl<C: Curve> Default for Affine<C> {
    fn default() -> Self {
        Self::identity()
    }
}

impl<C: Curve> PartialEq for Affine<C> {
    fn eq(&self, other: &Self) -> bool {
        self.infinity == other.infinity && self.x == other.x && self.y == other.y
    }
}

impl<C: Curve> Eq for Affine<C> {}

impl<C: Curve> ConstantTimeEq for Affine<C> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.infinity.ct_eq(&other.infinity) & self.x.ct_eq(&other.x) & self.y.ct_eq(&other.y)
    }
}

impl<C: Curve> ConditionallySelectable for Affine<C> {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: C::Base::conditional_select(&a.x, &b.x, choice),
            y: C::Base::conditional_select(&a.y, &b.y, choice),
            infinity: u8::conditional_select(&a.infinity, &b.infinity, choice),
        }
    }
}

/// A value whose subgroup membership has been established.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked<T>(pub(crate) T);

impl<T> Checked<T> {
    /// The checked value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<C: Curve> Checked<Affine<C>> {
    /// The generator, in the subgroup by choice of parameters (and by test).
    #[must_use]
    pub fn generator() -> Self {
        Self(Affine::generator())
    }

    /// The neutral element.
    #[must_use]
    pub fn identity() -> Self {
        Self(Affine::identity())
    }

    /// The affine form of a sum of checked points or multiple of one, which stays in the subgroup.
    pub(crate) fn from_subgroup(p: &Projective<C>) -> Self {
        Self(p.to_affine())
    }

    /// The inverse point.
    #[must_use]
    pub fn neg(&self) -> Self {
        Self(self.0.neg())
    }
}
