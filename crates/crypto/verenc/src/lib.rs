#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod body;
mod context;
mod draft;
mod kdf;
pub mod limits;
mod open;
mod proof;
mod readers;
mod record;
#[cfg(feature = "workload")]
pub mod workload;

pub use context::{Context, ObjectId, Version};
pub use draft::{Draft, SealError, Sealer};
pub use open::{BodyKey, OpenError};
pub use readers::{ReaderError, Readers};
pub use record::{Ciphertext, Record, RecordError, Share, VerifiedRecord};
