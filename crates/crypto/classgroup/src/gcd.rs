//! Lehmer's Euclidean algorithm with cofactors of one operand.
//!
//! Two slots hold remainders `P` and `Q` with magnitudes of cofactors `yp`, `yq`: after every step
//! `P = x P0 - yp Q0` and `Q = yq Q0 - x' P0` for some non-negative `x`, `x'`. Slots are never exchanged, so the signs
//! are fixed and the transformation has determinant +1.
//!
//! Quotients are found on the leading 128 bits, in two rounds of 62, and applied to the whole numbers once per
//! about 60 bits. A quotient smaller than the true one is as good as the true one here (the transformation stays
//! unimodular and the remainders non-negative), so no exactness test is needed, only the bound of
//! [`Matrix::from_leading`].

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "arithmetic kernel: indices are below the slot width, casts split double words"
)]

mod round;

use round::Rows;

use crate::{
    int::{HALF, Nat},
    limbs,
};

/// Limbs of a slot: `a` plus one for carries of a row operation.
const SLOT: usize = HALF + 1;
/// Smallest remainder that a round on leading bits may leave, see [`Matrix::from_leading`].
const FLOOR: u64 = 3 << 30;

/// The state of a Euclidean algorithm.
#[derive(Clone, Copy)]
pub(crate) struct Euclid {
    p: [u64; SLOT],
    q: [u64; SLOT],
    yp: [u64; SLOT],
    yq: [u64; SLOT],
    /// Limbs in use of `p`, `q`.
    n: usize,
    /// Limbs in use of `yp`, `yq`.
    m: usize,
    /// Whether rounds may use assembly.
    assembly: bool,
}

/// Row operations: `(P, Q) <- (a P - b Q, d Q - c P)`, all entries below 2^63.
#[derive(Clone, Copy)]
struct Matrix {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

/// A greatest common divisor with the cofactor of the second operand.
pub(crate) struct Gcd {
    /// The divisor.
    pub(crate) gcd: Nat<HALF>,
    /// `cofactor * second = gcd` modulo the first, up to `neg`.
    pub(crate) cofactor: Nat<HALF>,
    /// Sign of the cofactor.
    pub(crate) neg: bool,
}

impl Euclid {
    /// Starts with `P = p`, `Q = q`, both non-negative.
    pub(crate) fn new(p: &Nat<HALF>, q: &Nat<HALF>) -> Self {
        let mut s = Self {
            p: [0; SLOT],
            q: [0; SLOT],
            yp: [0; SLOT],
            yq: [0; SLOT],
            n: p.as_limbs().len().max(q.as_limbs().len()),
            m: 1,
            // Any processor that can do this can run the assembly; without it the process wants plain code.
            assembly: quil_simd::Features::get().adx,
        };
        s.p[..p.as_limbs().len()].copy_from_slice(p.as_limbs());
        s.q[..q.as_limbs().len()].copy_from_slice(q.as_limbs());
        s.yq[0] = 1;
        s
    }

    pub(crate) fn p(&self) -> &[u64] {
        &self.p[..limbs::significant(&self.p[..self.n])]
    }
    pub(crate) fn q(&self) -> &[u64] {
        &self.q[..limbs::significant(&self.q[..self.n])]
    }
    pub(crate) fn yp(&self) -> &[u64] {
        &self.yp[..limbs::significant(&self.yp[..self.m])]
    }
    pub(crate) fn yq(&self) -> &[u64] {
        &self.yq[..limbs::significant(&self.yq[..self.m])]
    }

    /// Runs until a remainder has at most `bits` bits.
    pub(crate) fn run_until(&mut self, bits: usize) {
        loop {
            self.trim();
            let smaller = limbs::bit_len(&self.p[..self.n]).min(limbs::bit_len(&self.q[..self.n]));
            if smaller <= bits {
                return;
            }
            self.step(bits);
        }
    }

    /// Runs to the end.
    pub(crate) fn gcd(mut self) -> Gcd {
        self.run_until(0);
        let neg = limbs::significant(&self.q[..self.n]) == 0;
        let (g, y) = if neg {
            (self.p(), self.yp())
        } else {
            (self.q(), self.yq())
        };
        Gcd {
            gcd: Nat::from_limbs(g),
            cofactor: Nat::from_limbs(y),
            neg,
        }
    }

