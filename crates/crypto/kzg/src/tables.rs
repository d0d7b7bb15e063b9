//! Fixed-base tables for the 64 Lagrange points (K5).
//!
//! Window `j` of base `i` holds `k * 2^(w j) * L_i` for `k = 1..=2^(w-1)`; scalars are recoded into signed
//! digits. Few scalars are summed directly from the table (one addition per window); many go through one set of
//! buckets over windows of twice the width, which reads only the first entry of every second window, unless vectors make
//! table sums cheaper than the reduction of buckets. Additions are affine and share their inversions.
//! Variable time: committed vectors are public.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "arithmetic kernel: indices derive from digit counts fixed by the width"
)]

use quil_bls48581::{
    Fr, G1Affine, G1Projective, SignedPoint, sum_few_vartime, sum_groups_vartime,
    sum_signed_vartime, sums_use_vectors,
};
use rayon::prelude::*;

use crate::domain::DOMAIN_SIZE;

/// Bits of the group order; scalars are below `2^518`.
const SCALAR_BITS: usize = 518;
/// Scalars from which buckets beat the table: the reduction of 512 buckets costs about 12 table sums.
const BUCKETS_FROM: usize = 24;
/// Points of one job for a thread: long enough to hide shared inversions, a megabyte or two.
const SHARED_POINTS: usize = 1 << 14;
/// Points below which one running sum beats affine additions in vectors, whose rounds cost an inversion each.
const FEW_POINTS: usize = 250;

/// A base and its scalar.
pub(crate) type Term = (usize, Fr);

/// Width of the signed windows: memory against speed. 5 is 17 MB, 8 is 85 MB, 3 is 7 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableBits(u8);

/// A window width outside 3..=8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kzg table width {0} is outside 3..=8")]
pub struct TableBitsError(pub u8);

impl TableBits {
    /// Checks the range 3..=8.
    ///
    /// # Errors
    /// [`TableBitsError`] outside the range.
    pub const fn new(bits: u8) -> Result<Self, TableBitsError> {
        if bits < 3 || bits > 8 {
            Err(TableBitsError(bits))
        } else {
            Ok(Self(bits))
        }
    }

    /// The width in bits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for TableBits {
    fn default() -> Self {
        Self(5)
    }
}

/// The tables.
pub(crate) struct Tables {
    bits: usize,
    windows: usize,
    /// `[base][window][multiple - 1]`, flat.
    points: Vec<G1Affine>,
}

