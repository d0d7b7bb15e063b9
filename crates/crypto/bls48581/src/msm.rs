//! Multi-scalar multiplication for public data.
//!
//! Scalars are split in base of the endomorphism eigenvalue first, so all sums run over short digits. Few points use
//! interleaved signed windows (Straus), many use signed buckets (Pippenger). Both collect affine points into groups
//! whose sums are formed by affine additions that share one inversion per round: about six field products per addition.

mod columns;
mod groups;

pub use columns::SignedPoint;
pub(crate) use columns::{PointRow, Special, add_rows, denominator, sum_lanes};

use crate::curve::{Affine, Curve, HalfScalar, Projective, bits_at};
use crate::curve::{G1Affine, G1Projective};
use crate::fr::Fr;
use crate::lanes::{Vectors, g1};

/// Width of the non-adjacent form; each point gets `2^(w-2)` odd multiples.
const NAF_WIDTH: usize = 5;
const NAF_TABLE: usize = 1 << (NAF_WIDTH - 2);
/// Number of split points from which buckets win (measured).
const BUCKETS_FROM: usize = 400;
/// Number of split points from which groups win over adding to one running sum.
const GROUPS_FROM: usize = 16;
/// Points held in groups at a time: bounds memory, long enough to hide the shared inversion.
const GROUPED_POINTS: usize = 1 << 14;

/// `sum [k_i] P_i` for points of the subgroup and public scalars.
///
/// Uses the shorter of the two lists if the lengths differ; callers check lengths.
#[must_use]
pub fn msm_vartime<C: Curve>(points: &[Affine<C>], scalars: &[Fr]) -> Projective<C> {
    let n = points.len().min(scalars.len());
    if n * C::DIGITS < BUCKETS_FROM {
        let points: Vec<_> = points.iter().map(Projective::from_affine).collect();
        return straus(&points, scalars);
    }
    let mut terms = Vec::with_capacity(n * C::DIGITS);
    for (p, k) in points.iter().zip(scalars) {
        let mut image = *p;
        for digit in C::digits(k) {
            if digit != [0; 5] && !image.is_identity() {
                terms.push((image, digit));
            }
            image = C::endomorphism_affine(&image);
        }
    }
    pippenger(&terms, C::DIGIT_BITS)
}

/// Sum of public affine points, any points of the curve. Faster than repeated addition from about eight points on.
#[must_use]
pub fn sum_affine_vartime<C: Curve>(points: &[Affine<C>]) -> Projective<C> {
    if let Some(sum) = C::sum_vectors(points) {
        return sum;
    }
    points
        .chunks(GROUPED_POINTS)
        .flat_map(|chunk| sum_groups(vec![chunk.to_vec()]))
        .fold(Projective::identity(), |acc, p| acc.add_mixed(&p))
}

/// The sum of each group of public affine points, any points of the curve; the identity for an empty group.
///
/// Each round halves all groups with one shared inversion, so the groups of one call should be of similar length.
#[must_use]
pub fn sum_groups_vartime<C: Curve>(groups: Vec<Vec<Affine<C>>>) -> Vec<Affine<C>> {
    sum_groups(groups)
}

/// Whether sums of points of G1 run in vectors in this process: then an addition costs a fifth of what it does without.
#[must_use]
pub fn sums_use_vectors() -> bool {
    Vectors::available()
}

