#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod audit;
mod commit;
mod error;
mod key;
mod node;
mod proof;
mod prove;
mod slot;
mod source;
mod trie;
mod update;
#[cfg(feature = "workload")]
pub mod workload;

pub use error::TrieError;
pub use key::{ARITY, KEY_BYTES, KEY_NIBBLES, Key, Nibbles, SetId};
pub use node::{Branch, Leaf, NODE_BYTES_MAX, NodeError, Totals};
pub use proof::{
    CLAIMS_MAX, Claim, End, Expectation, PROOF_BYTES_MAX, Path, Proof, ProofError, STEPS_MAX, Step,
    verify, verify_many,
};
pub use prove::prove_many;
pub use quil_kzg::{EMPTY_SLOT, Slot};
pub use slot::{LeafValue, branch_slot, content_hash, leaf_slot};
pub use source::{
    MemoryNodes, NoNodes, NodeBatch, NodeKey, NodeSource, ROOT_BYTES_MAX, RootRecord, SourceError,
};
pub use trie::Trie;
pub use update::{Changes, LeafWrite, Update};
