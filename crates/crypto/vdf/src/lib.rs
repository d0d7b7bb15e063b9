#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accumulator;
mod cache;
mod challenge;
mod error;
mod evaluator;
mod plan;
mod proof;
#[cfg(feature = "workload")]
pub mod workload;

pub use cache::{DiscriminantCache, derive_discriminant};
pub use challenge::base;
pub use error::{ProveError, VerifyError};
pub use evaluator::{Evaluator, Progress};
pub use proof::{VdfProof, prove, verify};
pub use quil_classgroup::{Discriminant, DiscriminantError, Form, FormBytes, FormError};

/// Size of the discriminants of a network, bits (R1).
pub const DISCRIMINANT_BITS: usize = 2048;
