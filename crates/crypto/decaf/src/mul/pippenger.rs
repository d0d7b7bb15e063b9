use super::normalise;
use crate::{Point, Scalar, lanes::Lanes, point::AffineNiels, scalar::SCALAR_BITS};

/// Bucket method with signed digits; best above some hundred points. Variable time.
///
/// Sums over the shorter of both slices.
#[must_use]
pub fn pippenger_vartime(scalars: &[Scalar], points: &[Point]) -> Point {
    let n = scalars.len().min(points.len());
    let points = points.get(..n).unwrap_or(points);
    match Lanes::get() {
        Some(lanes) => lanes.buckets_vartime(scalars, &lanes.odd_multiples(points, 1)),
        None => buckets_portable(scalars, &normalise(points)),
    }
}

/// Sums over the shorter of both slices.
pub(super) fn buckets_portable(scalars: &[Scalar], affine: &[AffineNiels]) -> Point {
    let n = scalars.len().min(affine.len());
    let w = window(n);
    let count = SCALAR_BITS / w + 1;
    let mut digits = vec![0i32; n * count];
    for (row, s) in digits.chunks_exact_mut(count).zip(scalars) {
        s.signed_radix_vartime(w, row);
    }
    let mut acc = Point::IDENTITY;
    let mut buckets = vec![Point::IDENTITY; 1 << (w - 1)];
    for position in (0..count).rev() {
        let mut r = acc.projective();
        r.double_n(w - 1);
        r.double().write(&mut acc);
        buckets.fill(Point::IDENTITY);
        for (row, p) in digits.chunks_exact(count).zip(affine) {
            if let Some(d) = row.get(position) {
                put(&mut buckets, *d, p);
            }
        }
        acc += weigh(&buckets);
    }
    acc
}

/// Adds digit * p to the bucket of |digit|.
#[inline(always)]
fn put(buckets: &mut [Point], digit: i32, p: &AffineNiels) {
    let magnitude = usize::try_from(digit.unsigned_abs()).unwrap_or(0);
    // Digit zero has no bucket.
    if let Some(b) = magnitude.checked_sub(1).and_then(|i| buckets.get_mut(i)) {
        b.add_signed(p, digit < 0).write(b);
    }
}

/// sum (i + 1) * bucket_i by running sums.
fn weigh(buckets: &[Point]) -> Point {
    let (mut running, mut total) = (Point::IDENTITY, Point::IDENTITY);
    for b in buckets.iter().rev() {
        running += *b;
        total += running;
    }
    total
}

/// The window that minimises additions: per window n mixed ones and 2^(w-1) pairs of full ones.
fn window(n: usize) -> usize {
    (3..=14)
        .min_by_key(|w| (SCALAR_BITS / w + 1) * (7 * n + (18 << (w - 1))))
        .unwrap_or(8)
}
