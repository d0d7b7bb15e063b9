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
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_mask_mov_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_sll_epi64,
    _mm512_slli_epi64, _mm512_srl_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::{Fe, V, WIDTH};

pub(super) const LIMBS: usize = 10;
/// Bits that the high half of a product of limbs is short of the next limb.
const GAP: u32 = 7;
const MASK: u64 = (1 << 45) - 1;
const MASK56: u64 = (1 << 56) - 1;
/// 4p with digits of 45 bits.
const FOUR_P: [u64; LIMBS] = [
    MASK - 3,
    MASK,
    MASK,
    MASK,
    MASK,
    MASK - 2,
    MASK,
    MASK,
    MASK,
    MASK,
];

/// What `sub` adds, so that no limb becomes negative.
pub(super) const EIGHT_P: [u64; LIMBS] = {
    let mut r = FOUR_P;
    let mut k = 0;
    while k < LIMBS {
        r[k] *= 2;
        k += 1;
    }
    r
};

/// What the middle product starts with, so that no column becomes negative: with Y = 2^11 4p, columns 5 + k hold Y_k and
/// columns k hold 4 Y_(5+k) - 2 Y_k, which the fold turns into 4 Y. Stored without the gap.
const BIAS: [u64; LIMBS] = {
    let mut b = [0; LIMBS];
    let mut k = 0;
    while k < 5 {
        b[5 + k] = FOUR_P[k] << (11 - GAP);
        b[k] = (4 * FOUR_P[5 + k] - 2 * FOUR_P[k]) << (11 - GAP);
        k += 1;
    }
    b
};

/// Eight field elements.
#[derive(Clone, Copy)]
pub(in crate::lanes) struct Fe8(pub(super) [V; LIMBS]);

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn splat(x: u64) -> V {
    _mm512_set1_epi64(x as i64)
}

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

/// [`BIAS`] in every lane. No closure: what the standard library's loops call is not compiled for these instructions.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn bias() -> [V; LIMBS] {
    let mut r = [_mm512_setzero_si512(); LIMBS];
    for k in 0..LIMBS {
        r[k] = splat(BIAS[k]);
    }
    r
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

/// The columns of a b plus `init` 2^7.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn product5(a: &[V; 5], b: &[V; 5], init: [V; LIMBS]) -> [V; LIMBS] {
    let mut c = init;
    for i in 0..5 {
        for j in 0..5 {
            c[i + j + 1] = _mm512_madd52hi_epu64(c[i + j + 1], a[i], b[j]);
        }
    }
    for k in 0..LIMBS {
        c[k] = _mm512_slli_epi64::<GAP>(c[k]);
    }
    for i in 0..5 {
        for j in 0..5 {
            c[i + j] = _mm512_madd52lo_epu64(c[i + j], a[i], b[j]);
        }
    }
    c
}

/// The columns of a^2 plus `init` 2^7.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn square5(a: &[V; 5], init: [V; LIMBS]) -> [V; LIMBS] {
    let mut double = *a;
    for d in &mut double {
        *d = _mm512_add_epi64(*d, *d);
    }
    let mut c = init;
    for i in 0..5 {
        c[2 * i + 1] = _mm512_madd52hi_epu64(c[2 * i + 1], a[i], a[i]);
        for j in i + 1..5 {
            c[i + j + 1] = _mm512_madd52hi_epu64(c[i + j + 1], double[i], a[j]);
        }
    }
    for k in 0..LIMBS {
        c[k] = _mm512_slli_epi64::<GAP>(c[k]);
    }
    for i in 0..5 {
        c[2 * i] = _mm512_madd52lo_epu64(c[2 * i], a[i], a[i]);
        for j in i + 1..5 {
            c[i + j] = _mm512_madd52lo_epu64(c[i + j], double[i], a[j]);
        }
    }
    c
}

