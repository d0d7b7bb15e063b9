//! Integration tests of `quil-verenc`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests"
)]

mod binding;
mod body;
mod encoding;
mod format;
mod keys;
mod readers;
mod support;
mod vectors;
