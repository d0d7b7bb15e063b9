//! Many openings of many commitments in one proof (K4).
//!
//! With `z_k = omega^(i_k)` and a challenge `rho` bound to every commitment, index and value, the prover commits
//! to `q = sum rho^k (f_k - y_k) / (X - z_k)` as `D`; with a second challenge `t` bound to `rho` and `D` it opens
//! `h - q`, `h = sum rho^k / (t - z_k) f_k`, at `t`, where it must equal `sum rho^k y_k / (t - z_k)`.
//!
//! Path commitments are not tested for the subgroup: the curve's addition is complete, so sums over them are right,
//! and the pairing ignores what they have outside the subgroup.
//! Source: Feist, "PCS multiproofs using random evaluation" (2021).
#![expect(
    clippy::indexing_slicing,
    reason = "slot indices are checked against 64; vectors are built with equal lengths"
)]

use std::collections::BTreeMap;

use quil_bls48581::{Fr, G1Affine, msm_vartime};
use quil_types::hash::{h512, xof};
use quil_types::{Bounded, Canonical, canonical, tags};
use rayon::prelude::*;

use crate::commitment::Commitment;
use crate::domain::{DOMAIN_SIZE, domain, slot_scalar};
use crate::kzg::{Kzg, OpeningError, Slot, Verifier};
use crate::srs::weight;

/// Most openings in one proof (K4): bounds a verifier's multi-scalar multiplication.
pub const OPENINGS_MAX: usize = 128;

canonical! {
    /// The claim that the vector behind `commitment` has `value` at `index`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Opening {
        /// Commitment of the vector.
        pub commitment: Commitment,
        /// Slot, 0..64.
        pub index: u8,
        /// What the slot holds.
        pub value: Slot,
    }
}

canonical! {
    /// Proof of all openings of a statement.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MultiProof {
        /// Commitment of the combined quotient, `D`.
        pub quotient: Commitment,
        /// Opening of `h - q` at `t`, `pi`.
        pub proof: Commitment,
    }
}

canonical! {
    /// What `rho` is bound to.
    #[derive(Debug)]
    struct Statement {
        domain: u32,
        openings: Bounded<Opening, OPENINGS_MAX>,
    }
}

canonical! {
    /// What `t` is bound to.
    #[derive(Debug)]
    struct PointInput {
        rho: [u8; 64],
        quotient: Commitment,
    }
}

/// The first challenge, before and after reduction.
struct Rho {
    bytes: [u8; 64],
    powers: Vec<Fr>,
}

fn rho(openings: &[Opening]) -> Result<Rho, OpeningError> {
    if openings.is_empty() {
        return Err(OpeningError::Empty);
    }
    let bounded = Bounded::try_from(openings.to_vec()).map_err(|e| OpeningError::TooMany(e.len))?;
    if let Some(k) = openings
        .iter()
        .position(|o| usize::from(o.index) >= DOMAIN_SIZE)
    {
        return Err(OpeningError::Index(k));
    }
    let bytes = h512(
        tags::KZG_MULTI,
        &Statement {
            domain: 64,
            openings: bounded,
        },
    );
    let rho = Fr::from_be_bytes_wide(&bytes);
    let powers = std::iter::successors(Some(Fr::ONE), |p| Some(*p * rho))
        .take(openings.len())
        .collect();
    Ok(Rho { bytes, powers })
}

/// The second challenge with `1 / (t - omega^j)` for the whole domain.
struct Point {
    t: Fr,
    inverses: [Fr; DOMAIN_SIZE],
}

fn point(rho: &Rho, quotient: Commitment) -> Result<Point, OpeningError> {
    let t = Fr::from_be_bytes_wide(&h512(
        tags::KZG_MULTI_POINT,
        &PointInput {
            rho: rho.bytes,
            quotient,
        },
    ));
    point_at(t)
}

fn point_at(t: Fr) -> Result<Point, OpeningError> {
    let mut inverses = domain().roots.map(|root| t - root);
    if inverses.contains(&Fr::ZERO) {
        return Err(OpeningError::PointOnDomain);
    }
    Fr::batch_invert(&mut inverses);
    Ok(Point { t, inverses })
}

/// A vector to open: the statement's commitment and value come from here.
#[derive(Clone, Copy, Debug)]
pub struct Witness<'a> {
    /// Commitment of `slots`; not recomputed.
    pub commitment: Commitment,
    /// The committed vector.
    pub slots: &'a [Slot; DOMAIN_SIZE],
    /// Slot to open, 0..64.
    pub index: u8,
}