/// L + H psi^2 + (S - L - H) psi from the columns of the low halves, high halves and sums (biased).
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn fold(l: &[V; LIMBS], h: &[V; LIMBS], s: &[V; LIMBS]) -> Fe8 {
    let add = |a, b| _mm512_add_epi64(a, b);
    let mut r = [l[0]; LIMBS];
    for k in 0..5 {
        // D = S - L + H is what psi gets: the cross products and twice H. Its high half folds again.
        let low = add(_mm512_sub_epi64(s[k], l[k]), h[k]);
        let high = add(_mm512_sub_epi64(s[k + 5], l[k + 5]), h[k + 5]);
        r[k] = add(l[k], _mm512_slli_epi64::<2>(add(h[k], high)));
        let twice = add(add(h[k + 5], h[k + 5]), high);
        r[k + 5] = add(add(low, l[k + 5]), add(twice, twice));
    }
    Fe8(r).carry()
}

impl Fe8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(super) fn small(x: u64) -> Self {
        let mut r = [_mm512_setzero_si512(); LIMBS];
        r[0] = splat(x);
        Self(r)
    }

    /// One carry pass: limbs below 2^63 to tight ones.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn carry(&self) -> Self {
        let (c, mask) = (&self.0, splat(MASK));
        let top = _mm512_srli_epi64::<45>(c[9]);
        let twice = _mm512_add_epi64(top, top);
        let mut r = *c;
        for k in 0..LIMBS {
            let low = _mm512_and_si512(c[k], mask);
            let carried = if k == 0 {
                _mm512_add_epi64(twice, twice)
            } else {
                _mm512_srli_epi64::<45>(c[k - 1])
            };
            r[k] = _mm512_add_epi64(low, carried);
        }
        r[5] = _mm512_add_epi64(r[5], twice);
        Self(r)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn halves(&self) -> ([V; 5], [V; 5], [V; 5]) {
        let a = &self.0;
        let low = [a[0], a[1], a[2], a[3], a[4]];
        let high = [a[5], a[6], a[7], a[8], a[9]];
        let mut sum = low;
        for k in 0..5 {
            sum[k] = _mm512_add_epi64(low[k], high[k]);
        }
        (low, high, sum)
    }

    /// Product: loose to tight.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn mul(&self, b: &Self) -> Self {
        let (zero, bias) = ([_mm512_setzero_si512(); LIMBS], bias());
        let ((al, ah, asum), (bl, bh, bsum)) = (self.halves(), b.halves());
        let l = product5(&al, &bl, zero);
        let h = product5(&ah, &bh, zero);
        let s = product5(&asum, &bsum, bias);
        fold(&l, &h, &s)
    }

    /// Square: loose to tight.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn square(&self) -> Self {
        let (zero, bias) = ([_mm512_setzero_si512(); LIMBS], bias());
        let (low, high, sum) = self.halves();
        fold(
            &square5(&low, zero),
            &square5(&high, zero),
            &square5(&sum, bias),
        )
    }

    /// Product with a constant below 2^20: loose to tight.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn mul_small(&self, w: u32) -> Self {
        self.mul_lanes(splat(u64::from(w)))
    }

    /// Product of each lane with a number below 2^20: loose to tight.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(super) fn mul_lanes(&self, w: V) -> Self {
        let zero = _mm512_setzero_si512();
        let mut r = [zero; LIMBS];
        let mut carried = zero;
        for k in 0..LIMBS {
            r[k] = _mm512_madd52lo_epu64(carried, self.0[k], w);
            carried = _mm512_slli_epi64::<GAP>(_mm512_madd52hi_epu64(zero, self.0[k], w));
        }
        let twice = _mm512_add_epi64(carried, carried);
        r[0] = _mm512_add_epi64(r[0], _mm512_add_epi64(twice, twice));
        r[5] = _mm512_add_epi64(r[5], twice);
        Self(r).carry()
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

    /// `b` in the lanes of the mask, `self` in the others.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn blend(&self, b: &Self, mask: u8) -> Self {
        let mut r = self.0;
        for k in 0..LIMBS {
            r[k] = _mm512_mask_blend_epi64(mask, r[k], b.0[k]);
        }
        Self(r)
    }

    /// Takes over the lanes of the mask.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(super) fn assign(&mut self, b: &Self, mask: u8) {
        for k in 0..LIMBS {
            self.0[k] = _mm512_mask_mov_epi64(self.0[k], mask, b.0[k]);
        }
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
