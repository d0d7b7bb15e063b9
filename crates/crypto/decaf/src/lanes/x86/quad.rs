//! One point in four lanes: the independent products of a doubling or an addition side by side. Two vector products take
//! the place of seven to nine single ones. Vectors are half as
//! wide as the others': a third port adds them.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "arithmetic kernel: fixed-size arrays, constant indices"
)]

use core::arch::x86_64::{
    _mm256_add_epi64, _mm256_cmpeq_epi64_mask, _mm256_mask_add_epi64, _mm256_mask_blend_epi64,
    _mm256_mask_sub_epi64, _mm256_permute4x64_epi64, _mm256_set_epi64x, _mm256_sub_epi64,
    _mm512_castsi512_si256, _mm512_zextsi256_si512,
};

use zeroize::Zeroize;

use super::{
    WIDTH,
    arithmetic::{EIGHT_P, LIMBS},
    field::Fe8,
    four::{Fe4, splat},
    positions::SEGMENT,
};
use crate::{
    Point, Scalar,
    field::Fe,
    lanes::{EVENT_TABLE, Event},
    point::{AffineNiels, TWO_ONE_MINUS_D},
    scalar::REGULAR_DIGITS,
};

/// Odd multiples of a regular digit of 5 bits.
const TABLE: usize = 16;
const TWO: Fe = Fe::small(2);

/// Selector of lanes: lane i of the result is lane `[a, b, c, d][i]`.
const fn lanes(a: i32, b: i32, c: i32, d: i32) -> i32 {
    a | b << 2 | c << 4 | d << 6
}

/// (X, Y, Z, T), tight.
#[derive(Clone, Copy)]
struct Quad(Fe4);

/// (Y - X, Y + X, 2Z, 2(d-1)T), loose.
#[derive(Clone, Copy)]
struct QuadNiels(Fe4);

/// Each limb with its lanes in another order.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn permute<const ORDER: i32>(a: &Fe4) -> Fe4 {
    let mut r = a.0;
    for v in &mut r {
        *v = _mm256_permute4x64_epi64::<ORDER>(*v);
    }
    Fe4(r)
}

/// Four elements of the portable form, loose.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(in crate::lanes) fn gather(v: [&Fe; 4]) -> Fe4 {
    let [a, b, c, d] = v;
    let wide = Fe8::gather([a, b, c, d, a, b, c, d]);
    let mut r = [_mm512_castsi512_si256(wide.0[0]); LIMBS];
    for k in 1..LIMBS {
        r[k] = _mm512_castsi512_si256(wide.0[k]);
    }
    Fe4(r)
}

/// The portable form of each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(in crate::lanes) fn scatter(v: &Fe4) -> [Fe; 4] {
    let mut wide = Fe8::small(0);
    for k in 0..LIMBS {
        wide.0[k] = _mm512_zextsi256_si512(v.0[k]);
    }
    let [a, b, c, d, ..] = wide.scatter();
    [a, b, c, d]
}

impl Quad {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn new(p: &Point) -> Self {
        Self(gather([&p.x, &p.y, &p.z, &p.t]).carry())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn point(&self) -> Point {
        let [x, y, z, t] = scatter(&self.0);
        Point { x, y, z, t }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn double(&self) -> Self {
        // (X, Y, Z, X + Y)
        let mut s = permute::<{ lanes(0, 1, 2, 0) }>(&self.0);
        let y = permute::<{ lanes(1, 1, 1, 1) }>(&self.0);
        for k in 0..LIMBS {
            s.0[k] = _mm256_mask_add_epi64(s.0[k], 0x88, s.0[k], y.0[k]);
        }
        // (A, B, C, S); w = (A + B, A - B, 2C, S) = (H, G, 2C, S); v = (H - S, G + 2C) = (E, F).
        let q = s.square();
        let other = permute::<{ lanes(1, 0, 2, 3) }>(&q);
        let mut w = q;
        for k in 0..LIMBS {
            let biased = _mm256_add_epi64(other.0[k], splat(EIGHT_P[k]));
            w.0[k] = _mm256_mask_add_epi64(q.0[k], 0x55, q.0[k], other.0[k]);
            w.0[k] = _mm256_mask_sub_epi64(w.0[k], 0x22, biased, q.0[k]);
        }
        let tail = permute::<{ lanes(3, 2, 2, 3) }>(&w);
        let mut v = w;
        for k in 0..LIMBS {
            let biased = _mm256_add_epi64(w.0[k], splat(EIGHT_P[k]));
            v.0[k] = _mm256_sub_epi64(biased, tail.0[k]);
            v.0[k] = _mm256_mask_add_epi64(v.0[k], 0x22, w.0[k], tail.0[k]);
        }
        // (E, F, H, G), then X = EF, Y = GH, Z = FG, T = EH.
        let hg = permute::<{ lanes(0, 0, 0, 1) }>(&w);
        let all = v.blend(&hg, 0xcc);
        let left = permute::<{ lanes(0, 3, 1, 0) }>(&all);
        let right = permute::<{ lanes(1, 2, 3, 2) }>(&all);
        Self(left.mul(&right))
    }

    /// (Y - X, Y + X, Z, T)
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn spread(&self) -> Fe4 {
        let base = permute::<{ lanes(1, 1, 2, 3) }>(&self.0);
        let x = permute::<{ lanes(0, 0, 2, 3) }>(&self.0);
        let mut r = base;
        for k in 0..LIMBS {
            let biased = _mm256_add_epi64(base.0[k], splat(EIGHT_P[k]));
            r.0[k] = _mm256_mask_add_epi64(r.0[k], 0x22, base.0[k], x.0[k]);
            r.0[k] = _mm256_mask_sub_epi64(r.0[k], 0x11, biased, x.0[k]);
        }
        r
    }

    /// Adds an entry.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn add(&self, n: &QuadNiels) -> Self {
        // (A, B, D, C); (B - A, B + A, D - C, D + C) = (E, H, F, G).
        let m = self.spread().mul(&n.0);
        let other = permute::<{ lanes(1, 0, 3, 2) }>(&m);
        let mut w = m;
        for k in 0..LIMBS {
            // In lanes 0 and 2 the minuend stands in lanes 1 and 2.
            let minuend = _mm256_mask_blend_epi64(0x44, other.0[k], m.0[k]);
            let subtrahend = _mm256_mask_blend_epi64(0x44, m.0[k], other.0[k]);
            let biased = _mm256_add_epi64(minuend, splat(EIGHT_P[k]));
            w.0[k] = _mm256_add_epi64(m.0[k], other.0[k]);
            w.0[k] = _mm256_mask_sub_epi64(w.0[k], 0x55, biased, subtrahend);
        }
        let left = permute::<{ lanes(0, 3, 2, 0) }>(&w);
        let right = permute::<{ lanes(2, 1, 3, 1) }>(&w);
        Self(left.mul(&right))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn niels(&self) -> QuadNiels {
        let d = i64::from(TWO_ONE_MINUS_D);
        let factors = _mm256_set_epi64x(d, 2, 1, 1);
        QuadNiels(negate(&self.spread().mul_lanes(factors), 0x88))
    }
}

/// The negative in the lanes of the mask; tight to loose.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn negate(a: &Fe4, mask: u8) -> Fe4 {
    let mut r = *a;
    for k in 0..LIMBS {
        r.0[k] = _mm256_mask_sub_epi64(r.0[k], mask, splat(EIGHT_P[k]), a.0[k]);
    }
    r
}

impl QuadNiels {
    /// An affine entry or its negative, told by a public sign.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn signed_vartime(n: &AffineNiels, negative: bool) -> Self {
        let (p, m) = if negative {
            (&n.ymx, &n.ypx)
        } else {
            (&n.ypx, &n.ymx)
        };
        let r = gather([m, p, &TWO, &n.td]);
        Self(if negative {
            negate(&r.carry(), 0x88)
        } else {
            r
        })
    }

