//! Real hosts and links on the loopback interface, all on free ports; waits are for events, with a limit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod nodes;

mod connections;
mod gossip;
mod hostile;
mod ipc;
mod requests;
mod scoring;
