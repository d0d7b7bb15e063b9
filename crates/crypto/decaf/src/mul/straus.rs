use super::{
    LANES_FROM, PIPPENGER_FROM, PointTable, TABLE, normalise, odd_multiples, pippenger_vartime,
};
use crate::{
    Point, Scalar,
    lanes::{EVENT_TABLE, Event, Lanes, Term},
    point::AffineNiels,
};

/// Width of the non-adjacent form over precomputed tables: digits up to 63.
const STATIC_WIDTH: usize = 7;
/// Width over tables made on the fly: digits up to 15.
const DYNAMIC_WIDTH: usize = 5;
const DYNAMIC_TABLE: usize = EVENT_TABLE;
const POSITIONS: usize = 449;
/// Table entries are read this many additions before they are used: a miss takes less than two additions.
const AHEAD: usize = 2;

const _: () =
    assert!(TABLE == 1 << (STATIC_WIDTH - 2) && DYNAMIC_TABLE == 1 << (DYNAMIC_WIDTH - 2));

/// Non-zero digits of all scalars, sorted by position.
struct Schedule {
    events: Vec<Event>,
}

impl Schedule {
    fn new<'a>(rows: impl Iterator<Item = (&'a Scalar, usize)>) -> Self {
        let mut raw = Vec::new();
        let mut start = [0u32; POSITIONS + 1];
        for (row, (s, width)) in (0u32..).zip(rows) {
            s.wnaf_vartime(width, |pos, digit| {
                if let (Ok(position), Some(n)) = (u16::try_from(pos), start.get_mut(pos + 1)) {
                    *n += 1;
                    raw.push(Event {
                        position,
                        digit,
                        row,
                    });
                }
            });
        }
        let mut sum = 0;
        for n in &mut start {
            sum += *n;
            *n = sum;
        }
        let mut events = vec![Event::default(); raw.len()];
        for e in raw {
            if let Some(at) = start.get_mut(usize::from(e.position)) {
                if let Some(slot) = usize::try_from(*at).ok().and_then(|i| events.get_mut(i)) {
                    *slot = e;
                }
                *at += 1;
            }
        }
        Self { events }
    }

    /// Evaluates with `table(row)` holding the odd multiples of that row's point.
    fn run<'t>(&self, table: impl Fn(usize) -> Option<&'t [AffineNiels]>) -> Point {
        // Widths and table sizes are tied by the assertion above, rows by construction: every lookup succeeds.
        let entry = |e: &Event| {
            let index = usize::from(e.digit.unsigned_abs() >> 1);
            usize::try_from(e.row).ok().and_then(&table)?.get(index)
        };
        let mut events = self.events.iter().rev().peekable();
        let mut ahead = self.events.iter().rev().skip(AHEAD).filter_map(entry);
        let Some(mut pos) = events.peek().map(|e| e.position) else {
            return Point::IDENTITY;
        };
        let mut full = Point::IDENTITY;
        loop {
            while let Some(e) = events.next_if(|e| e.position == pos) {
                if let Some(later) = ahead.next() {
                    later.touch();
                }
                if let Some(n) = entry(e) {
                    full.add_signed(n, e.digit < 0).write(&mut full);
                }
            }
            // Doublings down to the next position with digits; all but the last without the fourth coordinate.
            let next = events.peek().map_or(0, |e| e.position);
            let Some(skipped) = pos.checked_sub(next + 1) else {
                return full;
            };
            let mut acc = full.projective();
            acc.double_n(usize::from(skipped));
            acc.double().write(&mut full);
            pos = next;
        }
    }
}

/// Interleaved non-adjacent forms with shared doublings. Variable time.
///
/// Sums over the shorter of both slices.
#[must_use]
pub fn straus_vartime(scalars: &[Scalar], points: &[Point]) -> Point {
    let terms: Vec<_> = scalars
        .iter()
        .copied()
        .zip(points.iter().copied())
        .collect();
    match Lanes::get() {
        Some(lanes) if terms.len() >= LANES_FROM => mixed_lanes(lanes, &[], &terms),
        Some(lanes) => mixed_quad(lanes, &[], &terms),
        None => mixed_portable(&[], &terms),
    }
}

/// Sum over precomputed tables plus sum over other points, sharing doublings; many other points go through buckets.
/// Variable time.
#[must_use]
pub fn mixed_vartime(fixed: &[(Scalar, &PointTable)], other: &[(Scalar, Point)]) -> Point {
    if other.len() >= PIPPENGER_FROM {
        let (scalars, points): (Vec<_>, Vec<_>) = other.iter().copied().unzip();
        return mixed_vartime(fixed, &[]) + pippenger_vartime(&scalars, &points);
    }
    match Lanes::get() {
        Some(lanes) if fixed.len() + other.len() >= LANES_FROM => mixed_lanes(lanes, fixed, other),
        Some(lanes) => mixed_quad(lanes, fixed, other),
        None => mixed_portable(fixed, other),
    }
}

/// Eight accumulators.
pub(super) fn mixed_lanes(
    lanes: Lanes,
    fixed: &[(Scalar, &PointTable)],
    other: &[(Scalar, Point)],
) -> Point {
    let points: Vec<Point> = other.iter().map(|(_, p)| *p).collect();
    let odd = lanes.odd_multiples(&points, DYNAMIC_TABLE);
    let fixed = fixed.iter().map(|(s, t)| (*s, &*t.odd));
    let own = other.iter().zip(odd.chunks_exact(DYNAMIC_TABLE));
    let terms: Vec<Term<'_>> = fixed.chain(own.map(|((s, _), t)| (*s, t))).collect();
    lanes.positions_vartime(&[&terms]).into_iter().sum()
}

/// One accumulator whose coordinates lie side by side.
pub(super) fn mixed_quad(
    lanes: Lanes,
    fixed: &[(Scalar, &PointTable)],
    other: &[(Scalar, Point)],
) -> Point {
    let schedule = Schedule::new(widths(fixed, other));
    let tables: Vec<&[AffineNiels]> = fixed.iter().map(|(_, t)| &*t.odd).collect();
    let points: Vec<Point> = other.iter().map(|(_, p)| *p).collect();
    lanes.scheduled_vartime(&schedule.events, &tables, &points)
}

/// Scalars with the widths of their forms: tables first.
fn widths<'s>(
    fixed: &'s [(Scalar, &PointTable)],
    other: &'s [(Scalar, Point)],
) -> impl Iterator<Item = (&'s Scalar, usize)> {
    let fixed = fixed.iter().map(|(s, _)| (s, STATIC_WIDTH));
    fixed.chain(other.iter().map(|(s, _)| (s, DYNAMIC_WIDTH)))
}

pub(super) fn mixed_portable(fixed: &[(Scalar, &PointTable)], other: &[(Scalar, Point)]) -> Point {
    let odd: Vec<Point> = other
        .iter()
        .flat_map(|(_, p)| odd_multiples::<DYNAMIC_TABLE>(p))
        .collect();
    let odd = normalise(&odd);
    Schedule::new(widths(fixed, other)).run(|row| match fixed.get(row) {
        Some((_, t)) => Some(&t.odd),
        None => {
            let at = (row - fixed.len()) * DYNAMIC_TABLE;
            odd.get(at..at + DYNAMIC_TABLE)
        }
    })
}
