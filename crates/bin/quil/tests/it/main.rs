//! Tests of the binary and of the workspace as a whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers stop the test when something is wrong"
)]

mod commands;
mod devnet;
mod floors;
mod kills;
