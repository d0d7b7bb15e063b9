//! A server over a made-up node, used through its clients and by raw connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unwrap_in_result,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::large_futures,
    reason = "test helpers stop the test when something is wrong"
)]

mod errors;
mod fixture;
mod grpc;
mod hostile;
mod lifecycle;
mod mutated;
mod probes;
mod rest;
