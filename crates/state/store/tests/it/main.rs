//! Tests of the public interface; one module per promise of the README.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test helpers stop the test when something is wrong"
)]

mod crash;
mod damage;
mod disk_full;
mod faults;
mod files;
mod model;
mod power;
mod props;
mod safety;
mod suite;
mod typed;
