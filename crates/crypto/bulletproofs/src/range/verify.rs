//! The verifier: every proof is a linear equation over the generators and its own points; the equations of a proof and
//! of a batch are added with random weights into one multi-scalar product.

use quil_decaf::{Point, PointTable, Scalar, hash::BlockStream, msm};
use quil_types::tags;

use super::{
    RangeError, RangeProof, RangeSuite, padded, prove::powers, transcript::RangeTranscript,
};
use crate::{Commitment, commitment::Element, limits::BATCH_MAX};

/// One proof of a batch with its statement.
#[derive(Clone, Copy, Debug)]
pub struct BatchItem<'a> {
    /// What the proof is bound to: the transaction id.
    pub binding: &'a [u8],
    /// The commitments, in order.
    pub commitments: &'a [Commitment],
    /// The proof.
    pub proof: &'a RangeProof,
}

impl RangeProof {
    /// Checks that the commitments open to values in range. Variable time; one multi-scalar product.
    ///
    /// # Errors
    /// [`RangeError::Count`], [`RangeError::Rounds`], [`RangeError::IdentityCommitment`], [`RangeError::Invalid`].
    pub fn verify(
        &self,
        suite: &RangeSuite,
        binding: &[u8],
        commitments: &[Commitment],
    ) -> Result<(), RangeError> {
        let mut sum = Sum::default();
        sum.add(
            suite,
            &BatchItem {
                binding,
                commitments,
                proof: self,
            },
            Scalar::ONE,
        )?;
        sum.check(suite)
    }
}

