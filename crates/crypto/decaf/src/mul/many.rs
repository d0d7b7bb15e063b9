use super::{LANES_FROM, PointTable, mixed_vartime};
use crate::{
    Point, Scalar,
    lanes::{Lanes, Term, WIDE, WIDE_DIGITS, WIDTH, WideRow},
};

/// The sum of each list of products over precomputed tables. Variable time.
///
/// Several sums at once are faster than one after the other.
#[must_use]
pub fn many_vartime(sums: &[Vec<(Scalar, &PointTable)>]) -> Vec<Point> {
    let terms: usize = sums.iter().map(Vec::len).sum();
    match Lanes::get() {
        Some(lanes) if terms >= LANES_FROM && sums.len() <= 2 => pair_lanes(lanes, sums),
        Some(lanes) if terms >= LANES_FROM => sums
            .chunks(WIDTH)
            .flat_map(|c| many_lanes(lanes, c))
            .collect(),
        _ => sums.iter().map(|s| mixed_vartime(s, &[])).collect(),
    }
}

/// One sum or two.
pub(super) fn pair_lanes(lanes: Lanes, sums: &[Vec<(Scalar, &PointTable)>]) -> Vec<Point> {
    let all: Vec<Vec<Term<'_>>> = sums
        .iter()
        .map(|sum| sum.iter().map(|(s, t)| (*s, &*t.odd)).collect())
        .collect();
    let lists: Vec<&[Term<'_>]> = all.iter().map(Vec::as_slice).collect();
    lanes.positions_vartime(&lists)
}

/// At most eight sums, each in lanes of its own.
pub(super) fn many_lanes(lanes: Lanes, sums: &[Vec<(Scalar, &PointTable)>]) -> Vec<Point> {
    // Every sum gets the same number of lanes.
    let share = WIDTH / sums.len().next_power_of_two();
    let mut rows: [Vec<WideRow<'_>>; WIDTH] = Default::default();
    for (part, sum) in rows.chunks_mut(share).zip(sums) {
        distribute(part, sum);
    }
    let points = lanes.wide_vartime(&rows);
    points
        .chunks(share)
        .take(sums.len())
        .map(|c| c.iter().copied().sum())
        .collect()
}

/// Deals the terms of one sum to lanes.
fn distribute<'t>(rows: &mut [Vec<WideRow<'t>>], sum: &[(Scalar, &'t PointTable)]) {
    for terms in sum.chunks(rows.len().max(1)) {
        for (row, (s, table)) in rows.iter_mut().zip(terms) {
            row.push(WideRow {
                digits: s.regular::<WIDE, WIDE_DIGITS>(),
                odd: &table.odd,
            });
        }
    }
}
