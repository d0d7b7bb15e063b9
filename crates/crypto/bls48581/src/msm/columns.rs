//! Sums of public affine points of G1, eight columns of points at a time.
//!
//! Lane `i` of all rows of a block is one column. A round adds row `2k + 1` to row `2k` of every block; all
//! denominators of a round, in all lanes and blocks, share one inversion. Per addition: five products and a square in
//! every lane, no data moves between lanes.

use crate::curve::{G1Affine, G1Projective};
use crate::fp::Fp;
use crate::lanes::{LANES, Lanes, Mask};

/// A point in every lane. Lanes of `identity` hold the neutral element; their coordinates are arbitrary.
#[derive(Clone, Copy)]
pub(crate) struct PointRow<F> {
    x: F,
    y: F,
    identity: Mask,
}

/// A public point of G1's curve, or its negation.
#[derive(Clone, Copy, Debug)]
pub struct SignedPoint<'a> {
    /// The point.
    pub point: &'a G1Affine,
    /// Whether its negation is meant.
    pub negative: bool,
}

impl<'a> SignedPoint<'a> {
    /// The point itself.
    #[must_use]
    pub const fn plus(point: &'a G1Affine) -> Self {
        Self {
            point,
            negative: false,
        }
    }

    /// What is meant.
    #[must_use]
    pub fn value(&self) -> G1Affine {
        if self.negative {
            self.point.neg()
        } else {
            *self.point
        }
    }
}

