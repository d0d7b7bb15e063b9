//! Karatsuba's method across lanes: an `Fp48` product as 54 products in `Fp4`.
//!
//! Four neighbouring lanes, a group, hold an `Fp16`: lane `2 j + k` the coefficient of `u^j t^k`. Evaluation at the nine
//! points of the two quadratic steps gives the four coefficients, four sums of two, and the sum of all.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_mask_add_epi64, _mm512_mask_blend_epi64,
    _mm512_mask_sub_epi64, _mm512_maskz_permutex_epi64, _mm512_permutex_epi64,
    _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_sub_epi64,
};

use super::fp4::{F4, W4, zero_v};
use crate::x8::ifma::{LIMBS, V, carry, kernel_call, kernel_fn};

/// One limb of the four coordinates of eight `Fp4`.
type Limb = [__m512i; 4];

/// Lanes of both groups, lowest first.
macro_rules! lanes {
    ($a:literal $b:literal $c:literal $d:literal) => {
        $a | ($b << 2) | ($c << 4) | ($d << 6)
    };
}
/// First halves of both, `[a low | b low]`.
pub(super) const LOW_LOW: i32 = lanes!(0 1 0 1);
/// `[a high | b low]`.
pub(super) const HIGH_LOW: i32 = lanes!(2 3 0 1);
/// `[a high | b high]`.
pub(super) const HIGH_HIGH: i32 = lanes!(2 3 2 3);
pub(super) const HIGH: u8 = 0xf0;
/// Lanes with an odd power of `t`.
const ODD: u8 = 0b1010_1010;

kernel_fn! {
    /// `x0 + x1`, `x2 + x3`, `x0 + x2`, `x1 + x3` of each group, carries resolved.
    pub(super) fn pair_sums(x: &V) -> V {
        let mut w = *x;
        for v in &mut w {
            *v = _mm512_add_epi64(
                _mm512_permutex_epi64::<{ lanes!(0 2 0 1) }>(*v),
                _mm512_permutex_epi64::<{ lanes!(1 3 2 3) }>(*v),
            );
        }
        carry(&mut w);
        w
    }

    /// Adds the sum of all four lanes, from [`pair_sums`], into the lanes of `mask`; carries stay.
    pub(super) fn add_totals(t: &mut V, pairs: &V, mask: u8) {
        for i in 0..LIMBS {
            t[i] = _mm512_mask_add_epi64(
                t[i],
                mask,
                _mm512_permutex_epi64::<{ lanes!(0 0 0 0) }>(pairs[i]),
                _mm512_permutex_epi64::<{ lanes!(1 1 1 1) }>(pairs[i]),
            );
        }
    }

    fn add(a: &Limb, b: &Limb) -> Limb {
        [
            _mm512_add_epi64(a[0], b[0]),
            _mm512_add_epi64(a[1], b[1]),
            _mm512_add_epi64(a[2], b[2]),
            _mm512_add_epi64(a[3], b[3]),
        ]
    }

    fn sub(a: &Limb, b: &Limb) -> Limb {
        [
            _mm512_sub_epi64(a[0], b[0]),
            _mm512_sub_epi64(a[1], b[1]),
            _mm512_sub_epi64(a[2], b[2]),
            _mm512_sub_epi64(a[3], b[3]),
        ]
    }

    fn blend(mask: u8, a: &Limb, b: &Limb) -> Limb {
        [
            _mm512_mask_blend_epi64(mask, a[0], b[0]),
            _mm512_mask_blend_epi64(mask, a[1], b[1]),
            _mm512_mask_blend_epi64(mask, a[2], b[2]),
            _mm512_mask_blend_epi64(mask, a[3], b[3]),
        ]
    }

    /// Times `s`: `s (x0 + x1 s) = -(1 + i) x1 + x0 s`.
    fn times_s(x: &Limb) -> Limb {
        let minus = _mm512_sub_epi64(_mm512_setzero_si512(), x[2]);
        [
            _mm512_sub_epi64(x[3], x[2]),
            _mm512_sub_epi64(minus, x[3]),
            x[0],
            x[1],
        ]
    }
}

