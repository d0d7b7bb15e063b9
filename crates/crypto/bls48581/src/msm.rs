//! Multi-scalar multiplication for public data.
//!
//! Scalars are split in base of the endomorphism eigenvalue first, so all sums run over short digits. Few points use
//! interleaved signed windows (Straus), many use signed buckets (Pippenger).

use crate::curve::{Affine, Curve, HalfScalar, Projective};
use crate::fr::Fr;

/// Width of the non-adjacent form; each point gets `2^(w-2)` odd multiples.
const NAF_WIDTH: u32 = 5;
const NAF_TABLE: usize = 1 << (NAF_WIDTH - 2);
/// Number of split points from which buckets win.
const BUCKETS_FROM: usize = 400;

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

/// `[k] p` for a public scalar.
pub(crate) fn mul_vartime<C: Curve>(p: &Projective<C>, k: &Fr) -> Projective<C> {
    straus(core::slice::from_ref(p), core::slice::from_ref(k))
}

/// Odd multiples of all points and of their images, then one chain of doublings.
fn straus<C: Curve>(points: &[Projective<C>], scalars: &[Fr]) -> Projective<C> {
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
    let mut rows: Vec<(Vec<Affine<C>>, Vec<i8>)> = Vec::with_capacity(points.len() * C::DIGITS);
    for (table, k) in odd.chunks(NAF_TABLE).zip(scalars) {
        let mut image = table.to_vec();
        for digit in C::digits(k) {
            rows.push((image.clone(), naf(&digit, C::DIGIT_BITS)));
            image = image.iter().map(C::endomorphism_affine).collect();
        }
    }
    let mut acc = Projective::identity();
    let length = rows
        .iter()
        .filter_map(|(_, d)| d.iter().rposition(|&d| d != 0))
        .max()
        .map_or(0, |i| i + 1);
    for i in (0..length).rev() {
        acc = acc.double();
        for (table, digits) in &rows {
            let digit = digits.get(i).copied().unwrap_or(0);
            let Some(p) = table.get(usize::from(digit.unsigned_abs() / 2)) else {
                continue;
            };
            match digit {
                0 => {}
                1.. => acc = acc.add_mixed(p),
                _ => acc = acc.add_mixed(&p.neg()),
            }
        }
    }
    acc
}

/// Non-adjacent form with odd digits below `2^(w-1)` in absolute value, least significant first.
#[expect(clippy::cast_possible_truncation, reason = "a window has five bits")]
fn naf(k: &HalfScalar, bits: usize) -> Vec<i8> {
    let mut out = vec![0i8; bits + 1];
    let (mut i, mut carry) = (0, 0);
    while i <= bits {
        let window = crate::curve::bits_at(k, i, NAF_WIDTH as usize) + carry;
        if window & 1 == 0 {
            // Bits and carry agree in parity: nothing to subtract here.
            carry &= crate::curve::bits_at(k, i, 1);
            i += 1;
            continue;
        }
        let negative = window > 1 << (NAF_WIDTH - 1);
        let digit = if negative {
            window as i8 - (1 << NAF_WIDTH)
        } else {
            window as i8
        };
        if let Some(slot) = out.get_mut(i) {
            *slot = digit;
        }
        carry = u64::from(negative);
        i += NAF_WIDTH as usize;
    }
    out
}

/// Bucket method with signed windows.
fn pippenger<C: Curve>(terms: &[(Affine<C>, HalfScalar)], bits: usize) -> Projective<C> {
    let w = window_for(terms.len());
    let windows = bits / w + 1;
    let digits: Vec<Vec<i32>> = terms
        .iter()
        .map(|(_, k)| wide_windows(k, w, windows))
        .collect();
    let mut acc = Projective::identity();
    for i in (0..windows).rev() {
        acc = acc.double_n(w);
        let mut buckets = vec![Projective::identity(); 1 << (w - 1)];
        for ((p, _), d) in terms.iter().zip(&digits) {
            let digit = d.get(i).copied().unwrap_or(0);
            if digit == 0 {
                continue;
            }
            if let Some(b) = buckets.get_mut(digit.unsigned_abs() as usize - 1) {
                *b = b.add_mixed(&if digit < 0 { p.neg() } else { *p });
            }
        }
        acc = acc.add(&weighted_sum(&buckets));
    }
    acc
}

/// `sum (i + 1) B_i`.
fn weighted_sum<C: Curve>(buckets: &[Projective<C>]) -> Projective<C> {
    let mut running = Projective::identity();
    let mut total = Projective::identity();
    for b in buckets.iter().rev() {
        running = running.add(b);
        total = total.add(&running);
    }
    total
}

/// Window width that minimises additions, from `n + 2^w` additions per window.
fn window_for(n: usize) -> usize {
    (4..=12)
        .min_by_key(|&w| (260 / w + 1) * (n + (1 << w)))
        .unwrap_or(8)
}

/// Booth digits of `w` bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a window has at most twelve bits"
)]
fn wide_windows(k: &HalfScalar, w: usize, count: usize) -> Vec<i32> {
    (0..count)
        .map(|i| {
            let low = i * w;
            let below = if low == 0 {
                0
            } else {
                crate::curve::bits_at(k, low - 1, 1)
            };
            let digit = crate::curve::bits_at(k, low, w);
            (digit + below) as i32 - ((digit >> (w - 1)) << w) as i32
        })
        .collect()
}
