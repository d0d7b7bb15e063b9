//! Integration tests of the class group.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers"
)]

mod codec;
mod differential;
mod discriminants;
mod hashing;
mod laws;
mod primes;
mod twin;
mod vectors;