macro_rules! permute {
    ($x:expr, $a:literal $b:literal $c:literal $d:literal) => {{
        let x: &Limb = $x;
        [
            _mm512_permutex_epi64::<{ lanes!($a $b $c $d) }>(x[0]),
            _mm512_permutex_epi64::<{ lanes!($a $b $c $d) }>(x[1]),
            _mm512_permutex_epi64::<{ lanes!($a $b $c $d) }>(x[2]),
            _mm512_permutex_epi64::<{ lanes!($a $b $c $d) }>(x[3]),
        ]
    }};
}

macro_rules! permute_masked {
    ($mask:literal, $x:expr, $a:literal $b:literal $c:literal $d:literal) => {{
        let x: &Limb = $x;
        [
            _mm512_maskz_permutex_epi64::<{ lanes!($a $b $c $d) }>($mask, x[0]),
            _mm512_maskz_permutex_epi64::<{ lanes!($a $b $c $d) }>($mask, x[1]),
            _mm512_maskz_permutex_epi64::<{ lanes!($a $b $c $d) }>($mask, x[2]),
            _mm512_maskz_permutex_epi64::<{ lanes!($a $b $c $d) }>($mask, x[3]),
        ]
    }};
}

/// Two 128-bit quarters of each argument.
macro_rules! halves {
    ($imm:expr, $a:expr, $b:expr) => {{
        let (a, b): (&Limb, &Limb) = ($a, $b);
        [
            _mm512_shuffle_i64x2::<{ $imm }>(a[0], b[0]),
            _mm512_shuffle_i64x2::<{ $imm }>(a[1], b[1]),
            _mm512_shuffle_i64x2::<{ $imm }>(a[2], b[2]),
            _mm512_shuffle_i64x2::<{ $imm }>(a[3], b[3]),
        ]
    }};
}

kernel_fn! {
    /// Even lanes `even - s odd`, odd lanes `-(even + odd)`.
    fn fold(even: &Limb, odd: &Limb) -> Limb {
        let odd = blend(ODD, &times_s(odd), odd);
        let mut r = *even;
        for k in 0..4 {
            let zero = _mm512_setzero_si512();
            let signed = _mm512_mask_sub_epi64(even[k], ODD, zero, even[k]);
            r[k] = _mm512_sub_epi64(signed, odd[k]);
        }
        r
    }

    /// Coefficients of the `Fp16` products of both groups, given those at the four coefficients, at the pair sums and,
    /// in every lane of a group, at the total.
    fn interpolate(coefficients: &Limb, pairs: &Limb, total: &Limb) -> Limb {
        // The products at u = 0 and at u = infinity, as elements of Fp8: lanes 0, 1 and 2, 3.
        let ends = fold(
            &permute!(coefficients, 0 0 2 2),
            &permute!(coefficients, 1 1 3 3),
        );
        let ends = add(&ends, &permute_masked!(0b1010_1010, pairs, 0 0 0 1));
        // The product at u = 1 in lanes 2, 3.
        let one = fold(&permute!(pairs, 2 2 2 2), &permute!(pairs, 3 3 3 3));
        let mut one = one;
        for k in 0..4 {
            one[k] = _mm512_mask_add_epi64(one[k], 0b1000_1000, one[k], total[k]);
        }
        // u^2 = -t: [e0 + s e3, e1 - e2, o0 - e0 - e2, o1 - e1 - e3]
        let first = permute!(&ends, 0 1 0 1);
        let first = blend(0b1100_1100, &first, &sub(&one, &first));
        let crossed = permute!(&ends, 3 2 2 3);
        let times = times_s(&crossed);
        let mut r = first;
        for k in 0..4 {
            r[k] = _mm512_sub_epi64(first[k], crossed[k]);
            r[k] = _mm512_mask_add_epi64(r[k], 0b0001_0001, first[k], times[k]);
        }
        r
    }

    /// Times `u` in each group: `[s x3, -x2, x0, x1]`.
    fn times_u(x: &Limb) -> Limb {
        let moved = permute!(x, 3 2 0 1);
        let times = times_s(&moved);
        let mut r = moved;
        for k in 0..4 {
            let zero = _mm512_setzero_si512();
            r[k] = _mm512_mask_sub_epi64(moved[k], 0b0010_0010, zero, moved[k]);
            r[k] = _mm512_mask_blend_epi64(0b0001_0001, r[k], times[k]);
        }
        r
    }

    fn limb(w: &W4, i: usize) -> Limb {
        [w[0][i], w[1][i], w[2][i], w[3][i]]
    }

    fn set_limb(w: &mut W4, i: usize, v: &Limb) {
        for k in 0..4 {
            w[k][i] = v[k];
        }
    }
}

