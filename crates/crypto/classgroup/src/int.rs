//! Numbers of fixed capacity: [`Nat`] (magnitude) and [`Int`] (sign and magnitude).
//!
//! Capacities follow from the largest discriminant (2048 bits, 32 limbs): reduced `a` and `|b|` have 1024 bits, `c`
//! 2047, and no intermediate value of composition exceeds [`WORK`] limbs.

#![expect(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: `len` never exceeds the capacity"
)]

use core::cmp::Ordering;

use crate::limbs;

/// Limbs of `a` and `b`: 1024 bits, the sign bit of the encoding, head-room.
pub(crate) const HALF: usize = 17;
/// Limbs of `c` and of the discriminant.
pub(crate) const FULL: usize = 33;
/// Limbs of intermediate values.
pub(crate) const WORK: usize = 48;

/// A natural number of at most `N` limbs. Limbs from `len` on are zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nat<const N: usize> {
    len: usize,
    limbs: [u64; N],
}

impl<const N: usize> Nat<N> {
    pub(crate) const ONE: Self = {
        let mut limbs = [0; N];
        limbs[0] = 1;
        Self { len: 1, limbs }
    };

    /// The value of a slice whose significant limbs fit; the callers' size arguments guarantee that they do.
    #[inline]
    pub(crate) fn from_limbs(x: &[u64]) -> Self {
        let len = limbs::significant(x).min(N);
        debug_assert_eq!(len, limbs::significant(x), "value exceeds its capacity");
        let mut out = [0; N];
        out[..len].copy_from_slice(&x[..len]);
        Self { len, limbs: out }
    }

    /// `None` when the value has more than `N` limbs.
    pub(crate) fn checked_from(x: &[u64]) -> Option<Self> {
        (limbs::significant(x) <= N).then(|| Self::from_limbs(x))
    }

    #[inline]
    pub(crate) fn as_limbs(&self) -> &[u64] {
        &self.limbs[..self.len]
    }

    #[inline]
    pub(crate) const fn is_zero(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn is_one(&self) -> bool {
        self.len == 1 && self.limbs[0] == 1
    }

    #[inline]
    pub(crate) fn bits(&self) -> usize {
        limbs::bit_len(self.as_limbs())
    }

    #[inline]
    pub(crate) fn cmp(&self, other: &[u64]) -> Ordering {
        limbs::cmp(self.as_limbs(), other)
    }

    /// `self / d`, exact.
    pub(crate) fn div_exact<const M: usize>(&self, d: &Nat<M>) -> Self {
        if d.is_one() || d.is_zero() {
            return *self;
        }
        let mut num = self.limbs;
        let mut quo = [0; N];
        limbs::div_rem(&mut num, d.as_limbs(), Some(&mut quo));
        debug_assert_eq!(limbs::significant(&num), 0, "division is exact");
        Self::from_limbs(&quo)
    }

    /// `self mod d`.
    pub(crate) fn rem<const M: usize>(&self, d: &Nat<M>) -> Nat<M> {
        if self.cmp(d.as_limbs()).is_lt() {
            return Nat::from_limbs(self.as_limbs());
        }
        let mut num = self.limbs;
        limbs::div_rem(&mut num[..self.len], d.as_limbs(), None);
        Nat::from_limbs(&num[..self.len])
    }
}

/// A signed integer; zero is never negative.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int<const N: usize> {
    neg: bool,
    mag: Nat<N>,
}

impl<const N: usize> Int<N> {
    pub(crate) const ONE: Self = Self {
        neg: false,
        mag: Nat::ONE,
    };

    #[inline]
    pub(crate) const fn new(neg: bool, mag: Nat<N>) -> Self {
        Self {
            neg: neg && !mag.is_zero(),
            mag,
        }
    }

    /// Reads two's complement limbs.
    #[inline]
    pub(crate) fn from_twos_complement(x: &mut [u64]) -> Self {
        let neg = x.last().is_some_and(|l| l >> 63 == 1);
        if neg {
            limbs::negate(x);
        }
        Self::new(neg, Nat::from_limbs(x))
    }

    #[inline]
    pub(crate) const fn is_neg(&self) -> bool {
        self.neg
    }

    #[inline]
    pub(crate) const fn is_zero(&self) -> bool {
        self.mag.is_zero()
    }

    #[inline]
    pub(crate) const fn mag(&self) -> &Nat<N> {
        &self.mag
    }

    #[inline]
    pub(crate) fn limbs(&self) -> &[u64] {
        self.mag.as_limbs()
    }

    #[inline]
    pub(crate) const fn neg(self) -> Self {
        Self::new(!self.neg, self.mag)
    }

    /// `self + other`.
    pub(crate) fn add<const M: usize, const K: usize>(&self, other: &Int<M>) -> Int<K> {
        let mut out = [0; WORK];
        let neg = add_signed(
            &mut out,
            (self.neg, self.limbs()),
            (other.neg, other.limbs()),
        );
        Int::new(neg, Nat::from_limbs(&out))
    }

