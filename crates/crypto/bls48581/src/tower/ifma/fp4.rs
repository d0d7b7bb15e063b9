//! Eight products in `Fp4` at a time, one per lane, unreduced.

use core::arch::x86_64::{
    _mm512_add_epi64, _mm512_and_si512, _mm512_setzero_si512, _mm512_srai_epi64, _mm512_sub_epi64,
};

use crate::x8::ifma::{LIMBS, MASK, P, V, W, carry, kernel_call, kernel_fn, mul_w, splat, times};

/// Coordinates of `1, i, s, i s` of eight elements.
pub(crate) type F4 = [V; 4];
/// Unreduced products of [`F4`], carries resolved, signed in the highest limb.
pub(crate) type W4 = [W; 4];

/// Above every operand of a product: sums of 32 elements below `1.5 p`.
const OFFSET: [u64; LIMBS] = times(&P, 64);

kernel_fn! {
    pub(super) fn zero_v() -> V {
        [_mm512_setzero_si512(); LIMBS]
    }

    pub(crate) fn zero_w() -> W {
        [_mm512_setzero_si512(); 2 * LIMBS]
    }

    /// Sum with carries resolved.
    fn sum(a: &V, b: &V) -> V {
        let mut t = *a;
        for i in 0..LIMBS {
            t[i] = _mm512_add_epi64(a[i], b[i]);
        }
        carry(&mut t);
        t
    }

    /// Difference plus [`OFFSET`], carries resolved.
    fn difference(a: &V, b: &V) -> V {
        let mut t = *a;
        for i in 0..LIMBS {
            t[i] = _mm512_add_epi64(_mm512_sub_epi64(a[i], b[i]), splat(OFFSET[i]));
        }
        carry(&mut t);
        t
    }
}

kernel_call! {
    fn product(out: &mut W, a: &V, b: &V) {
        *out = mul_w(a, b);
    }

    /// `(x0 + x1 i)(y0 + y1 i)`.
    fn fp2_mul(out: &mut [W; 2], x: &[V; 2], y: &[V; 2]) {
        let (mut low, mut high) = (zero_w(), zero_w());
        let (xs, ys) = (sum(&x[0], &x[1]), sum(&y[0], &y[1]));
        let [re, im] = out;
        product(&mut low, &x[0], &y[0]);
        product(&mut high, &x[1], &y[1]);
        product(im, &xs, &ys);
        for i in 0..2 * LIMBS {
            let (l, h) = (low[i], high[i]);
            re[i] = _mm512_sub_epi64(l, h);
            im[i] = _mm512_sub_epi64(im[i], _mm512_add_epi64(l, h));
        }
    }

    /// `(x0 + x1 i)^2`.
    fn fp2_sqr(out: &mut [W; 2], x: &[V; 2]) {
        let (s, d) = (sum(&x[0], &x[1]), difference(&x[0], &x[1]));
        let [re, im] = out;
        product(re, &s, &d);
        product(im, &x[0], &x[1]);
        for w in im {
            *w = _mm512_add_epi64(*w, *w);
        }
    }

    /// `a + n b + (c - a - b) s` with `n = s^2 = -(1 + i)`, carries resolved.
    fn combine(out: &mut W4, a: &[W; 2], b: &[W; 2], c: &[W; 2]) {
        let mask = splat(MASK);
        let mut carries = [_mm512_setzero_si512(); 4];
        for i in 0..2 * LIMBS {
            let (a0, a1, b0, b1) = (a[0][i], a[1][i], b[0][i], b[1][i]);
            let t = [
                _mm512_add_epi64(a0, _mm512_sub_epi64(b1, b0)),
                _mm512_sub_epi64(a1, _mm512_add_epi64(b0, b1)),
                _mm512_sub_epi64(c[0][i], _mm512_add_epi64(a0, b0)),
                _mm512_sub_epi64(c[1][i], _mm512_add_epi64(a1, b1)),
            ];
            for k in 0..4 {
                let v = _mm512_add_epi64(t[k], carries[k]);
                carries[k] = _mm512_srai_epi64::<52>(v);
                out[k][i] = if i + 1 < 2 * LIMBS { _mm512_and_si512(v, mask) } else { v };
            }
        }
    }

    pub(crate) fn fp4_mul(out: &mut W4, x: &F4, y: &F4) {
        let z = [zero_w(), zero_w()];
        let (mut a, mut b, mut c) = (z, z, z);
        fp2_mul(&mut a, &[x[0], x[1]], &[y[0], y[1]]);
        fp2_mul(&mut b, &[x[2], x[3]], &[y[2], y[3]]);
        let xs = [sum(&x[0], &x[2]), sum(&x[1], &x[3])];
        let ys = [sum(&y[0], &y[2]), sum(&y[1], &y[3])];
        fp2_mul(&mut c, &xs, &ys);
        combine(out, &a, &b, &c);
    }

    pub(super) fn fp4_sqr(out: &mut W4, x: &F4) {
        let z = [zero_w(), zero_w()];
        let (mut a, mut b, mut c) = (z, z, z);
        fp2_sqr(&mut a, &[x[0], x[1]]);
        fp2_sqr(&mut b, &[x[2], x[3]]);
        fp2_sqr(&mut c, &[sum(&x[0], &x[2]), sum(&x[1], &x[3])]);
        combine(out, &a, &b, &c);
    }
}
