//! Integers modulo the group order l, in Montgomery form (R = 2^448).

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "arithmetic kernel: fixed-size limb arrays, constant indices, truncation to a limb is the point"
)]

use core::{
    fmt,
    iter::{Product, Sum},
    ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign},
};

use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::hash;

/// l = 2^446 - 13818066809895115352007386748515426880336692474882178609894547503885 (RFC 9496 section 5).
const L: [u64; 7] = [
    0x2378_c292_ab58_44f3,
    0x216c_c272_8dc5_8f55,
    0xc44e_db49_aed6_3690,
    0xffff_ffff_7cca_23e9,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0x3fff_ffff_ffff_ffff,
];
/// -1/l modulo 2^64.
const N0: u64 = 0x03bd_440f_ae91_8bc5;
/// R modulo l.
const R: [u64; 7] = [
    0x721c_f5b5_529e_ec34,
    0x7a4c_f635_c8e9_c2ab,
    0xeec4_92d9_44a7_25bf,
    0x0000_0002_0cd7_7058,
    0,
    0,
    0,
];
/// R^2 modulo l.
const R2: [u64; 7] = [
    0xe353_9257_049b_9b60,
    0x7af3_2c4b_c1b1_95d9,
    0x0d66_de23_88ea_1859,
    0xae17_cf72_5ee4_d838,
    0x1a9c_c14b_a3c4_7c44,
    0x2052_bcb7_e4d0_70af,
    0x3402_a939_f823_b729,
];
/// R^3 modulo l.
const R3: [u64; 7] = [
    0x62db_79e2_5f9b_74ed,
    0x32d5_3358_4f61_d636,
    0x3e0d_0c8b_5fa7_4964,
    0x1787_69ed_878d_fcda,
    0xe4c7_1af8_6754_b842,
    0xed66_e7f4_2bab_736d,
    0x0d30_a4f6_9d3a_f5f1,
];
/// R^4 modulo l.
const R4: [u64; 7] = [
    0xf239_8932_0785_209e,
    0xbbdd_be45_ec1d_63ac,
    0xdd38_8627_3db9_f5b5,
    0x5ebb_7c56_b3af_f7f5,
    0xee0d_9308_9a06_c3fb,
    0xe5c5_b8eb_1af9_4cb2,
    0x184d_1747_0727_eb5c,
];

/// Bytes of an encoded scalar.
pub const SCALAR_BYTES: usize = 56;
/// Bit length of l.
pub(crate) const SCALAR_BITS: usize = 446;

/// An integer modulo the group order l.
///
/// Arithmetic is constant time. The type is `Copy` because most scalars are public; long-lived secrets belong in
/// [`SecretScalar`](crate::SecretScalar).
#[derive(Clone, Copy)]
pub struct Scalar([u64; 7]);

/// `t + a * b + c` as (low, high); cannot overflow.
#[inline(always)]
fn mac(t: u64, a: u64, b: u64, c: u64) -> (u64, u64) {
    let r = u128::from(a)
        .wrapping_mul(u128::from(b))
        .wrapping_add(u128::from(t))
        .wrapping_add(u128::from(c));
    (r as u64, (r >> 64) as u64)
}

/// a * b / R modulo l, for a < l and any b.
#[inline(always)]
fn mont_mul(a: &[u64; 7], b: &[u64; 7]) -> [u64; 7] {
    // After each round t < a + l < 2^447, so seven words hold it.
    let mut t = [0u64; 7];
    for &bi in b {
        let mut top = 0;
        for j in 0..7 {
            (t[j], top) = mac(t[j], a[j], bi, top);
        }
        let m = t[0].wrapping_mul(N0);
        let (_, mut c) = mac(t[0], m, L[0], 0);
        for j in 1..7 {
            (t[j - 1], c) = mac(t[j], m, L[j], c);
        }
        t[6] = top.wrapping_add(c);
    }
    reduce_once(&t)
}