    #[inline]
    fn trim(&mut self) {
        while self.n > 0 && (self.p[self.n - 1] | self.q[self.n - 1]) == 0 {
            self.n -= 1;
        }
    }

    #[inline]
    fn step(&mut self, bits: usize) {
        let n = self.n;
        let lz = (self.p[n - 1] | self.q[n - 1]).leading_zeros();
        let (x, y) = (leading(&self.p, n, lz), leading(&self.q, n, lz));
        // The remainders are about x, y times 2^unit.
        let unit = (n * limbs::BITS) as isize - lz as isize - 128;
        match Matrix::from_leading(x, y, bits as isize - unit, self.assembly) {
            Some(matrix) => self.apply(&matrix),
            None => self.divide(x, y),
        }
    }

    /// One division step, for the last bits and for operands of very different size.
    #[cold]
    fn divide(&mut self, x: u128, y: u128) {
        let p_larger = limbs::cmp(&self.p[..self.n], &self.q[..self.n]).is_ge();
        let (hi, lo) = if p_larger { (x, y) } else { (y, x) };
        let lo = (lo >> 64) as u64;
        if lo >> 32 == 0 {
            return self.divide_fully(p_larger);
        }
        // Never above the true quotient, and at least 1 as the larger slot was chosen exactly.
        let q = (((hi >> 64) as u64) / lo.saturating_add(1)).max(1);
        self.subtract(p_larger, q);
    }

    #[inline]
    fn subtract(&mut self, from_p: bool, q: u64) {
        let (n, m) = (self.n, self.m);
        let (r, s, yr, ys) = if from_p {
            (&mut self.p, &self.q, &mut self.yp, &self.yq)
        } else {
            (&mut self.q, &self.p, &mut self.yq, &self.yp)
        };
        limbs::sub_mul(&mut r[..n], &s[..n], q);
        let carry = limbs::add_mul(&mut yr[..m], &ys[..m], q);
        if carry != 0 && m < SLOT {
            yr[m] = carry;
            self.m = m + 1;
        }
    }

    /// Remainder by long division; the quotient may have many limbs.
    fn divide_fully(&mut self, from_p: bool) {
        let (n, mut quo) = (self.n, [0; SLOT]);
        let (r, s, yr, ys) = if from_p {
            (&mut self.p, &self.q, &mut self.yp, &self.yq)
        } else {
            (&mut self.q, &self.p, &mut self.yq, &self.yp)
        };
        let len = limbs::significant(&s[..n]);
        limbs::div_rem(&mut r[..n], &s[..len], Some(&mut quo));
        // Cofactors stay below the first operand, so the product fits the slot.
        let mut t = [0; SLOT];
        limbs::mul_low(&mut t, &quo, &ys[..self.m]);
        limbs::add_assign(yr, &t);
        self.m = limbs::significant(yr).max(self.m);
    }

