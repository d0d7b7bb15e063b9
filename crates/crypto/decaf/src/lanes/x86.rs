//! The kernels. Everything here is constant time unless its name ends in `_vartime`.

#![allow(
    unsafe_code,
    reason = "loads, stores, and calls of functions that need instructions detected at run time"
)]

use core::arch::x86_64::__m512i;

use super::{Event, Fe, WIDTH, WideRow};
use crate::{Point, Scalar, point::AffineNiels};

mod arithmetic;
mod buckets;
mod eight;
mod field;
mod four;
mod msm;
mod point;
mod positions;
mod quad;
mod tables;

pub(crate) use msm::FixedTable;
pub(crate) use positions::Term;

#[cfg(test)]
pub(super) use field::Fe8;
#[cfg(test)]
pub(super) use point::{Affine8, Point8};
#[cfg(test)]
pub(super) use quad::{gather as gather4, scatter as scatter4};

type V = __m512i;

/// Proof that the machine has AVX-512 F, DQ, BW, VL and IFMA.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(());

impl Lanes {
    /// The kernels, if this process uses them.
    pub(crate) fn get() -> Option<Self> {
        quil_simd::Features::get().ifma.then_some(Self(()))
    }

    /// The kernels, if the machine has them.
    #[cfg(test)]
    pub(crate) fn of_machine() -> Option<Self> {
        quil_simd::Features::of_machine().ifma.then_some(Self(()))
    }

    /// x^((p - 3) / 4) of each.
    pub(crate) fn pow_p34(self, values: &mut [Fe; WIDTH]) {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { field::pow_p34(values) }
    }

    /// `s p`.
    pub(crate) fn mul(self, p: &Point, s: &Scalar) -> Point {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { quad::mul(p, s) }
    }

    /// Sum over events in the order of their positions: rows of the tables first, then rows of the points. Digits fit
    /// the tables; those of points have at most 5 bits.
    pub(crate) fn scheduled_vartime(
        self,
        events: &[Event],
        tables: &[&[AffineNiels]],
        points: &[Point],
    ) -> Point {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { quad::scheduled_vartime(events, tables, points) }
    }

    /// For each lane the sum over its rows.
    pub(crate) fn wide_vartime(self, rows: &[Vec<WideRow<'_>>; WIDTH]) -> [Point; WIDTH] {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { msm::wide_vartime(rows) }
    }

    /// The sum of each list; best for one or two long ones.
    pub(crate) fn positions_vartime(self, sums: &[&[Term<'_>]]) -> Vec<Point> {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { positions::sums_vartime(sums) }
    }

    /// P, 3P, ..., `count` of them for each point, in order of the points.
    pub(crate) fn odd_multiples(self, points: &[Point], count: usize) -> Vec<AffineNiels> {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { tables::odd_multiples(points, count) }
    }

    /// Sum over public tables for secret scalars.
    pub(crate) fn constant_time(self, terms: &[(Scalar, &[AffineNiels])]) -> Point {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { msm::constant_time(terms) }
    }

    /// Bucket method, one window per lane.
    pub(crate) fn buckets_vartime(self, scalars: &[Scalar], points: &[AffineNiels]) -> Point {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { buckets::sum_vartime(scalars, points) }
    }

    /// Arranges a comb of rows with `per_row` odd multiples for [`fixed_mul`](Self::fixed_mul).
    pub(crate) fn fixed_table(self, comb: &[AffineNiels], per_row: usize) -> FixedTable {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { FixedTable::new(comb, per_row) }
    }

    /// `s B` over the comb of a base B: rows are the multiples by 2^10, digits have 5 bits.
    pub(crate) fn fixed_mul(self, table: &FixedTable, s: &Scalar) -> Point {
        // SAFETY: a `Lanes` exists only where the instructions were found.
        unsafe { table.mul(s) }
    }
}

/// Fetches an entry that will be added soon.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn prefetch(e: &AffineNiels) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for fe in [&e.ypx, &e.ymx, &e.td] {
        _mm_prefetch::<_MM_HINT_T0>(fe.0.as_ptr().cast());
    }
}
