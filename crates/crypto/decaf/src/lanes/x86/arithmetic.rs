//! The arithmetic of ten 45-bit limbs for vectors of any width: a macro, because the instructions of each width have names
//! of their own and traits cannot demand instructions.

#![allow(
    clippy::indexing_slicing,
    reason = "constants and kernels: fixed-size arrays, constant indices"
)]

pub(super) const LIMBS: usize = 10;
/// Bits that the high half of a product of limbs is short of the next limb.
pub(super) const GAP: u32 = 7;
pub(super) const MASK: u64 = (1 << 45) - 1;
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
pub(super) const BIAS: [u64; LIMBS] = {
    let mut b = [0; LIMBS];
    let mut k = 0;
    while k < 5 {
        b[5 + k] = FOUR_P[k] << (11 - GAP);
        b[k] = (4 * FOUR_P[5 + k] - 2 * FOUR_P[k]) << (11 - GAP);
        k += 1;
    }
    b
};

/// Defines the type with that name over vectors of that type. The instructions must be in scope by their short names.
macro_rules! arithmetic {
    ($(#[$doc:meta])* $fe:ident, $v:ident) => {
        use crate::lanes::x86::arithmetic::{BIAS, LIMBS, MASK};

        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(in crate::lanes) struct $fe(pub(in crate::lanes::x86) [$v; LIMBS]);

        /// The number in every lane.
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        pub(in crate::lanes::x86) fn splat(x: u64) -> $v {
            set1(x as i64)
        }

        /// [`BIAS`] in every lane. No closure: what the standard library's loops call is not compiled for these instructions.
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        fn bias() -> [$v; LIMBS] {
            let mut r = [zero_vector(); LIMBS];
            for k in 0..LIMBS {
                r[k] = splat(BIAS[k]);
            }
            r
        }

        /// The columns of a b plus `init` 2^7.
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        fn product5(a: &[$v; 5], b: &[$v; 5], init: [$v; LIMBS]) -> [$v; LIMBS] {
            let mut c = init;
            for i in 0..5 {
                for j in 0..5 {
                    c[i + j + 1] = madd52hi(c[i + j + 1], a[i], b[j]);
                }
            }
            for k in 0..LIMBS {
                c[k] = slli::<7>(c[k]);
            }
            for i in 0..5 {
                for j in 0..5 {
                    c[i + j] = madd52lo(c[i + j], a[i], b[j]);
                }
            }
            c
        }

        /// The columns of a^2 plus `init` 2^7.
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        fn square5(a: &[$v; 5], init: [$v; LIMBS]) -> [$v; LIMBS] {
            let mut double = *a;
            for d in &mut double {
                *d = add(*d, *d);
            }
            let mut c = init;
            for i in 0..5 {
                c[2 * i + 1] = madd52hi(c[2 * i + 1], a[i], a[i]);
                for j in i + 1..5 {
                    c[i + j + 1] = madd52hi(c[i + j + 1], double[i], a[j]);
                }
            }
            for k in 0..LIMBS {
                c[k] = slli::<7>(c[k]);
            }
            for i in 0..5 {
                c[2 * i] = madd52lo(c[2 * i], a[i], a[i]);
                for j in i + 1..5 {
                    c[i + j] = madd52lo(c[i + j], double[i], a[j]);
                }
            }
            c
        }

        /// L + H psi^2 + (S - L - H) psi from the columns of the low halves, high halves and sums (biased).
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
        fn fold(l: &[$v; LIMBS], h: &[$v; LIMBS], s: &[$v; LIMBS]) -> $fe {
            let mut r = [l[0]; LIMBS];
            for k in 0..5 {
                // D = S - L + H is what psi gets: the cross products and twice H. Its high half folds again.
                let low = add(sub(s[k], l[k]), h[k]);
                let high = add(sub(s[k + 5], l[k + 5]), h[k + 5]);
                r[k] = add(l[k], slli::<2>(add(h[k], high)));
                let twice = add(add(h[k + 5], h[k + 5]), high);
                r[k + 5] = add(add(low, l[k + 5]), add(twice, twice));
            }
            $fe(r).carry()
        }

        impl $fe {
            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes::x86) fn small(x: u64) -> Self {
                let mut r = [zero_vector(); LIMBS];
                r[0] = splat(x);
                Self(r)
            }

            /// One carry pass: limbs below 2^63 to tight ones.
            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes) fn carry(&self) -> Self {
                let (c, mask) = (&self.0, splat(MASK));
                let top = srli::<45>(c[9]);
                let twice = add(top, top);
                let mut r = *c;
                for k in 0..LIMBS {
                    let low = and(c[k], mask);
                    let carried = if k == 0 {
                        add(twice, twice)
                    } else {
                        srli::<45>(c[k - 1])
                    };
                    r[k] = add(low, carried);
                }
                r[5] = add(r[5], twice);
                Self(r)
            }

            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            fn halves(&self) -> ([$v; 5], [$v; 5], [$v; 5]) {
                let a = &self.0;
                let low = [a[0], a[1], a[2], a[3], a[4]];
                let high = [a[5], a[6], a[7], a[8], a[9]];
                let mut sum = low;
                for k in 0..5 {
                    sum[k] = add(low[k], high[k]);
                }
                (low, high, sum)
            }

            /// Product: loose to tight.
            #[inline(never)]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes) fn mul(&self, b: &Self) -> Self {
                let (zero, bias) = ([zero_vector(); LIMBS], bias());
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
                let (zero, bias) = ([zero_vector(); LIMBS], bias());
                let (low, high, sum) = self.halves();
                fold(
                    &square5(&low, zero),
                    &square5(&high, zero),
                    &square5(&sum, bias),
                )
            }

            /// Product of each lane with a number below 2^20: loose to tight.
            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes::x86) fn mul_lanes(&self, w: $v) -> Self {
                let zero = zero_vector();
                let mut r = [zero; LIMBS];
                let mut carried = zero;
                for k in 0..LIMBS {
                    r[k] = madd52lo(carried, self.0[k], w);
                    carried = slli::<7>(madd52hi(zero, self.0[k], w));
                }
                let twice = add(carried, carried);
                r[0] = add(r[0], add(twice, twice));
                r[5] = add(r[5], twice);
                Self(r).carry()
            }

            /// `b` in the lanes of the mask, `self` in the others.
            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes) fn blend(&self, b: &Self, mask: u8) -> Self {
                let mut r = self.0;
                for k in 0..LIMBS {
                    r[k] = mask_blend(mask, r[k], b.0[k]);
                }
                Self(r)
            }

            /// Takes over the lanes of the mask.
            #[inline]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
            pub(in crate::lanes::x86) fn assign(&mut self, b: &Self, mask: u8) {
                for k in 0..LIMBS {
                    self.0[k] = mask_mov(self.0[k], mask, b.0[k]);
                }
            }
        }
    };
}

pub(super) use arithmetic;