/// Points to be added.
type Column<'a> = &'a [SignedPoint<'a>];

/// Lanes in which a pair of points is not a chord.
#[derive(Clone, Copy, Default)]
pub(crate) struct Special {
    /// The first point is the sum of the two, or the second is: one of them is the identity.
    skip: Mask,
    /// Equal points.
    double: Mask,
    /// Opposite points.
    cancel: Mask,
}

/// Buffers of a round, kept from one to the next.
struct Round<F> {
    /// Denominator, product of all denominators before it, special lanes; in order of the pairs.
    pairs: Vec<(F, F, Special)>,
    product: F,
}

/// Points whose rounds share inversions: long enough to hide them, and about two megabytes.
const SHARED_POINTS: usize = 1 << 13;
/// Shortest pieces of a group: below, the inversions of the rounds are not worth it.
const MIN_PIECE: usize = 8;

/// The sum of each group, any points of the curve; the identity for an empty one.
///
/// Long groups are cut into pieces so that all lanes have work; pieces of similar length share a block.
pub(crate) fn sum_lanes<F: Lanes>(groups: &[Vec<SignedPoint<'_>>]) -> Vec<G1Affine> {
    let total: usize = groups.iter().map(Vec::len).sum();
    let piece = (total / (8 * LANES)).max(MIN_PIECE);
    let mut pieces: Vec<(usize, Column<'_>)> = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        pieces.extend(group.chunks(piece).map(|c| (i, c)));
    }
    pieces.sort_by_key(|(_, c)| core::cmp::Reverse(c.len()));
    let mut parts: Vec<Vec<G1Affine>> = vec![Vec::new(); groups.len()];
    let mut rest = pieces.as_slice();
    while let Some((_, longest)) = rest.first() {
        let columns = (SHARED_POINTS / longest.len().max(1)).max(LANES);
        let (now, later) = rest.split_at(columns.min(rest.len()));
        rest = later;
        let columns: Vec<Column<'_>> = now.iter().map(|(_, c)| *c).collect();
        for ((i, _), sum) in now.iter().zip(sum_columns::<F>(&columns)) {
            if let Some(part) = parts.get_mut(*i) {
                part.push(sum);
            }
        }
    }
    join::<F>(&parts)
}

/// The sums of the pieces of each group.
fn join<F: Lanes>(parts: &[Vec<G1Affine>]) -> Vec<G1Affine> {
    let whole = |p: &Vec<G1Affine>| p.len() < 2;
    if parts.iter().all(whole) {
        return parts
            .iter()
            .map(|p| p.first().copied().unwrap_or_default())
            .collect();
    }
    let few = parts.iter().map(Vec::len).sum::<usize>() < MIN_PIECE * LANES * 2;
    if few {
        let sums: Vec<G1Projective> = parts
            .iter()
            .map(|p| {
                p.iter()
                    .fold(G1Projective::identity(), |acc, q| acc.add_mixed(q))
            })
            .collect();
        return G1Projective::batch_to_affine(&sums);
    }
    let again: Vec<Vec<SignedPoint<'_>>> = parts
        .iter()
        .map(|p| p.iter().map(SignedPoint::plus).collect())
        .collect();
    sum_lanes::<F>(&again)
}

/// The sum of each column; eight columns in order make a block, and the longest of them determines its cost.
fn sum_columns<F: Lanes>(columns: &[Column<'_>]) -> Vec<G1Affine> {
    let mut blocks: Vec<Vec<PointRow<F>>> = columns.chunks(LANES).map(load_block).collect();
    let mut round = Round {
        pairs: Vec::new(),
        product: F::one(),
    };
    while blocks.iter().any(|b| b.len() > 1) {
        round.plan(&blocks);
        let mut inverse = round.product.invert_vartime();
        for block in blocks.iter_mut().rev() {
            round.finish(block, &mut inverse);
        }
    }
    blocks
        .iter()
        .zip(columns.chunks(LANES))
        .flat_map(|(block, columns)| store_block(block, columns.len()))
        .collect()
}

fn load_block<F: Lanes>(columns: &[Column<'_>]) -> Vec<PointRow<F>> {
    let rows = columns.iter().map(|c| c.len()).max().unwrap_or(0);
    (0..rows).map(|r| load_row(columns, r)).collect()
}

fn load_row<F: Lanes>(columns: &[Column<'_>], r: usize) -> PointRow<F> {
    let (mut x, mut y) = ([&Fp::ONE; LANES], [&Fp::ONE; LANES]);
    let (mut identity, mut negative) = (Mask::MAX, 0);
    for (i, ((column, x), y)) in columns.iter().zip(&mut x).zip(&mut y).enumerate() {
        if let Some(entry) = column.get(r) {
            *x = &entry.point.x;
            *y = &entry.point.y;
            identity ^= u8::from(!entry.point.is_identity()) << i;
            negative |= u8::from(entry.negative) << i;
        }
    }
    let y = F::load_y(y);
    let zero = y.sub(&y);
    PointRow {
        x: F::load(x),
        y: F::blend(&y, &zero.sub(&y), negative).reduce(),
        identity,
    }
}

fn store_block<F: Lanes>(block: &[PointRow<F>], columns: usize) -> Vec<G1Affine> {
    let Some(row) = block.first() else {
        return vec![G1Affine::identity(); columns];
    };
    let (x, y) = (row.x.store(), row.y.store_y());
    x.into_iter()
        .zip(y)
        .enumerate()
        .take(columns)
        .map(|(i, (x, y))| {
            if (row.identity >> i) & 1 == 1 {
                G1Affine::identity()
            } else {
                G1Affine { x, y, infinity: 0 }
            }
        })
        .collect()
}

impl<F: Lanes> Round<F> {
    /// Collects the denominators of all pairs.
    fn plan(&mut self, blocks: &[Vec<PointRow<F>>]) {
        self.pairs.clear();
        self.product = F::one();
        for block in blocks {
            for pair in block.chunks_exact(2) {
                let [p, q] = pair else { continue };
                let (denominator, special) = F::denominator(p, q);
                self.pairs.push((denominator, self.product, special));
                self.product = self.product.mul(&denominator);
            }
        }
    }

    /// Replaces the pairs of a block by their sums, last pair first; an odd last row stays.
    fn finish(&mut self, block: &mut Vec<PointRow<F>>, inverse: &mut F) {
        let pairs = block.len() / 2;
        for k in (0..pairs).rev() {
            let (Some((den, before, special)), Some([p, q])) =
                (self.pairs.pop(), block.get(2 * k..2 * k + 2))
            else {
                continue;
            };
            let sum = F::add_rows(p, q, &inverse.mul(&before), special);
            *inverse = inverse.mul(&den);
            if let Some(place) = block.get_mut(2 * k) {
                *place = sum;
            }
        }
        // Sums stand at even places.
        let rows = block.len();
        for k in 1..rows.div_ceil(2) {
            block.swap(k, 2 * k);
        }
        block.truncate(rows.div_ceil(2));
    }
}

/// What the slope of the line through the points is divided by, one where there is no line.
#[inline(always)]
pub(crate) fn denominator<F: Lanes>(p: &PointRow<F>, q: &PointRow<F>) -> (F, Special) {
    let dx = q.x.sub(&p.x);
    let skip = p.identity | q.identity;
    let same = p.x.same(&q.x) & !skip;
    if skip | same == 0 {
        return (dx.settle(), Special::default());
    }
    let (mut den, mut special) = (
        dx,
        Special {
            skip,
            ..Special::default()
        },
    );
    if same != 0 {
        let opposite = q.y.sub(&q.y).sub(&q.y).reduce();
        special.cancel = p.y.same(&opposite) & same;
        special.double = same & !special.cancel;
        den = F::blend(&den, &p.y.add(&q.y), special.double);
    }
    let den = F::blend(&den, &F::one(), skip | special.cancel);
    (den.settle(), special)
}

/// Sum of two points in every lane, given the inverse of [`denominator`].
#[inline(always)]
pub(crate) fn add_rows<F: Lanes>(
    p: &PointRow<F>,
    q: &PointRow<F>,
    inverse: &F,
    special: Special,
) -> PointRow<F> {
    let mut rise = q.y.sub(&p.y);
    if special.double != 0 {
        let xx = p.x.square();
        rise = F::blend(&rise, &xx.add(&xx).add(&xx), special.double);
    }
    let slope = rise.settle().mul(inverse);
    let x = slope.square().sub(&p.x).sub(&q.x).reduce();
    let y = slope.mul(&p.x.sub(&x).settle()).sub(&p.y).reduce();
    let sum = PointRow {
        x,
        y,
        identity: special.cancel,
    };
    if special.skip == 0 {
        return sum;
    }
    let first = special.skip & q.identity;
    let second = special.skip & !q.identity;
    let pick = |sum: &F, p: &F, q: &F| F::blend(&F::blend(sum, p, first), q, second);
    PointRow {
        x: pick(&sum.x, &p.x, &q.x),
        y: pick(&sum.y, &p.y, &q.y),
        identity: sum.identity | (p.identity & q.identity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Portable;

    fn multiples(n: u64) -> Vec<G1Affine> {
        let g = G1Projective::generator();
        let all: Vec<_> = (0..n).map(|i| g.mul_u64_vartime(i)).collect();
        G1Projective::batch_to_affine(&all)
    }

    /// Columns of every kind of pair: chords, equal points, opposite points, identities, points of order two.
    fn columns(points: &[G1Affine]) -> Vec<Vec<SignedPoint<'_>>> {
        let plus = |i: usize| SignedPoint {
            point: &points[i],
            negative: false,
        };
        let minus = |i: usize| SignedPoint {
            point: &points[i],
            negative: true,
        };
        let two = points.len() - 1;
        let mut all = vec![
            vec![],
            vec![plus(0)],
            vec![minus(3)],
            vec![plus(3), plus(3)],
            vec![plus(3), minus(3)],
            vec![plus(0), plus(2)],
            vec![plus(2), plus(0)],
            vec![plus(0), minus(0), plus(0)],
            vec![
                plus(1),
                plus(1),
                plus(2),
                plus(4),
                plus(8),
                plus(8),
                minus(5),
            ],
            vec![plus(two), plus(two), plus(1)],
            vec![plus(two), minus(two), minus(1)],
            vec![plus(two), plus(5)],
            (1..40).map(plus).collect(),
            (1..33).map(minus).collect(),
        ];
        for n in 0..20 {
            let mix = |i: usize| {
                if i.is_multiple_of(3) {
                    minus(i * 7 % 40)
                } else {
                    plus(i * 5 % 40)
                }
            };
            all.push((0..n).map(mix).collect());
        }
        all
    }

    fn check<F: Lanes>() {
        let mut points = multiples(40);
        // (-1, 0) has order two.
        points.push(G1Affine {
            x: Fp::ONE.neg(),
            y: Fp::ZERO,
            infinity: 0,
        });
        let columns = columns(&points);
        let slices: Vec<Column<'_>> = columns.iter().map(Vec::as_slice).collect();
        let sums = sum_columns::<F>(&slices);
        let by_lanes = sum_lanes::<F>(&columns);
        assert_eq!(sums.len(), columns.len());
        for ((column, got), same) in columns.iter().zip(sums).zip(by_lanes) {
            let want = column
                .iter()
                .fold(G1Projective::identity(), |acc, s| acc.add_mixed(&s.value()));
            assert_eq!(got, want.to_affine());
            assert_eq!(same, got);
        }
        assert_eq!(sum_columns::<F>(&[]), []);
        assert_eq!(sum_lanes::<F>(&[]), []);
        // A long group beside short ones: pieces, then pieces of pieces.
        let long: Vec<SignedPoint<'_>> = points
            .iter()
            .cycle()
            .take(1500)
            .map(SignedPoint::plus)
            .collect();
        let groups = vec![
            long[..3].to_vec(),
            long.clone(),
            vec![],
            long[7..90].to_vec(),
        ];
        for (group, got) in groups.iter().zip(sum_lanes::<F>(&groups)) {
            let want = group
                .iter()
                .fold(G1Projective::identity(), |acc, s| acc.add_mixed(s.point));
            assert_eq!(got, want.to_affine());
        }
    }

    #[test]
    fn columns_sum_with_every_exceptional_pair_portable() {
        check::<Portable>();
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn columns_sum_with_every_exceptional_pair_vectors() {
        if quil_simd::Features::of_machine().ifma {
            check::<crate::lanes::Ifma>();
        }
    }
}
