//! One quadratic step `F[x]`, `x^2` = the non-residue of `F`.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Fp2, Fp4, Fp8};
use crate::field::{Field, Wide};
use crate::fp::Fp;

/// A level on which a quadratic step can be built.
pub trait Tower: Field {
    /// Product with `x^(p-1)`, `x` the generator of the next level.
    fn mul_gamma(&self) -> Self;
    /// Product with an element of `Fp2`.
    fn mul_fp2(&self, k: &Fp2) -> Self;
}

/// `a + b x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quad<F> {
    pub(crate) a: F,
    pub(crate) b: F,
}

/// Unreduced products of [`Quad`].
#[derive(Clone, Copy, Debug)]
pub struct QuadWide<W> {
    pub(crate) a: W,
    pub(crate) b: W,
}

impl<W: Wide> Wide for QuadWide<W> {
    #[inline]
    fn add_assign(&mut self, rhs: &Self) {
        self.a.add_assign(&rhs.a);
        self.b.add_assign(&rhs.b);
    }

    #[inline]
    fn sub_assign(&mut self, rhs: &Self) {
        self.a.sub_assign(&rhs.a);
        self.b.sub_assign(&rhs.b);
    }

    /// The non-residue is `-x`.
    #[inline]
    fn add_nonresidue(&mut self, rhs: &Self) {
        self.a.sub_nonresidue(&rhs.b);
        self.b.sub_assign(&rhs.a);
    }

    #[inline]
    fn sub_nonresidue(&mut self, rhs: &Self) {
        self.a.add_nonresidue(&rhs.b);
        self.b.add_assign(&rhs.a);
    }

    fn zero() -> Self {
        Self {
            a: W::zero(),
            b: W::zero(),
        }
    }
}

impl<F: Tower> Quad<F> {
    /// `a - b x`.
    pub(crate) fn conjugate(&self) -> Self {
        Self {
            a: self.a,
            b: self.b.neg(),
        }
    }

    /// Times `x`.
    pub(crate) fn mul_x(&self) -> Self {
        Self {
            a: self.b.mul_nonresidue(),
            b: self.a,
        }
    }
}

impl<F: Tower> Field for Quad<F> {
    type Wide = QuadWide<F::Wide>;
    const ZERO: Self = Self {
        a: F::ZERO,
        b: F::ZERO,
    };
    const ONE: Self = Self {
        a: F::ONE,
        b: F::ZERO,
    };

    #[inline]
    fn add(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.add(&rhs.a),
            b: self.b.add(&rhs.b),
        }
    }

    #[inline]
    fn sub(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.sub(&rhs.a),
            b: self.b.sub(&rhs.b),
        }
    }

    #[inline]
    fn neg(&self) -> Self {
        Self {
            a: self.a.neg(),
            b: self.b.neg(),
        }
    }

    fn halve(&self) -> Self {
        Self {
            a: self.a.halve(),
            b: self.b.halve(),
        }
    }

    #[inline]
    fn add_lazy(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.add_lazy(&rhs.a),
            b: self.b.add_lazy(&rhs.b),
        }
    }

    #[inline]
    fn sub_lazy(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.sub_lazy(&rhs.a),
            b: self.b.sub_lazy(&rhs.b),
        }
    }

    fn mul_wide(&self, rhs: &Self) -> Self::Wide {
        let mut a = self.a.mul_wide(&rhs.a);
        let bb = self.b.mul_wide(&rhs.b);
        let mut b = self.a.add_lazy(&self.b).mul_wide(&rhs.a.add_lazy(&rhs.b));
        b.sub_assign(&a);
        b.sub_assign(&bb);
        a.add_nonresidue(&bb);
        QuadWide { a, b }
    }

    fn sqr_wide(&self) -> Self::Wide {
        let mut a = self.a.sqr_wide();
        let bb = self.b.sqr_wide();
        let mut b = self.a.add_lazy(&self.b).sqr_wide();
        b.sub_assign(&a);
        b.sub_assign(&bb);
        a.add_nonresidue(&bb);
        QuadWide { a, b }
    }

    fn reduce(wide: &Self::Wide) -> Self {
        Self {
            a: F::reduce(&wide.a),
            b: F::reduce(&wide.b),
        }
    }

    /// Times `-x`.
    fn mul_nonresidue(&self) -> Self {
        self.mul_x().neg()
    }

    fn mul_fp(&self, k: &Fp) -> Self {
        Self {
            a: self.a.mul_fp(k),
            b: self.b.mul_fp(k),
        }
    }

    fn invert_or_zero(&self) -> Self {
        let n = norm(&self.a, &self.b).invert_or_zero();
        Self {
            a: self.a.mul(&n),
            b: self.b.neg().mul(&n),
        }
    }

    fn frobenius(&self) -> Self {
        Self {
            a: self.a.frobenius(),
            b: self.b.frobenius().mul_gamma(),
        }
    }

    fn sqrt_vartime(&self) -> Option<Self> {
        let (a, b) = quadratic_sqrt(&self.a, &self.b)?;
        Some(Self { a, b })
    }

    fn is_square_vartime(&self) -> bool {
        norm(&self.a, &self.b).is_square_vartime()
    }

    fn sign(&self) -> bool {
        if self.a.is_zero() {
            self.b.sign()
        } else {
            self.a.sign()
        }
    }

    fn write_be(&self, out: &mut [u8]) {
        let (high, low) = out.split_at_mut(out.len() / 2);
        self.b.write_be(high);
        self.a.write_be(low);
    }

    fn read_be(bytes: &[u8]) -> Option<Self> {
        let (high, low) = bytes.split_at(bytes.len() / 2);
        Some(Self {
            a: F::read_be(low)?,
            b: F::read_be(high)?,
        })
    }
}

