//! Prover and verifier objects.
#![expect(
    clippy::indexing_slicing,
    reason = "slot indices are checked against 64 or run over arrays of 64"
)]

use quil_bls48581::{Fr, G1Affine, G1Projective, G2Prepared, pairing_product_is_one};

use crate::commitment::Commitment;
use crate::domain::{DOMAIN_SIZE, domain, slot_scalar};
use crate::srs::{G2_POWERS, Srs};
use crate::tables::{TableBits, Tables, Term};

/// A committed value: the 64 bytes of one slot (K1). Read as a big-endian integer it is below `r`.
pub type Slot = [u8; 64];
/// The slot of a missing child (K1).
pub const EMPTY_SLOT: Slot = [0; 64];

/// Why an opening does not verify, or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// K4: no opening at all.
    #[error("no openings")]
    Empty,
    /// K4: more than [`crate::OPENINGS_MAX`] openings.
    #[error("{0} openings, at most 128 allowed")]
    TooMany(usize),
    /// The index is outside the domain.
    #[error("opening {0}: index outside the domain")]
    Index(usize),
    /// The commitment is not the canonical encoding of a curve point.
    #[error("opening {0}: commitment is not a point")]
    CommitmentEncoding(usize),
    /// K4: the identity is allowed for quotient and proof only.
    #[error("opening {0}: commitment is the identity")]
    CommitmentIdentity(usize),
    /// The commitment of a single opening is outside the prime-order subgroup.
    #[error("commitment is outside the subgroup")]
    CommitmentSubgroup,
    /// D is not the canonical encoding of a point of the subgroup.
    #[error("quotient is not a point of the subgroup")]
    Quotient,
    /// pi is not the canonical encoding of a point of the subgroup.
    #[error("proof is not a point of the subgroup")]
    Proof,
    /// K4: the challenge point fell on the domain.
    #[error("challenge point lies on the domain")]
    PointOnDomain,
    /// The pairing equation does not hold.
    #[error("opening does not verify")]
    Rejected,
}

/// Verifies openings: the generator and two prepared G2 points. Cheap to build, tens of kilobytes.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(crate) g2: [G2Prepared; G2_POWERS],
}

impl Verifier {
    /// Prepares the two G2 points.
    #[must_use]
    pub fn new(srs: &Srs) -> Self {
        Self { g2: srs.prepared() }
    }

    /// Whether `left = tau * proof` in the exponent: `e(left, G2) = e(proof, [tau]G2)`.
    pub(crate) fn check(&self, left: &G1Affine, proof: &G1Affine) -> bool {
        pairing_product_is_one(&[(left, &self.g2[0]), (&proof.neg(), &self.g2[1])])
    }

    /// Whether the vector behind `commitment` has `value` at `index`.
    ///
    /// The identity is a legal commitment (zero vector) and a legal proof (constant vector). Both points must be
    /// in the prime-order subgroup. `z` is moved to G1, so nothing is multiplied in G2.
    ///
    /// # Errors
    /// [`OpeningError`], one variant per rule.
    pub fn verify_single(
        &self,
        commitment: &Commitment,
        index: u8,
        value: &Slot,
        proof: &Commitment,
    ) -> Result<(), OpeningError> {
        let z = domain()
            .roots
            .get(usize::from(index))
            .ok_or(OpeningError::Index(0))?;
        let c = commitment
            .point()
            .ok_or(OpeningError::CommitmentEncoding(0))?;
        if !c.is_in_subgroup() {
            return Err(OpeningError::CommitmentSubgroup);
        }
        let pi = proof.subgroup_point().ok_or(OpeningError::Proof)?;
        let y = G1Projective::generator().mul_vartime(&slot_scalar(value));
        let left = pi.mul_vartime(z).add_mixed(&c).sub(&y);
        if self.check(&left.to_affine(), &pi) {
            Ok(())
        } else {
            Err(OpeningError::Rejected)
        }
    }
}

/// Commits, opens and verifies over one SRS. Build it once per process and share it.
#[derive(Debug)]
pub struct Kzg {
    lagrange: [G1Affine; DOMAIN_SIZE],
    tables: Tables,
    verifier: Verifier,
}

