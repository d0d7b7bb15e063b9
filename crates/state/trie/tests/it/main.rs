//! Public behaviour of the trie.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]

mod fixtures;
mod model;
mod proofs;
mod storage;
mod support;
