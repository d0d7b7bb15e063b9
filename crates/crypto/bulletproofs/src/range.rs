//! Aggregated range proofs: each committed value is below 2^bits (Bünz et al., "Bulletproofs", section 4.3).
//!
//! Rule T6: the transcript starts with the binding (the transaction id); the verifier pads the values to a power of two
//! with identity commitments. Verification is one multi-scalar product; a batch is one as well.

use core::fmt;
use std::sync::{Arc, LazyLock};

use quil_decaf::{POINT_BYTES, SCALAR_BYTES, Scalar};
use quil_types::tags;

use crate::{
    Commitment, Generators,
    commitment::Element,
    limits::{BATCH_MAX, ROUNDS_MAX, VALUES_MAX, proof_bytes},
};

mod encoding;
mod inner;
mod prove;
mod transcript;
mod verify;

pub use verify::{BatchItem, batch_verify};

/// Width of the proven range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeBits {
    /// Below 2^8.
    Bits8 = 8,
    /// Below 2^16.
    Bits16 = 16,
    /// Below 2^32.
    Bits32 = 32,
    /// Below 2^64.
    Bits64 = 64,
}

impl RangeBits {
    pub(crate) const fn count(self) -> usize {
        self as usize
    }
}

/// What prover and verifier agree on: Merlin label, width, generators.
#[derive(Clone, Debug)]
pub struct RangeSuite {
    label: &'static [u8],
    bits: RangeBits,
    generators: Arc<Generators>,
}

static STANDARD: LazyLock<RangeSuite> = LazyLock::new(|| {
    RangeSuite::new(
        tags::RANGE.as_str().as_bytes(),
        RangeBits::Bits64,
        Arc::clone(Generators::standard()),
    )
});

impl RangeSuite {
    /// A suite.
    #[must_use]
    pub const fn new(label: &'static [u8], bits: RangeBits, generators: Arc<Generators>) -> Self {
        Self {
            label,
            bits,
            generators,
        }
    }

    /// The suite of the network: label "range", 64 bits, standard generators.
    #[must_use]
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The generators.
    #[must_use]
    pub const fn generators(&self) -> &Arc<Generators> {
        &self.generators
    }

    /// Bytes of a proof for that many values; `None` if no proof can have them.
    #[must_use]
    pub fn proof_bytes(&self, values: usize) -> Option<usize> {
        (1..=VALUES_MAX)
            .contains(&values)
            .then(|| proof_bytes(self.rounds(values)))
    }

    fn rounds(&self, values: usize) -> usize {
        // A power of two no greater than 1024.
        (values.next_power_of_two() * self.bits.count()).trailing_zeros() as usize
    }
}

/// Why there is no proof, or why it is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The byte length fits no proof.
    #[error("a range proof cannot have {len} bytes")]
    Length {
        /// Bytes given.
        len: usize,
    },
    /// A point is not canonical or is the identity.
    #[error("a point of the range proof is not acceptable")]
    Point,
    /// A scalar is not below the group order.
    #[error("a scalar of the range proof is not canonical")]
    Scalar,
    /// No values, or more than a proof can hold.
    #[error("a range proof holds 1 to {VALUES_MAX} values, not {got}")]
    Count {
        /// Values given.
        got: usize,
    },
    /// The proof has another number of rounds than its values need.
    #[error("the proof is for another number of values")]
    Rounds,
    /// A commitment is the identity, which stands for padding only.
    #[error("a commitment is the identity")]
    IdentityCommitment,
    /// The prover's value does not fit the range.
    #[error("a value is outside of the range")]
    OutOfRange,
    /// More proofs than one batch may hold.
    #[error("a batch holds at most {BATCH_MAX} proofs, not {got}")]
    BatchSize {
        /// Proofs given.
        got: usize,
    },
    /// The equation does not hold.
    #[error("the range proof does not verify")]
    Invalid,
}

/// A range proof that decoded; whether it holds, [`RangeProof::verify`] says.
#[derive(Clone)]
pub struct RangeProof {
    a: Element,
    s: Element,
    t1: Element,
    t2: Element,
    t_x: Scalar,
    t_x_blinding: Scalar,
    e_blinding: Scalar,
    inner: InnerProof,
}

/// The logarithmic argument that <a, b> is what it should be.
#[derive(Clone)]
struct InnerProof {
    rounds: Vec<(Element, Element)>,
    a: Scalar,
    b: Scalar,
}

impl fmt::Debug for RangeProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RangeProof({} rounds)", self.inner.rounds.len())
    }
}

/// Commitments padded with the identity to a power of two.
fn padded(commitments: &[Commitment]) -> Result<Vec<Element>, RangeError> {
    let got = commitments.len();
    if got == 0 || got > VALUES_MAX {
        return Err(RangeError::Count { got });
    }
    let mut v: Vec<Element> = commitments.iter().map(|c| c.0).collect();
    if v.iter().any(Element::is_identity) {
        return Err(RangeError::IdentityCommitment);
    }
    v.resize(got.next_power_of_two(), Element::IDENTITY);
    Ok(v)
}

const _: () = assert!(POINT_BYTES == SCALAR_BYTES && ROUNDS_MAX < 32);
