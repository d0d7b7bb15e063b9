//! Tests of the public interface; one module per part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers stop the test when something is wrong"
)]

mod address;
mod amount;
mod certificate;
mod container;
mod fixtures;
mod key_store;
mod record;
mod redaction;
mod wallet;
