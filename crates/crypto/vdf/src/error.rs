//! Errors, one variant per rule.

use quil_classgroup::{ForeignGroup, FormError};

/// Why an evaluation cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The base belongs to another discriminant.
    #[error(transparent)]
    Group(#[from] ForeignGroup),
    /// No challenge prime within the bound of the search; does not happen in practice.
    #[error("no challenge prime found")]
    Challenge,
}

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The output is not a form of the discriminant (R7).
    #[error("output: {0}")]
    Output(#[source] FormError),
    /// The proof is not a form of the discriminant (R7).
    #[error("proof: {0}")]
    Proof(#[source] FormError),
    /// The forms belong to another discriminant.
    #[error(transparent)]
    Group(#[from] ForeignGroup),
    /// No challenge prime within the bound of the search; does not happen in practice.
    #[error("no challenge prime found")]
    Challenge,
    /// `pi^l x^r` is not `y`.
    #[error("the proof does not hold")]
    Equation,
}
