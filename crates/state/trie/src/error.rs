//! Faults of a trie's own storage. Proofs that others send have [`crate::ProofError`].

use quil_kzg::OpeningError;

use crate::key::Nibbles;
use crate::node::NodeError;
use crate::source::{NodeKey, SourceError};

/// Why an operation on a trie failed. All are local faults: a store that lies or is gone, or a caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrieError {
    /// The store has no such node.
    #[error("node {0:?} is missing")]
    Missing(NodeKey),
    /// The stored bytes are not a node.
    #[error("node {0:?}: {1}")]
    Corrupt(NodeKey, NodeError),
    /// The stored node does not hash to its slot.
    #[error("node {0:?} does not hash to its slot")]
    SlotMismatch(NodeKey),
    /// The stored commitment is not a curve point.
    #[error("commitment at {0:?} is not a point")]
    Point(Nibbles),
    /// The stored root is not a root.
    #[error("root: {0}")]
    Root(NodeError),
    /// The store failed.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// Versions must not decrease.
    #[error("version {given} after version {have}")]
    Version {
        /// Version of the root.
        have: u64,
        /// Version of the update.
        given: u64,
    },
    /// A commitment, slot or total differs from what its children give (K5).
    #[error("node at {0:?} does not commit to its children")]
    Commitment(Nibbles),
    /// A proof cannot be made.
    #[error("{0}")]
    Opening(#[from] OpeningError),
    /// More claims in one proof than [`crate::CLAIMS_MAX`].
    #[error("{0} claims in one proof")]
    TooManyClaims(usize),
}