    /// `self - other`.
    pub(crate) fn sub<const M: usize, const K: usize>(&self, other: &Int<M>) -> Int<K> {
        self.add(&other.neg())
    }

    /// `self / 2`, exact.
    pub(crate) fn half(&self) -> Self {
        let mut l = self.mag.limbs;
        limbs::shr_assign(&mut l, 1);
        Self::new(self.neg, Nat::from_limbs(&l))
    }

    /// The residue in `0..m`.
    pub(crate) fn rem_euclid<const M: usize>(&self, m: &Nat<M>) -> Nat<M> {
        let r = self.mag.rem(m);
        if !self.neg || r.is_zero() {
            return r;
        }
        let mut out = m.limbs;
        limbs::sub_assign(&mut out, r.as_limbs());
        Nat::from_limbs(&out)
    }
}

/// `dst = x + y` of (sign, magnitude) pairs; returns the sign.
#[inline]
pub(crate) fn add_signed(dst: &mut [u64], x: (bool, &[u64]), y: (bool, &[u64])) -> bool {
    let (big, small) = if x.1.len() >= y.1.len() {
        (x, y)
    } else {
        (y, x)
    };
    let n = big.1.len();
    dst[..n].copy_from_slice(big.1);
    dst[n..].fill(0);
    if big.0 == small.0 {
        limbs::add_assign(dst, small.1);
        return big.0;
    }
    if limbs::sub_assign(&mut dst[..n], small.1) {
        limbs::negate(&mut dst[..n]);
        return !big.0;
    }
    big.0
}

/// `x mod m` of a product `p * q`, for `p` and `q` below `m`.
pub(crate) fn mul_mod<const M: usize>(p: &Nat<M>, q: &Nat<M>, m: &Nat<M>) -> Nat<M> {
    let mut t = [0; WORK];
    let n = p.len + q.len;
    limbs::mul(&mut t[..n], p.as_limbs(), q.as_limbs());
    limbs::div_rem(&mut t[..n], m.as_limbs(), None);
    Nat::from_limbs(&t[..n])
}

/// A signed product's factors.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    /// Sign of the product.
    pub(crate) neg: bool,
    /// First factor.
    pub(crate) x: &'a [u64],
    /// Second factor.
    pub(crate) y: &'a [u64],
}

impl<'a> Term<'a> {
    /// `sign * x * y`.
    pub(crate) const fn new(neg: bool, x: &'a [u64], y: &'a [u64]) -> Self {
        Self { neg, x, y }
    }

    fn bits(&self) -> usize {
        limbs::bit_len(self.x) + limbs::bit_len(self.y)
    }
}

/// `(s + t) / den`, which the caller knows to be exact.
///
/// Only as many low limbs as the quotient has are ever computed: the quotient is found from the bottom, modulo
/// a power of two above its size.
pub(crate) fn exact_quotient<const N: usize>(s: Term<'_>, t: Term<'_>, den: &[u64]) -> Int<N> {
    let den = &den[..limbs::significant(den)];
    let bits = s.bits().max(t.bits()) + 2;
    let w = (bits.saturating_sub(limbs::bit_len(den)) / limbs::BITS + 1).min(WORK);
    let zeros = limbs::trailing_zeros(den);
    let wide = (w + zeros.div_ceil(limbs::BITS)).min(WORK);
    let (mut num, mut other, mut odd) = ([0; WORK], [0; WORK], [0; FULL]);
    let num = &mut num[..wide];
    limbs::mul_low(num, s.x, s.y);
    let other = &mut other[..wide];
    limbs::mul_low(other, t.x, t.y);
    if s.neg == t.neg {
        limbs::add_assign(num, other);
    } else {
        limbs::sub_assign(num, other);
    }
    if s.neg {
        limbs::negate(num);
    }
    if zeros == 0 {
        limbs::divide_exact_low(&mut num[..w], den);
    } else {
        limbs::shr_assign(num, zeros);
        odd[..den.len()].copy_from_slice(den);
        limbs::shr_assign(&mut odd[..den.len()], zeros);
        limbs::divide_exact_low(&mut num[..w], &odd[..den.len()]);
    }
    Int::from_twos_complement(&mut num[..w])
}

/// `s + t`.
pub(crate) fn sum_of_products<const N: usize>(s: Term<'_>, t: Term<'_>) -> Int<N> {
    let (mut p, mut q, mut sum) = ([0; WORK], [0; WORK], [0; WORK]);
    let (np, nq) = (s.x.len() + s.y.len(), t.x.len() + t.y.len());
    multiply(&mut p[..np], &s);
    multiply(&mut q[..nq], &t);
    let n = np.max(nq) + 1;
    let neg = add_signed(&mut sum[..n], (s.neg, &p[..np]), (t.neg, &q[..nq]));
    Int::new(neg, Nat::from_limbs(&sum[..n]))
}

fn multiply(dst: &mut [u64], t: &Term<'_>) {
    if core::ptr::eq(t.x, t.y) {
        limbs::square(dst, t.x);
    } else {
        limbs::mul(dst, t.x, t.y);
    }
}
