//! What commands do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test helpers stop the test when something is wrong"
)]

mod amounts;
mod api;
mod fake;
mod keys;
mod light;
mod lightnet;
mod wallet;