/// The sum of each group of public points of G1's curve or their negations; the identity for an empty group.
///
/// Groups may differ in length. With vectors an addition costs a sixth of a scalar one.
#[must_use]
pub fn sum_signed_vartime(groups: &[Vec<SignedPoint<'_>>]) -> Vec<G1Affine> {
    if Vectors::available() {
        return sum_lanes::<Vectors>(groups);
    }
    let plain = |g: &Vec<SignedPoint<'_>>| g.iter().map(SignedPoint::value).collect();
    groups::sum_groups(groups.iter().map(plain).collect())
}

/// The sum of a few public points of G1's curve or their negations: no inversion.
#[must_use]
pub fn sum_few_vartime(points: &[SignedPoint<'_>]) -> G1Projective {
    if Vectors::available() {
        let sum = g1::sum::<Vectors>(points.iter().map(|s| (s.point, s.negative)));
        if let Some(sum) = sum {
            return sum;
        }
    }
    // A round of affine additions costs one inversion, about 13 additions saved: stop while groups are short.
    let length = match points.len() {
        0..300 => 8,
        300..1000 => 16,
        _ => 64,
    };
    let chunks = points.chunks(length);
    let sums = groups::sum_groups(
        chunks
            .map(|c| c.iter().map(SignedPoint::value).collect())
            .collect(),
    );
    sums.iter()
        .fold(G1Projective::identity(), |acc, p| acc.add_mixed(p))
}

fn sum_groups<C: Curve>(groups: Vec<Vec<Affine<C>>>) -> Vec<Affine<C>> {
    C::sum_groups_vectors(&groups).unwrap_or_else(|| groups::sum_groups(groups))
}

/// `[k] p` for a public scalar.
pub(crate) fn mul_vartime<C: Curve>(p: &Projective<C>, k: &Fr) -> Projective<C> {
    if let Some(product) = C::mul_vectors_vartime(p, k) {
        return product;
    }
    straus(core::slice::from_ref(p), core::slice::from_ref(k))
}

/// One digit of a split scalar in non-adjacent form, with the odd multiples of the point it belongs to.
struct Row<C: Curve> {
    table: Vec<Affine<C>>,
    digits: Vec<i8>,
}

impl<C: Curve> Row<C> {
    /// The multiple that belongs to bit `i`.
    fn term(&self, i: usize) -> Option<Affine<C>> {
        let digit = self.digits.get(i).copied().filter(|d| *d != 0)?;
        let p = self.table.get(usize::from(digit.unsigned_abs() / 2))?;
        Some(if digit < 0 { p.neg() } else { *p })
    }
}

fn rows<C: Curve>(points: &[Projective<C>], scalars: &[Fr]) -> Vec<Row<C>> {
    let mut odd = Vec::with_capacity(points.len() * NAF_TABLE);
    for p in points {
        let twice = p.double();
        let mut q = *p;
        for _ in 0..NAF_TABLE {
            odd.push(q);
            q = q.add(&twice);
        }
    }
    let odd = Projective::batch_to_affine(&odd);
    let mut rows = Vec::with_capacity(points.len() * C::DIGITS);
    for (table, k) in odd.chunks(NAF_TABLE).zip(scalars) {
        let mut image = table.to_vec();
        for digit in C::digits(k) {
            let next = image.iter().map(C::endomorphism_affine).collect();
            rows.push(Row {
                table: core::mem::replace(&mut image, next),
                digits: naf(&digit, NAF_WIDTH, C::DIGIT_BITS),
            });
        }
    }
    rows
}

/// Odd multiples of all points and of their images, then one chain of doublings.
fn straus<C: Curve>(points: &[Projective<C>], scalars: &[Fr]) -> Projective<C> {
    let rows = rows(points, scalars);
    let length = rows
        .iter()
        .filter_map(|r| r.digits.iter().rposition(|&d| d != 0))
        .max()
        .map_or(0, |i| i + 1);
    let terms = |i: usize| rows.iter().filter_map(move |r| r.term(i));
    if rows.len() < GROUPS_FROM {
        return (0..length).rev().fold(Projective::identity(), |acc, i| {
            terms(i).fold(acc.double(), |acc, p| acc.add_mixed(&p))
        });
    }
    let positions: Vec<usize> = (0..length).rev().collect();
    let mut acc = Projective::identity();
    for chunk in positions.chunks((GROUPED_POINTS / rows.len()).max(1)) {
        let groups = chunk.iter().map(|&i| terms(i).collect()).collect();
        let sums = sum_groups(groups);
        if positions.len() == chunk.len() {
            let ascending: Vec<_> = sums.iter().rev().copied().collect();
            if let Some(sum) = C::sum_by_bits_vectors(&ascending) {
                return sum;
            }
        }
        acc = sums.iter().fold(acc, |acc, p| acc.double().add_mixed(p));
    }
    acc
}

/// Non-adjacent form with odd digits below `2^(w-1)` in absolute value, least significant first.
#[expect(clippy::cast_possible_truncation, reason = "a window has five bits")]
pub(crate) fn naf(k: &HalfScalar, width: usize, bits: usize) -> Vec<i8> {
    let mut out = vec![0i8; bits + 1];
    let (mut i, mut carry) = (0, 0);
    while i <= bits {
        let window = bits_at(k, i, width) + carry;
        if window & 1 == 0 {
            // Bit and carry agree: nothing to write here.
            carry &= bits_at(k, i, 1);
            i += 1;
            continue;
        }
        let negative = window > 1 << (width - 1);
        let digit = if negative {
            window as i8 - (1 << width)
        } else {
            window as i8
        };
        if let Some(slot) = out.get_mut(i) {
            *slot = digit;
        }
        carry = u64::from(negative);
        i += width;
    }
    out
}

/// Bucket method with signed windows.
fn pippenger<C: Curve>(terms: &[(Affine<C>, HalfScalar)], bits: usize) -> Projective<C> {
    let w = window_for(terms.len(), bits);
    let mut acc = Projective::identity();
    for i in (0..=bits / w).rev() {
        acc = acc.double_n(w);
        for chunk in terms.chunks(GROUPED_POINTS) {
            let mut buckets = vec![Vec::new(); 1 << (w - 1)];
            for (p, k) in chunk {
                let digit = window(k, i * w, w);
                let slot = (digit.unsigned_abs() as usize)
                    .checked_sub(1)
                    .and_then(|b| buckets.get_mut(b));
                if let Some(bucket) = slot {
                    bucket.push(if digit < 0 { p.neg() } else { *p });
                }
            }
            acc = acc.add(&weighted_sum(&sum_groups(buckets)));
        }
    }
    acc
}

/// `sum (i + 1) B_i`.
fn weighted_sum<C: Curve>(buckets: &[Affine<C>]) -> Projective<C> {
    let mut running = Projective::identity();
    let mut total = Projective::identity();
    for b in buckets.iter().rev() {
        running = running.add_mixed(b);
        total = total.add(&running);
    }
    total
}

/// Window width that minimises the work: an affine addition per point and window, two projective ones (twice as dear)
/// per bucket.
fn window_for(n: usize, bits: usize) -> usize {
    (4..=14)
        .min_by_key(|&w| (bits / w + 1) * (n + (2 << w)))
        .unwrap_or(8)
}

/// Booth digit of `w` bits at `low`, in `[-2^(w-1), 2^(w-1)]`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a window has at most fourteen bits"
)]
fn window(k: &HalfScalar, low: usize, w: usize) -> i32 {
    let below = if low == 0 { 0 } else { bits_at(k, low - 1, 1) };
    let digit = bits_at(k, low, w);
    (digit + below) as i32 - ((digit >> (w - 1)) << w) as i32
}