impl Kzg {
    /// Opens all witnesses in one proof and returns it with the openings it proves, in the same order.
    ///
    /// Cost: two dense commitments and 64 field operations per witness.
    ///
    /// # Errors
    /// [`OpeningError::Empty`], [`OpeningError::TooMany`], [`OpeningError::Index`].
    pub fn open_multi(
        &self,
        witnesses: &[Witness<'_>],
    ) -> Result<(Vec<Opening>, MultiProof), OpeningError> {
        if let Some(k) = witnesses
            .iter()
            .position(|w| usize::from(w.index) >= DOMAIN_SIZE)
        {
            return Err(OpeningError::Index(k));
        }
        let openings: Vec<Opening> = witnesses
            .iter()
            .map(|w| Opening {
                commitment: w.commitment,
                index: w.index,
                value: w.slots[usize::from(w.index)],
            })
            .collect();
        let rho = rho(&openings)?;
        let scaled: Vec<[Fr; DOMAIN_SIZE]> = witnesses
            .par_iter()
            .zip(&rho.powers)
            .map(|(w, power)| core::array::from_fn(|j| *power * slot_scalar(&w.slots[j])))
            .collect();
        let quotient = combined_quotient(&openings, &scaled);
        let d = Commitment::from(&self.commit(&quotient));
        let point = point(&rho, d)?;
        // g = h - q; g(t) = sum rho^k y_k / (t - z_k).
        let mut g = quotient.map(|q| -q);
        let mut at_t = Fr::ZERO;
        for (o, f) in openings.iter().zip(&scaled) {
            let inverse = point.inverses[usize::from(o.index)];
            at_t += f[usize::from(o.index)] * inverse;
            for (to, from) in g.iter_mut().zip(f) {
                *to += *from * inverse;
            }
        }
        // (g_j - g(t)) / (omega^j - t)
        let last = core::array::from_fn(|j| (at_t - g[j]) * point.inverses[j]);
        let pi = Commitment::from(&self.commit(&last));
        Ok((
            openings,
            MultiProof {
                quotient: d,
                proof: pi,
            },
        ))
    }
}

/// `sum over k of (rho^k f_k - rho^k y_k) / (X - z_k)`: vectors opened at one index are summed first.
fn combined_quotient(openings: &[Opening], scaled: &[[Fr; DOMAIN_SIZE]]) -> [Fr; DOMAIN_SIZE] {
    let mut by_index: BTreeMap<usize, [Fr; DOMAIN_SIZE]> = BTreeMap::new();
    for (o, f) in openings.iter().zip(scaled) {
        let sum = by_index
            .entry(usize::from(o.index))
            .or_insert([Fr::ZERO; DOMAIN_SIZE]);
        for (to, from) in sum.iter_mut().zip(f) {
            *to += *from;
        }
    }
    let mut total = [Fr::ZERO; DOMAIN_SIZE];
    for (i, f) in &by_index {
        for (to, from) in total.iter_mut().zip(domain().quotient(f, *i)) {
            *to += from;
        }
    }
    total
}

/// Both sides of a proof's pairing equation: `left` must be `tau * proof`.
struct Equation {
    left: G1Affine,
    proof: G1Affine,
}

fn equation(openings: &[Opening], proof: &MultiProof) -> Result<Equation, OpeningError> {
    let rho = rho(openings)?;
    let d = proof
        .quotient
        .subgroup_point()
        .ok_or(OpeningError::Quotient)?;
    let pi = proof.proof.subgroup_point().ok_or(OpeningError::Proof)?;
    let point = point(&rho, proof.quotient)?;
    let mut weights: BTreeMap<Commitment, (usize, Fr)> = BTreeMap::new();
    let mut value = Fr::ZERO;
    for (k, (o, power)) in openings.iter().zip(&rho.powers).enumerate() {
        let share = *power * point.inverses[usize::from(o.index)];
        weights.entry(o.commitment).or_insert((k, Fr::ZERO)).1 += share;
        value += share * slot_scalar(&o.value);
    }
    let mut points = path_points(&weights)?;
    let mut scalars: Vec<Fr> = weights.values().map(|(_, w)| *w).collect();
    // E - D - Y G1 + t pi
    points.extend([d, G1Affine::generator(), pi]);
    scalars.extend([-Fr::ONE, -value, point.t]);
    Ok(Equation {
        left: msm_vartime(&points, &scalars).to_affine(),
        proof: pi,
    })
}

/// The commitments in order; the first bad one of the statement is the error.
fn path_points(weights: &BTreeMap<Commitment, (usize, Fr)>) -> Result<Vec<G1Affine>, OpeningError> {
    let decoded: Vec<Result<G1Affine, (usize, OpeningError)>> = weights
        .par_iter()
        .map(|(c, (k, _))| {
            let p = c
                .point()
                .ok_or((*k, OpeningError::CommitmentEncoding(*k)))?;
            if p.is_identity() {
                Err((*k, OpeningError::CommitmentIdentity(*k)))
            } else {
                Ok(p)
            }
        })
        .collect();
    if let Some((_, error)) = decoded
        .iter()
        .filter_map(|d| d.err())
        .min_by_key(|(k, _)| *k)
    {
        return Err(error);
    }
    Ok(decoded.into_iter().filter_map(Result::ok).collect())
}

impl Verifier {
    /// Checks every opening of a statement.
    ///
    /// Commitments need not be in the prime-order subgroup: callers link them to a trusted root by hashes (K1);
    /// quotient and proof are checked. Cost: one decompression per distinct commitment, one multi-scalar
    /// multiplication, one product of two prepared pairings.
    ///
    /// # Errors
    /// [`OpeningError`], one variant per rule of K4.
    pub fn verify_multi(
        &self,
        openings: &[Opening],
        proof: &MultiProof,
    ) -> Result<(), OpeningError> {
        let eq = equation(openings, proof)?;
        if self.check(&eq.left, &eq.proof) {
            Ok(())
        } else {
            Err(OpeningError::Rejected)
        }
    }

