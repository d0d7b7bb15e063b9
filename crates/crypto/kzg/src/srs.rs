//! The structured reference string: 64 powers of tau in G1, two in G2, and what is derived from them.
#![expect(
    clippy::indexing_slicing,
    reason = "indices run over 0..64 of arrays of 64 and 0..2 of arrays of 2"
)]

use quil_bls48581::{
    Fr, G1Affine, G1Projective, G2Affine, G2Prepared, msm_vartime, pairing_product_is_one,
};
use quil_types::hash::{Xof, xof};
use quil_types::limits::{G1_BYTES, G2_BYTES};
use quil_types::tags;
use rayon::prelude::*;

use crate::domain::{DOMAIN_LOG, DOMAIN_SIZE, domain};

/// Powers of tau in G2: the generator and `[tau]G2`.
pub const G2_POWERS: usize = 2;
/// Encoded powers: 64 G1 points, then 2 G2 points.
pub const POWERS_BYTES: usize = DOMAIN_SIZE * G1_BYTES + G2_POWERS * G2_BYTES;

/// Well-formed powers of one tau that is none of 0, 1 and the domain's roots.
///
/// Construction checks everything that can be checked without knowing tau; whether somebody knows tau is the
/// business of the ceremony.
#[derive(Clone, PartialEq, Eq)]
pub struct Srs {
    g1: [G1Affine; DOMAIN_SIZE],
    g2: [G2Affine; G2_POWERS],
}

/// Why powers are not an SRS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SrsError {
    /// Not the length of 64 G1 and 2 G2 points.
    #[error("{0} bytes of powers instead of {POWERS_BYTES}")]
    Length(usize),
    /// G1 power `0` is not the canonical encoding of a point of the prime-order subgroup.
    #[error("G1 power {0} is not a point of the subgroup")]
    G1Point(usize),
    /// G2 power `0` is not the canonical encoding of a point of the prime-order subgroup.
    #[error("G2 power {0} is not a point of the subgroup")]
    G2Point(usize),
    /// A power is the identity, so tau would be zero.
    #[error("power {0} is the identity")]
    Identity(usize),
    /// The zeroth powers are not the generators.
    #[error("the zeroth powers are not the generators")]
    Generator,
    /// `tau^64 = 1`: the Lagrange basis of the domain is degenerate.
    #[error("tau lies on the domain")]
    TauOnDomain,
    /// The points are not consecutive powers of one tau.
    #[error("the points are not powers of one tau")]
    Powers,
}

impl Srs {
    /// Checks points that the codec has decoded.
    ///
    /// Weights of the batched power check are 128-bit and derived from all points, so the check is deterministic
    /// and a wrong power passes with probability `2^-128` per attempt. Cost: 66 subgroup checks, two small
    /// multi-scalar multiplications, one pairing product.
    ///
    /// # Errors
    /// [`SrsError`], one variant per rule.
    pub fn new(g1: [G1Affine; DOMAIN_SIZE], g2: [G2Affine; G2_POWERS]) -> Result<Self, SrsError> {
        if let Some(i) = g1.iter().position(G1Affine::is_identity) {
            return Err(SrsError::Identity(i));
        }
        if let Some(i) = g2.iter().position(G2Affine::is_identity) {
            return Err(SrsError::Identity(i));
        }
        if let Some(i) = g1.par_iter().position_first(|p| !p.is_in_subgroup()) {
            return Err(SrsError::G1Point(i));
        }
        if let Some(i) = g2.par_iter().position_first(|p| !p.is_in_subgroup()) {
            return Err(SrsError::G2Point(i));
        }
        let srs = Self { g1, g2 };
        srs.check_relations()?;
        Ok(srs)
    }

    fn check_relations(&self) -> Result<(), SrsError> {
        let generator = G1Affine::generator();
        if self.g1[0] != generator || self.g2[0] != G2Affine::generator() {
            return Err(SrsError::Generator);
        }
        // tau^32 = 1 or -1 iff tau^64 = 1.
        if self.g1[DOMAIN_SIZE / 2] == generator || self.g1[DOMAIN_SIZE / 2] == generator.neg() {
            return Err(SrsError::TauOnDomain);
        }
        let mut stream = xof(tags::BATCH, &self.digest_input());
        let weights: Vec<Fr> = (1..DOMAIN_SIZE).map(|_| weight(&mut stream)).collect();
        // e(sum c_j G1[j], [tau]G2) = e(sum c_j G1[j+1], G2)
        let low = msm_vartime(&self.g1[..DOMAIN_SIZE - 1], &weights).to_affine();
        let high = msm_vartime(&self.g1[1..], &weights).to_affine().neg();
        let [g2, tau_g2] = self.prepared();
        if pairing_product_is_one(&[(&low, &tau_g2), (&high, &g2)]) {
            Ok(())
        } else {
            Err(SrsError::Powers)
        }
    }

