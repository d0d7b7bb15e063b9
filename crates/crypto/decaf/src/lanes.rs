//! Eight independent computations at a time with AVX-512 IFMA.
//!
//! [`Lanes`] exists only where the instructions were found, so holding one is the proof that the kernels may run. On
//! other machines it has no values and the portable code runs.

use crate::{field::Fe, point::AffineNiels};

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{FixedTable, Lanes, Term};

/// Computations side by side.
pub(crate) const WIDTH: usize = 8;

/// Bits of a digit over tables of [`crate::PointTable`]: 32 odd multiples.
pub(crate) const WIDE: usize = 6;
/// Digits of a scalar in wide form.
pub(crate) const WIDE_DIGITS: usize = 75;
/// Odd multiples of a point that an [`Event`] chooses from: digits of 5 bits in non-adjacent form.
pub(crate) const EVENT_TABLE: usize = 8;

/// A non-zero digit of a row.
#[derive(Clone, Copy, Default)]
pub(crate) struct Event {
    pub(crate) position: u16,
    /// Odd.
    pub(crate) digit: i16,
    pub(crate) row: u32,
}

/// A public point with its odd multiples and wide digits.
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "only kernels read it")
)]
pub(crate) struct WideRow<'t> {
    pub(crate) digits: [u8; WIDE_DIGITS],
    pub(crate) odd: &'t [AffineNiels],
}

/// The machine has no such instructions: no value exists.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
pub(crate) enum Lanes {}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::{FixedTable, Term};

#[cfg(not(target_arch = "x86_64"))]
mod portable {
    use super::{Event, Fe, Lanes, WIDTH, WideRow};
    use crate::{Point, Scalar, point::AffineNiels};

    pub(crate) type Term<'t> = (Scalar, &'t [AffineNiels]);

    /// No table: nothing reads it.
    pub(crate) struct FixedTable(Lanes);

    impl FixedTable {
        pub(crate) fn bytes(&self) -> usize {
            match self.0 {}
        }
    }

    impl Lanes {
        pub(crate) fn get() -> Option<Self> {
            None
        }

        #[cfg(test)]
        pub(crate) fn of_machine() -> Option<Self> {
            None
        }

        pub(crate) fn pow_p34(self, _: &mut [Fe; WIDTH]) {
            match self {}
        }

        pub(crate) fn mul(self, _: &Point, _: &Scalar) -> Point {
            match self {}
        }

        pub(crate) fn scheduled_vartime(
            self,
            _: &[Event],
            _: &[&[AffineNiels]],
            _: &[Point],
        ) -> Point {
            match self {}
        }

        pub(crate) fn wide_vartime(self, _: &[Vec<WideRow<'_>>; WIDTH]) -> [Point; WIDTH] {
            match self {}
        }

        pub(crate) fn positions_vartime(self, _: &[&[Term<'_>]]) -> Vec<Point> {
            match self {}
        }

        pub(crate) fn odd_multiples(self, _: &[Point], _: usize) -> Vec<AffineNiels> {
            match self {}
        }

        pub(crate) fn constant_time(self, _: &[(Scalar, &[AffineNiels])]) -> Point {
            match self {}
        }

        pub(crate) fn buckets_vartime(self, _: &[Scalar], _: &[AffineNiels]) -> Point {
            match self {}
        }

        pub(crate) fn fixed_table(self, _: &[AffineNiels], _: usize) -> FixedTable {
            match self {}
        }

        pub(crate) fn fixed_mul(self, table: &FixedTable, _: &Scalar) -> Point {
            match table.0 {}
        }
    }
}

impl Lanes {
    /// x^((p - 3) / 4) of any number of elements.
    pub(crate) fn pow_p34_all(self, values: &mut [Fe]) {
        for chunk in values.chunks_mut(WIDTH) {
            let mut block = [Fe::ZERO; WIDTH];
            for (b, v) in block.iter_mut().zip(chunk.iter()) {
                *b = *v;
            }
            self.pow_p34(&mut block);
            for (v, b) in chunk.iter_mut().zip(block) {
                *v = b;
            }
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