    /// Checks several proofs with one pairing product; weights come from a hash over the whole batch.
    ///
    /// # Errors
    /// Position of the first bad proof and its error; an empty batch is good.
    pub fn verify_multi_batch(
        &self,
        batch: &[(&[Opening], &MultiProof)],
    ) -> Result<(), (usize, OpeningError)> {
        let equations: Vec<Result<Equation, OpeningError>> = batch
            .par_iter()
            .map(|(openings, proof)| equation(openings, proof))
            .collect();
        let mut lefts = Vec::with_capacity(batch.len());
        let mut proofs = Vec::with_capacity(batch.len());
        for (k, eq) in equations.into_iter().enumerate() {
            let eq = eq.map_err(|e| (k, e))?;
            lefts.push(eq.left);
            proofs.push(eq.proof);
        }
        if lefts.is_empty() {
            return Ok(());
        }
        let weights = batch_weights(batch);
        let left = msm_vartime(&lefts, &weights).to_affine();
        let proof = msm_vartime(&proofs, &weights).to_affine();
        if self.check(&left, &proof) {
            return Ok(());
        }
        let bad = lefts
            .iter()
            .zip(&proofs)
            .position(|(l, p)| !self.check(l, p));
        Err((bad.unwrap_or(0), OpeningError::Rejected))
    }
}

fn batch_weights(batch: &[(&[Opening], &MultiProof)]) -> Vec<Fr> {
    let mut all = Vec::new();
    for (openings, proof) in batch {
        // Lengths first: two batches never share their bytes.
        all.extend_from_slice(
            &u64::try_from(openings.len())
                .unwrap_or(u64::MAX)
                .to_le_bytes(),
        );
        for o in *openings {
            all.extend_from_slice(&o.encode());
        }
        all.extend_from_slice(&proof.encode());
    }
    let mut stream = xof(
        tags::BATCH,
        &quil_types::hash::h_bytes(tags::KZG_MULTI, &all),
    );
    batch.iter().map(|_| weight(&mut stream)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_on_the_domain_is_refused() {
        for i in [0, 1, 63] {
            assert_eq!(
                point_at(domain().roots[i]).err(),
                Some(OpeningError::PointOnDomain)
            );
        }
        assert!(point_at(domain().roots[1] + Fr::ONE).is_ok());
    }

    #[test]
    fn statement_bytes_are_count_then_openings() {
        let o = Opening {
            commitment: Commitment::from_bytes([7; 74]),
            index: 3,
            value: [9; 64],
        };
        let s = Statement {
            domain: 64,
            openings: vec![o].try_into().unwrap(),
        };
        let mut want = vec![64, 0, 0, 0, 1, 0, 0, 0];
        want.extend_from_slice(&[7; 74]);
        want.push(3);
        want.extend_from_slice(&[9; 64]);
        assert_eq!(s.encode(), want);
    }
}
