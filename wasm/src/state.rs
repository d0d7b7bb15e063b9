//! Proofs about the state.

use quil_trie::{
    Expectation, Key, LeafValue, PROOF_BYTES_MAX, Proof, SetId, verify as verify_proof,
};
use quil_types::{Bytes, canonical};

use crate::error::CallError;
use crate::network::{GenesisRequest, verifier};

/// Longest value, bytes.
const VALUE_BYTES_MAX: usize = 1024 * 1024;

canonical! {
    /// What is said about a key.
    #[derive(Clone)]
    pub enum Said {
        /// Nothing is stored there.
        Absent = 0,
        /// These bytes are stored there.
        Value(Bytes<VALUE_BYTES_MAX>) = 1,
        /// A value of this size and hash is stored there.
        Bound(LeafValue) = 2,
    }
}

canonical! {
    /// A statement about one key under a trusted root, with its proof.
    #[derive(Clone)]
    pub struct ProofRequest {
        /// The network.
        pub network: GenesisRequest,
        /// Root of the trie, from a final header.
        pub root: [u8; 64],
        /// Which trie.
        pub set: SetId,
        /// Which key.
        pub key: Key,
        /// What is said.
        pub said: Said,
        /// Encoding of a [`quil_trie::Proof`].
        pub proof: Bytes<PROOF_BYTES_MAX>,
    }
}

pub(crate) fn verify(request: ProofRequest) -> Result<Vec<u8>, CallError> {
    let verifier = verifier(&request.network.read()?)?;
    let proof = Proof::from_bytes(&request.proof).map_err(CallError::ProofEncoding)?;
    let expect = match &request.said {
        Said::Absent => Expectation::Absent,
        Said::Value(value) => Expectation::Present(LeafValue::of(value)),
        Said::Bound(value) => Expectation::Present(*value),
    };
    let (root, set, key) = (&request.root, &request.set, &request.key);
    verify_proof(&verifier, root, set, key, expect, &proof)?;
    Ok(Vec::new())
}
