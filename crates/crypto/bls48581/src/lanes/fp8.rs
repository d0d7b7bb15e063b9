//! Eight elements of the field of G2 side by side.
#![allow(
    unsafe_code,
    reason = "calls of functions that need instructions found at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::many_single_char_names,
    reason = "arithmetic kernel: constant bounds"
)]

use core::arch::x86_64::{_mm512_add_epi64, _mm512_setzero_si512, _mm512_sub_epi64};

use super::spread::{self, Spread};
use super::{Ifma, LANES, Lanes, Mask};
use crate::fp::Fp;
use crate::tower::{F4, Fp2, Fp4, Fp8, W4, fp4_mul, zero_w};
use crate::x8::ifma::{LIMBS, V, carry, reduce_v};

/// Coordinates of `1, i, s, i s, t, i t, s t, i s t` of eight elements.
#[derive(Clone, Copy)]
pub(crate) struct Fp8Lanes([Ifma; 8]);

/// The coordinates in the order of [`Fp8Lanes`].
fn coordinates(z: &Fp8) -> [&Fp; 8] {
    let (a, b) = (&z.a, &z.b);
    [
        &a.a.a, &a.a.b, &a.b.a, &a.b.b, &b.a.a, &b.a.b, &b.b.a, &b.b.b,
    ]
}

fn element(c: [Fp; 8]) -> Fp8 {
    let [a, b, c, d, e, f, g, h] = c;
    Fp8 {
        a: Fp4 {
            a: Fp2 { a, b },
            b: Fp2 { a: c, b: d },
        },
        b: Fp4 {
            a: Fp2 { a: e, b: f },
            b: Fp2 { a: g, b: h },
        },
    }
}

impl Fp8Lanes {
    /// Loads projective coordinates, see [`Lanes::load`].
    pub(crate) fn load(v: [&Fp8; LANES]) -> Self {
        let v = v.map(coordinates);
        Self(core::array::from_fn(|k| Lanes::load(v.map(|c| c[k]))))
    }

    /// Stores settled values.
    pub(crate) fn store(&self) -> [Fp8; LANES] {
        let c = self.0.map(|v| v.store());
        core::array::from_fn(|lane| element(core::array::from_fn(|k| c[k][lane])))
    }

    /// Small values from settled ones.
    pub(crate) fn reduce(&self) -> Self {
        Self(self.0.map(|v| v.reduce()))
    }

