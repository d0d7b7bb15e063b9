//! Tables of odd multiples in affine form, with one inversion for all of them.

#![allow(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: index arithmetic over vectors of known length"
)]

use super::{
    WIDTH,
    field::{Fe8, power},
    point::Point8,
};
use crate::{
    Point,
    point::{AffineNiels, TWO_ONE_MINUS_D},
};

/// P, 3P, ..., `count` of them for each point, in order of the points.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn odd_multiples(points: &[Point], count: usize) -> Vec<AffineNiels> {
    let groups = points.len().div_ceil(WIDTH);
    let mut multiples = Vec::with_capacity(groups * count);
    for chunk in points.chunks(WIDTH) {
        let mut p = [&Point::IDENTITY; WIDTH];
        for (slot, point) in p.iter_mut().zip(chunk) {
            *slot = point;
        }
        let mut acc = Point8::gather(p);
        let mut double = acc;
        double.double_n(1);
        let double = double.niels();
        for i in 0..count {
            if i > 0 {
                acc.add_niels(&double, 0);
            }
            multiples.push(acc);
        }
    }
    let mut out = vec![AffineNiels::IDENTITY; points.len() * count];
    let inverses = invert(&multiples);
    for (at, (p, z_inv)) in multiples.iter().zip(&inverses).enumerate() {
        let (group, i) = (at / count, at % count);
        let (x, y) = (p.x.mul(z_inv), p.y.mul(z_inv));
        let td = Fe8::small(0).sub(&x.mul(&y).mul_small(TWO_ONE_MINUS_D));
        let (ypx, ymx, td) = (y.add(&x).scatter(), y.sub(&x).scatter(), td.scatter());
        for lane in 0..WIDTH.min(points.len() - group * WIDTH) {
            out[(group * WIDTH + lane) * count + i] = AffineNiels {
                ypx: ypx[lane],
                ymx: ymx[lane],
                td: td[lane],
            };
        }
    }
    out
}

/// 1/Z of each, lane by lane. No Z is zero.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn invert(points: &[Point8]) -> Vec<Fe8> {
    let mut out = Vec::with_capacity(points.len());
    let mut acc = Fe8::small(1);
    for p in points {
        out.push(acc);
        acc = acc.mul(&p.z);
    }
    // x^(4 (p - 3) / 4 + 1) = x^(p - 2)
    let mut inverse = power(&acc).square().square().mul(&acc);
    for (slot, p) in out.iter_mut().zip(points).rev() {
        *slot = inverse.mul(slot);
        inverse = inverse.mul(&p.z);
    }
    out
}