    /// Reads [`POWERS_BYTES`] bytes and checks them.
    ///
    /// # Errors
    /// [`SrsError`], one variant per rule.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SrsError> {
        if bytes.len() != POWERS_BYTES {
            return Err(SrsError::Length(bytes.len()));
        }
        let (first, second) = bytes.split_at(DOMAIN_SIZE * G1_BYTES);
        let g1: Vec<G1Affine> = first
            .as_chunks::<G1_BYTES>()
            .0
            .par_iter()
            .enumerate()
            .map(|(i, b)| G1Affine::from_bytes(b).map_err(|_| SrsError::G1Point(i)))
            .collect::<Result<_, _>>()?;
        let g2: Vec<G2Affine> = second
            .as_chunks::<G2_BYTES>()
            .0
            .iter()
            .enumerate()
            .map(|(i, b)| G2Affine::from_bytes(b).map_err(|_| SrsError::G2Point(i)))
            .collect::<Result<_, _>>()?;
        let wrong = |_| SrsError::Length(bytes.len());
        Self::new(
            g1.try_into().map_err(|v: Vec<_>| wrong(v.len()))?,
            g2.try_into().map_err(|v: Vec<_>| wrong(v.len()))?,
        )
    }

    /// 64 G1 points, then 2 G2 points, compressed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        powers_bytes(&self.g1, &self.g2)
    }

    /// `[tau^k]G1` for k in 0..64.
    #[must_use]
    pub const fn g1_powers(&self) -> &[G1Affine; DOMAIN_SIZE] {
        &self.g1
    }

    /// `G2` and `[tau]G2`.
    #[must_use]
    pub const fn g2_powers(&self) -> &[G2Affine; G2_POWERS] {
        &self.g2
    }

    /// The two G2 points with their pairing lines.
    pub(crate) fn prepared(&self) -> [G2Prepared; G2_POWERS] {
        [G2Prepared::from(&self.g2[0]), G2Prepared::from(&self.g2[1])]
    }

    fn digest_input(&self) -> [u8; 32] {
        quil_types::hash::h_bytes(tags::BATCH, &self.to_bytes())
    }

    /// `[L_i(tau)]G1` for the 64 Lagrange polynomials of the domain: an inverse Fourier transform over group
    /// elements. Cost: about 200 scalar multiplications, in parallel.
    #[must_use]
    pub fn lagrange(&self) -> [G1Affine; DOMAIN_SIZE] {
        let d = domain();
        let mut points = [G1Projective::identity(); DOMAIN_SIZE];
        for (i, p) in self.g1.iter().enumerate() {
            points[bit_reverse(i)] = G1Projective::from_affine(p);
        }
        let mut half = 1;
        while half < DOMAIN_SIZE {
            let step = DOMAIN_SIZE / (2 * half);
            points.par_chunks_mut(2 * half).for_each(|block| {
                let (low, high) = block.split_at_mut(half);
                low.par_iter_mut()
                    .zip(high)
                    .enumerate()
                    .for_each(|(k, (a, b))| {
                        // omega^(-k step)
                        let turned = if k == 0 {
                            *b
                        } else {
                            b.mul_vartime(&d.roots[DOMAIN_SIZE - k * step])
                        };
                        (*a, *b) = (a.add(&turned), a.sub(&turned));
                    });
            });
            half *= 2;
        }
        let scaled: Vec<G1Projective> = points
            .par_iter()
            .map(|p| p.mul_vartime(&d.size_inverse))
            .collect();
        let affine = G1Projective::batch_to_affine(&scaled);
        core::array::from_fn(|i| affine[i])
    }
}

impl core::fmt::Debug for Srs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Srs")
            .field("tau_g1", &crate::Commitment::from_point(&self.g1[1]))
            .finish_non_exhaustive()
    }
}

pub(crate) fn powers_bytes(g1: &[G1Affine; DOMAIN_SIZE], g2: &[G2Affine; G2_POWERS]) -> Vec<u8> {
    let mut out = Vec::with_capacity(POWERS_BYTES);
    for p in g1 {
        out.extend_from_slice(&p.to_bytes());
    }
    for p in g2 {
        out.extend_from_slice(&p.to_bytes());
    }
    out
}

/// A 128-bit weight of a batched check.
pub(crate) fn weight(stream: &mut Xof) -> Fr {
    let mut wide = [0; 64];
    stream.fill(&mut wide[48..]);
    Fr::from_be_bytes_wide(&wide)
}

fn bit_reverse(i: usize) -> usize {
    (0..DOMAIN_LOG).fold(0, |acc, bit| {
        acc | (((i >> bit) & 1) << (DOMAIN_LOG - 1 - bit))
    })
}

/// An SRS whose tau anybody can compute. Never accepted by a network; for tests and benchmarks.
#[cfg(any(test, feature = "test-support"))]
impl Srs {
    /// Powers of the tau derived from `seed`.
    ///
    /// # Panics
    /// Never: the derived tau is neither zero nor on the domain.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "test support; the powers are built here"
    )]
    pub fn insecure_from_seed(seed: u64) -> Self {
        let tau = Self::insecure_tau(seed);
        let mut powers = vec![Fr::ONE];
        for _ in 1..DOMAIN_SIZE {
            powers.push(powers[powers.len() - 1] * tau);
        }
        let g1: Vec<G1Projective> = powers
            .par_iter()
            .map(|s| G1Projective::generator().mul_vartime(s))
            .collect();
        let g1 = G1Projective::batch_to_affine(&g1);
        let g2 = quil_bls48581::G2Projective::generator()
            .mul(&tau)
            .to_affine();
        Self::new(core::array::from_fn(|i| g1[i]), [G2Affine::generator(), g2])
            .expect("powers of one tau")
    }

    /// The tau of [`Self::insecure_from_seed`].
    #[must_use]
    pub fn insecure_tau(seed: u64) -> Fr {
        let mut wide = [0; 64];
        xof(tags::BATCH, &seed).fill(&mut wide);
        Fr::from_be_bytes_wide(&wide)
    }
}
