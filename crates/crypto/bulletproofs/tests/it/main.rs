//! Integration tests of `quil-bulletproofs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests"
)]

mod excess;
mod image;
mod range;
mod stealth;
mod support;
mod vectors;
