//! Montgomery arithmetic modulo odd numbers of a fixed number of limbs.

#![expect(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: all indices are below the constant widths"
)]

#[cfg(target_arch = "x86_64")]
mod adx;

use core::cmp::Ordering;

use crate::limbs::{self, adc, inv_limb, mac};

/// Limbs of the largest modulus.
pub(crate) const MONT_MAX: usize = 32;

/// An odd modulus above 1 with its constants. Residues are below the modulus; "Montgomery form" is times `2^(64 N)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mont<const N: usize> {
    pub(crate) n: [u64; N],
    /// `-1 / n` modulo `2^64`.
    neg_inv: u64,
    /// `2^(64 N)`: one in Montgomery form.
    pub(crate) one: [u64; N],
    /// `2^(128 N)`: brings a residue into Montgomery form.
    rr: [u64; N],
}

#[cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "calls of functions that need instructions detected at run time"
    )
)]
impl<const N: usize> Mont<N> {
    /// `None` when `n` is even, below 3, or too long.
    pub(crate) fn new(n: &[u64]) -> Option<Self> {
        const { assert!(N >= 1 && N <= MONT_MAX) };
        let len = limbs::significant(n);
        if len == 0 || len > N || n[0] & 1 == 0 || (len == 1 && n[0] == 1) {
            return None;
        }
        let mut modulus = [0; N];
        modulus[..len].copy_from_slice(&n[..len]);
        let power = |limbs_up: usize| {
            let mut t = [0u64; 2 * MONT_MAX + 1];
            t[limbs_up] = 1;
            limbs::div_rem(&mut t[..=limbs_up], &modulus[..len], None);
            let mut out = [0; N];
            out[..len].copy_from_slice(&t[..len]);
            out
        };
        Some(Self {
            n: modulus,
            neg_inv: inv_limb(modulus[0]).wrapping_neg(),
            one: power(N),
            rr: power(2 * N),
        })
    }

    /// `a * b / 2^(64 N)`.
    #[inline]
    pub(crate) fn mul(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        #[cfg(target_arch = "x86_64")]
        if Self::has_rows() {
            // SAFETY: the features were found on this machine.
            let (s, carry) = unsafe { adx::mul(&self.n, self.neg_inv, a, b) };
            return self.subtract_once(s, carry);
        }
        self.mul_plain(a, b)
    }

    fn mul_plain(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut t = [0; 2 * MONT_MAX];
        limbs::mul(&mut t[..2 * N], a, b);
        self.redc(&mut t)
    }

    /// `a^2 / 2^(64 N)`.
    #[inline]
    pub(crate) fn square(&self, a: &[u64; N]) -> [u64; N] {
        #[cfg(target_arch = "x86_64")]
        if Self::has_rows() {
            // SAFETY: the features were found on this machine.
            let (s, carry) = unsafe { adx::square(&self.n, self.neg_inv, a) };
            return self.subtract_once(s, carry);
        }
        self.square_plain(a)
    }

