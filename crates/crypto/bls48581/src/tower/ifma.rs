//! `Fp48` in vectors, for AVX-512 IFMA: products in `Fp4`, eight at a time, in the lanes of vectors.
//!
//! An element is `a + b v + c v^2` with `a`, `b`, `c` in `Fp16`; the lanes of `ab` are `a` and `b`, the low lanes of `c`
//! are `c`. A product is 54 products in `Fp4` (Karatsuba's method in each step but the lowest two), which fill seven
//! vectors; sums of unreduced products are combined across lanes and reduced once per coordinate. Values stay in this
//! form through a whole Miller loop or final exponentiation.
#![allow(
    unsafe_code,
    reason = "calls of functions that need instructions found at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::large_types_passed_by_value,
    reason = "arithmetic kernel: constant bounds; vectors are passed between inlined functions"
)]

mod fp4;
mod points;

use core::arch::x86_64::{
    _mm512_add_epi64, _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_setzero_si512,
    _mm512_shuffle_i64x2, _mm512_sub_epi64,
};

pub(crate) use fp4::{F4, W4, fp4_mul, zero_w};
use fp4::{fp4_sqr, zero_v};
use points::{LOW_LOW, add_totals, evaluate, interpolate_all, interpolate_squares, pair_sums};

use super::{Fp2, Fp4, Fp8, Fp16, Fp48};
use crate::fp::Fp;
use crate::x8::ifma::{
    LIMBS, P, TWO_P, V, W, carry, carry_reduced, from_array, kernel_call, kernel_fn, load, mul_v,
    reduce_v, splat, times, to_array,
};
use crate::x8::{FpX8, LANES};

/// An element of `Fp48`. Exists only where the instructions of the kernels were found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp48V {
    ab: F4,
    c: F4,
}

/// Factors of the coordinates of line coefficients, see [`Fp48V::line`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinePointV(V);

const THREE_P: [u64; LIMBS] = times(&P, 3);

/// Coefficient of `v^(lane / 4) u^(lane / 2 mod 2) t^(lane mod 2)`.
fn coefficient(pair: [&Fp16; 2], lane: usize) -> &Fp4 {
    let z = pair[lane / 4];
    let z = if lane & 2 == 0 { &z.a } else { &z.b };
    if lane & 1 == 0 { &z.a } else { &z.b }
}

fn coordinate(z: &Fp4, k: usize) -> Fp {
    let half = if k < 2 { &z.a } else { &z.b };
    if k & 1 == 0 { half.a } else { half.b }
}

kernel_fn! {
    fn enter_lanes(lanes: &[Fp; LANES]) -> V {
        let mut x = FpX8::ZERO;
        from_array(lanes, &mut x.0);
        load(&x.0)
    }

    fn enter_pair(pair: [&Fp16; 2]) -> F4 {
        core::array::from_fn(|k| {
            enter_lanes(&core::array::from_fn(|lane| coordinate(coefficient(pair, lane), k)))
        })
    }

    fn leave_pair(x: &F4) -> [Fp16; 2] {
        let lanes: [[Fp; LANES]; 4] = core::array::from_fn(|k| {
            let mut words = FpX8::ZERO;
            crate::x8::ifma::store(&mut words.0, &x[k]);
            to_array(&words.0)
        });
        let fp4 = |lane: usize| Fp4 {
            a: Fp2 { a: lanes[0][lane], b: lanes[1][lane] },
            b: Fp2 { a: lanes[2][lane], b: lanes[3][lane] },
        };
        let fp8 = |lane: usize| Fp8 { a: fp4(lane), b: fp4(lane + 1) };
        core::array::from_fn(|g| Fp16 { a: fp8(4 * g), b: fp8(4 * g + 2) })
    }

    fn zero_w4() -> W4 {
        [zero_w(), zero_w(), zero_w(), zero_w()]
    }
}

