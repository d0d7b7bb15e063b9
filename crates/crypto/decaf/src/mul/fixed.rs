use std::sync::LazyLock;

use zeroize::Zeroize;

use super::{
    PointTable, REGULAR, mixed_vartime, normalise, odd_multiples, select_affine, times_32,
};
use crate::{
    CompressedPoint, Point, Scalar,
    lanes::{FixedTable, Lanes},
    point::AffineNiels,
    scalar::REGULAR_DIGITS,
};

/// Positions with a table of their own: every second digit, the others share it after one multiplication by 32.
const POSITIONS: usize = REGULAR_DIGITS / 2;

/// Tables of one fixed public base: 45 x 16 affine points (138 KiB) for constant-time multiplication, and a
/// [`PointTable`] for variable-time products.
pub struct FixedBase {
    encoding: CompressedPoint,
    table: PointTable,
    comb: Vec<AffineNiels>,
    lanes: Option<(Lanes, FixedTable)>,
}

impl core::fmt::Debug for FixedBase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "FixedBase({:?})", self.encoding)
    }
}

static GENERATOR: LazyLock<FixedBase> = LazyLock::new(|| {
    // The constant is a valid encoding (known-answer test), so the fallback is never taken.
    FixedBase::new(
        &CompressedPoint::GENERATOR
            .decompress()
            .unwrap_or(Point::IDENTITY),
    )
});

impl FixedBase {
    /// Builds the tables. Cost: about 900 additions.
    #[must_use]
    pub fn new(point: &Point) -> Self {
        let mut all = Vec::with_capacity(POSITIONS * REGULAR);
        let mut p = *point;
        for _ in 0..POSITIONS {
            all.extend_from_slice(&odd_multiples::<REGULAR>(&p));
            times_32(&mut p);
            times_32(&mut p);
        }
        let table = PointTable::batch(core::slice::from_ref(point))
            .pop()
            .unwrap_or_else(|| PointTable {
                point: *point,
                odd: Box::default(),
            });
        let comb = normalise(&all);
        Self {
            encoding: point.compress(),
            table,
            lanes: Lanes::get().map(|l| (l, l.fixed_table(&comb, REGULAR))),
            comb,
        }
    }

    /// The tables of the generator of RFC 9496, built on first use.
    #[must_use]
    pub fn generator() -> &'static Self {
        &GENERATOR
    }

    /// The base.
    #[must_use]
    pub const fn point(&self) -> &Point {
        self.table.point()
    }

    /// The encoding of the base.
    #[must_use]
    pub const fn encoding(&self) -> &CompressedPoint {
        &self.encoding
    }

    /// Bytes of the tables that [`mul`](Self::mul) reads.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        let portable = self.comb.len() * size_of::<AffineNiels>();
        self.lanes.as_ref().map_or(portable, |(_, t)| t.bytes())
    }

    /// The table for variable-time products.
    #[must_use]
    pub const fn table(&self) -> &PointTable {
        &self.table
    }

    /// `s * B`, constant time.
    #[must_use]
    pub fn mul(&self, s: &Scalar) -> Point {
        match &self.lanes {
            Some((lanes, table)) => lanes.fixed_mul(table, s),
            None => self.mul_portable(s),
        }
    }

    #[cfg(test)]
    pub(super) fn mul_lanes(&self, lanes: Lanes, s: &Scalar) -> Point {
        lanes.fixed_mul(&lanes.fixed_table(&self.comb, REGULAR), s)
    }

    pub(super) fn mul_portable(&self, s: &Scalar) -> Point {
        let mut digits = s.regular_digits();
        let mut acc = Point::IDENTITY;
        for parity in [1, 0] {
            for (d, row) in digits
                .iter()
                .skip(parity)
                .step_by(2)
                .zip(self.comb.chunks_exact(REGULAR))
            {
                // Rows always hold 16 entries.
                if let Some(n) = select_affine(row, *d) {
                    acc.add_affine(&n).write(&mut acc);
                }
            }
            if parity == 1 {
                times_32(&mut acc);
            }
        }
        digits.zeroize();
        acc
    }

    /// `b * B + a * A`, variable time.
    #[must_use]
    pub fn double_mul_vartime(&self, b: &Scalar, a: &Scalar, point: &Point) -> Point {
        mixed_vartime(&[(*b, &self.table)], &[(*a, *point)])
    }
}