/// a - l if a >= l, for a < 2l.
#[inline(always)]
fn reduce_once(a: &[u64; 7]) -> [u64; 7] {
    let (d, borrow) = sub_raw(a, &L);
    add_masked(&d, &L, borrow.wrapping_neg())
}

/// a - b and the borrow (0 or 1).
#[inline(always)]
fn sub_raw(a: &[u64; 7], b: &[u64; 7]) -> ([u64; 7], u64) {
    let mut r = [0; 7];
    let mut borrow = 0u64;
    for i in 0..7 {
        let (x, b1) = a[i].overflowing_sub(b[i]);
        let (y, b2) = x.overflowing_sub(borrow);
        r[i] = y;
        borrow = u64::from(b1 | b2);
    }
    (r, borrow)
}

/// a + (b & mask), wrapping at 2^448.
#[inline(always)]
fn add_masked(a: &[u64; 7], b: &[u64; 7], mask: u64) -> [u64; 7] {
    let mut r = [0; 7];
    let mut carry = 0u64;
    for i in 0..7 {
        let (x, c1) = a[i].overflowing_add(b[i] & mask);
        let (y, c2) = x.overflowing_add(carry);
        r[i] = y;
        carry = u64::from(c1 | c2);
    }
    r
}

fn limbs(bytes: &[u8]) -> [u64; 7] {
    let mut r = [0; 7];
    for (limb, chunk) in r.iter_mut().zip(bytes.chunks(8)) {
        let mut b = [0; 8];
        b[..chunk.len()].copy_from_slice(chunk);
        *limb = u64::from_le_bytes(b);
    }
    r
}

impl Scalar {
    /// 0.
    pub const ZERO: Self = Self([0; 7]);
    /// 1.
    pub const ONE: Self = Self(R);

