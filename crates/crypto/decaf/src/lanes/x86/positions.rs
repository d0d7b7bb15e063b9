//! Large sums by bit positions: the entries that the digits at one position name are added up without any doubling, in one
//! lane; afterwards one chain of doublings joins the positions. Positions with about the same number of digits share a
//! vector, so hardly a lane is idle.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: index arithmetic over vectors of known length"
)]

use super::{
    WIDTH,
    point::{Affine8, Point8},
    quad,
};
use crate::{Point, Scalar, point::AffineNiels};

/// Bit positions of non-adjacent forms.
const POSITIONS: usize = 448;
/// Positions of a segment: one lane of the vector that joins them.
pub(super) const SEGMENT: usize = POSITIONS / WIDTH;
/// Bits of a digit in an event: index below 32, sign.
const DIGIT_BITS: u32 = 6;
/// Digits of a scalar over a table of 32, and some.
const EXPECTED: usize = 64;
/// Entries are fetched this many additions before they are used.
const AHEAD: usize = 2;

/// A term of a sum: the table has 2^k odd multiples.
pub(crate) type Term<'t> = (Scalar, &'t [AffineNiels]);

/// Non-zero digits of all terms, ordered by slot: sum * POSITIONS + position.
struct Events {
    /// term << 6 | index << 1 | sign
    events: Vec<u32>,
    /// Where the events of a slot begin; one more at the end.
    starts: Vec<usize>,
}

impl Events {
    fn new_vartime(sums: &[&[Term<'_>]]) -> Self {
        let mut starts = vec![0usize; sums.len() * POSITIONS + 1];
        let terms: usize = sums.iter().map(|s| s.len()).sum();
        let mut raw = Vec::with_capacity(terms * EXPECTED);
        let mut term = 0u32;
        for (sum, terms) in sums.iter().enumerate() {
            for (s, table) in *terms {
                let width = table.len().trailing_zeros() as usize + 2;
                s.wnaf_vartime(width, |position, digit| {
                    let slot = sum * POSITIONS + position;
                    starts[slot + 1] += 1;
                    let index = u32::from(digit.unsigned_abs() >> 1);
                    raw.push((
                        slot as u32,
                        term << DIGIT_BITS | index << 1 | u32::from(digit < 0),
                    ));
                });
                term += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let (mut next, mut events) = (starts.clone(), vec![0; raw.len()]);
        for (slot, event) in raw {
            let at = &mut next[slot as usize];
            events[*at] = event;
            *at += 1;
        }
        Self { events, starts }
    }

    fn count(&self, slot: usize) -> usize {
        self.starts[slot + 1] - self.starts[slot]
    }

    /// Slots that share vectors, the fullest first; the last vector may have fewer.
    fn by_count(&self) -> Vec<usize> {
        let mut slots: Vec<usize> = (0..self.starts.len() - 1).collect();
        slots.sort_unstable_by_key(|slot| core::cmp::Reverse(self.count(*slot)));
        slots
    }
}

/// Sum of each list.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn sums_vartime(sums: &[&[Term<'_>]]) -> Vec<Point> {
    let tables: Vec<&[AffineNiels]> = sums.iter().flat_map(|s| s.iter().map(|t| t.1)).collect();
    let events = Events::new_vartime(sums);
    let mut slots = vec![Point::IDENTITY; sums.len() * POSITIONS];
    for group in events.by_count().chunks(WIDTH) {
        let points = add_vartime(&events, group, &tables);
        for (slot, p) in group.iter().zip(points) {
            slots[*slot] = p;
        }
    }
    let mut out = Vec::with_capacity(sums.len());
    for part in slots.chunks_exact(POSITIONS) {
        out.push(quad::join_segments(&join(part)));
    }
    out
}

/// The sums of up to eight slots.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn add_vartime(events: &Events, group: &[usize], tables: &[&[AffineNiels]]) -> [Point; WIDTH] {
    let mut lanes: [&[u32]; WIDTH] = [&[]; WIDTH];
    for (lane, slot) in lanes.iter_mut().zip(group) {
        *lane = &events.events[events.starts[*slot]..events.starts[slot + 1]];
    }
    let entry = |e: u32| {
        let index = (e >> 1) & ((1 << (DIGIT_BITS - 1)) - 1);
        &tables[(e >> DIGIT_BITS) as usize][index as usize]
    };
    let longest = lanes.iter().map(|l| l.len()).max().unwrap_or(0);
    let mut acc = Point8::identity();
    for i in 0..longest {
        let mut entries = [&AffineNiels::IDENTITY; WIDTH];
        let mut negative = 0u8;
        for lane in 0..WIDTH {
            if let Some(e) = lanes[lane].get(i) {
                entries[lane] = entry(*e);
                negative |= u8::from(e & 1 == 1) << lane;
            }
            if let Some(e) = lanes[lane].get(i + AHEAD) {
                super::prefetch(entry(*e));
            }
        }
        let n = Affine8::gather(entries);
        if i == 0 {
            acc = n.point(negative);
        } else {
            acc.add_affine(&n, negative);
        }
    }
    acc.scatter()
}

/// Joins the positions of each segment.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn join(slots: &[Point]) -> [Point; WIDTH] {
    let mut acc = Point8::identity();
    for position in (0..SEGMENT).rev() {
        let mut p = [&Point::IDENTITY; WIDTH];
        for (slot, part) in p.iter_mut().zip(slots.chunks_exact(SEGMENT)) {
            *slot = &part[position];
        }
        let p = Point8::gather(p);
        if position == SEGMENT - 1 {
            acc = p;
        } else {
            acc.double_n(1);
            acc.add_niels(&p.niels(), 0);
        }
    }
    acc.scatter()
}