kernel_call! {
    /// Values of `a + b v + c v^2` (`ab = [a | b]`, `c = [c | ..]`) at the 54 points: coefficients, then pair sums of
    /// `[a | b]`, `[c | b + c]`, `[a + b | a + c]`, then all totals: lane `i` and `4 + i` for the `i`-th of the three.
    pub(super) fn evaluate(out: &mut [F4; 7], ab: &F4, c: &F4) {
        for k in 0..4 {
            let (mut v1, mut v2) = (zero_v(), zero_v());
            for i in 0..LIMBS {
                let (x, y) = (ab[k][i], c[k][i]);
                let cc = _mm512_shuffle_i64x2::<LOW_LOW>(y, y);
                v1[i] = _mm512_mask_add_epi64(cc, HIGH, cc, x);
                let aa = _mm512_shuffle_i64x2::<LOW_LOW>(x, x);
                v2[i] = _mm512_add_epi64(aa, _mm512_shuffle_i64x2::<HIGH_LOW>(x, y));
            }
            carry(&mut v1);
            carry(&mut v2);
            let mut totals = zero_v();
            for (i, v) in [ab[k], v1, v2].iter().enumerate() {
                let pairs = pair_sums(v);
                add_totals(&mut totals, &pairs, 0x11 << i);
                out[i][k] = *v;
                out[3 + i][k] = pairs;
            }
            carry(&mut totals);
            out[6][k] = totals;
        }
    }

    /// The product from the values at the points of [`evaluate`].
    pub(super) fn interpolate_all(ab: &mut W4, c: &mut W4, points: &[W4; 7]) {
        for i in 0..2 * LIMBS {
            let at = |n: usize| limb(&points[n], i);
            let totals = at(6);
            let q0 = interpolate(&at(0), &at(3), &permute!(&totals, 0 0 0 0));
            let q1 = interpolate(&at(1), &at(4), &permute!(&totals, 1 1 1 1));
            let q2 = interpolate(&at(2), &at(5), &permute!(&totals, 2 2 2 2));
            // q0 = [aa | bb], q1 = [cc | (b+c)^2], q2 = [(a+b)^2 | (a+c)^2], written as for squares.
            let bb = halves!(HIGH_HIGH, &q0, &q0);
            let cc = halves!(LOW_LOW, &q1, &q1);
            let aa = halves!(LOW_LOW, &q0, &q0);
            // [bc | .], then with u: [u (bc - bb - cc) | u cc]
            let cross = sub(&sub(&halves!(HIGH_HIGH, &q1, &q1), &bb), &cc);
            let shifted = times_u(&blend(HIGH, &cross, &cc));
            // [aa | ab - aa - bb]
            let second = sub(&sub(&halves!(LOW_LOW, &q2, &q2), &aa), &bb);
            set_limb(ab, i, &add(&blend(HIGH, &aa, &second), &shifted));
            let third = sub(&halves!(HIGH_HIGH, &q2, &q2), &aa);
            set_limb(c, i, &add(&sub(&third, &cc), &bb));
        }
    }

    /// `[a^2 | u c^2]` and `[b^2 | ..]` from the squares at the points of `a`, `b` and `c`: `[a | b]`, its pair sums,
    /// `[c | pair sums of c]`, totals in lanes 0, 4 and 1.
    pub(super) fn interpolate_squares(ab: &mut W4, c: &mut W4, points: &[W4; 4]) {
        for i in 0..2 * LIMBS {
            let at = |n: usize| limb(&points[n], i);
            let totals = at(3);
            let q0 = interpolate(&at(0), &at(1), &permute!(&totals, 0 0 0 0));
            let both = at(2);
            let pairs = halves!(HIGH_HIGH, &both, &both);
            let cc = interpolate(&both, &pairs, &permute!(&totals, 1 1 1 1));
            let ucc = times_u(&cc);
            let ucc = halves!(LOW_LOW, &ucc, &ucc);
            set_limb(ab, i, &blend(HIGH, &q0, &ucc));
            set_limb(c, i, &halves!(HIGH_HIGH, &q0, &q0));
        }
    }
}