    /// The entry of a digit of 5 bits, by reading all entries. Tight entries.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn select(table: &[Self; TABLE], digit: u8) -> Self {
        // A digit without its high bit is negative; the complement of its bits is the index.
        let negative = (digit >> 4) ^ 1;
        let flip = 0u8.wrapping_sub(negative);
        let index = splat(u64::from((digit ^ flip) & 15));
        let mut r = table[0].0;
        for i in 1..TABLE {
            r.assign(&table[i].0, _mm256_cmpeq_epi64_mask(index, splat(i as u64)));
        }
        Self(r.blend(&Self(r).negative().0, flip))
    }

    /// The entry of the negative point; tight to loose.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn negative(&self) -> Self {
        Self(negate(&permute::<{ lanes(1, 0, 2, 3) }>(&self.0), 0x88))
    }
}

/// P, 3P, 5P, ...; tight.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn odd_multiples<const N: usize>(p: &Point) -> [QuadNiels; N] {
    let mut multiple = Quad::new(p);
    let double = multiple.double().niels();
    let mut table = [QuadNiels(multiple.niels().0.carry()); N];
    for slot in table.iter_mut().skip(1) {
        multiple = multiple.add(&double);
        *slot = QuadNiels(multiple.niels().0.carry());
    }
    table
}

/// `s p`, constant time: regular digits of 5 bits.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn mul(p: &Point, s: &Scalar) -> Point {
    let mut digits = s.regular::<5, REGULAR_DIGITS>();
    let mut table = odd_multiples::<TABLE>(p);
    let mut acc = Quad::new(&Point::IDENTITY);
    for (i, d) in digits.iter().rev().enumerate() {
        if i > 0 {
            for _ in 0..5 {
                acc = acc.double();
            }
        }
        acc = acc.add(&QuadNiels::select(&table, *d));
    }
    digits.zeroize();
    // The point may be a secret: the fence keeps the overwriting from being dropped.
    table.fill(QuadNiels(Fe4::small(0)));
    core::hint::black_box(&mut table);
    acc.point()
}

/// Sum of the entries of scheduled digits, ordered by position: rows of the tables first, then rows of the points.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn scheduled_vartime(
    events: &[Event],
    tables: &[&[AffineNiels]],
    points: &[Point],
) -> Point {
    let mut own = Vec::with_capacity(points.len());
    for p in points {
        own.push(odd_multiples::<EVENT_TABLE>(p));
    }
    let mut acc = Quad::new(&Point::IDENTITY);
    let mut at = events.last().map_or(0, |e| e.position);
    for e in events.iter().rev() {
        for _ in e.position..at {
            acc = acc.double();
        }
        at = e.position;
        let index = usize::from(e.digit.unsigned_abs() >> 1);
        let row = e.row as usize;
        let entry = match tables.get(row) {
            Some(t) => QuadNiels::signed_vartime(&t[index], e.digit < 0),
            None => {
                let n = own[row - tables.len()][index];
                if e.digit < 0 { n.negative() } else { n }
            }
        };
        acc = acc.add(&entry);
    }
    for _ in 0..at {
        acc = acc.double();
    }
    acc.point()
}

/// sum 2^(56 i) a_i.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn join_segments(segments: &[Point; WIDTH]) -> Point {
    let mut acc = Quad::new(&segments[WIDTH - 1]);
    for p in segments[..WIDTH - 1].iter().rev() {
        for _ in 0..SEGMENT {
            acc = acc.double();
        }
        acc = acc.add(&Quad::new(p).niels());
    }
    acc.point()
}