impl Tables {
    /// Builds all tables, in parallel over the bases.
    pub(crate) fn build(bases: &[G1Affine; DOMAIN_SIZE], bits: TableBits) -> Self {
        let bits = usize::from(bits.get());
        let windows = SCALAR_BITS / bits + 1;
        let points = bases
            .par_iter()
            .flat_map_iter(|base| base_table(base, bits, windows))
            .collect();
        Self {
            bits,
            windows,
            points,
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.points.len() * size_of::<G1Affine>()
    }

    fn half(&self) -> usize {
        1 << (self.bits - 1)
    }

    fn entry(&self, base: usize, window: usize, multiple: usize) -> &G1Affine {
        &self.points[(base * self.windows + window) * self.half() + multiple - 1]
    }

    /// `sum of s_i * L_i`; indices below 64, repetitions allowed.
    pub(crate) fn combine(&self, terms: &[Term]) -> G1Projective {
        if terms.len() < 2 * BUCKETS_FROM {
            return self.combine_one(terms);
        }
        let (a, b) = terms.split_at(terms.len() / 2);
        let (x, y) = rayon::join(|| self.combine_one(a), || self.combine_one(b));
        x.add(&y)
    }

    fn combine_one(&self, terms: &[Term]) -> G1Projective {
        if terms.len() < BUCKETS_FROM || sums_use_vectors() {
            self.combine_direct(terms)
        } else {
            self.combine_buckets(terms)
        }
    }

    /// Each start plus its combination; in parallel, with inversions shared between them.
    pub(crate) fn combine_many(&self, jobs: &[(G1Affine, Vec<Term>)]) -> Vec<G1Affine> {
        let mut chunks = Vec::new();
        let mut rest = jobs;
        while !rest.is_empty() {
            let mut points = 0;
            let fits = |(_, terms): &&(G1Affine, Vec<Term>)| {
                points += terms.len() * self.windows;
                points <= SHARED_POINTS
            };
            let (chunk, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            chunks.push(chunk);
            rest = later;
        }
        chunks
            .par_iter()
            .flat_map_iter(|chunk| self.combine_chunk(chunk))
            .collect()
    }

    fn combine_chunk(&self, jobs: &[(G1Affine, Vec<Term>)]) -> Vec<G1Affine> {
        if let [(start, terms)] = jobs {
            return vec![self.combine(terms).add_mixed(start).to_affine()];
        }
        let groups: Vec<Vec<SignedPoint<'_>>> = jobs
            .iter()
            .map(|(start, terms)| {
                let mut group = vec![SignedPoint::plus(start)];
                self.points(terms, &mut group);
                group
            })
            .collect();
        sum_signed_vartime(&groups)
    }

    /// Appends the table entries whose sum is the combination.
    fn points<'a>(&'a self, terms: &[Term], out: &mut Vec<SignedPoint<'a>>) {
        out.reserve(terms.len() * self.windows);
        for (base, scalar) in terms {
            for (window, digit) in Digits::new(scalar, self.bits)
                .take(self.windows)
                .enumerate()
            {
                if digit != 0 {
                    out.push(SignedPoint {
                        point: self.entry(*base, window, digit.unsigned_abs() as usize),
                        negative: digit < 0,
                    });
                }
            }
        }
    }

    pub(crate) fn combine_direct(&self, terms: &[Term]) -> G1Projective {
        let mut points = Vec::new();
        self.points(terms, &mut points);
        if points.len() < FEW_POINTS || !sums_use_vectors() {
            return sum_few_vartime(&points);
        }
        let sums = sum_signed_vartime(&[points]);
        sums.first()
            .map_or_else(G1Projective::identity, G1Projective::from_affine)
    }

    /// One bucket set for all bases and windows.
    pub(crate) fn combine_buckets(&self, terms: &[Term]) -> G1Projective {
        // Doubling the width halves the additions; above ten bits the reduction would cost more than it saves.
        let stride = if self.bits <= 5 { 2 } else { 1 };
        let width = self.bits * stride;
        let windows = SCALAR_BITS / width + 1;
        let mut buckets: Vec<Vec<G1Affine>> = vec![Vec::new(); (1 << (width - 1)) + 1];
        for (base, scalar) in terms {
            for (window, digit) in Digits::new(scalar, width).take(windows).enumerate() {
                let point = self.entry(*base, window * stride, 1);
                match digit {
                    0 => {}
                    1.. => buckets[digit as usize].push(*point),
                    _ => buckets[-digit as usize].push(point.neg()),
                }
            }
        }
        weighted_sum(&sum_groups_vartime(buckets))
    }
}

/// `sum of d * S_d`. With `d = c a + b` it is `c sum of a R_a + sum of b C_b` over rows and columns, which are
/// sums of groups.
fn weighted_sum(sums: &[G1Affine]) -> G1Projective {
    let columns = 1usize << (sums.len().ilog2() / 2);
    let rows = sums.chunks(columns).map(<[G1Affine]>::to_vec).collect();
    let mut by_column = vec![Vec::new(); columns];
    for (d, sum) in sums.iter().enumerate() {
        by_column[d % columns].push(*sum);
    }
    let row_total = running_sum(&sum_groups_vartime(rows));
    let column_total = running_sum(&sum_groups_vartime(by_column));
    (0..columns.ilog2())
        .fold(row_total, |p, _| p.double())
        .add(&column_total)
}

/// `sum of i * P_i`.
fn running_sum(points: &[G1Affine]) -> G1Projective {
    let mut running = G1Projective::identity();
    let mut total = G1Projective::identity();
    for p in points.iter().skip(1).rev() {
        running = running.add_mixed(p);
        total = total.add(&running);
    }
    total
}

impl core::fmt::Debug for Tables {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tables")
            .field("bits", &self.bits)
            .field("points", &self.points.len())
            .finish()
    }
}

