//! AVX-512 IFMA: twelve vectors of 52-bit limbs, Montgomery factor `2^624`.
//!
//! [`Fp`] has the factor `2^640`, so its limbs stand for `2^16` times the element here; see the parent module. As
//! `2^16` is the square of `2^8`, ordinates are loaded with another factor of `2^8`.
#![allow(
    unsafe_code,
    reason = "loads and stores of vectors, and calls of functions that need instructions detected at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::multiple_unsafe_ops_per_block,
    clippy::many_single_char_names,
    reason = "arithmetic kernel: constant bounds; words are reinterpreted between signed and unsigned on purpose"
)]

use core::arch::x86_64::{
    __m512i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm512_add_epi64, _mm512_and_si512,
    _mm512_castsi128_si512, _mm512_cmpeq_epi64_mask, _mm512_inserti64x2, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64, _mm512_mask_blend_epi64,
    _mm512_mask_sub_epi64, _mm512_or_si512, _mm512_permutexvar_epi64, _mm512_set1_epi64,
    _mm512_setr_epi64, _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_sll_epi64,
    _mm512_slli_epi64, _mm512_srl_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::{LANES, Lanes, Mask, invert_eight, spread};
use crate::fp::Fp;
use crate::msm::{PointRow, Special};
use crate::x8::ifma::{V, carry, mul_v, reduce_v, sqr_w};

const N: usize = 12;
const LIMB_BITS: usize = 52;
const LOW: u64 = (1 << LIMB_BITS) - 1;

/// Limbs of 52 bits of `v` shifted left by `shift`.
const fn limbs(v: &[u64; 10], shift: usize) -> [u64; N] {
    let mut out = [0; N];
    let mut bit = 0;
    while bit < 640 {
        let at = bit + shift;
        if at < N * LIMB_BITS {
            out[at / LIMB_BITS] |= ((v[bit / 64] >> (bit % 64)) & 1) << (at % LIMB_BITS);
        }
        bit += 1;
    }
    out
}

/// The element `2^-n`.
const fn halved(n: usize) -> Fp {
    let mut v = Fp::ONE;
    let mut i = 0;
    while i < n {
        v = v.halve();
        i += 1;
    }
    v
}

const P: [u64; N] = limbs(&Fp::MODULUS, 0);
/// `2^12 p`: what a value may be below zero before it settles.
const OFFSET: [u64; N] = limbs(&Fp::MODULUS, 12);
/// `2^624 - p`.
const COMPLEMENT: [u64; N] = {
    let mut out = [0; N];
    let mut carry = 1;
    let mut i = 0;
    while i < N {
        let v = (P[i] ^ LOW) + carry;
        out[i] = v & LOW;
        carry = v >> LIMB_BITS;
        i += 1;
    }
    out
};
/// `floor(2^624 / p)`.
const QUOTIENT: u64 = 0xdd5_c3a3_372b;
/// `2^624 mod p`, one with this factor.
const ONE: [u64; N] = limbs(&halved(16).0, 0);
/// `2^-8` with this factor.
const STORE_Y: [u64; N] = limbs(&halved(24).0, 0);
/// An inverse taken as [`Fp`] is `2^32` times that with this factor.
const INVERSE: Fp = halved(32);

/// Calls of functions that need the instructions.
macro_rules! vectors {
    ($e:expr) => {
        // SAFETY: a value of this type is only asked for when `Ifma::available` has found the instructions.
        unsafe { $e }
    };
}

/// The vectors. Made only on machines with the instructions; see [`Ifma::available`].
#[derive(Clone, Copy)]
pub(crate) struct Ifma(pub(super) V);

impl Ifma {
    /// Whether this process uses the instructions.
    #[inline]
    pub(crate) fn available() -> bool {
        quil_simd::Features::get().ifma
    }

    /// Loose value times `2^BITS`, loose.
    #[inline(always)]
    pub(super) fn shift_left<const BITS: u32>(&self) -> Self {
        Self(vectors!(zip(&self.0, &self.0, |a, _| _mm512_slli_epi64::<
            BITS,
        >(a))))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn splat(v: u64) -> __m512i {
    _mm512_set1_epi64(v as i64)
}

/// Adds `2^12 p` and makes limbs exact.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn settle(a: &V) -> V {
    let mut t = *a;
    for i in 0..N {
        t[i] = _mm512_add_epi64(t[i], splat(OFFSET[i]));
    }
    carry(&mut t);
    t
}

/// Below `2p`, from exact limbs of a value below `2^17 p`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn weak(a: &V) -> V {
    // The quotient by p is at most one too small: the top limb misses less than p / 296.
    let q = _mm512_madd52hi_epu64(_mm512_setzero_si512(), a[N - 1], splat(QUOTIENT));
    let mut t = *a;
    for i in 0..N {
        t[i] = _mm512_madd52lo_epu64(t[i], q, splat(COMPLEMENT[i]));
    }
    for i in 0..N - 1 {
        t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], q, splat(COMPLEMENT[i]));
    }
    carry(&mut t);
    // q 2^624 too much.
    t[N - 1] = _mm512_and_si512(t[N - 1], splat(LOW));
    t
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn transpose(r: &[__m512i; 8]) -> [__m512i; 8] {
    let mut t = [_mm512_setzero_si512(); 8];
    for i in 0..4 {
        t[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        t[4 + i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    let mut out = t;
    for half in 0..2 {
        let [a, b, c, d] = [
            t[4 * half],
            t[4 * half + 1],
            t[4 * half + 2],
            t[4 * half + 3],
        ];
        let (u0, u1) = (
            _mm512_shuffle_i64x2::<0x88>(a, b),
            _mm512_shuffle_i64x2::<0x88>(c, d),
        );
        let (u2, u3) = (
            _mm512_shuffle_i64x2::<0xdd>(a, b),
            _mm512_shuffle_i64x2::<0xdd>(c, d),
        );
        out[half] = _mm512_shuffle_i64x2::<0x88>(u0, u1);
        out[4 + half] = _mm512_shuffle_i64x2::<0xdd>(u0, u1);
        out[2 + half] = _mm512_shuffle_i64x2::<0x88>(u2, u3);
        out[6 + half] = _mm512_shuffle_i64x2::<0xdd>(u2, u3);
    }
    out
}

/// Limbs of the eight elements, shifted left by `SHIFT` bits.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn load<const SHIFT: usize>(v: [&Fp; LANES]) -> V {
    let mut rows = [_mm512_setzero_si512(); 8];
    let mut tails = [_mm512_setzero_si512(); 8];
    for i in 0..8 {
        // SAFETY: ten readable words; the loads have no alignment demand.
        let (head, tail) = unsafe {
            (
                _mm512_loadu_si512(v[i].0.as_ptr().cast()),
                _mm_loadu_si128(v[i].0.as_ptr().add(8).cast()),
            )
        };
        rows[i] = head;
        tails[i] = _mm512_castsi128_si512(tail);
    }
    let rows = transpose(&rows);
    let four = |a: __m512i, b, c, d| {
        let t = _mm512_inserti64x2::<1>(a, _mm512_low(b));
        let t = _mm512_inserti64x2::<2>(t, _mm512_low(c));
        _mm512_inserti64x2::<3>(t, _mm512_low(d))
    };
    let even = four(tails[0], tails[2], tails[4], tails[6]);
    let odd = four(tails[1], tails[3], tails[5], tails[7]);
    let mut words = [_mm512_setzero_si512(); 10];
    words[..8].copy_from_slice(&rows);
    words[8] = _mm512_unpacklo_epi64(even, odd);
    words[9] = _mm512_unpackhi_epi64(even, odd);
    regroup::<SHIFT>(&words)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn _mm512_low(v: __m512i) -> core::arch::x86_64::__m128i {
    core::arch::x86_64::_mm512_castsi512_si128(v)
}

/// From ten words of 64 bits to twelve of 52, shifted left by `SHIFT` bits.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn regroup<const SHIFT: usize>(words: &[__m512i; 10]) -> V {
    let low = splat(LOW);
    let mut out = [_mm512_setzero_si512(); N];
    out[0] = _mm512_and_si512(shift_left(words[0], SHIFT), low);
    for i in 1..N {
        let bit = LIMB_BITS * i - SHIFT;
        let (word, shift) = (bit / 64, bit % 64);
        let mut v = shift_right(words[word], shift);
        if shift > 12 && word < 9 {
            v = _mm512_or_si512(v, shift_left(words[word + 1], 64 - shift));
        }
        out[i] = _mm512_and_si512(v, low);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn shift_left(v: __m512i, n: usize) -> __m512i {
    _mm512_sll_epi64(v, _mm_cvtsi32_si128(n as i32))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn shift_right(v: __m512i, n: usize) -> __m512i {
    _mm512_srl_epi64(v, _mm_cvtsi32_si128(n as i32))
}

/// The elements, from exact limbs below `2p`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn store(v: &V) -> [Fp; LANES] {
    let mut words = [_mm512_setzero_si512(); 10];
    for (i, w) in words.iter_mut().enumerate() {
        let (limb, shift) = (64 * i / LIMB_BITS, 64 * i % LIMB_BITS);
        let mut t = shift_right(v[limb], shift);
        if limb + 1 < N {
            t = _mm512_or_si512(t, shift_left(v[limb + 1], LIMB_BITS - shift));
        }
        if 2 * LIMB_BITS - shift < 64 && limb + 2 < N {
            t = _mm512_or_si512(t, shift_left(v[limb + 2], 2 * LIMB_BITS - shift));
        }
        *w = t;
    }
    let mut rows = [_mm512_setzero_si512(); 8];
    rows.copy_from_slice(&words[..8]);
    let rows = transpose(&rows);
    let mut tails = [[0u64; 8]; 2];
    let mut out = [Fp::ZERO; LANES];
    // SAFETY: eight writable words each, the first eight of the ten of an element; no alignment demand.
    unsafe {
        _mm512_storeu_si512(tails[0].as_mut_ptr().cast(), words[8]);
        _mm512_storeu_si512(tails[1].as_mut_ptr().cast(), words[9]);
        for (to, row) in out.iter_mut().zip(rows) {
            _mm512_storeu_si512(to.0.as_mut_ptr().cast(), row);
        }
    }
    for (i, to) in out.iter_mut().enumerate() {
        to.0[8] = tails[0][i];
        to.0[9] = tails[1][i];
    }
    out
}

/// Lanes in which exact limbs below `2p` are zero modulo `p`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn zeros(v: &V) -> Mask {
    let (mut zero, mut modulus) = (Mask::MAX, Mask::MAX);
    for i in 0..N {
        zero &= _mm512_cmpeq_epi64_mask(v[i], _mm512_setzero_si512());
        modulus &= _mm512_cmpeq_epi64_mask(v[i], splat(P[i]));
    }
    zero | modulus
}

/// Lanes that may be equal, from values below `2p`: differences are -p, 0 or p, and so are their low limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn maybe_same(a: &V, b: &V) -> Mask {
    let d = _mm512_and_si512(_mm512_sub_epi64(a[0], b[0]), splat(LOW));
    _mm512_cmpeq_epi64_mask(d, _mm512_setzero_si512())
        | _mm512_cmpeq_epi64_mask(d, splat(P[0]))
        | _mm512_cmpeq_epi64_mask(d, splat(COMPLEMENT[0]))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn zip(a: &V, b: &V, f: impl Fn(__m512i, __m512i) -> __m512i) -> V {
    let mut out = *a;
    for i in 0..N {
        out[i] = f(a[i], b[i]);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn add_if(a: &V, b: &V, mask: Mask) -> V {
    let mut out = *a;
    for i in 0..N {
        out[i] = _mm512_mask_add_epi64(a[i], mask, a[i], b[i]);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn sub_if(a: &V, b: &V, mask: Mask) -> V {
    let mut out = *a;
    for i in 0..N {
        out[i] = _mm512_mask_sub_epi64(a[i], mask, a[i], b[i]);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn blend(a: &V, b: &V, mask: Mask) -> V {
    let mut out = *a;
    for i in 0..N {
        out[i] = _mm512_mask_blend_epi64(mask, a[i], b[i]);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn permute(a: &V, from: [u8; LANES]) -> V {
    let [i, j, k, l, m, n, o, p] = from.map(i64::from);
    let index = _mm512_setr_epi64(i, j, k, l, m, n, o, p);
    let mut out = *a;
    for i in 0..N {
        out[i] = _mm512_permutexvar_epi64(index, a[i]);
    }
    out
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn constant(v: &[u64; N]) -> V {
    let mut out = [_mm512_setzero_si512(); N];
    for i in 0..N {
        out[i] = splat(v[i]);
    }
    out
}

// The formulas, compiled for the instructions.

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_double(p: &Ifma) -> Ifma {
    spread::double(p)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_prepare(p: &Ifma) -> Ifma {
    spread::prepare(p)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_add(p: &Ifma, q: &Ifma) -> Ifma {
    spread::add(p, q)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn row_add(
    p: &PointRow<Ifma>,
    q: &PointRow<Ifma>,
    inverse: &Ifma,
    special: Special,
) -> PointRow<Ifma> {
    crate::msm::add_rows(p, q, inverse, special)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn row_denominator(p: &PointRow<Ifma>, q: &PointRow<Ifma>) -> (Ifma, Special) {
    crate::msm::denominator(p, q)
}

impl Lanes for Ifma {
    #[inline(always)]
    fn load(v: [&Fp; LANES]) -> Self {
        Self(vectors!(load::<0>(v)))
    }

    #[inline(always)]
    fn load_y(v: [&Fp; LANES]) -> Self {
        Self(vectors!(load::<8>(v)))
    }

    #[inline(always)]
    fn store(&self) -> [Fp; LANES] {
        vectors!(store(&weak(&self.0)))
    }

    #[inline(always)]
    fn store_y(&self) -> [Fp; LANES] {
        vectors!(store(&weak(&mul_v(&self.0, &constant(&STORE_Y)))))
    }

    #[inline(always)]
    fn one() -> Self {
        Self(vectors!(constant(&ONE)))
    }

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        Self(vectors!(zip(&self.0, &rhs.0, |a, b| _mm512_add_epi64(
            a, b
        ))))
    }

    #[inline(always)]
    fn sub(&self, rhs: &Self) -> Self {
        Self(vectors!(zip(&self.0, &rhs.0, |a, b| _mm512_sub_epi64(
            a, b
        ))))
    }

    #[inline(always)]
    fn add_if(&self, rhs: &Self, mask: Mask) -> Self {
        Self(vectors!(add_if(&self.0, &rhs.0, mask)))
    }

    #[inline(always)]
    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self {
        Self(vectors!(sub_if(&self.0, &rhs.0, mask)))
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        Self(vectors!(settle(&self.0)))
    }

    #[inline(always)]
    fn reduce(&self) -> Self {
        Self(vectors!(weak(&settle(&self.0))))
    }

    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        Self(vectors!(mul_v(&self.0, &rhs.0)))
    }

    #[inline(always)]
    fn square(&self) -> Self {
        Self(vectors!(reduce_v(&sqr_w(&self.0))))
    }

    #[inline(always)]
    fn same(&self, rhs: &Self) -> Mask {
        if vectors!(maybe_same(&self.0, &rhs.0)) == 0 {
            return 0;
        }
        vectors!(zeros(&self.sub(rhs).reduce().0))
    }

    #[inline(always)]
    fn blend(a: &Self, b: &Self, mask: Mask) -> Self {
        Self(vectors!(blend(&a.0, &b.0, mask)))
    }

    #[inline(always)]
    fn permute(&self, from: [u8; LANES]) -> Self {
        Self(vectors!(permute(&self.0, from)))
    }

    fn invert_vartime(&self) -> Self {
        let inverses = invert_eight(&self.store()).map(|v| v.mul(&INVERSE));
        Self::load(inverses.each_ref())
    }

    fn spread_double(&self) -> Self {
        vectors!(spread_double(self))
    }

    fn spread_prepare(&self) -> Self {
        vectors!(spread_prepare(self))
    }

    fn spread_add(&self, prepared: &Self) -> Self {
        vectors!(spread_add(self, prepared))
    }

    fn add_rows(
        p: &PointRow<Self>,
        q: &PointRow<Self>,
        inverse: &Self,
        special: Special,
    ) -> PointRow<Self> {
        vectors!(row_add(p, q, inverse, special))
    }

    fn denominator(p: &PointRow<Self>, q: &PointRow<Self>) -> (Self, Special) {
        vectors!(row_denominator(p, q))
    }
}
