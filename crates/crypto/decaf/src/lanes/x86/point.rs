//! Eight points side by side: the formulas of the portable form.

use super::{
    V, WIDTH,
    field::{Fe8, splat},
};
use crate::{
    Point,
    point::{AffineNiels, TWO_ONE_MINUS_D},
};
use core::arch::x86_64::{_mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_xor_si512};

/// (X : Y : Z : T) in each lane; all tight.
#[derive(Clone, Copy)]
pub(in crate::lanes) struct Point8 {
    pub(super) x: Fe8,
    pub(super) y: Fe8,
    pub(super) z: Fe8,
    pub(super) t: Fe8,
}

/// Y + X, Y - X, 2(d-1)T, 2Z; loose.
#[derive(Clone, Copy)]
pub(in crate::lanes) struct Niels8 {
    pub(super) affine: Affine8,
    pub(super) zz: Fe8,
}

/// y + x, y - x, 2(d-1)xy; loose.
#[derive(Clone, Copy)]
pub(in crate::lanes) struct Affine8 {
    pub(super) ypx: Fe8,
    pub(super) ymx: Fe8,
    pub(super) td: Fe8,
}

/// E, F, G, H; loose.
struct Completed8 {
    e: Fe8,
    f: Fe8,
    g: Fe8,
    h: Fe8,
}

impl Completed8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn write(&self, out: &mut Point8, with_t: bool) {
        out.x = self.e.mul(&self.f);
        out.y = self.g.mul(&self.h);
        out.z = self.f.mul(&self.g);
        if with_t {
            out.t = self.e.mul(&self.h);
        }
    }
}

impl Affine8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn gather(entries: [&AffineNiels; WIDTH]) -> Self {
        let [a, b, c, d, e, f, g, h] = entries;
        Self {
            ypx: Fe8::gather([
                &a.ypx, &b.ypx, &c.ypx, &d.ypx, &e.ypx, &f.ypx, &g.ypx, &h.ypx,
            ]),
            ymx: Fe8::gather([
                &a.ymx, &b.ymx, &c.ymx, &d.ymx, &e.ymx, &f.ymx, &g.ymx, &h.ymx,
            ]),
            td: Fe8::gather([&a.td, &b.td, &c.td, &d.td, &e.td, &f.td, &g.td, &h.td]),
        }
    }

    /// The point itself, or its negative in the lanes of the mask: (4x : 4y : 4 : 4xy).
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn point(&self, negative: u8) -> Point8 {
        let (p, m) = (self.ypx.carry(), self.ymx.carry());
        let (plus, minus) = (p.blend(&m, negative), m.blend(&p, negative));
        let (x, y) = (plus.sub(&minus), plus.add(&minus));
        Point8 {
            x: x.add(&x).carry(),
            y: y.add(&y).carry(),
            z: Fe8::small(4),
            t: x.mul(&y),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn assign(&mut self, b: &Self, mask: u8) {
        self.ypx.assign(&b.ypx, mask);
        self.ymx.assign(&b.ymx, mask);
        self.td.assign(&b.td, mask);
    }
}

/// Index of the odd multiple and sign of regular digits of `bits` bits: digit u stands for 2u - (2^bits - 1).
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn split(digits: V, bits: usize) -> (V, u8) {
    let (half, mask) = (splat(1 << (bits - 1)), splat((1 << (bits - 1)) - 1));
    let low = _mm512_and_si512(digits, half);
    let negative = !_mm512_cmpeq_epi64_mask(low, half);
    // The complement of a negative digit's bits is its index.
    let flip = core::arch::x86_64::_mm512_maskz_mov_epi64(negative, mask);
    let index = _mm512_xor_si512(_mm512_and_si512(digits, mask), flip);
    (index, negative)
}

/// The entry of each lane's digit, by reading all entries.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn select_affine(table: &[Affine8], digits: V, bits: usize) -> Option<(Affine8, u8)> {
    let (index, negative) = split(digits, bits);
    let (first, rest) = table.split_first()?;
    let mut r = *first;
    for (i, e) in (1u64..).zip(rest) {
        r.assign(e, _mm512_cmpeq_epi64_mask(index, splat(i)));
    }
    Some((r, negative))
}

impl Point8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn identity() -> Self {
        let (zero, one) = (Fe8::small(0), Fe8::small(1));
        Self {
            x: zero,
            y: one,
            z: one,
            t: zero,
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn gather(p: [&Point; WIDTH]) -> Self {
        Self {
            x: Fe8::gather(p.map(|p| &p.x)).carry(),
            y: Fe8::gather(p.map(|p| &p.y)).carry(),
            z: Fe8::gather(p.map(|p| &p.z)).carry(),
            t: Fe8::gather(p.map(|p| &p.t)).carry(),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn scatter(&self) -> [Point; WIDTH] {
        let (x, y) = (self.x.scatter(), self.y.scatter());
        let (z, t) = (self.z.scatter(), self.t.scatter());
        let mut out = [Point::IDENTITY; WIDTH];
        for (((p, x), (y, z)), t) in out.iter_mut().zip(x).zip(y.into_iter().zip(z)).zip(t) {
            *p = Point { x, y, z, t };
        }
        out
    }

    /// Doubles n times; the fourth coordinate only after the last.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn double_n(&mut self, n: usize) {
        for left in (0..n).rev() {
            let (a, b, z2) = (self.x.square(), self.y.square(), self.z.square());
            let h = a.add(&b);
            let e = h.sub(&self.x.add(&self.y).square());
            let g = a.sub(&b);
            let f = g.add(&z2.add(&z2));
            Completed8 { e, f, g, h }.write(self, left == 0);
        }
    }

    /// Adds the entry, subtracts it in the lanes of `negative`.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn add_affine(&mut self, n: &Affine8, negative: u8) {
        let zz = self.z.add(&self.z);
        self.add_parts(n, &zz, negative);
    }

    /// As [`add_affine`](Self::add_affine) for an entry with its own Z.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn add_niels(&mut self, n: &Niels8, negative: u8) {
        let zz = self.z.mul(&n.zz);
        self.add_parts(&n.affine, &zz, negative);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn add_parts(&mut self, n: &Affine8, zz: &Fe8, negative: u8) {
        let plus = n.ypx.blend(&n.ymx, negative);
        let minus = n.ymx.blend(&n.ypx, negative);
        let a = self.y.sub(&self.x).mul(&minus);
        let b = self.y.add(&self.x).mul(&plus);
        let c = self.t.mul(&n.td);
        let (e, h) = (b.sub(&a), b.add(&a));
        let (less, more) = (zz.sub(&c), zz.add(&c));
        let (f, g) = (less.blend(&more, negative), more.blend(&less, negative));
        Completed8 { e, f, g, h }.write(self, true);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(in crate::lanes) fn niels(&self) -> Niels8 {
        Niels8 {
            affine: Affine8 {
                ypx: self.y.add(&self.x),
                ymx: self.y.sub(&self.x),
                td: Fe8::small(0).sub(&self.t.mul_small(TWO_ONE_MINUS_D)),
            },
            zz: self.z.add(&self.z),
        }
    }
}
