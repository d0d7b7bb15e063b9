//! Arithmetic on little-endian slices of 64-bit limbs. Nothing here allocates.
//!
//! Lengths are the caller's business: every function says what it needs and is exact for it.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: indices are bounded by the lengths each function states, casts split double words"
)]

/// Bits of a limb.
pub(crate) const BITS: usize = 64;

/// `a * b + c + d`, which never overflows two limbs: (low, high).
#[inline(always)]
pub(crate) const fn mac(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let t = (a as u128)
        .wrapping_mul(b as u128)
        .wrapping_add(c as u128)
        .wrapping_add(d as u128);
    (t as u64, (t >> 64) as u64)
}

/// `a + b + carry`, carry 0 or 1.
#[inline(always)]
pub(crate) const fn adc(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (s, c1) = a.overflowing_add(b);
    let (s, c2) = s.overflowing_add(carry as u64);
    (s, c1 | c2)
}

/// `a - b - borrow`.
#[inline(always)]
pub(crate) const fn sbb(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (s, c1) = a.overflowing_sub(b);
    let (s, c2) = s.overflowing_sub(borrow as u64);
    (s, c1 | c2)
}

/// Number of limbs up to the highest non-zero one.
#[inline]
pub(crate) fn significant(x: &[u64]) -> usize {
    let mut n = x.len();
    while n > 0 && x[n - 1] == 0 {
        n -= 1;
    }
    n
}

/// Number of bits of the value, 0 for 0.
#[inline]
pub(crate) fn bit_len(x: &[u64]) -> usize {
    let n = significant(x);
    if n == 0 {
        0
    } else {
        n * BITS - x[n - 1].leading_zeros() as usize
    }
}

/// Number of zero bits below the lowest one; the whole width for 0.
pub(crate) fn trailing_zeros(x: &[u64]) -> usize {
    x.iter().position(|&l| l != 0).map_or(x.len() * BITS, |i| {
        i * BITS + x[i].trailing_zeros() as usize
    })
}

/// Bit `i`; `false` beyond the end.
#[inline]
pub(crate) fn bit(x: &[u64], i: usize) -> bool {
    x.get(i / BITS).is_some_and(|l| (l >> (i % BITS)) & 1 == 1)
}

