//! Integration tests of `quil-decaf`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests"
)]

mod dleq;
mod group;
mod msm;
mod oracle;
mod schnorr;
mod support;
mod vectors;
mod x448;
