#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod commitment;
pub mod excess;
mod generators;
pub mod image;
pub mod limits;
mod range;
pub mod stealth;
#[cfg(feature = "workload")]
pub mod workload;

pub use commitment::{Commitment, Opening};
pub use generators::{Generators, ValueVectors};
pub use range::{BatchItem, RangeBits, RangeError, RangeProof, RangeSuite, batch_verify};
