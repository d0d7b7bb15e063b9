//! One round of Euclid's algorithm on single limbs: where a squaring spends most of its time.
//!
//! Each half step takes `q y` from `x` with `q = min(floor(x / y), 3)`, found by comparisons without branches, or with
//! the true quotient where that is 8 or more. Two of three quotients are at most 3 and one of six is at least 8; those
//! between take another turn. A division takes 18 cycles until its remainder is there, such a half step four, and a
//! branch that is wrong one time in six costs less than a division each time. Quotients below the true ones are as good
//! here, see [`super`].

#[cfg(not(target_family = "wasm"))]
use core::hint::select_unpredictable;

#[cfg(target_arch = "x86_64")]
mod x86;

/// WebAssembly has an instruction for it and nobody to hint to.
#[cfg(target_family = "wasm")]
const fn select_unpredictable(condition: bool, yes: u64, no: u64) -> u64 {
    if condition { yes } else { no }
}

/// Limbs above this have no room for three times their value.
pub(super) const BITS: usize = 62;
/// Quotients from `2^FAR` on are found by division.
const FAR: u32 = 3;

/// Row operations as pairs of 32-bit entries in a limb: `(b, a)` and `(d, c)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) ab: u64,
    pub(super) cd: u64,
}

impl Rows {
    const IDENTITY: Self = Self { ab: 1, cd: 1 << 32 };
}

/// Steps on `x, y < 2^62` as long as both remainders stay at `floor > 0` or above. The sums of the entries of the rows
/// are at most `2^62 / floor`, which has to be below `2^32`.
#[inline]
pub(super) fn run(x: u64, y: u64, floor: u64, assembly: bool) -> Rows {
    if x < floor || y < floor {
        return Rows::IDENTITY;
    }
    #[cfg(target_arch = "x86_64")]
    if assembly {
        return x86::run(x, y, floor);
    }
    let _ = assembly;
    run_plain(x, y, floor)
}

fn run_plain(mut x: u64, mut y: u64, floor: u64) -> Rows {
    let Rows { mut ab, mut cd } = Rows::IDENTITY;
    loop {
        let (rest, multiple) = half_step(x, y, cd);
        if rest < floor {
            break;
        }
        (x, ab) = (rest, ab.wrapping_add(multiple));
        let (rest, multiple) = half_step(y, x, ab);
        if rest < floor {
            break;
        }
        (y, cd) = (rest, cd.wrapping_add(multiple));
    }
    Rows { ab, cd }
}

/// `(x - q y, q row)`.
#[inline(always)]
fn half_step(x: u64, y: u64, row: u64) -> (u64, u64) {
    if x >> FAR >= y {
        let q = x.checked_div(y).unwrap_or(0);
        return (x.wrapping_sub(q.wrapping_mul(y)), q.wrapping_mul(row));
    }
    let (y2, row2) = (y.wrapping_mul(2), row.wrapping_mul(2));
    let (rest1, none) = x.overflowing_sub(y);
    let (rest2, at_most_one) = x.overflowing_sub(y2);
    let (rest3, at_most_two) = x.overflowing_sub(y2.wrapping_add(y));
    let low = select_unpredictable(none, x, rest1);
    let low_row = select_unpredictable(none, 0, row);
    let high = select_unpredictable(at_most_two, rest2, rest3);
    let high_row = select_unpredictable(at_most_two, row2, row2.wrapping_add(row));
    (
        select_unpredictable(at_most_one, low, high),
        select_unpredictable(at_most_one, low_row, high_row),
    )
}

#[cfg(test)]
mod tests;
