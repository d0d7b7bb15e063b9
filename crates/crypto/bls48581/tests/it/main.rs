//! Integration tests: known answers, laws, rejections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests"
)]

mod codec;
mod curve;
mod field;
mod pairing;
mod sign;
mod support;