    #[inline]
    fn apply(&mut self, t: &Matrix) {
        combine_sub(&mut self.p[..self.n], &mut self.q[..self.n], t);
        let (hp, hq) = combine_add(&mut self.yp[..self.m], &mut self.yq[..self.m], t);
        let m = self.m;
        if hp | hq != 0 && m < SLOT {
            self.yp[m] = hp;
            self.yq[m] = hq;
            self.m = m + 1;
        }
    }
}

/// The 128 bits from the top of `n` limbs shifted left by `lz`.
#[inline(always)]
fn leading(x: &[u64; SLOT], n: usize, lz: u32) -> u128 {
    let at = |i: usize| if n > i { x[n - 1 - i] } else { 0 };
    let hi = u128::from(at(0)) << 64 | u128::from(at(1));
    if lz == 0 {
        hi
    } else {
        hi << lz | u128::from(at(2) >> (64 - lz))
    }
}

/// `(p, q) <- (a p - b q, d q - c p)`; the results are known to be non-negative and to fit.
#[inline(always)]
fn combine_sub(p: &mut [u64], q: &mut [u64], t: &Matrix) {
    let (mut cp, mut cq) = (0i128, 0i128);
    for (p, q) in p.iter_mut().zip(q.iter_mut()) {
        let (x, y) = (u128::from(*p), u128::from(*q));
        // Products are below 2^127, so differences and carries fit a signed double word.
        let u = u128::from(t.a)
            .wrapping_mul(x)
            .wrapping_sub(u128::from(t.b).wrapping_mul(y)) as i128;
        let v = u128::from(t.d)
            .wrapping_mul(y)
            .wrapping_sub(u128::from(t.c).wrapping_mul(x)) as i128;
        let (u, v) = (u.wrapping_add(cp), v.wrapping_add(cq));
        (*p, *q) = (u as u64, v as u64);
        (cp, cq) = (u >> 64, v >> 64);
    }
    debug_assert!(cp == 0 && cq == 0, "remainders are not negative");
}

/// `(p, q) <- (a p + b q, d q + c p)`; returns the limbs above.
#[inline(always)]
fn combine_add(p: &mut [u64], q: &mut [u64], t: &Matrix) -> (u64, u64) {
    let (mut cp, mut cq) = (0u64, 0u64);
    for (p, q) in p.iter_mut().zip(q.iter_mut()) {
        let (x, y) = (u128::from(*p), u128::from(*q));
        let u = u128::from(t.a)
            .wrapping_mul(x)
            .wrapping_add(u128::from(t.b).wrapping_mul(y))
            .wrapping_add(u128::from(cp));
        let v = u128::from(t.d)
            .wrapping_mul(y)
            .wrapping_add(u128::from(t.c).wrapping_mul(x))
            .wrapping_add(u128::from(cq));
        (*p, *q) = (u as u64, v as u64);
        (cp, cq) = ((u >> 64) as u64, (v >> 64) as u64);
    }
    (cp, cq)
}

impl Matrix {
    /// Row operations valid for all numbers that begin with `x` and `y`, or `None` when not one quotient is certain.
    ///
    /// Let the numbers be `X = 2^u (x + e)`, `0 <= e < 1`, and likewise `Y`. On the upper 62 bits remainders are kept
    /// at `F = 1.5 * 2^31` or more, hence every entry is below `2^62 / F < F / 2` and the error of a remainder below
    /// half of it: remainders stay positive. The second round sees `x`, `y` with an error between -1 and 2 units, so its
    /// remainders are wrong by less than twice the sum of two entries of a row, `2 * 2^62 / F < F`. The product of both
    /// has entries below `2^62`.
    ///
    /// Remainders are kept above `2^floor` in units of `x`, as far as one can see.
    #[inline]
    fn from_leading(x: u128, y: u128, floor: isize, assembly: bool) -> Option<Self> {
        let shift = 128 - round::BITS as isize;
        let m1 = Self::quotients(
            (x >> shift) as u64,
            (y >> shift) as u64,
            floor - shift,
            assembly,
        )?;
        let (x, y) = m1.on(x, y);
        let shift = (shift - (x | y).leading_zeros() as isize).max(0);
        let m2 = Self::quotients(
            (x >> shift) as u64,
            (y >> shift) as u64,
            floor - shift,
            assembly,
        );
        Some(m2.map_or(m1, |m2| m2.after(&m1)))
    }

    /// A round with remainders at or above `F` and `2^floor`.
    #[inline]
    fn quotients(x: u64, y: u64, floor: isize, assembly: bool) -> Option<Self> {
        if floor >= round::BITS as isize {
            return None;
        }
        let floor = (1u64 << floor.max(0)).max(FLOOR);
        let Rows { ab, cd } = round::run(x, y, floor, assembly);
        let m = Self {
            a: ab & 0xffff_ffff,
            b: ab >> 32,
            c: cd & 0xffff_ffff,
            d: cd >> 32,
        };
        (m.b | m.c != 0).then_some(m)
    }

    #[inline]
    fn on(&self, x: u128, y: u128) -> (u128, u128) {
        let mul = |k: u64, v: u128| v.wrapping_mul(u128::from(k));
        (
            mul(self.a, x).wrapping_sub(mul(self.b, y)),
            mul(self.d, y).wrapping_sub(mul(self.c, x)),
        )
    }

    /// `self * first`.
    #[inline]
    fn after(&self, first: &Self) -> Self {
        let dot =
            |p: u64, q: u64, r: u64, s: u64| p.wrapping_mul(q).wrapping_add(r.wrapping_mul(s));
        Self {
            a: dot(self.a, first.a, self.b, first.c),
            b: dot(self.a, first.b, self.b, first.d),
            c: dot(self.d, first.c, self.c, first.a),
            d: dot(self.d, first.d, self.c, first.b),
        }
    }
}

#[cfg(test)]
mod tests;
