//! Twelve limbs of 52 bits with AVX-512 IFMA: limb `j` of lane `i` is word `8 j + i`.
//!
//! The product is one row of multiply-adds per limb into a window of twelve accumulators, with the reduction in the
//! same rows or, for sums of products, afterwards. An accumulator takes at most 48 terms below `2^52` per product, so
//! 64-bit lanes hold sums of more than 32 products. Carries are kept in the accumulators and resolved once at the end.
//!
//! Limits: an eight-lane Montgomery product is 576 multiply-adds, at two per cycle 36 cycles per element; a square 444.
#![allow(
    unsafe_code,
    reason = "loads and stores of vectors; everything here needs instructions found at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "arithmetic kernel: constant bounds; words are reinterpreted between signed and unsigned on purpose"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_load_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_mul_epu32,
    _mm512_or_si512, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_srai_epi64, _mm512_srli_epi64, _mm512_store_si512, _mm512_sub_epi64, _mm512_xor_si512,
};

use super::{FpX8, LANES, WIDE_WORDS, WORDS};
use crate::fp::Fp;

type Words = [u64; WORDS];
type WideWords = [u64; WIDE_WORDS];
/// Limbs of eight numbers.
pub(crate) type V = [__m512i; LIMBS];
/// Limbs of eight unreduced products, signed.
pub(crate) type W = [__m512i; 2 * LIMBS];

pub(crate) const LIMBS: usize = 12;
pub(crate) const MASK: u64 = (1 << 52) - 1;

/// Limbs of 52 bits.
const fn split(a: &[u64; 10]) -> [u64; LIMBS] {
    let mut r = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (word, shift) = (52 * i / 64, 52 * i % 64);
        r[i] = a[word] >> shift;
        if shift > 12 && word < 9 {
            r[i] |= a[word + 1] << (64 - shift);
        }
        r[i] &= MASK;
        i += 1;
    }
    r
}

/// `k a` in 52-bit limbs; the highest limb takes what is left.
pub(crate) const fn times(a: &[u64; LIMBS], k: u64) -> [u64; LIMBS] {
    let mut r = [0; LIMBS];
    let mut carry: u128 = 0;
    let mut i = 0;
    while i < LIMBS {
        carry = carry.wrapping_add((a[i] as u128).wrapping_mul(k as u128));
        r[i] = (carry as u64) & MASK;
        carry >>= 52;
        i += 1;
    }
    r
}

/// The integer `2^n mod p`.
const fn power_of_two(n: usize) -> [u64; LIMBS] {
    let mut v = Fp::ONE;
    let mut i = 0;
    while i < n {
        v = v.double();
        i += 1;
    }
    split(&v.to_limbs())
}

pub(crate) const P: [u64; LIMBS] = split(&Fp::MODULUS);
/// `-p^-1 mod 2^52`.
const INV: u64 = Fp::INV & MASK;
pub(crate) const TWO_P: [u64; LIMBS] = times(&P, 2);
/// What [`sub_lazy`] adds.
const LAZY_P: [u64; LIMBS] = times(&P, 1 << 10);
/// Entry `j` holds limb `j` of `0, p, .., 7p`.
const MULTIPLES: [[u64; 8]; LIMBS] = {
    let mut t = [[0; 8]; LIMBS];
    let mut k = 0;
    while k < 8 {
        let m = times(&P, k);
        let mut j = 0;
        while j < LIMBS {
            t[j][k as usize] = m[j];
            j += 1;
        }
        k += 1;
    }
    t
};
/// `2^620 p` from limb 11 on: more than any sum of products in absolute value, a sixteenth of `p` after reduction.
const BIAS: [u64; LIMBS + 1] = {
    let mut r = [0; LIMBS + 1];
    let mut i = 0;
    while i < LIMBS {
        r[i] |= (P[i] << 48) & MASK;
        r[i + 1] |= P[i] >> 4;
        i += 1;
    }
    r
};
/// Factors that change the Montgomery radix between `2^640` and `2^624`.
const ENTER: [u64; LIMBS] = power_of_two(608);
const LEAVE: [u64; LIMBS] = power_of_two(640);

macro_rules! kernel_fn {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$doc])*
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? $body
    )*};
}

/// As [`kernel_fn`], never inlined: large bodies that are called in a row stay in the instruction cache.
macro_rules! kernel_call {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$doc])*
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? $body
    )*};
}
pub(crate) use {kernel_call, kernel_fn};