    /// Strict decoding: 56 bytes little-endian, below l.
    ///
    /// Constant time except for the outcome.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SCALAR_BYTES]) -> Option<Self> {
        let raw = limbs(bytes);
        let (_, borrow) = sub_raw(&raw, &L);
        (borrow == 1).then(|| Self(mont_mul(&raw, &R2)))
    }

    /// Uniform bytes (little-endian, at most 168) reduced modulo l.
    ///
    /// 112 bytes or more give a bias below 2^-448.
    #[must_use]
    pub fn from_wide_bytes<const N: usize>(bytes: &[u8; N]) -> Self {
        const { assert!(N <= 3 * SCALAR_BYTES, "at most three words of 448 bits") };
        let mut acc = Self::ZERO;
        for (chunk, factor) in bytes.chunks(SCALAR_BYTES).zip([&R2, &R3, &R4]) {
            acc += Self(mont_mul(factor, &limbs(chunk)));
        }
        acc
    }

    /// `Hs(tag, value)`: SHAKE256 of `u8 len(tag) || tag || parts`, 112 bytes, reduced.
    ///
    /// The parts are concatenated; they must be the canonical encoding of one value (fixed lengths or length-prefixed).
    /// A tag has at most 255 bytes.
    #[must_use]
    pub fn hash(tag: &str, parts: &[&[u8]]) -> Self {
        Self::from_wide_bytes(&hash::block(tag, parts))
    }

    /// Uniform, from 114 random bytes.
    #[must_use]
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut b = [0; 114];
        rng.fill_bytes(&mut b);
        let s = Self::from_wide_bytes(&b);
        b.zeroize();
        s
    }

    /// 56 bytes little-endian, below l.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SCALAR_BYTES] {
        let mut out = [0; SCALAR_BYTES];
        for (chunk, limb) in out.chunks_exact_mut(8).zip(self.canonical()) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        out
    }

    /// The limbs of the integer below l.
    #[inline]
    pub(crate) fn canonical(&self) -> [u64; 7] {
        mont_mul(&self.0, &[1, 0, 0, 0, 0, 0, 0])
    }

    /// The square.
    #[must_use]
    pub fn square(&self) -> Self {
        Self(mont_mul(&self.0, &self.0))
    }

    /// 1/s by Fermat's theorem, constant time; 0 for 0. Cost: about 560 products.
    #[must_use]
    pub fn invert(&self) -> Self {
        let mut table = [Self::ONE; 16];
        for i in 1..16 {
            table[i] = table[i - 1] * *self;
        }
        let (e, _) = sub_raw(&L, &[2, 0, 0, 0, 0, 0, 0]);
        let mut acc = Self::ONE;
        for limb in e.iter().rev() {
            for shift in (0..16).rev() {
                acc = acc.square().square().square().square();
                // The exponent is public.
                acc *= table[((limb >> (4 * shift)) & 15) as usize];
            }
        }
        table.iter_mut().for_each(Zeroize::zeroize);
        acc
    }

    /// Inverts all scalars with one inversion and three products each; zeros stay zeros. Constant time in the values.
    pub fn batch_invert(values: &mut [Self]) {
        let mut prefix = Vec::with_capacity(values.len());
        let mut acc = Self::ONE;
        for v in values.iter() {
            prefix.push(acc);
            acc *= Self::conditional_select(v, &Self::ONE, v.is_zero());
        }
        let mut inv = acc.invert();
        for (v, p) in values.iter_mut().zip(&prefix).rev() {
            let zero = v.is_zero();
            let nonzero = Self::conditional_select(v, &Self::ONE, zero);
            *v = Self::conditional_select(&(inv * *p), &Self::ZERO, zero);
            inv *= nonzero;
        }
        prefix.iter_mut().for_each(Zeroize::zeroize);
        acc.zeroize();
        inv.zeroize();
    }

    /// Whether the scalar is 0.
    #[must_use]
    pub fn is_zero(&self) -> Choice {
        self.0.ct_eq(&[0; 7])
    }

    /// Digits of the regular signed representation `sum d_i 2^(w i)`, d_i odd, as `(d_i + 2^w - 1) / 2` below 2^w.
    ///
    /// Even scalars are represented by s + l; W N bits must hold 2 l. Constant time.
    pub(crate) fn regular<const W: usize, const N: usize>(&self) -> [u8; N] {
        const { assert!(W < 8 && W * N > SCALAR_BITS && W * N <= 512) };
        let mut s = self.canonical();
        let even = (s[0] & 1).wrapping_sub(1);
        s = add_masked(&s, &L, even);
        // sum (2 u_i - (2^w - 1)) 2^(w i) = 2u - (2^(w n) - 1), so u = (s - 1) / 2 + 2^(w n - 1).
        let mut u = [0u64; 9];
        for i in 0..7 {
            let hi = if i == 6 { 0 } else { s[i + 1] << 63 };
            u[i] = (s[i] >> 1) | hi;
        }
        let top = W * N - 1;
        u[top / 64] |= 1 << (top % 64);
        let mut out = [0; N];
        for (i, d) in out.iter_mut().enumerate() {
            let (word, shift) = (i * W / 64, i * W % 64);
            let mut v = u[word] >> shift;
            if shift + W > 64 {
                v |= u[word + 1] << (64 - shift);
            }
            *d = (v & ((1 << W) - 1)) as u8;
        }
        s.zeroize();
        u.zeroize();
        out
    }

    /// Regular digits of 5 bits.
    pub(crate) fn regular_digits(&self) -> [u8; REGULAR_DIGITS] {
        self.regular::<5, REGULAR_DIGITS>()
    }

    /// Width-w non-adjacent form: `f(position, digit)` for each non-zero digit, odd, |digit| < 2^(w-1), from low to
    /// high positions (at most 447). Variable time.
    pub(crate) fn wnaf_vartime(&self, w: usize, mut f: impl FnMut(usize, i16)) {
        let mut x = [0u64; 8];
        x[..7].copy_from_slice(&self.canonical());
        let bits = |pos: usize| {
            let (word, bit) = (pos / 64, pos % 64);
            let high = if bit == 0 || word == 7 {
                0
            } else {
                x[word + 1] << (64 - bit)
            };
            (x[word] >> bit) | high
        };
        let (width, mask) = (1i64 << w, (1u64 << w) - 1);
        let (mut pos, mut carry) = (0usize, 0u64);
        while pos < 448 {
            // Zeros without a carry and ones with a carry yield no digit and leave the carry as it is.
            let buf = bits(pos);
            let zeros = (buf ^ carry.wrapping_neg()).trailing_zeros() as usize;
            pos += zeros;
            if zeros + w > 64 || pos >= 448 {
                continue;
            }
            let v = ((buf >> zeros) & mask).wrapping_add(carry) as i64;
            let digit = if v < width / 2 {
                carry = 0;
                v
            } else {
                carry = 1;
                v - width
            };
            f(pos, digit as i16);
            pos += w;
        }
    }

    /// Signed digits in radix 2^w: `out[i]` in [-2^(w-1), 2^(w-1)]; `out` must hold `SCALAR_BITS / w + 1` digits.
    /// Variable time.
    pub(crate) fn signed_radix_vartime(&self, w: usize, out: &mut [i32]) {
        let mut x = [0u64; 8];
        x[..7].copy_from_slice(&self.canonical());
        let mut carry = 0i64;
        for (i, d) in out.iter_mut().enumerate() {
            let (word, bit) = (i * w / 64, i * w % 64);
            let mut buf = x.get(word).copied().unwrap_or(0) >> bit;
            if bit + w > 64 && word < 7 {
                buf |= x[word + 1] << (64 - bit);
            }
            let v = (buf & ((1 << w) - 1)) as i64 + carry;
            carry = i64::from(v > 1 << (w - 1));
            *d = (v - (carry << w)) as i32;
        }
    }
}

