//! Tests of the circuit format and of the compiler.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod circuit;
mod counts;
mod errors;
mod examples;
mod exhaustive;
mod hostile;
mod json;
mod language;
mod operators;
mod packages;
mod random;