impl Kzg {
    /// Derives the Lagrange points and builds the tables; in parallel, some tenths of a second.
    #[must_use]
    pub fn new(srs: &Srs, bits: TableBits) -> Self {
        let lagrange = srs.lagrange();
        let tables = Tables::build(&lagrange, bits);
        Self {
            lagrange,
            tables,
            verifier: Verifier::new(srs),
        }
    }

    /// The verifying half.
    #[must_use]
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// `[L_i(tau)]G1`.
    #[must_use]
    pub const fn lagrange(&self) -> &[G1Affine; DOMAIN_SIZE] {
        &self.lagrange
    }

    /// Memory of the tables, bytes.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        self.tables.bytes()
    }

    /// `sum of values[i] * L_i`.
    #[must_use]
    pub fn commit(&self, values: &[Fr; DOMAIN_SIZE]) -> G1Projective {
        let terms: Vec<(usize, Fr)> = values
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, v)| *v != Fr::ZERO)
            .collect();
        self.tables.combine(&terms)
    }

    /// [`Self::commit`] of slot values.
    #[must_use]
    pub fn commit_slots(&self, slots: &[Slot; DOMAIN_SIZE]) -> G1Projective {
        self.commit(&core::array::from_fn(|i| slot_scalar(&slots[i])))
    }

    /// Commitment of a vector that is zero except at the given indices; an index may repeat, its values add up.
    /// Also the change of a commitment when the scalars are differences. Indices above 63 wrap.
    #[must_use]
    pub fn commit_sparse(&self, terms: &[(u8, Fr)]) -> G1Projective {
        self.tables.combine(&sparse(terms))
    }

    /// Each point plus the commitment of its sparse vector, as [`Self::commit_sparse`]: how many branches change at
    /// once. In parallel, with shared inversions, so cheaper per term than single updates.
    #[must_use]
    pub fn update_many(&self, jobs: &[(G1Affine, Vec<(u8, Fr)>)]) -> Vec<G1Affine> {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|(start, terms)| (*start, sparse(terms)))
            .collect();
        self.tables.combine_many(&jobs)
    }

    /// The commitment after slot `index` changed from `old` to `new`: `C + (new - old) L_i`. About 0.1 ms.
    #[must_use]
    pub fn update(&self, commitment: &G1Affine, index: u8, old: &Slot, new: &Slot) -> G1Projective {
        let delta = slot_scalar(new) - slot_scalar(old);
        self.commit_sparse(&[(index, delta)]).add_mixed(commitment)
    }

    /// Proof that the vector has `slots[index]` at `index`.
    ///
    /// # Errors
    /// [`OpeningError::Index`] above 63.
    pub fn open_single(
        &self,
        slots: &[Slot; DOMAIN_SIZE],
        index: u8,
    ) -> Result<Commitment, OpeningError> {
        let i = usize::from(index);
        if i >= DOMAIN_SIZE {
            return Err(OpeningError::Index(0));
        }
        let values = core::array::from_fn(|k| slot_scalar(&slots[k]));
        Ok(Commitment::from(
            &self.commit(&domain().quotient(&values, i)),
        ))
    }
}

fn sparse(terms: &[(u8, Fr)]) -> Vec<Term> {
    terms
        .iter()
        .filter(|(_, s)| *s != Fr::ZERO)
        .map(|(i, s)| (usize::from(*i) % DOMAIN_SIZE, *s))
        .collect()
}

/// The shared prover of the test SRS.
#[cfg(any(test, feature = "test-support"))]
impl Kzg {
    /// One [`Kzg`] per process over [`Srs::insecure_from_seed`]`(1)`, default tables.
    #[must_use]
    pub fn insecure_shared() -> std::sync::Arc<Self> {
        static SHARED: std::sync::OnceLock<std::sync::Arc<Kzg>> = std::sync::OnceLock::new();
        std::sync::Arc::clone(SHARED.get_or_init(|| {
            std::sync::Arc::new(Self::new(&Srs::insecure_from_seed(1), TableBits::default()))
        }))
    }
}