    /// Lanes of `b` where `mask` is set, of `a` elsewhere.
    pub(crate) fn blend(a: &Self, b: &Self, mask: Mask) -> Self {
        <Self as Spread>::blend(a, b, mask)
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn sum(a: &F4, b: &F4) -> F4 {
    let mut out = *a;
    for k in 0..4 {
        for i in 0..LIMBS {
            out[k][i] = _mm512_add_epi64(a[k][i], b[k][i]);
        }
        carry(&mut out[k]);
    }
    out
}

/// `t^2 = -s`, Karatsuba's method over `Fp4`.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn multiply(out: &mut [V; 8], x: &[F4; 2], y: &[F4; 2]) {
    let zero: W4 = [zero_w(), zero_w(), zero_w(), zero_w()];
    let (mut a, mut b, mut c) = (zero, zero, zero);
    fp4_mul(&mut a, &x[0], &y[0]);
    fp4_mul(&mut b, &x[1], &y[1]);
    fp4_mul(&mut c, &sum(&x[0], &x[1]), &sum(&y[0], &y[1]));
    for k in 0..4 {
        let mut w = c[k];
        for i in 0..2 * LIMBS {
            w[i] = _mm512_sub_epi64(w[i], _mm512_add_epi64(a[k][i], b[k][i]));
        }
        out[4 + k] = reduce_v(&w);
    }
    // a - s b, with s (r + q s) = q s^2 + r s and s^2 = -(1 + i)
    for i in 0..2 * LIMBS {
        let (b0, b1, b2, b3) = (b[0][i], b[1][i], b[2][i], b[3][i]);
        a[0][i] = _mm512_add_epi64(a[0][i], _mm512_sub_epi64(b2, b3));
        a[1][i] = _mm512_add_epi64(a[1][i], _mm512_add_epi64(b2, b3));
        a[2][i] = _mm512_sub_epi64(a[2][i], b0);
        a[3][i] = _mm512_sub_epi64(a[3][i], b1);
    }
    for k in 0..4 {
        out[k] = reduce_v(&a[k]);
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn product(x: &Fp8Lanes, y: &Fp8Lanes) -> Fp8Lanes {
    let mut out = [[_mm512_setzero_si512(); LIMBS]; 8];
    let halves = |z: &Fp8Lanes| {
        let c = z.0.map(|v| v.0);
        [[c[0], c[1], c[2], c[3]], [c[4], c[5], c[6], c[7]]]
    };
    multiply(&mut out, &halves(x), &halves(y));
    Fp8Lanes(out.map(Ifma))
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_double(p: &Fp8Lanes) -> Fp8Lanes {
    spread::double(p)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_prepare(p: &Fp8Lanes) -> Fp8Lanes {
    spread::prepare(p)
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn spread_add(p: &Fp8Lanes, q: &Fp8Lanes) -> Fp8Lanes {
    spread::add(p, q)
}

macro_rules! vectors {
    ($e:expr) => {
        // SAFETY: a value of this type is only asked for when `Ifma::available` has found the instructions.
        unsafe { $e }
    };
}

impl Fp8Lanes {
    /// [`spread::double`], compiled for the lanes.
    pub(crate) fn spread_double(&self) -> Self {
        vectors!(spread_double(self))
    }

    /// [`spread::prepare`], compiled for the lanes.
    pub(crate) fn spread_prepare(&self) -> Self {
        vectors!(spread_prepare(self))
    }

    /// [`spread::add`], compiled for the lanes.
    pub(crate) fn spread_add(&self, prepared: &Self) -> Self {
        vectors!(spread_add(self, prepared))
    }
}

#[inline(always)]
fn zip(a: &Fp8Lanes, b: &Fp8Lanes, f: impl Fn(&Ifma, &Ifma) -> Ifma) -> Fp8Lanes {
    let mut out = *a;
    for k in 0..8 {
        out.0[k] = f(&a.0[k], &b.0[k]);
    }
    out
}

impl Spread for Fp8Lanes {
    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        vectors!(product(self, rhs))
    }

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        zip(self, rhs, Lanes::add)
    }

    #[inline(always)]
    fn add_if(&self, rhs: &Self, mask: Mask) -> Self {
        zip(self, rhs, |a, b| Lanes::add_if(a, b, mask))
    }

    #[inline(always)]
    fn sub_if(&self, rhs: &Self, mask: Mask) -> Self {
        zip(self, rhs, |a, b| Lanes::sub_if(a, b, mask))
    }

    #[inline(always)]
    fn blend(a: &Self, b: &Self, mask: Mask) -> Self {
        zip(a, b, |a, b| <Ifma as Lanes>::blend(a, b, mask))
    }

    #[inline(always)]
    fn permute(&self, from: [u8; LANES]) -> Self {
        zip(self, self, |a, _| Lanes::permute(a, from))
    }

    #[inline(always)]
    fn settle(&self) -> Self {
        zip(self, self, |a, _| Lanes::settle(a))
    }

    /// The curve is scaled by two, so `3 b = -3 2^6 / t = 96 (i - 1) s t`. With `z = (c + d s) + e t` the product with
    /// `(i - 1) s t` is `-2 e + (2 d + (i - 1) c s) t`.
    #[inline(always)]
    fn times_3b(&self) -> Self {
        let [c0, c1, d0, d1, e0, e1, e2, e3] = &self.0;
        let zero = Lanes::sub(c0, c0);
        let minus = |v: &Ifma| Lanes::sub(&zero, &Lanes::add(v, v));
        let twice = |v: &Ifma| Lanes::add(v, v);
        let product = [
            minus(e0),
            minus(e1),
            minus(e2),
            minus(e3),
            twice(d0),
            twice(d1),
            Lanes::sub(&Lanes::sub(&zero, c0), c1),
            Lanes::sub(c0, c1),
        ];
        Self(product.map(|v| {
            let three = Lanes::add(&Lanes::add(&v, &v), &v);
            three.shift_left::<5>()
        }))
    }
}