    /// Whether the kernel takes numbers of this width; shorter rows do not repay it.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn has_rows() -> bool {
        N >= 8 && N.is_multiple_of(4) && quil_simd::Features::get().adx
    }

    fn square_plain(&self, a: &[u64; N]) -> [u64; N] {
        let mut t = [0; 2 * MONT_MAX];
        square_wide(&mut t, a);
        self.redc(&mut t)
    }

    /// Into Montgomery form.
    pub(crate) fn enter(&self, a: &[u64; N]) -> [u64; N] {
        self.mul(a, &self.rr)
    }

    /// Out of Montgomery form.
    pub(crate) fn leave(&self, a: &[u64; N]) -> [u64; N] {
        let mut t = [0; 2 * MONT_MAX];
        t[..N].copy_from_slice(a);
        self.redc(&mut t)
    }

    /// A small number in Montgomery form.
    pub(crate) fn small(&self, v: i64) -> [u64; N] {
        let mut x = [0; N];
        x[0] = v.unsigned_abs();
        if N == 1 {
            x[0] %= self.n[0];
        }
        let x = self.enter(&x);
        if v < 0 { self.neg(&x) } else { x }
    }

    /// `k a` for a small `k`, by doubling and adding.
    pub(crate) fn times(&self, a: &[u64; N], k: i64) -> [u64; N] {
        let magnitude = k.unsigned_abs();
        let mut x = [0; N];
        for i in (0..u64::BITS - magnitude.leading_zeros()).rev() {
            x = self.add(&x, &x);
            if magnitude >> i & 1 == 1 {
                x = self.add(&x, a);
            }
        }
        if k < 0 { self.neg(&x) } else { x }
    }

    pub(crate) fn neg(&self, a: &[u64; N]) -> [u64; N] {
        self.sub(&[0; N], a)
    }

    #[inline]
    pub(crate) fn add(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut s = *a;
        let carry = limbs::add_assign(&mut s, b);
        self.subtract_once(s, carry)
    }

    #[inline]
    pub(crate) fn sub(&self, a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut s = *a;
        if limbs::sub_assign(&mut s, b) {
            limbs::add_assign(&mut s, &self.n);
        }
        s
    }

    /// `a / 2`.
    pub(crate) fn half(&self, a: &[u64; N]) -> [u64; N] {
        let mut s = *a;
        let carry = s[0] & 1 == 1 && limbs::add_assign(&mut s, &self.n);
        limbs::shr_assign(&mut s, 1);
        s[N - 1] |= u64::from(carry) << 63;
        s
    }

    /// `base^exponent` in Montgomery form, four bits at a time.
    pub(crate) fn pow(&self, base: &[u64; N], exponent: &[u64]) -> [u64; N] {
        let mut table = [self.one; 16];
        for i in 1..16 {
            table[i] = self.mul(&table[i - 1], base);
        }
        let mut x = self.one;
        for limb in exponent[..limbs::significant(exponent)].iter().rev() {
            for shift in (0..16).rev() {
                for _ in 0..4 {
                    x = self.square(&x);
                }
                let digit = limb >> (4 * shift) & 15;
                if digit != 0 {
                    x = self.mul(&x, &table[digit as usize]);
                }
            }
        }
        x
    }

    /// `2^exponent` in Montgomery form.
    pub(crate) fn pow_two(&self, exponent: &[u64]) -> [u64; N] {
        let mut x = self.one;
        for i in (0..limbs::bit_len(exponent)).rev() {
            x = self.square(&x);
            if limbs::bit(exponent, i) {
                x = self.add(&x, &x);
            }
        }
        x
    }

    #[inline]
    fn subtract_once(&self, mut s: [u64; N], carry: bool) -> [u64; N] {
        if carry || s.iter().rev().cmp(self.n.iter().rev()) != Ordering::Less {
            limbs::sub_assign(&mut s, &self.n);
        }
        s
    }

    /// `t / 2^(64 N)` for `t < n 2^(64 N)`, two rows at a time.
    #[inline(always)]
    fn redc(&self, t: &mut [u64; 2 * MONT_MAX]) -> [u64; N] {
        let n = &self.n;
        let mut carry = 0u64;
        let mut i = 0;
        while i + 1 < N {
            carry = two_rows(&mut t[i..i + N + 2], n, self.neg_inv, carry);
            i += 2;
        }
        let mut over = carry != 0;
        if i < N {
            let m = t[i].wrapping_mul(self.neg_inv);
            let c = limbs::add_mul(&mut t[i..i + N], n, m);
            let (s, o) = adc(t[i + N], c, false);
            let (s, o2) = s.overflowing_add(carry);
            t[i + N] = s;
            over = o | o2;
        }
        let mut out = [0; N];
        out.copy_from_slice(&t[N..2 * N]);
        self.subtract_once(out, over)
    }
}

/// Adds multiples of `n` that clear the two lowest limbs of `t` (`N + 2` limbs). `carry` (0 or 1) belongs at limb `N`;
/// returns the carry for limb `N + 2`.
#[inline(always)]
fn two_rows<const N: usize>(t: &mut [u64], n: &[u64; N], neg_inv: u64, carry: u64) -> u64 {
    let m0 = t[0].wrapping_mul(neg_inv);
    let (_, c) = mac(m0, n[0], t[0], 0);
    let (lo, c0) = mac(m0, n[1], t[1], c);
    let m1 = lo.wrapping_mul(neg_inv);
    let (_, c1) = mac(m1, n[0], lo, 0);
    // Two carry chains, one per row.
    let (mut c0, mut c1) = (c0, c1);
    for j in 2..N {
        let x;
        (x, c0) = mac(m0, n[j], t[j], c0);
        (t[j], c1) = mac(m1, n[j - 1], x, c1);
    }
    let (x, over0) = adc(t[N], c0, false);
    let (x, over1) = x.overflowing_add(carry);
    let (x, c1) = mac(m1, n[N - 1], x, c1);
    t[N] = x;
    let (y, over2) = t[N + 1].overflowing_add(c1);
    let (y, over3) = y.overflowing_add(u64::from(over0) + u64::from(over1));
    t[N + 1] = y;
    u64::from(over2) + u64::from(over3)
}

/// `a^2` into the low `2 N` limbs of a zeroed `t`.
#[inline(always)]
fn square_wide<const N: usize>(t: &mut [u64; 2 * MONT_MAX], a: &[u64; N]) {
    for i in 0..N - 1 {
        let rest = &a[i + 1..];
        t[i + N] = limbs::add_mul(&mut t[2 * i + 1..i + N], rest, a[i]);
    }
    limbs::double_and_add_squares(&mut t[..2 * N], a);
}

#[cfg(test)]
mod tests;
