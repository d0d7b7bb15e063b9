//! Integration tests of the execution crate, by topic.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]

mod codes;
mod cost;
mod double_spend;
mod fees;
mod forge;
mod frames;
mod global;
mod light;
mod mempool;
mod mutation;
mod order;
mod supply;
mod vectors;
mod wallet;
mod world;