kernel_call! {
    fn enter(z: &Fp48) -> Fp48V {
        Fp48V {
            ab: enter_pair([&z.a, &z.b]),
            c: enter_pair([&z.c, &z.c]),
        }
    }

    fn leave(z: &Fp48V) -> Fp48 {
        let ([a, b], [c, _]) = (leave_pair(&z.ab), leave_pair(&z.c));
        Fp48 { a, b, c }
    }

    fn reduce(out: &mut V, w: &W) {
        *out = reduce_v(w);
    }

    /// `3 w - 2 old` in the lanes of `minus`, `3 w + 2 old` in the others.
    fn reduce_cyclotomic(out: &mut V, w: &W, old: &V, minus: u8) {
        // Sums across lanes leave borrows of many units for the highest limb, from which the quotient is estimated.
        let mut t = reduce_v(w);
        for i in 0..LIMBS {
            let three = _mm512_add_epi64(t[i], _mm512_add_epi64(t[i], t[i]));
            let two = _mm512_add_epi64(old[i], old[i]);
            let plus = _mm512_add_epi64(three, two);
            let less = _mm512_sub_epi64(_mm512_add_epi64(three, splat(THREE_P[i])), two);
            t[i] = _mm512_mask_blend_epi64(minus, plus, less);
        }
        carry_reduced(&mut t);
        *out = t;
    }

    fn finish(points: &[W4; 7]) -> Fp48V {
        let (mut ab, mut c) = (zero_w4(), zero_w4());
        interpolate_all(&mut ab, &mut c, points);
        let mut out = Fp48V { ab: [zero_v(); 4], c: [zero_v(); 4] };
        for k in 0..4 {
            reduce(&mut out.ab[k], &ab[k]);
            reduce(&mut out.c[k], &c[k]);
        }
        out
    }

    fn multiply(x: &Fp48V, y: &Fp48V) -> Fp48V {
        let (mut px, mut py) = ([[zero_v(); 4]; 7], [[zero_v(); 4]; 7]);
        evaluate(&mut px, &x.ab, &x.c);
        evaluate(&mut py, &y.ab, &y.c);
        let mut products = [zero_w4(); 7];
        for n in 0..7 {
            fp4_mul(&mut products[n], &px[n], &py[n]);
        }
        finish(&products)
    }

    fn square(x: &Fp48V) -> Fp48V {
        let mut px = [[zero_v(); 4]; 7];
        evaluate(&mut px, &x.ab, &x.c);
        let mut products = [zero_w4(); 7];
        for n in 0..7 {
            fp4_sqr(&mut products[n], &px[n]);
        }
        finish(&products)
    }

    /// Square in the cyclotomic subgroup (Granger and Scott, 2010): three squares in `Fp16`, 27 in `Fp4`.
    fn cyclotomic_square(x: &Fp48V) -> Fp48V {
        let mut points = [[zero_v(); 4]; 4];
        for k in 0..4 {
            let (ab, mut last) = (pair_sums(&x.ab[k]), x.c[k]);
            let c = pair_sums(&x.c[k]);
            let mut totals = zero_v();
            add_totals(&mut totals, &ab, 0x11);
            add_totals(&mut totals, &c, 0x02);
            carry(&mut totals);
            for i in 0..LIMBS {
                last[i] = _mm512_shuffle_i64x2::<LOW_LOW>(last[i], c[i]);
            }
            points[0][k] = x.ab[k];
            points[1][k] = ab;
            points[2][k] = last;
            points[3][k] = totals;
        }
        let mut squares = [zero_w4(); 4];
        for n in 0..4 {
            fp4_sqr(&mut squares[n], &points[n]);
        }
        let (mut ab, mut c) = (zero_w4(), zero_w4());
        interpolate_squares(&mut ab, &mut c, &squares);
        let mut out = *x;
        for k in 0..4 {
            reduce_cyclotomic(&mut out.ab[k], &ab[k], &x.ab[k], 0b1100_0011);
            reduce_cyclotomic(&mut out.c[k], &c[k], &x.c[k], 0b0000_0011);
        }
        out
    }

    /// Negates the lanes of `mask`.
    fn negate(x: &V, mask: u8) -> V {
        let mut t = *x;
        for i in 0..LIMBS {
            t[i] = _mm512_mask_sub_epi64(t[i], mask, splat(TWO_P[i]), t[i]);
        }
        carry_reduced(&mut t);
        t
    }

    fn conjugate(x: &Fp48V) -> Fp48V {
        let mut out = *x;
        for k in 0..4 {
            out.ab[k] = negate(&x.ab[k], 0b0011_1100);
            out.c[k] = negate(&x.c[k], 0b0000_1100);
        }
        out
    }

    fn line_point(x: &Fp, y: &Fp) -> LinePointV {
        let (one, zero) = (Fp::ONE, Fp::ZERO);
        LinePointV(enter_lanes(&[one, zero, *y, *y, *x, *x, zero, zero]))
    }

    fn line(slope: &Fp8, offset: &Fp8, point: &LinePointV) -> Fp48V {
        let a = Fp16 {
            a: <Fp8 as crate::field::Field>::ONE,
            b: *offset,
        };
        let b = Fp16 {
            a: *slope,
            b: <Fp8 as crate::field::Field>::ZERO,
        };
        let mut ab = enter_pair([&a, &b]);
        for v in &mut ab {
            *v = mul_v(v, &point.0);
        }
        let none = [_mm512_setzero_si512(); LIMBS];
        Fp48V { ab, c: [none; 4] }
    }
}

/// Calls a kernel.
macro_rules! call {
    ($f:ident($($arg:expr),*)) => {{
        // SAFETY: an `Fp48V` or `LinePointV` exists, so `available` was true.
        unsafe { $f($($arg),*) }
    }};
}

impl Fp48V {
    /// Whether this process uses these kernels.
    pub(crate) fn available() -> bool {
        quil_simd::Features::get().ifma
    }

    /// The element in vectors.
    ///
    /// # Panics
    /// Without the instructions.
    pub(crate) fn enter(z: &Fp48) -> Self {
        assert!(
            quil_simd::Features::of_machine().ifma,
            "instructions missing"
        );
        call!(enter(z))
    }

    /// The element out of vectors.
    pub(crate) fn leave(&self) -> Fp48 {
        call!(leave(self))
    }

    /// Product.
    pub(crate) fn mul(&self, rhs: &Self) -> Self {
        call!(multiply(self, rhs))
    }

    /// Square.
    pub(crate) fn square(&self) -> Self {
        call!(square(self))
    }

    /// Square of an element of the cyclotomic subgroup.
    pub(crate) fn cyclotomic_square(&self) -> Self {
        call!(cyclotomic_square(self))
    }

    /// `p^24`-th power.
    pub(crate) fn conjugate(&self) -> Self {
        call!(conjugate(self))
    }

    /// `1 + slope x v + offset y v^3`.
    pub(crate) fn line(slope: &Fp8, offset: &Fp8, point: &LinePointV) -> Self {
        call!(line(slope, offset, point))
    }
}

impl LinePointV {
    /// Coordinates with which lines are evaluated.
    ///
    /// # Panics
    /// Without the instructions.
    pub(crate) fn new(x: &Fp, y: &Fp) -> Self {
        assert!(
            quil_simd::Features::of_machine().ifma,
            "instructions missing"
        );
        call!(line_point(x, y))
    }
}