fn base_table(base: &G1Affine, bits: usize, windows: usize) -> Vec<G1Affine> {
    let half = 1 << (bits - 1);
    let mut out = Vec::with_capacity(windows * half);
    let mut start = G1Projective::from_affine(base);
    for _ in 0..windows {
        let mut multiple = start;
        out.push(multiple);
        for _ in 1..half {
            multiple = multiple.add(&start);
            out.push(multiple);
        }
        // The last multiple is 2^(bits-1) * start.
        start = multiple.double();
    }
    G1Projective::batch_to_affine(&out)
}

/// Signed digits of a scalar, least significant first, each in `-2^(w-1)+1 ..= 2^(w-1)`.
struct Digits {
    bytes: [u8; 80],
    bits: usize,
    position: usize,
    carry: i32,
}

impl Digits {
    fn new(scalar: &Fr, bits: usize) -> Self {
        let mut bytes = [0; 80];
        for (to, from) in bytes.iter_mut().zip(scalar.to_be_bytes().iter().rev()) {
            *to = *from;
        }
        Self {
            bytes,
            bits,
            position: 0,
            carry: 0,
        }
    }
}

impl Iterator for Digits {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        let at = self.position / 8;
        let word = self.bytes.get(at..at + 4)?;
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        let raw = (word >> (self.position % 8)) & ((1 << self.bits) - 1);
        self.position += self.bits;
        let mut digit = raw as i32 + self.carry;
        self.carry = i32::from(digit > 1 << (self.bits - 1));
        if self.carry == 1 {
            digit -= 1 << self.bits;
        }
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars() -> Vec<Fr> {
        let top = -Fr::ONE;
        let mut out = vec![Fr::ZERO, Fr::ONE, top, top - Fr::from_u64(17)];
        for i in 1..40u8 {
            out.push(Fr::from_be_bytes_wide(&[i.wrapping_mul(37); 64]));
            out.push(-Fr::from_be_bytes_wide(&[i; 64]));
        }
        out
    }

    #[test]
    fn digits_recompose_the_scalar_at_every_width() {
        for width in 3..=10 {
            for s in scalars() {
                let digits: Vec<i32> = Digits::new(&s, width)
                    .take(SCALAR_BITS / width + 1)
                    .collect();
                let base = Fr::from_u64(1 << width);
                let back = digits.iter().rev().fold(Fr::ZERO, |acc, d| {
                    let m = Fr::from_u64(u64::from(d.unsigned_abs()));
                    acc * base + if *d < 0 { -m } else { m }
                });
                assert_eq!(back, s, "width {width}");
                assert!(digits.iter().all(|d| d.unsigned_abs() <= 1 << (width - 1)));
            }
        }
    }

    #[test]
    fn every_width_and_both_methods_agree_with_plain_multiplication() {
        let bases: [G1Affine; 64] = {
            let mut p = G1Projective::generator();
            let all: Vec<G1Projective> = (0..64)
                .map(|_| {
                    p = p.double();
                    p
                })
                .collect();
            G1Projective::batch_to_affine(&all).try_into().unwrap()
        };
        let terms: Vec<Term> = scalars()
            .into_iter()
            .take(50)
            .enumerate()
            .map(|(i, s)| (i % 64, s))
            .collect();
        let want = terms.iter().fold(G1Projective::identity(), |acc, (i, s)| {
            acc.add(&bases[*i].mul_vartime(s))
        });
        for bits in [3, 4, 5, 6] {
            let t = Tables::build(&bases, TableBits::new(bits).unwrap());
            assert_eq!(t.combine_direct(&terms), want, "direct {bits}");
            assert_eq!(t.combine_buckets(&terms), want, "buckets {bits}");
            assert_eq!(t.combine(&terms), want, "split {bits}");
            let start = bases[9];
            let jobs: Vec<(G1Affine, Vec<Term>)> = [0, 1, 3, 50, 2]
                .map(|n| (start, terms[..n].to_vec()))
                .into();
            for ((start, terms), got) in jobs.iter().zip(t.combine_many(&jobs)) {
                assert_eq!(
                    t.combine_direct(terms).add_mixed(start).to_affine(),
                    got,
                    "many {bits}"
                );
            }
            assert_eq!(t.combine_many(&[]), []);
        }
    }

    #[test]
    fn width_is_bounded() {
        assert_eq!(TableBits::new(2), Err(TableBitsError(2)));
        assert_eq!(TableBits::new(9), Err(TableBitsError(9)));
        assert_eq!(TableBits::default().get(), 5);
    }
}