/// Compares values of any lengths.
pub(crate) fn cmp(a: &[u64], b: &[u64]) -> core::cmp::Ordering {
    let (a, b) = (&a[..significant(a)], &b[..significant(b)]);
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `a += b`, `b` at most as long as `a`; returns the carry out of `a`.
#[inline]
pub(crate) fn add_assign(a: &mut [u64], b: &[u64]) -> bool {
    let (head, tail) = a.split_at_mut(b.len());
    let mut carry = false;
    for (x, &y) in head.iter_mut().zip(b) {
        (*x, carry) = adc(*x, y, carry);
    }
    for x in tail {
        if !carry {
            return false;
        }
        (*x, carry) = x.overflowing_add(1);
    }
    carry
}

/// `a -= b`, `b` at most as long as `a`; returns the borrow out of `a`.
#[inline]
pub(crate) fn sub_assign(a: &mut [u64], b: &[u64]) -> bool {
    let (head, tail) = a.split_at_mut(b.len());
    let mut borrow = false;
    for (x, &y) in head.iter_mut().zip(b) {
        (*x, borrow) = sbb(*x, y, borrow);
    }
    for x in tail {
        if !borrow {
            return false;
        }
        (*x, borrow) = x.overflowing_sub(1);
    }
    borrow
}

/// `a = -a` modulo the width of `a`.
#[inline]
pub(crate) fn negate(a: &mut [u64]) {
    let mut carry = true;
    for x in a {
        (*x, carry) = (!*x).overflowing_add(u64::from(carry));
    }
}

/// `a += b * m` on the low limbs of `a`; returns the limb that belongs above `b.len()`.
#[inline(always)]
pub(crate) fn add_mul(a: &mut [u64], b: &[u64], m: u64) -> u64 {
    let mut carry = 0;
    for (x, &y) in a.iter_mut().zip(b) {
        (*x, carry) = mac(y, m, *x, carry);
    }
    carry
}

/// `a -= b * m` on the low limbs of `a`; returns the limb to take off above `b.len()`.
#[inline(always)]
pub(crate) fn sub_mul(a: &mut [u64], b: &[u64], m: u64) -> u64 {
    let mut carry = 0u64;
    for (x, &y) in a.iter_mut().zip(b) {
        let (lo, hi) = mac(y, m, carry, 0);
        let (s, borrow) = x.overflowing_sub(lo);
        *x = s;
        // hi is at most 2^64 - 2 when lo is not zero, and a borrow needs lo > 0.
        carry = hi.wrapping_add(u64::from(borrow));
    }
    carry
}

/// `dst = a * b`; `dst` has exactly `a.len() + b.len()` limbs.
#[inline]
pub(crate) fn mul(dst: &mut [u64], a: &[u64], b: &[u64]) {
    dst[..a.len()].fill(0);
    for (i, &m) in b.iter().enumerate() {
        dst[i + a.len()] = add_mul(&mut dst[i..i + a.len()], a, m);
    }
}

/// `dst = a * b` modulo the width of `dst`.
#[inline]
pub(crate) fn mul_low(dst: &mut [u64], a: &[u64], b: &[u64]) {
    let w = dst.len();
    dst.fill(0);
    for (i, &m) in b.iter().take(w).enumerate() {
        let n = a.len().min(w - i);
        let carry = add_mul(&mut dst[i..i + n], &a[..n], m);
        if i + n < w {
            dst[i + n] = carry;
        }
    }
}

/// `dst = a * a`; `dst` has exactly `2 * a.len()` limbs.
#[inline]
pub(crate) fn square(dst: &mut [u64], a: &[u64]) {
    let n = a.len();
    if n == 0 {
        return;
    }
    dst[..n].fill(0);
    for i in 0..n - 1 {
        let (m, rest) = (a[i], &a[i + 1..]);
        dst[i + n] = add_mul(&mut dst[2 * i + 1..i + n], rest, m);
    }
    dst[2 * n - 1] = 0;
    double_and_add_squares(dst, a);
}

/// `dst = 2 * dst + sum a_i^2 2^(128 i)`.
#[inline(always)]
pub(crate) fn double_and_add_squares(dst: &mut [u64], a: &[u64]) {
    let (mut top, mut carry) = (0, false);
    for (pair, &m) in dst.chunks_exact_mut(2).zip(a) {
        let (lo, hi) = mac(m, m, 0, 0);
        let (d0, d1) = (pair[0] << 1 | top, pair[1] << 1 | pair[0] >> 63);
        top = pair[1] >> 63;
        (pair[0], carry) = adc(d0, lo, carry);
        (pair[1], carry) = adc(d1, hi, carry);
    }
}

/// Shifts left in place by any amount; bits beyond the width are lost.
pub(crate) fn shl_assign(x: &mut [u64], bits: usize) {
    let (words, bits) = (bits / BITS, bits % BITS);
    for i in (0..x.len()).rev() {
        let hi = if i >= words { x[i - words] } else { 0 };
        let lo = if i > words { x[i - words - 1] } else { 0 };
        x[i] = if bits == 0 {
            hi
        } else {
            hi << bits | lo >> (BITS - bits)
        };
    }
}

/// Shifts right in place by any amount.
pub(crate) fn shr_assign(x: &mut [u64], bits: usize) {
    let (words, bits) = (bits / BITS, bits % BITS);
    let n = x.len();
    for i in 0..n {
        let lo = if i + words < n { x[i + words] } else { 0 };
        let hi = if i + words + 1 < n {
            x[i + words + 1]
        } else {
            0
        };
        x[i] = if bits == 0 {
            lo
        } else {
            lo >> bits | hi << (BITS - bits)
        };
    }
}

/// Inverse of an odd limb modulo 2^64.
#[inline]
pub(crate) const fn inv_limb(d: u64) -> u64 {
    // Correct to 5 bits, then doubled four times.
    let mut x = d.wrapping_mul(3) ^ 2;
    let mut i = 0;
    while i < 4 {
        x = x.wrapping_mul(2u64.wrapping_sub(d.wrapping_mul(x)));
        i += 1;
    }
    x
}

/// `num = num / den` modulo the width of `num`, for odd `den` (Jebelean's exact division).
#[inline]
pub(crate) fn divide_exact_low(num: &mut [u64], den: &[u64]) {
    let w = num.len();
    let inv = inv_limb(den[0]);
    for i in 0..w {
        let q = num[i].wrapping_mul(inv);
        let n = (w - i).min(den.len());
        let take = sub_mul(&mut num[i..i + n], &den[..n], q);
        sub_assign(&mut num[i + n..], &[take][..usize::from(i + n < w)]);
        num[i] = q;
    }
}

/// `floor((2^128 - 1) / d) - 2^64` for `d` with its top bit set.
const fn reciprocal(d: u64) -> u64 {
    let n = (!d as u128) << 64 | u64::MAX as u128;
    (n / d as u128) as u64
}

/// Remainder of the two-limb number `(u1, u0)` by a normalised `d > u1` with its [`reciprocal`]
/// (Moeller and Granlund 2011, algorithm 4).
#[inline(always)]
const fn div_2by1(u1: u64, u0: u64, d: u64, v: u64) -> (u64, u64) {
    let q = (v as u128)
        .wrapping_mul(u1 as u128)
        .wrapping_add((u1 as u128) << 64 | u0 as u128);
    let (mut q1, q0) = (((q >> 64) as u64).wrapping_add(1), q as u64);
    let mut r = u0.wrapping_sub(q1.wrapping_mul(d));
    if r > q0 {
        q1 = q1.wrapping_sub(1);
        r = r.wrapping_add(d);
    }
    if r >= d {
        q1 = q1.wrapping_add(1);
        r = r.wrapping_sub(d);
    }
    (q1, r)
}

/// Reciprocal of a two-limb normalised divisor (Moeller and Granlund 2011, algorithm 6).
const fn reciprocal_2(d1: u64, d0: u64) -> u64 {
    let mut v = reciprocal(d1);
    let mut p = d1.wrapping_mul(v).wrapping_add(d0);
    if p < d0 {
        v = v.wrapping_sub(1);
        if p >= d1 {
            v = v.wrapping_sub(1);
            p = p.wrapping_sub(d1);
        }
        p = p.wrapping_sub(d1);
    }
    let (t0, t1) = mac(v, d0, 0, 0);
    let (p, over) = p.overflowing_add(t1);
    if over {
        v = v.wrapping_sub(1);
        if p > d1 || (p == d1 && t0 >= d0) {
            v = v.wrapping_sub(1);
        }
    }
    v
}

/// Quotient limb of three limbs by two (Moeller and Granlund 2011, algorithm 5); `(u2, u1) < (d1, d0)`.
#[inline(always)]
const fn div_3by2(u2: u64, u1: u64, u0: u64, d: (u64, u64), v: u64) -> u64 {
    let (d1, d0) = d;
    let dd = (d1 as u128) << 64 | d0 as u128;
    let q = (v as u128)
        .wrapping_mul(u2 as u128)
        .wrapping_add((u2 as u128) << 64 | u1 as u128);
    let (q1, q0) = ((q >> 64) as u64, q as u64);
    let r1 = u1.wrapping_sub(q1.wrapping_mul(d1));
    let t = (d0 as u128).wrapping_mul(q1 as u128);
    let mut r = ((r1 as u128) << 64 | u0 as u128)
        .wrapping_sub(t)
        .wrapping_sub(dd);
    let mut q1 = q1.wrapping_add(1);
    if (r >> 64) as u64 >= q0 {
        q1 = q1.wrapping_sub(1);
        r = r.wrapping_add(dd);
    }
    if r >= dd {
        q1 = q1.wrapping_add(1);
    }
    q1
}

/// Longest dividend of [`div_rem`], limbs.
pub(crate) const DIV_MAX: usize = 72;

/// `num = num mod den`, and the quotient into `quo` if given.
///
/// `den` has a non-zero top limb; `quo` needs `num.len() - den.len() + 1` limbs and is overwritten whole.
pub(crate) fn div_rem(num: &mut [u64], den: &[u64], mut quo: Option<&mut [u64]>) {
    if let Some(q) = quo.as_deref_mut() {
        q.fill(0);
    }
    let (n, m) = (significant(num), den.len());
    if n < m {
        return;
    }
    let shift = den[m - 1].leading_zeros();
    let mut u = [0u64; DIV_MAX + 1];
    let mut d = [0u64; DIV_MAX];
    shl_copy(&mut u[..=n], &num[..n], shift);
    shl_copy(&mut d[..m], den, shift);
    if m == 1 {
        let v = reciprocal(d[0]);
        let mut r = u[n];
        for i in (0..n).rev() {
            let q;
            (q, r) = div_2by1(r, u[i], d[0], v);
            if let Some(quo) = quo.as_deref_mut() {
                quo[i] = q;
            }
        }
        num.fill(0);
        num[0] = r >> shift;
        return;
    }
    let d = &d[..m];
    let top = (d[m - 1], d[m - 2]);
    let v = reciprocal_2(top.0, top.1);
    for i in (0..=n - m).rev() {
        let q = quotient_limb(&mut u[i..=i + m], d, top, v);
        if let Some(quo) = quo.as_deref_mut() {
            quo[i] = q;
        }
    }
    num.fill(0);
    num[..m].copy_from_slice(&u[..m]);
    shr_assign(&mut num[..m], shift as usize);
}

/// One step of schoolbook division: `u -= q d`, `u` one limb longer than `d`.
#[inline(always)]
fn quotient_limb(u: &mut [u64], d: &[u64], top: (u64, u64), v: u64) -> u64 {
    let m = d.len();
    let mut q = if (u[m], u[m - 1]) == top {
        u64::MAX
    } else {
        div_3by2(u[m], u[m - 1], u[m - 2], top, v)
    };
    let take = sub_mul(&mut u[..m], d, q);
    let (rest, borrow) = u[m].overflowing_sub(take);
    u[m] = rest;
    if borrow {
        q = q.wrapping_sub(1);
        add_assign(&mut u[..m], d);
        u[m] = 0;
    }
    q
}

/// `dst = src << bits` with `bits < 64`; `dst` is as long as `src` or one limb longer.
fn shl_copy(dst: &mut [u64], src: &[u64], bits: u32) {
    let mut below = 0;
    for (x, &l) in dst.iter_mut().zip(src) {
        *x = if bits == 0 { l } else { l << bits | below };
        below = if bits == 0 { 0 } else { l >> (64 - bits) };
    }
    if dst.len() > src.len() {
        dst[src.len()] = below;
    }
}

/// Value of big-endian bytes; `out` is long enough.
pub(crate) fn from_be(out: &mut [u64], bytes: &[u8]) {
    out.fill(0);
    for (i, &b) in bytes.iter().rev().enumerate() {
        out[i / 8] |= u64::from(b) << (8 * (i % 8));
    }
}

/// Big-endian bytes of a value that fits.
pub(crate) fn to_be(out: &mut [u8], x: &[u64]) {
    for (i, b) in out.iter_mut().rev().enumerate() {
        *b = x.get(i / 8).map_or(0, |l| (l >> (8 * (i % 8))) as u8);
    }
}

#[cfg(test)]
mod tests;