kernel_fn! {
    fn lo(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
        _mm512_madd52lo_epu64(acc, a, b)
    }

    fn hi(acc: __m512i, a: __m512i, b: __m512i) -> __m512i {
        _mm512_madd52hi_epu64(acc, a, b)
    }

    pub(crate) fn splat(v: u64) -> __m512i {
        _mm512_set1_epi64(v as i64)
    }

    /// The vector at `words[8 i ..]`.
    fn load_at(words: &[u64], i: usize) -> __m512i {
        let v = &words[8 * i..8 * i + 8];
        // SAFETY: eight words are readable there; the words come from a type aligned to 64 bytes and `8 i` keeps that.
        unsafe { _mm512_load_si512(v.as_ptr().cast()) }
    }

    fn store_at(words: &mut [u64], i: usize, v: __m512i) {
        let to = &mut words[8 * i..8 * i + 8];
        // SAFETY: as in `load_at`, writable.
        unsafe { _mm512_store_si512(to.as_mut_ptr().cast(), v) }
    }

    pub(crate) fn load(words: &Words) -> V {
        let mut v = [_mm512_setzero_si512(); LIMBS];
        for i in 0..LIMBS {
            v[i] = load_at(words, i);
        }
        v
    }

    pub(crate) fn store(words: &mut Words, v: &V) {
        for i in 0..LIMBS {
            store_at(words, i, v[i]);
        }
    }

    fn load_wide(words: &WideWords) -> W {
        let mut v = [_mm512_setzero_si512(); 2 * LIMBS];
        for i in 0..2 * LIMBS {
            v[i] = load_at(words, i);
        }
        v
    }

    fn store_wide(words: &mut WideWords, v: &W) {
        for i in 0..2 * LIMBS {
            store_at(words, i, v[i]);
        }
    }

    fn constant(limbs: &[u64; LIMBS]) -> V {
        let mut v = [_mm512_setzero_si512(); LIMBS];
        for i in 0..LIMBS {
            v[i] = splat(limbs[i]);
        }
        v
    }

    /// Resolves signed carries; the value must not be negative.
    pub(crate) fn carry(t: &mut V) {
        let mask = splat(MASK);
        for i in 0..LIMBS - 1 {
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
            t[i] = _mm512_and_si512(t[i], mask);
        }
    }

    /// Resolves carries and subtracts a multiple of `p`: from `[0, 7.9p)` to less than `1.2 p`. Limbs are sums of at most
    /// nine limbs of resolved numbers, less at most four.
    ///
    /// The quotient by `p = 296.06 2^572` is taken from the highest limb. `436 / 2^17 = 1 / 300.6` is low enough that up
    /// to four borrows into that limb cannot make the difference negative; more could.
    pub(crate) fn carry_reduced(t: &mut V) {
        let k = _mm512_srli_epi64::<17>(_mm512_mul_epu32(t[LIMBS - 1], splat(436)));
        for i in 0..LIMBS {
            let table = load_table(&MULTIPLES[i]);
            t[i] = _mm512_sub_epi64(t[i], _mm512_permutexvar_epi64(k, table));
        }
        carry(t);
    }

    fn load_table(t: &[u64; 8]) -> __m512i {
        let [a, b, c, d, e, f, g, h] = t.map(|w| w as i64);
        core::arch::x86_64::_mm512_set_epi64(h, g, f, e, d, c, b, a)
    }

    /// Montgomery product of numbers whose product is below `2^40 p^2`: less than `1.001 p`.
    pub(crate) fn mul_v(a: &V, b: &V) -> V {
        let zero = _mm512_setzero_si512();
        let (mask, inv) = (splat(MASK), splat(INV));
        let m = constant(&P);
        let mut t = [zero; LIMBS];
        macro_rules! rows {
            ($($i:literal)*) => {$({
                let bi = b[$i];
                for j in 0..LIMBS {
                    t[j] = lo(t[j], a[j], bi);
                }
                let q = lo(zero, t[0], inv);
                // t[0] + lo(q m[0]) is a multiple of 2^52: rounding up gives the carry without the product.
                let c = _mm512_srli_epi64::<52>(_mm512_add_epi64(t[0], mask));
                let top = hi(hi(zero, a[0], bi), q, m[0]);
                t[0] = _mm512_add_epi64(lo(_mm512_add_epi64(t[1], c), q, m[1]), top);
                for j in 1..LIMBS - 1 {
                    t[j] = hi(t[j + 1], a[j], bi);
                }
                t[LIMBS - 1] = hi(zero, a[LIMBS - 1], bi);
                for j in 1..LIMBS - 1 {
                    t[j] = lo(t[j], q, m[j + 1]);
                }
                for j in 1..LIMBS {
                    t[j] = hi(t[j], q, m[j]);
                }
            })*};
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10 11);
        carry(&mut t);
        t
    }

    /// Unreduced product.
    pub(crate) fn mul_w(a: &V, b: &V) -> W {
        let zero = _mm512_setzero_si512();
        let mut t = [zero; LIMBS];
        let mut out = [zero; 2 * LIMBS];
        macro_rules! rows {
            ($($i:literal)*) => {$({
                let bi = b[$i];
                for j in 0..LIMBS {
                    t[j] = lo(t[j], a[j], bi);
                }
                out[$i] = t[0];
                for j in 0..LIMBS - 1 {
                    t[j] = hi(t[j + 1], a[j], bi);
                }
                t[LIMBS - 1] = hi(zero, a[LIMBS - 1], bi);
            })*};
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10 11);
        out[LIMBS..].copy_from_slice(&t);
        out
    }

    /// Unreduced square: each cross product once, doubled, then the diagonal.
    pub(crate) fn sqr_w(a: &V) -> W {
        let mut o = [_mm512_setzero_si512(); 2 * LIMBS];
        macro_rules! rows {
            ($($i:literal)*) => {$({
                for j in $i + 1..LIMBS {
                    o[$i + j] = lo(o[$i + j], a[j], a[$i]);
                    o[$i + j + 1] = hi(o[$i + j + 1], a[j], a[$i]);
                }
            })*};
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10);
        for i in 0..LIMBS {
            let (even, odd) = (o[2 * i], o[2 * i + 1]);
            o[2 * i] = lo(_mm512_add_epi64(even, even), a[i], a[i]);
            o[2 * i + 1] = hi(_mm512_add_epi64(odd, odd), a[i], a[i]);
        }
        o
    }

    /// Montgomery reduction of a signed sum of products below `2^38 p^2` in absolute value, carries unresolved: the
    /// value is positive and below `1.2 p`.
    fn reduce_open(w: &W) -> V {
        let zero = _mm512_setzero_si512();
        let (mask, inv) = (splat(MASK), splat(INV));
        let m = constant(&P);
        let mut t = [zero; LIMBS];
        t.copy_from_slice(&w[..LIMBS]);
        t[LIMBS - 1] = _mm512_add_epi64(t[LIMBS - 1], splat(BIAS[0]));
        macro_rules! rows {
            ($($i:literal)*) => {$({
                let q = lo(zero, t[0], inv);
                let c = _mm512_srai_epi64::<52>(_mm512_add_epi64(t[0], mask));
                let next = lo(_mm512_add_epi64(t[1], c), q, m[1]);
                t[0] = _mm512_add_epi64(next, hi(zero, q, m[0]));
                for j in 1..LIMBS - 1 {
                    t[j] = lo(t[j + 1], q, m[j + 1]);
                }
                t[LIMBS - 1] = _mm512_add_epi64(w[LIMBS + $i], splat(BIAS[$i + 1]));
                for j in 1..LIMBS {
                    t[j] = hi(t[j], q, m[j]);
                }
            })*};
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10 11);
        t
    }

    /// [`reduce_open`] with carries resolved.
    pub(crate) fn reduce_v(w: &W) -> V {
        let mut t = reduce_open(w);
        carry(&mut t);
        t
    }

    pub(crate) fn from_array(values: &[Fp; LANES], out: &mut Words) {
        let mut aligned = FpX8::ZERO;
        for (lane, v) in values.iter().enumerate() {
            for (j, limb) in split(&v.0).into_iter().enumerate() {
                aligned.0[8 * j + lane] = limb;
            }
        }
        store(out, &mul_v(&load(&aligned.0), &constant(&ENTER)));
    }

    pub(crate) fn to_array(a: &Words) -> [Fp; LANES] {
        let mut aligned = FpX8::ZERO;
        store(&mut aligned.0, &mul_v(&load(a), &constant(&LEAVE)));
        core::array::from_fn(|lane| {
            let mut limbs = [0u64; 10];
            for j in 0..LIMBS {
                let (limb, word, shift) = (aligned.0[8 * j + lane], 52 * j / 64, 52 * j % 64);
                limbs[word] |= limb << shift;
                if shift > 12 && word < 9 {
                    limbs[word + 1] |= limb >> (64 - shift);
                }
            }
            Fp(limbs)
        })
    }

    fn add_v(a: &V, b: &V) -> V {
        let mut t = *a;
        for i in 0..LIMBS {
            t[i] = _mm512_add_epi64(a[i], b[i]);
        }
        t
    }

    /// `a + c - b`.
    fn sub_from(c: &[u64; LIMBS], a: &V, b: &V) -> V {
        let mut t = *a;
        for i in 0..LIMBS {
            t[i] = _mm512_add_epi64(_mm512_sub_epi64(a[i], b[i]), splat(c[i]));
        }
        t
    }

    pub(crate) fn add(a: &Words, b: &Words, out: &mut Words) {
        let mut t = add_v(&load(a), &load(b));
        carry_reduced(&mut t);
        store(out, &t);
    }

    pub(crate) fn sub(a: &Words, b: &Words, out: &mut Words) {
        let mut t = sub_from(&TWO_P, &load(a), &load(b));
        carry_reduced(&mut t);
        store(out, &t);
    }

    pub(crate) fn neg(a: &Words, out: &mut Words) {
        let mut t = sub_from(&TWO_P, &[_mm512_setzero_si512(); LIMBS], &load(a));
        carry_reduced(&mut t);
        store(out, &t);
    }

    pub(crate) fn add_lazy(a: &Words, b: &Words, out: &mut Words) {
        let mut t = add_v(&load(a), &load(b));
        carry(&mut t);
        store(out, &t);
    }

    pub(crate) fn sub_lazy(a: &Words, b: &Words, out: &mut Words) {
        let mut t = sub_from(&LAZY_P, &load(a), &load(b));
        carry(&mut t);
        store(out, &t);
    }

    pub(crate) fn mul(a: &Words, b: &Words, out: &mut Words) {
        store(out, &mul_v(&load(a), &load(b)));
    }

    pub(crate) fn square(a: &Words, out: &mut Words) {
        store(out, &reduce_v(&sqr_w(&load(a))));
    }

    pub(crate) fn select(a: &Words, b: &Words, mask: u8, out: &mut Words) {
        for i in 0..LIMBS {
            store_at(out, i, _mm512_mask_blend_epi64(mask, load_at(a, i), load_at(b, i)));
        }
    }

    pub(crate) fn zero_lanes(a: &Words) -> u8 {
        let a = load(a);
        // Below 2p: zero or p.
        let mut zero = a[0];
        let mut prime = _mm512_xor_si512(a[0], splat(P[0]));
        for i in 1..LIMBS {
            zero = _mm512_or_si512(zero, a[i]);
            prime = _mm512_or_si512(prime, _mm512_xor_si512(a[i], splat(P[i])));
        }
        let none = _mm512_setzero_si512();
        _mm512_cmpeq_epi64_mask(zero, none) | _mm512_cmpeq_epi64_mask(prime, none)
    }

    pub(crate) fn mul_wide(a: &Words, b: &Words, out: &mut WideWords) {
        store_wide(out, &mul_w(&load(a), &load(b)));
    }

    pub(crate) fn sqr_wide(a: &Words, out: &mut WideWords) {
        store_wide(out, &sqr_w(&load(a)));
    }

    pub(crate) fn wide_add_assign(a: &mut WideWords, b: &WideWords) {
        for i in 0..2 * LIMBS {
            let v = _mm512_add_epi64(load_at(a, i), load_at(b, i));
            store_at(a, i, v);
        }
    }

    pub(crate) fn wide_sub_assign(a: &mut WideWords, b: &WideWords) {
        for i in 0..2 * LIMBS {
            let v = _mm512_sub_epi64(load_at(a, i), load_at(b, i));
            store_at(a, i, v);
        }
    }

    pub(crate) fn reduce(a: &WideWords, out: &mut Words) {
        store(out, &reduce_v(&load_wide(a)));
    }
}
