//! Integration tests of the delay function.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test helpers"
)]

mod cache;
mod evaluation;
mod soundness;
mod vectors;
