//! Whole networks under faults.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers stop the test when something is wrong"
)]

mod faults;
mod network;
mod transfer;
