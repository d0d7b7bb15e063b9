//! Sums of products with shared doublings.

#![allow(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: digit positions and table sizes are constants"
)]

use zeroize::Zeroize;

use super::{
    WIDTH, WideRow,
    field::load,
    point::{Affine8, Point8, select_affine},
};
use crate::{
    Point, Scalar,
    lanes::{WIDE, WIDE_DIGITS},
    point::AffineNiels,
    scalar::REGULAR_DIGITS,
};

/// Bits of a digit whose multiple is found by reading all of them.
const NARROW: usize = 4;
const NARROW_DIGITS: usize = 112;
/// Odd multiples of such a digit.
const NARROW_TABLE: usize = 1 << (NARROW - 1);
/// Groups of eight tables in one pass of the constant-time sum: their multiples (15 KiB each) stay in the cache close to
/// the core.
const GROUPS: usize = 32;

type NarrowDigits = [[u64; WIDTH]; NARROW_DIGITS];

/// Digits of up to eight scalars, by position.
fn narrow_digits<'s>(scalars: impl Iterator<Item = &'s Scalar>) -> Box<NarrowDigits> {
    let mut out = Box::new([[0; WIDTH]; NARROW_DIGITS]);
    for (lane, s) in scalars.take(WIDTH).enumerate() {
        let mut digits = s.regular::<NARROW, NARROW_DIGITS>();
        for (row, d) in out.iter_mut().zip(digits) {
            row[lane] = u64::from(d);
        }
        digits.zeroize();
    }
    out
}

/// For each lane the sum over its rows.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn wide_vartime(rows: &[Vec<WideRow<'_>>; WIDTH]) -> [Point; WIDTH] {
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut acc = Point8::identity();
    for position in (0..WIDE_DIGITS).rev() {
        acc.double_n(WIDE);
        add_wide_vartime(&mut acc, rows, longest, position);
    }
    acc.scatter()
}

/// Adds the multiples of one digit position.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn add_wide_vartime(
    acc: &mut Point8,
    rows: &[Vec<WideRow<'_>>; WIDTH],
    longest: usize,
    position: usize,
) {
    const HALF: u8 = 1 << (WIDE - 1);
    let entry = |lane: &Vec<WideRow<'_>>, i: usize| -> Option<(usize, bool)> {
        let d = lane.get(i)?.digits[position];
        let negative = d & HALF == 0;
        let index = (if negative { !d } else { d }) & (HALF - 1);
        Some((usize::from(index), negative))
    };
    for i in 0..longest {
        let mut entries = [&AffineNiels::IDENTITY; WIDTH];
        let mut negative = 0u8;
        for (lane, (row, slot)) in rows.iter().zip(&mut entries).enumerate() {
            if let Some((index, minus)) = entry(row, i) {
                *slot = &row[i].odd[index];
                negative |= u8::from(minus) << lane;
            }
            if let Some((index, _)) = entry(row, i + 1) {
                super::prefetch(&row[i + 1].odd[index]);
            }
        }
        acc.add_affine(&Affine8::gather(entries), negative);
    }
}

/// Sum over public tables for secret scalars: every entry that a digit could name is read.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn constant_time(terms: &[(Scalar, &[AffineNiels])]) -> Point {
    let mut sum = Point::IDENTITY;
    for part in terms.chunks(GROUPS * WIDTH) {
        let tables: Vec<Vec<Affine8>> = part
            .chunks(WIDTH)
            .map(|c| interleave(&c.iter().map(|t| t.1).collect::<Vec<_>>(), NARROW_TABLE))
            .collect();
        let mut digits: Vec<Box<NarrowDigits>> = part
            .chunks(WIDTH)
            .map(|c| narrow_digits(c.iter().map(|t| &t.0)))
            .collect();
        let mut acc = Point8::identity();
        for position in (0..NARROW_DIGITS).rev() {
            acc.double_n(NARROW);
            for (table, d) in tables.iter().zip(&digits) {
                // Tables are not empty.
                if let Some((n, negative)) = select_affine(table, load(&d[position]), NARROW) {
                    acc.add_affine(&n, negative);
                }
            }
        }
        for d in &mut digits {
            d.iter_mut().for_each(Zeroize::zeroize);
        }
        sum += acc.scatter().into_iter().sum();
    }
    sum
}

/// The first `count` entries of up to eight tables side by side; missing ones are the identity.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn interleave(tables: &[&[AffineNiels]], count: usize) -> Vec<Affine8> {
    (0..count)
        .map(|i| {
            let mut e = [&AffineNiels::IDENTITY; WIDTH];
            for (slot, t) in e.iter_mut().zip(tables) {
                *slot = t.get(i).unwrap_or(&AffineNiels::IDENTITY);
            }
            Affine8::gather(e)
        })
        .collect()
}

/// The comb of a fixed base, rows side by side.
pub(crate) struct FixedTable {
    /// For each eight rows, the odd multiples of all of them.
    groups: Vec<Vec<Affine8>>,
}

impl FixedTable {
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(super) fn new(comb: &[AffineNiels], per_row: usize) -> Self {
        let rows: Vec<&[AffineNiels]> = comb.chunks(per_row).collect();
        Self {
            groups: rows.chunks(WIDTH).map(|r| interleave(r, per_row)).collect(),
        }
    }

    /// Size.
    pub(crate) fn bytes(&self) -> usize {
        self.groups.iter().map(|g| size_of_val(g.as_slice())).sum()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    pub(super) fn mul(&self, s: &Scalar) -> Point {
        let mut regular = s.regular::<5, REGULAR_DIGITS>();
        let mut acc = Point8::identity();
        for parity in [1, 0] {
            for (g, table) in self.groups.iter().enumerate() {
                let mut digits = [0u64; WIDTH];
                for (lane, d) in digits.iter_mut().enumerate() {
                    // Rows beyond the last are the identity, whatever the digit.
                    *d = regular
                        .get((g * WIDTH + lane) * 2 + parity)
                        .map_or(0, |d| u64::from(*d));
                }
                if let Some((n, negative)) = select_affine(table, load(&digits), 5) {
                    acc.add_affine(&n, negative);
                }
                digits.zeroize();
            }
            if parity == 1 {
                acc.double_n(5);
            }
        }
        regular.zeroize();
        acc.scatter().into_iter().sum()
    }
}
