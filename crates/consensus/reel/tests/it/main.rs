//! Rules R1 to R8, one module per subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers stop the test when something is wrong"
)]

mod difficulty;
mod follower;
mod pacing;
mod solver;
mod steps;