/// Checks many proofs at once; success means that all hold (up to probability 2^-446 per try). On an error the caller
/// verifies singly to find the bad ones (T8). Variable time; one multi-scalar product.
///
/// # Errors
/// As [`RangeProof::verify`], and [`RangeError::BatchSize`].
pub fn batch_verify(suite: &RangeSuite, items: &[BatchItem<'_>]) -> Result<(), RangeError> {
    if items.len() > BATCH_MAX {
        return Err(RangeError::BatchSize { got: items.len() });
    }
    let mut weights = weights(items);
    let mut sum = Sum::default();
    for item in items {
        sum.add(suite, item, weights.next_scalar())?;
    }
    sum.check(suite)
}

/// Weights from a hash over everything in the batch (T8).
fn weights(items: &[BatchItem<'_>]) -> BlockStream {
    let len = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut data = len(items.len()).to_vec();
    for i in items {
        data.extend_from_slice(&len(i.binding.len()));
        data.extend_from_slice(i.binding);
        data.extend_from_slice(&len(i.commitments.len()));
        for c in i.commitments {
            data.extend_from_slice(&c.to_bytes());
        }
        let proof = i.proof.to_bytes();
        data.extend_from_slice(&len(proof.len()));
        data.extend_from_slice(&proof);
    }
    BlockStream::new(tags::BATCH.as_str(), &[&data])
}

/// A linear combination that must be the identity.
#[derive(Default)]
struct Sum {
    g: Vec<Scalar>,
    h: Vec<Scalar>,
    value: Scalar,
    blinding: Scalar,
    points: Vec<(Scalar, Point)>,
}

/// Challenges of one proof.
struct Challenges {
    y: Scalar,
    z: Scalar,
    x: Scalar,
    w: Scalar,
    join: Scalar,
    u: Vec<Scalar>,
}

impl Challenges {
    fn replay(
        suite: &RangeSuite,
        binding: &[u8],
        commitments: &[Element],
        proof: &RangeProof,
    ) -> Self {
        let mut t = RangeTranscript::new(suite, binding, commitments);
        let (y, z) = t.bits(&proof.a, &proof.s);
        let x = t.polynomial(&proof.t1, &proof.t2);
        let length = commitments.len() * suite.bits.count();
        let w = t.evaluation([&proof.t_x, &proof.t_x_blinding, &proof.e_blinding], length);
        let u = proof
            .inner
            .rounds
            .iter()
            .map(|(l, r)| t.round(l, r))
            .collect();
        Self {
            y,
            z,
            x,
            w,
            join: t.join(proof),
            u,
        }
    }
}

impl Sum {
    /// Adds `weight` times the equation of a proof.
    fn add(
        &mut self,
        suite: &RangeSuite,
        item: &BatchItem<'_>,
        weight: Scalar,
    ) -> Result<(), RangeError> {
        let BatchItem {
            binding,
            commitments,
            proof,
        } = item;
        let commitments = padded(commitments)?;
        if proof.inner.rounds.len() != suite.rounds(commitments.len()) {
            return Err(RangeError::Rounds);
        }
        let c = Challenges::replay(suite, binding, &commitments, proof);
        // 1/y, 1/u_1, ..., with one inversion.
        let mut inverses: Vec<Scalar> = core::iter::once(c.y).chain(c.u.iter().copied()).collect();
        Scalar::batch_invert(&mut inverses);
        let (y_inv, u_inv) = inverses.split_first().ok_or(RangeError::Rounds)?;
        self.add_bases(suite.bits.count(), commitments.len(), proof, &c, weight);
        self.add_vectors(suite.bits.count(), proof, &c, (*y_inv, u_inv), weight);
        self.add_points(&commitments, proof, &c, u_inv, weight);
        Ok(())
    }

    /// Coefficients of `G_v` and `H_b`.
    fn add_bases(
        &mut self,
        n: usize,
        values: usize,
        proof: &RangeProof,
        c: &Challenges,
        weight: Scalar,
    ) {
        let sum = |x: Scalar, n: usize| -> Scalar { powers(x, n).into_iter().sum() };
        // 2^n - 1 without a shift by 64.
        let all_ones = Scalar::from(u64::MAX >> (64 - n));
        let z2 = c.z * c.z;
        let delta = (c.z - z2) * sum(c.y, n * values) - z2 * c.z * all_ones * sum(c.z, values);
        let inner = &proof.inner;
        let value = c.w * (proof.t_x - inner.a * inner.b) + c.join * (delta - proof.t_x);
        self.value += weight * value;
        self.blinding -= weight * (proof.e_blinding + c.join * proof.t_x_blinding);
    }

    /// Coefficients of the vector generators.
    fn add_vectors(
        &mut self,
        n: usize,
        proof: &RangeProof,
        c: &Challenges,
        (y_inv, u_inv): (Scalar, &[Scalar]),
        weight: Scalar,
    ) {
        let s = fold_products(&c.u, u_inv);
        let len = s.len();
        self.g.resize(self.g.len().max(len), Scalar::ZERO);
        self.h.resize(self.h.len().max(len), Scalar::ZERO);
        let (wa, wb, wz) = (weight * proof.inner.a, weight * proof.inner.b, weight * c.z);
        for (slot, s) in self.g.iter_mut().zip(&s) {
            *slot -= wz + wa * *s;
        }
        // weight y^-i (z^(2 + j) 2^(i mod n) - b s_(N - 1 - i)) + weight z
        let (mut y_power, mut z_power, mut z_two) = (Scalar::ONE, wz * c.z, Scalar::ZERO);
        for (i, (slot, s)) in self.h.iter_mut().zip(s.iter().rev()).enumerate() {
            if i % n == 0 {
                z_two = z_power;
                z_power *= c.z;
            }
            *slot += wz + y_power * (z_two - wb * *s);
            y_power *= y_inv;
            z_two = z_two + z_two;
        }
    }

    /// Coefficients of the points of the proof and its commitments.
    fn add_points(
        &mut self,
        commitments: &[Element],
        proof: &RangeProof,
        c: &Challenges,
        u_inv: &[Scalar],
        weight: Scalar,
    ) {
        let (wx, wj) = (weight * c.x, weight * c.join);
        self.points.extend([
            (weight, proof.a.point),
            (wx, proof.s.point),
            (wj * c.x, proof.t1.point),
            (wj * c.x * c.x, proof.t2.point),
        ]);
        for (((l, r), u), v) in proof.inner.rounds.iter().zip(&c.u).zip(u_inv) {
            self.points.push((weight * *u * *u, l.point));
            self.points.push((weight * *v * *v, r.point));
        }
        let mut power = wj * c.z * c.z;
        // Padding comes last and is the identity: it adds nothing.
        for v in commitments.iter().filter(|v| !v.is_identity()) {
            self.points.push((power, v.point));
            power *= c.z;
        }
    }

    fn check(self, suite: &RangeSuite) -> Result<(), RangeError> {
        let g = &suite.generators;
        let n = suite.bits.count();
        let values = self.g.len() / n;
        let mut fixed: Vec<(Scalar, &PointTable)> = vec![
            (self.value, g.value().table()),
            (self.blinding, g.blinding().table()),
        ];
        let (mut gs, mut hs) = (self.g.chunks(n), self.h.chunks(n));
        for t in g.vectors(values) {
            let (a, b) = (gs.next().unwrap_or_default(), hs.next().unwrap_or_default());
            fixed.extend(a.iter().copied().zip(&t.g));
            fixed.extend(b.iter().copied().zip(&t.h));
        }
        if msm::mixed_vartime(&fixed, &self.points).is_identity() {
            Ok(())
        } else {
            Err(RangeError::Invalid)
        }
    }
}

/// s_i = product over rounds of u_r or 1/u_r, by the bits of i, first round at the highest bit.
fn fold_products(u: &[Scalar], u_inv: &[Scalar]) -> Vec<Scalar> {
    let mut s = vec![u_inv.iter().copied().product()];
    for u in u.iter().rev() {
        let square = *u * *u;
        s.extend_from_within(..);
        let half = s.len() / 2;
        s.iter_mut().skip(half).for_each(|x| *x *= square);
    }
    s
}

#[cfg(test)]
mod tests;