/// Number of digits of [`Scalar::regular_digits`].
pub(crate) const REGULAR_DIGITS: usize = 90;

impl From<u64> for Scalar {
    fn from(v: u64) -> Self {
        Self(mont_mul(&[v, 0, 0, 0, 0, 0, 0], &R2))
    }
}

impl From<u128> for Scalar {
    fn from(v: u128) -> Self {
        Self(mont_mul(&[v as u64, (v >> 64) as u64, 0, 0, 0, 0, 0], &R2))
    }
}

impl Add for Scalar {
    type Output = Self;
    #[inline]
    fn add(self, b: Self) -> Self {
        Self(reduce_once(&add_masked(&self.0, &b.0, u64::MAX)))
    }
}

impl Sub for Scalar {
    type Output = Self;
    #[inline]
    fn sub(self, b: Self) -> Self {
        let (d, borrow) = sub_raw(&self.0, &b.0);
        Self(add_masked(&d, &L, borrow.wrapping_neg()))
    }
}

impl Neg for Scalar {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for Scalar {
    type Output = Self;
    #[inline]
    fn mul(self, b: Self) -> Self {
        Self(mont_mul(&self.0, &b.0))
    }
}

impl AddAssign for Scalar {
    fn add_assign(&mut self, b: Self) {
        *self = *self + b;
    }
}

impl SubAssign for Scalar {
    fn sub_assign(&mut self, b: Self) {
        *self = *self - b;
    }
}

impl MulAssign for Scalar {
    fn mul_assign(&mut self, b: Self) {
        *self = *self * b;
    }
}

impl Sum for Scalar {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| a + b)
    }
}

impl Product for Scalar {
    fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ONE, |a, b| a * b)
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Self) -> Choice {
        // The Montgomery form below l is unique.
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Scalar {}

impl ConditionallySelectable for Scalar {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(core::array::from_fn(|i| {
            u64::conditional_select(&a.0[i], &b.0[i], choice)
        }))
    }
}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Default for Scalar {
    fn default() -> Self {
        Self::ZERO
    }
}

/// Redacted: a scalar may be a secret.
impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(..)")
    }
}

#[cfg(test)]
mod tests;
