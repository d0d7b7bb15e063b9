//! Integration tests: the rules one by one, and whole committees under faults.
#![expect(clippy::panic, reason = "a failed expectation of a test helper")]
#![expect(clippy::unwrap_used, reason = "a failed expectation of a test helper")]
#![expect(
    clippy::indexing_slicing,
    reason = "a failed expectation of a test helper"
)]

mod admission;
mod bench;
mod certificates;
mod durability;
mod epochs;
mod followers;
mod leaders;
mod pairing;
mod progress;
mod proposals;
mod simulation;
mod votes;
