//! Tests of the binary and of the workspace as a whole.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers stop the test when something is wrong"
)]

mod bench;
mod client;
mod commands;
mod compute;
mod devnet;
#[cfg(target_os = "linux")]
mod disk;
mod floors;
mod kills;
mod load;
