//! Scalar multiplication.
//!
//! Constant time: [`variable_base`], [`FixedBase::mul`], [`constant_time`]. Everything else ends in `_vartime` and is
//! for public scalars and points. Functions choose between the portable form and the vector form of [`crate::lanes`];
//! tests run both.

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

use crate::{
    field::{Fe, mask},
    lanes::Lanes,
    point::{AffineNiels, Niels, Point, Projective},
    scalar::{REGULAR_DIGITS, Scalar},
};

mod fixed;
mod many;
mod pippenger;
mod straus;

pub use fixed::FixedBase;
pub use many::many_vartime;
pub use pippenger::pippenger_vartime;
pub use straus::{mixed_vartime, straus_vartime};

/// Odd multiples 1P .. 63P kept per point of a [`PointTable`].
const TABLE: usize = 32;
/// Odd multiples that the regular radix-32 digits need.
const REGULAR: usize = 16;
/// From this many terms on, eight accumulators beat one (measured).
const LANES_FROM: usize = 12;
/// From this many points on, buckets beat interleaved tables (measured, see `benches/decaf.rs`).
const PIPPENGER_FROM: usize = 300;

/// Sum of `scalars[i] * points[i]` over the shorter of both slices. Variable time.
#[must_use]
pub fn msm_vartime(scalars: &[Scalar], points: &[Point]) -> Point {
    if scalars.len().min(points.len()) < PIPPENGER_FROM {
        straus_vartime(scalars, points)
    } else {
        pippenger_vartime(scalars, points)
    }
}

/// Splits a regular digit into (index of the odd multiple, sign).
#[inline(always)]
fn split_digit(d: u8) -> (u8, Choice) {
    let negative = (d >> 4) ^ 1;
    let flip = 0u8.wrapping_sub(negative);
    ((d ^ flip) & 15, Choice::from(negative))
}

#[inline(always)]
fn select_niels(table: &[Niels; REGULAR], digit: u8) -> Niels {
    let (index, negative) = split_digit(digit);
    let [mut r, rest @ ..] = *table;
    for (i, n) in (1u8..).zip(rest.iter()) {
        r.assign_masked(n, mask(i.ct_eq(&index)));
    }
    r.conditional_negate(negative);
    r
}

#[inline(always)]
fn select_affine(table: &[AffineNiels], digit: u8) -> Option<AffineNiels> {
    let (index, negative) = split_digit(digit);
    let (first, rest) = table.split_first()?;
    let mut r = *first;
    for (i, n) in (1u8..16).zip(rest) {
        r.assign_masked(n, mask(i.ct_eq(&index)));
    }
    r.conditional_negate(negative);
    Some(r)
}

/// P, 3P, 5P, ... as points.
fn odd_multiples<const N: usize>(p: &Point) -> [Point; N] {
    let double = p.double().niels();
    let mut out = [*p; N];
    let mut acc = *p;
    for slot in out.iter_mut().skip(1) {
        acc = acc.add_niels(&double).extended();
        *slot = acc;
    }
    out
}

/// `s * p`, constant time: 90 regular signed digits of 5 bits.
pub(crate) fn variable_base(p: &Point, s: &Scalar) -> Point {
    match Lanes::get() {
        Some(lanes) => lanes.mul(p, s),
        None => variable_base_portable(p, s),
    }
}

pub(crate) fn variable_base_portable(p: &Point, s: &Scalar) -> Point {
    let mut table = odd_multiples::<REGULAR>(p).map(|q| q.niels());
    let mut digits = s.regular_digits();
    let mut acc = Point::IDENTITY;
    let mut first = true;
    for d in digits.iter().rev() {
        if !first {
            times_32(&mut acc);
        }
        first = false;
        acc.add_niels(&select_niels(&table, *d)).write(&mut acc);
    }
    digits.zeroize();
    table.iter_mut().for_each(Zeroize::zeroize);
    acc
}

#[inline]
fn times_32(p: &mut Point) {
    let mut r: Projective = p.projective();
    r.double_n(4);
    r.double().write(p);
}

/// Precomputed odd multiples of one public point, for repeated use in multi-scalar products.
///
/// 32 entries, 6 KiB.
#[derive(Clone)]
pub struct PointTable {
    point: Point,
    odd: Box<[AffineNiels]>,
}

impl core::fmt::Debug for PointTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PointTable(..)")
    }
}

impl PointTable {
    /// Tables of all points with one field inversion.
    #[must_use]
    pub fn batch(points: &[Point]) -> Vec<Self> {
        let affine = match Lanes::get() {
            Some(lanes) => lanes.odd_multiples(points, TABLE),
            None => {
                let all: Vec<Point> = points.iter().flat_map(odd_multiples::<TABLE>).collect();
                normalise(&all)
            }
        };
        points
            .iter()
            .zip(affine.chunks_exact(TABLE))
            .map(|(p, odd)| Self {
                point: *p,
                odd: odd.into(),
            })
            .collect()
    }

    /// The point itself.
    #[must_use]
    pub const fn point(&self) -> &Point {
        &self.point
    }
}

/// Affine forms with one inversion.
fn normalise(points: &[Point]) -> Vec<AffineNiels> {
    let mut z: Vec<Fe> = points.iter().map(|p| p.z).collect();
    Fe::batch_invert(&mut z);
    points
        .iter()
        .zip(&z)
        .map(|(p, zi)| p.affine_niels(zi))
        .collect()
}

/// Sum of `s_i * P_i` for secret scalars over public tables, constant time; doublings are shared.
#[must_use]
pub fn constant_time(terms: &[(Scalar, &PointTable)]) -> Point {
    match Lanes::get() {
        Some(lanes) if terms.len() >= LANES_FROM => constant_time_lanes(lanes, terms),
        _ => constant_time_portable(terms),
    }
}

fn constant_time_lanes(lanes: Lanes, terms: &[(Scalar, &PointTable)]) -> Point {
    let mut rows: Vec<(Scalar, &[AffineNiels])> =
        terms.iter().map(|(s, t)| (*s, &*t.odd)).collect();
    let sum = lanes.constant_time(&rows);
    rows.iter_mut().for_each(|(s, _)| s.zeroize());
    sum
}

fn constant_time_portable(terms: &[(Scalar, &PointTable)]) -> Point {
    let mut digits: Vec<[u8; REGULAR_DIGITS]> =
        terms.iter().map(|(s, _)| s.regular_digits()).collect();
    let mut acc = Point::IDENTITY;
    for position in (0..REGULAR_DIGITS).rev() {
        times_32(&mut acc);
        for ((_, table), row) in terms.iter().zip(&digits) {
            // Positions and table sizes are public constants, so both lookups always succeed.
            let entry = row
                .get(position)
                .and_then(|d| select_affine(table.odd.get(..REGULAR)?, *d));
            if let Some(n) = entry {
                acc.add_affine(&n).write(&mut acc);
            }
        }
    }
    digits.iter_mut().for_each(Zeroize::zeroize);
    acc
}

#[cfg(test)]
pub(crate) mod tests;
