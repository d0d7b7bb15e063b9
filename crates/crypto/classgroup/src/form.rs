//! Reduced forms and the group law.

mod compose;
mod power;
mod reduce;

use crate::{
    discriminant::Discriminant,
    error::ForeignGroup,
    gcd::Euclid,
    int::{FULL, HALF, Int, Nat, Term, exact_quotient, mul_mod, sum_of_products},
};

pub use power::{Power, multi_pow};

/// What a form remembers of its discriminant: enough to notice a mix-up and to bound the partial reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Lowest limb of the absolute value.
    pub(crate) low: u64,
    /// Bits of the absolute value.
    pub(crate) bits: usize,
}

impl Group {
    /// Bits of the remainders at which composition stops: those of the fourth root of the absolute value.
    const fn quarter(self) -> usize {
        self.bits.div_ceil(4)
    }
}

/// A reduced primitive positive definite form `(a, b, c)`: `b^2 - 4ac = D`, `|b| <= a <= c`, and `b >= 0` where
/// `|b| = a` or `a = c`.
///
/// Each element of the class group is exactly one such form, so `==` is equality in the group. A form knows its
/// group. All operations take variable time: forms are public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Form {
    pub(crate) a: Nat<HALF>,
    pub(crate) b: Int<HALF>,
    pub(crate) c: Nat<FULL>,
    pub(crate) group: Group,
}

impl Form {
    /// The neutral element `(1, 1, (1 - D) / 4)`.
    #[must_use]
    pub fn identity(discriminant: &Discriminant) -> Self {
        Self::with_prime(discriminant, 0)
    }

    /// The form `(2, 1, (1 - D) / 8)`: a handy element for tests and known answers; it is the same in every group,
    /// so protocols use [`Discriminant::hash_to_form`].
    #[must_use]
    pub fn generator(discriminant: &Discriminant) -> Self {
        Self::with_prime(discriminant, 1)
    }

    /// `(2^e, 1, (1 - D) / 2^(e + 2))` for `e <= 1`; `|D| = 7 mod 8` makes the division exact.
    fn with_prime(discriminant: &Discriminant, e: usize) -> Self {
        let c: Int<FULL> = discriminant.one_minus_d();
        let mut c = c.half().half();
        let mut a = Int::<HALF>::ONE;
        if e == 1 {
            c = c.half();
            a = a.add(&a);
        }
        reduce::reduce(a.limbs(), (false, &[1]), c.limbs(), discriminant.group())
    }

    /// The reduced form of `(a, b, c)` with positive coefficients.
    pub(crate) fn reduced_from(a: &[u64], b: &[u64], c: &[u64], group: Group) -> Self {
        reduce::reduce(a, (false, b), c, group)
    }

    /// Whether the form belongs to the class group of `discriminant`.
    #[must_use]
    pub fn belongs_to(&self, discriminant: &Discriminant) -> bool {
        self.group == discriminant.group()
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.a.is_one()
    }

    /// The inverse `(a, -b, c)`.
    #[must_use]
    pub fn inverse(&self) -> Self {
        // Where |b| = a or a = c the form is its own inverse.
        if self.a.as_limbs() == self.b.limbs() || self.a.as_limbs() == self.c.as_limbs() {
            return *self;
        }
        Self {
            b: self.b.neg(),
            ..*self
        }
    }

    /// The square, by NUDUPL: the doubled form is never written down; a partial Euclidean algorithm that stops at
    /// the fourth root of the discriminant yields a form that is reduced but for a step or two
    /// (Shanks; Jacobson and van der Poorten 2002; Cohen 1993, section 5.4).
    #[must_use]
    pub fn square(&self) -> Self {
        let Self { a, b, c, group } = self;
        if a.is_one() {
            return *self;
        }
        // (b + 2ak)^2 = D mod 4a^2 iff b k = -c mod a. A prime |D| makes gcd(a, b) = 1.
        let inverse = Euclid::new(a, b.mag()).gcd();
        let k = mul_mod(&c.rem(a), &inverse.cofactor, a);
        let k = Int::new(inverse.neg == b.is_neg(), k).rem_euclid(a);
        let mut e = Euclid::new(a, &k);
        e.run_until(group.quarter());
        let eq: Int<FULL> = exact_quotient(
            Term::new(b.is_neg(), b.limbs(), e.q()),
            Term::new(false, c.as_limbs(), e.yq()),
            a.as_limbs(),
        );
        let ep: Int<FULL> = exact_quotient(
            Term::new(b.is_neg(), b.limbs(), &[1]),
            Term::new(!eq.is_neg(), e.yp(), eq.limbs()),
            e.yq(),
        );
        let new_a: Int<FULL> = sum_of_products(
            Term::new(false, e.p(), e.p()),
            Term::new(!ep.is_neg(), e.yp(), ep.limbs()),
        );
        let new_c: Int<FULL> = sum_of_products(
            Term::new(false, e.q(), e.q()),
            Term::new(eq.is_neg(), e.yq(), eq.limbs()),
        );
        let half_b: Int<FULL> = sum_of_products(
            Term::new(false, e.p(), e.q()),
            Term::new(!eq.is_neg(), e.yp(), eq.limbs()),
        );
        self.finish(&new_a, &half_b, &new_c)
    }

    /// Reduces `(a, 2 h + b, c)` with the `b` of `self`.
    fn finish(&self, a: &Int<FULL>, h: &Int<FULL>, c: &Int<FULL>) -> Self {
        debug_assert!(!a.is_neg() && !c.is_neg(), "the form is positive definite");
        let twice: Int<FULL> = h.add(h);
        let b: Int<FULL> = twice.add(&self.b);
        reduce::reduce(a.limbs(), (b.is_neg(), b.limbs()), c.limbs(), self.group)
    }

    /// `self^(2^n)`.
    #[must_use]
    pub fn square_n(&self, n: u64) -> Self {
        (0..n).fold(*self, |x, _| x.square())
    }

    /// The product in the group, by NUCOMP.
    ///
    /// # Errors
    /// [`ForeignGroup`] when the forms have different discriminants.
    pub fn compose(&self, other: &Self) -> Result<Self, ForeignGroup> {
        if self.group == other.group {
            Ok(self.compose_same_group(other))
        } else {
            Err(ForeignGroup)
        }
    }

    /// `self^exponent`, the exponent as little-endian limbs.
    #[must_use]
    pub fn pow(&self, exponent: &[u64]) -> Self {
        Power::new(self, exponent).evaluate()
    }
}

impl core::fmt::Debug for Form {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let sign = if self.b.is_neg() { "-" } else { "" };
        f.write_str("Form(")?;
        hex(f, self.a.as_limbs())?;
        write!(f, ", {sign}")?;
        hex(f, self.b.limbs())?;
        write!(f, "; {} bits)", self.group.bits)
    }
}

fn hex(f: &mut core::fmt::Formatter<'_>, x: &[u64]) -> core::fmt::Result {
    let mut limbs = x.iter().rev();
    write!(f, "{:x}", limbs.next().unwrap_or(&0))?;
    limbs.try_for_each(|l| write!(f, "{l:016x}"))
}
