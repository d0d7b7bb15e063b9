//! Limb kernels: the only place where words are multiplied.
//!
//! Numbers are little-endian arrays of 64-bit limbs. `N` is the length of a field element, `W = 2 N` that of an
//! unreduced product. All loops have constant bounds and no data-dependent branch.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: constant bounds, truncation to limbs is the operation"
)]

/// `t + a * b + c`, which never overflows two limbs.
#[inline(always)]
pub(crate) const fn mac(t: u64, a: u64, b: u64, c: u64) -> (u64, u64) {
    let r = (a as u128)
        .wrapping_mul(b as u128)
        .wrapping_add(t as u128)
        .wrapping_add(c as u128);
    (r as u64, (r >> 64) as u64)
}

/// `a + b + carry`, carry in {0, 1}.
#[inline(always)]
pub(crate) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let r = (a as u128)
        .wrapping_add(b as u128)
        .wrapping_add(carry as u128);
    (r as u64, (r >> 64) as u64)
}

/// `a - b - borrow`, borrow in {0, 1}.
#[inline(always)]
pub(crate) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let r = (a as u128)
        .wrapping_sub(b as u128)
        .wrapping_sub(borrow as u128);
    (r as u64, (r >> 127) as u64)
}

/// Sum modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn add<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut r = [0; N];
    let mut c = 0;
    let mut i = 0;
    while i < N {
        (r[i], c) = adc(a[i], b[i], c);
        i += 1;
    }
    r
}

/// Difference modulo `2^(64 N)` and the borrow.
#[inline(always)]
pub(crate) const fn sub<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut r = [0; N];
    let mut c = 0;
    let mut i = 0;
    while i < N {
        (r[i], c) = sbb(a[i], b[i], c);
        i += 1;
    }
    (r, c)
}

/// `a += b` modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn add_assign<const N: usize>(a: &mut [u64; N], b: &[u64; N]) {
    let mut c = 0;
    let mut i = 0;
    while i < N {
        (a[i], c) = adc(a[i], b[i], c);
        i += 1;
    }
}

/// `a -= b` modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn sub_assign<const N: usize>(a: &mut [u64; N], b: &[u64; N]) {
    let mut c = 0;
    let mut i = 0;
    while i < N {
        (a[i], c) = sbb(a[i], b[i], c);
        i += 1;
    }
}

/// `a` if `mask` is zero, `b` if it is all ones.
#[inline(always)]
pub(crate) const fn select<const N: usize>(a: &[u64; N], b: &[u64; N], mask: u64) -> [u64; N] {
    let mut r = [0; N];
    let mut i = 0;
    while i < N {
        r[i] = a[i] ^ (mask & (a[i] ^ b[i]));
        i += 1;
    }
    r
}

/// `a mod m` for `a < 2 m`.
#[inline(always)]
pub(crate) const fn reduce_once<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let (s, borrow) = sub(a, m);
    select(&s, a, borrow.wrapping_neg())
}

/// Full product.
#[inline(always)]
pub(crate) const fn mul_wide<const N: usize, const W: usize>(
    a: &[u64; N],
    b: &[u64; N],
) -> [u64; W] {
    let mut t = [0; W];
    let mut i = 0;
    while i < N {
        let mut c = 0;
        let mut j = 0;
        while j < N {
            (t[i + j], c) = mac(t[i + j], a[i], b[j], c);
            j += 1;
        }
        t[i + N] = c;
        i += 1;
    }
    t
}

/// Full square: each cross product once, doubled, then the diagonal.
#[inline(always)]
pub(crate) const fn sqr_wide<const N: usize, const W: usize>(a: &[u64; N]) -> [u64; W] {
    let mut t = [0; W];
    let mut i = 0;
    while i < N {
        let mut c = 0;
        let mut j = i + 1;
        while j < N {
            (t[i + j], c) = mac(t[i + j], a[i], a[j], c);
            j += 1;
        }
        t[i + N] = c;
        i += 1;
    }
    let (mut c, mut top) = (0, 0);
    i = 0;
    while i < N {
        let (lo, hi) = mac(0, a[i], a[i], 0);
        let even = (t[2 * i] << 1) | top;
        let odd = (t[2 * i + 1] << 1) | (t[2 * i] >> 63);
        top = t[2 * i + 1] >> 63;
        (t[2 * i], c) = adc(even, lo, c);
        (t[2 * i + 1], c) = adc(odd, hi, c);
        i += 1;
    }
    t
}

/// Montgomery reduction `t / 2^(64 N) mod m` of `t`, not fully reduced.
///
/// For `0 <= t <= e m 2^(64 N)` the result is below `(1 + e) m`.
#[inline(always)]
pub(crate) const fn redc<const N: usize, const W: usize>(
    t: &[u64; W],
    m: &[u64; N],
    inv: u64,
) -> [u64; N] {
    let mut r = [0; N];
    let mut i = 0;
    while i < N {
        r[i] = t[i];
        i += 1;
    }
    // A window of N limbs moves up; the upper half of `t` enters at its top.
    let mut carry = 0;
    i = 0;
    while i < N {
        let q = r[0].wrapping_mul(inv);
        let (_, mut c) = mac(r[0], q, m[0], 0);
        let mut j = 1;
        while j < N {
            (r[j - 1], c) = mac(r[j], q, m[j], c);
            j += 1;
        }
        (r[N - 1], carry) = adc(t[i + N], c, carry);
        i += 1;
    }
    r
}

/// Limbs of a big-endian hexadecimal literal of at most `16 N` digits. Only for constants.
pub(crate) const fn limbs_from_hex<const N: usize>(hex: &str) -> [u64; N] {
    let bytes = hex.as_bytes();
    assert!(bytes.len() <= 16 * N, "literal too long");
    let mut r = [0; N];
    let mut i = 0;
    while i < bytes.len() {
        let ch = bytes[bytes.len() - 1 - i];
        let digit = match ch {
            b'0'..=b'9' => ch - b'0',
            b'a'..=b'f' => ch - b'a' + 10,
            _ => 255,
        };
        assert!(digit < 16, "not a lower-case hexadecimal digit");
        r[i / 16] |= (digit as u64) << (4 * (i % 16));
        i += 1;
    }
    r
}