/// `a^2 - x^2 b^2`, in the lower field.
fn norm<F: Field>(a: &F, b: &F) -> F {
    let mut n = a.sqr_wide();
    n.sub_nonresidue(&b.sqr_wide());
    F::reduce(&n)
}

/// Square root of `a + b x` through the norm; two square roots in the lower field.
pub(super) fn quadratic_sqrt<F: Field>(a: &F, b: &F) -> Option<(F, F)> {
    if b.is_zero() {
        if a.is_square_vartime() {
            return Some((a.sqrt_vartime()?, F::ZERO));
        }
        // x^2 is a non-residue, so a / x^2 is a square.
        let quotient = a.mul(&F::ONE.mul_nonresidue().invert_or_zero());
        return Some((F::ZERO, quotient.sqrt_vartime()?));
    }
    let root = norm(a, b).sqrt_vartime()?;
    // (a + root)(a - root) = x^2 b^2 is a non-residue: exactly one of the two halves is a square.
    let mut half = a.add(&root).halve();
    if !half.is_square_vartime() {
        half = a.sub(&root).halve();
    }
    let low = half.sqrt_vartime()?;
    Some((low, b.mul(&low.double().invert_or_zero())))
}

impl Tower for Fp4 {
    /// Times `t^(p-1) = c s`.
    fn mul_gamma(&self) -> Self {
        const C: Fp2 = Fp2::from_hex(
            "0",
            "d242575023dd1796f2db13d079c8378c4fb4f5349904a7169b4fe1a9c261fc5077a12980d7505e4f8522e5eca8bd99f7a0a846f2f27525f97b35fc6ba0dde9c7ba14844c7a73c85dc",
        );
        self.mul_fp2(&C).mul_x()
    }

    fn mul_fp2(&self, k: &Fp2) -> Self {
        Self {
            a: self.a.mul(k),
            b: self.b.mul(k),
        }
    }
}

impl Tower for Fp8 {
    /// Times `u^(p-1) = c t`.
    fn mul_gamma(&self) -> Self {
        const C: Fp2 = Fp2::from_hex(
            "3f9a03d323ede5aac2a00d508a1e44b49da4be9645f87f8fc3749e6ab450c53b6b2ab7c4fc30e79cd9087fbe90abf056fefb699b487d8d8a273cbe0f0beb35e0442efdc300056a36",
            "3f9a03d323ede5aac2a00d508a1e44b49da4be9645f87f8fc3749e6ab450c53b6b2ab7c4fc30e79cd9087fbe90abf056fefb699b487d8d8a273cbe0f0beb35e0442efdc300056a36",
        );
        self.mul_fp2(&C).mul_x()
    }

    fn mul_fp2(&self, k: &Fp2) -> Self {
        Self {
            a: self.a.mul_fp2(k),
            b: self.b.mul_fp2(k),
        }
    }
}

impl<F: Tower> ConstantTimeEq for Quad<F> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.a.ct_eq(&other.a) & self.b.ct_eq(&other.b)
    }
}

impl<F: Tower> ConditionallySelectable for Quad<F> {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            a: F::conditional_select(&a.a, &b.a, choice),
            b: F::conditional_select(&a.b, &b.b, choice),
        }
    }
}
