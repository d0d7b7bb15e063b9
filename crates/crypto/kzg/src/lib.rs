#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ceremony;
mod commitment;
mod domain;
mod file;
mod kzg;
mod multi;
mod srs;
mod tables;
#[cfg(feature = "workload")]
pub mod workload;

pub use ceremony::{Ceremony, CeremonyError, Contribution, Transcript};
pub use commitment::Commitment;
pub use domain::{DOMAIN_SIZE, slot_scalar};
pub use file::{FileError, MAGIC, SrsFile};
pub use kzg::{EMPTY_SLOT, Kzg, OpeningError, Slot, Verifier};
pub use multi::{MultiProof, OPENINGS_MAX, Opening, Witness};
pub use srs::{G2_POWERS, POWERS_BYTES, Srs, SrsError};
pub use tables::{TableBits, TableBitsError};
