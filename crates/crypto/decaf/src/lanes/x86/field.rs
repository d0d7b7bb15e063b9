//! GF(p) in ten limbs of 45 bits, eight elements side by side.
//!
//! With psi = 2^225, twice the phi of the portable form, p = phi^2 - phi - 1 gives psi^2 = 2 psi + 4 modulo p. Halves of
//! five limbs are aligned to psi, so Karatsuba folds the reduction into the product, and 45 of the 52 bits that the
//! multiplier takes leave room for sums without carries.
//!
//! Bounds: *tight* limbs are below 2^45 + 2^18 (every product and carried sum); *loose* ones below 2^48. Products accept
//! loose inputs, `sub` needs a tight subtrahend.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::cast_possible_wrap,
    reason = "arithmetic kernel: fixed-size arrays, constant indices, bit patterns as lanes"
)]

use core::arch::x86_64::{
    _mm_cvtsi64_si128, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512,
    _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_sll_epi64, _mm512_srl_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

pub(in crate::lanes) use super::eight::Fe8;
pub(super) use super::eight::splat;
use super::{
    Fe, V, WIDTH,
    arithmetic::{EIGHT_P, LIMBS, MASK},
};

/// Bits that a limb of the portable form has.
const MASK56: u64 = (1 << 56) - 1;

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn load(x: &[u64; WIDTH]) -> V {
    // SAFETY: 64 readable bytes; the load has no alignment demand.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn store(x: &mut [u64; WIDTH], v: V) {
    // SAFETY: 64 writable bytes; the store has no alignment demand.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), v) }
}

/// Rows become columns.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn transpose(r: [V; WIDTH]) -> [V; WIDTH] {
    let (mut lo, mut hi) = ([r[0]; 4], [r[0]; 4]);
    for i in 0..4 {
        lo[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        hi[i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    // Of each: columns (0, 2, 4, 6) and (1, 3, 5, 7), two rows in a quarter.
    let quarter = |q: [V; 4]| {
        let a = _mm512_shuffle_i64x2::<0x88>(q[0], q[1]);
        let b = _mm512_shuffle_i64x2::<0xdd>(q[0], q[1]);
        let c = _mm512_shuffle_i64x2::<0x88>(q[2], q[3]);
        let d = _mm512_shuffle_i64x2::<0xdd>(q[2], q[3]);
        [
            _mm512_shuffle_i64x2::<0x88>(a, c),
            _mm512_shuffle_i64x2::<0x88>(b, d),
            _mm512_shuffle_i64x2::<0xdd>(a, c),
            _mm512_shuffle_i64x2::<0xdd>(b, d),
        ]
    };
    let (even, odd) = (quarter(lo), quarter(hi));
    [
        even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3],
    ]
}

impl Fe8 {
    /// Sum without carry.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn add(&self, b: &Self) -> Self {
        let mut r = self.0;
        for k in 0..LIMBS {
            r[k] = _mm512_add_epi64(r[k], b.0[k]);
        }
        Self(r)
    }

    /// Difference without carry, biased by 8p: `b` must be tight.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn sub(&self, b: &Self) -> Self {
        let mut r = self.0;
        for k in 0..LIMBS {
            let biased = _mm512_add_epi64(r[k], splat(EIGHT_P[k]));
            r[k] = _mm512_sub_epi64(biased, b.0[k]);
        }
        Self(r)
    }

    /// Product with a constant below 2^20: loose to tight.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn mul_small(&self, w: u32) -> Self {
        self.mul_lanes(splat(u64::from(w)))
    }

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn square_n(&self, n: usize) -> Self {
        let mut r = *self;
        for _ in 0..n {
            r = r.square();
        }
        r
    }

    /// Eight elements of the portable form: tight to loose.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn gather(values: [&Fe; WIDTH]) -> Self {
        let mut rows = [_mm512_setzero_si512(); WIDTH];
        for lane in 0..WIDTH {
            rows[lane] = load(&values[lane].0);
        }
        Self::from_columns(&transpose(rows))
    }

    /// From limbs of 56 bits. What a limb has beyond them stays in the last piece that is cut from it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn from_columns(w: &[V; 8]) -> Self {
        let mask = splat(MASK);
        let mut r = [w[0]; LIMBS];
        for j in 0..LIMBS {
            let (word, shift) = (45 * j / 56, (45 * j % 56) as i64);
            let low = _mm512_srl_epi64(w[word], _mm_cvtsi64_si128(shift));
            r[j] = if shift + 45 <= 56 && word < 7 {
                _mm512_and_si512(low, mask)
            } else if word < 7 {
                let high = _mm512_sll_epi64(w[word + 1], _mm_cvtsi64_si128(56 - shift));
                _mm512_add_epi64(low, _mm512_and_si512(high, mask))
            } else {
                low
            };
        }
        Self(r)
    }

    /// The portable form of each lane, tight.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn scatter(&self) -> [Fe; WIDTH] {
        let mask = splat(MASK56);
        let mut w = [_mm512_setzero_si512(); 9];
        for j in 0..LIMBS {
            let (word, shift) = (45 * j / 56, (45 * j % 56) as i64);
            let low = _mm512_sll_epi64(self.0[j], _mm_cvtsi64_si128(shift));
            w[word] = _mm512_add_epi64(w[word], _mm512_and_si512(low, mask));
            let high = _mm512_srl_epi64(self.0[j], _mm_cvtsi64_si128(56 - shift));
            w[word + 1] = _mm512_add_epi64(w[word + 1], high);
        }
        // 2^448 = phi + 1.
        w[0] = _mm512_add_epi64(w[0], w[8]);
        w[4] = _mm512_add_epi64(w[4], w[8]);
        let columns = [w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]];
        let mut out = [Fe::ZERO; WIDTH];
        for (fe, row) in out.iter_mut().zip(transpose(columns)) {
            store(&mut fe.0, row);
            *fe = fe.carry();
        }
        out
    }
}

/// x^((p - 3) / 4): the chain of [`Fe`].
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn pow_p34(values: &mut [Fe; WIDTH]) {
    *values = power(&Fe8::gather(values.each_ref())).scatter();
}

/// As [`pow_p34`].
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn power(x1: &Fe8) -> Fe8 {
    let x2 = x1.square().mul(x1);
    let x3 = x2.square().mul(x1);
    let x6 = x3.square_n(3).mul(&x3);
    let x9 = x6.square_n(3).mul(&x3);
    let x18 = x9.square_n(9).mul(&x9);
    let x19 = x18.square().mul(x1);
    let x37 = x19.square_n(18).mul(&x18);
    let x74 = x37.square_n(37).mul(&x37);
    let x111 = x74.square_n(37).mul(&x37);
    let x222 = x111.square_n(111).mul(&x111);
    let x223 = x222.square().mul(x1);
    x223.square_n(223).mul(&x222)
}
