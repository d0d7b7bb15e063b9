//! Integration tests of the delay function.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers"
)]

mod cache;
mod evaluation;
mod soundness;
mod vectors;
