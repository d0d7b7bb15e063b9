//! `Fp2 = Fp[i]`, `i^2 = -1`.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::quad::{Tower, quadratic_sqrt};
use crate::field::{Field, Wide};
use crate::fp::{Fp, FpWide};

/// `a + b i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fp2 {
    pub(crate) a: Fp,
    pub(crate) b: Fp,
}

/// Unreduced products of [`Fp2`].
#[derive(Clone, Copy, Debug)]
pub struct Fp2Wide {
    a: FpWide,
    b: FpWide,
}

impl Fp2 {
    pub(crate) const fn from_hex(a: &str, b: &str) -> Self {
        Self {
            a: Fp::from_hex(a),
            b: Fp::from_hex(b),
        }
    }
}

impl Wide for Fp2Wide {
    #[inline(always)]
    fn add_assign(&mut self, rhs: &Self) {
        self.a.add_assign(&rhs.a);
        self.b.add_assign(&rhs.b);
    }

    #[inline(always)]
    fn sub_assign(&mut self, rhs: &Self) {
        self.a.sub_assign(&rhs.a);
        self.b.sub_assign(&rhs.b);
    }

    /// The non-residue is `s^2 = -(1 + i)`.
    #[inline(always)]
    fn add_nonresidue(&mut self, rhs: &Self) {
        self.a.add_assign(&rhs.b);
        self.a.sub_assign(&rhs.a);
        self.b.sub_assign(&rhs.a);
        self.b.sub_assign(&rhs.b);
    }

    #[inline(always)]
    fn sub_nonresidue(&mut self, rhs: &Self) {
        self.a.sub_assign(&rhs.b);
        self.a.add_assign(&rhs.a);
        self.b.add_assign(&rhs.a);
        self.b.add_assign(&rhs.b);
    }

    fn zero() -> Self {
        Self {
            a: FpWide::ZERO,
            b: FpWide::ZERO,
        }
    }
}

impl Field for Fp2 {
    type Wide = Fp2Wide;
    const ZERO: Self = Self {
        a: Fp::ZERO,
        b: Fp::ZERO,
    };
    const ONE: Self = Self {
        a: Fp::ONE,
        b: Fp::ZERO,
    };

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.add(&rhs.a),
            b: self.b.add(&rhs.b),
        }
    }

    #[inline(always)]
    fn sub(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.sub(&rhs.a),
            b: self.b.sub(&rhs.b),
        }
    }

    #[inline(always)]
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

    #[inline(always)]
    fn add_lazy(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.add_lazy(&rhs.a),
            b: self.b.add_lazy(&rhs.b),
        }
    }

    #[inline(always)]
    fn sub_lazy(&self, rhs: &Self) -> Self {
        Self {
            a: self.a.sub_lazy(&rhs.a),
            b: self.b.sub_lazy(&rhs.b),
        }
    }

    #[inline]
    fn mul_wide(&self, rhs: &Self) -> Fp2Wide {
        let mut a = self.a.mul_wide(&rhs.a);
        let bb = self.b.mul_wide(&rhs.b);
        let mut b = self.a.add_lazy(&self.b).mul_wide(&rhs.a.add_lazy(&rhs.b));
        b.sub_assign(&a);
        b.sub_assign(&bb);
        a.sub_assign(&bb);
        Fp2Wide { a, b }
    }

    #[inline]
    fn sqr_wide(&self) -> Fp2Wide {
        let a = self.a.add_lazy(&self.b).mul_wide(&self.a.sub_lazy(&self.b));
        let b = self.a.add_lazy(&self.a).mul_wide(&self.b);
        Fp2Wide { a, b }
    }

    #[inline]
    fn reduce(wide: &Fp2Wide) -> Self {
        Self {
            a: wide.a.reduce(),
            b: wide.b.reduce(),
        }
    }

    /// Times `s^2 = -(1 + i)`.
    #[inline(always)]
    fn mul_nonresidue(&self) -> Self {
        Self {
            a: self.b.sub(&self.a),
            b: self.a.add(&self.b).neg(),
        }
    }

    fn mul_fp(&self, k: &Fp) -> Self {
        Self {
            a: self.a.mul(k),
            b: self.b.mul(k),
        }
    }

    fn invert_or_zero(&self) -> Self {
        let n = self.a.square().add(&self.b.square()).invert_or_zero();
        Self {
            a: self.a.mul(&n),
            b: self.b.neg().mul(&n),
        }
    }

    fn frobenius(&self) -> Self {
        Self {
            a: self.a,
            b: self.b.neg(),
        }
    }

    /// Two powers in the base field, no inversion: the second gives root and inverse root of half a trace, or of its
    /// negation, and either serves.
    fn sqrt_vartime(&self) -> Option<Self> {
        if self.b.is_zero() {
            let (a, b) = quadratic_sqrt(&self.a, &self.b)?;
            return Some(Self { a, b });
        }
        let root = self.a.square().add(&self.b.square()).sqrt_vartime()?;
        let half = self.a.add(&root).halve();
        // h^((p-3)/4); with r = h w: r^2 = h and w = 1/r, or r^2 = -h and w = -1/r. Never zero, as b is not.
        let w = half.pow_vartime(&Fp::P_MINUS_3_OVER_4);
        let r = half.mul(&w);
        let other = self.b.mul(&w).halve();
        Some(if r.square() == half {
            Self { a: r, b: other }
        } else {
            Self {
                a: other.neg(),
                b: r,
            }
        })
    }

    fn is_square_vartime(&self) -> bool {
        self.a.square().add(&self.b.square()).is_square_vartime()
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
            a: Fp::read_be(low)?,
            b: Fp::read_be(high)?,
        })
    }
}

impl Tower for Fp2 {
    /// Times `s^(p-1)`.
    fn mul_gamma(&self) -> Self {
        const GAMMA: Fp2 = Fp2::from_hex(
            "92348cd5dc5af94f05d8a9fd429389b4e6a62c2ddd845a98030c755e2626ad7c53b36124a9624beecd0706b27bd55efd560edbe4aa8e70d4620c28896440758243393f0be031193ec",
            "92348cd5dc5af94f05d8a9fd429389b4e6a62c2ddd845a98030c755e2626ad7c53b36124a9624beecd0706b27bd55efd560edbe4aa8e70d4620c28896440758243393f0be031193ec",
        );
        self.mul(&GAMMA)
    }

    fn mul_fp2(&self, k: &Fp2) -> Self {
        self.mul(k)
    }
}

impl ConstantTimeEq for Fp2 {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.a.ct_eq(&other.a) & self.b.ct_eq(&other.b)
    }
}

impl ConditionallySelectable for Fp2 {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            a: Fp::conditional_select(&a.a, &b.a, choice),
            b: Fp::conditional_select(&a.b, &b.b, choice),
        }
    }
}
