#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod bench;
mod drive;
mod key;
mod records;
mod tcp;

pub use drive::{RunError, run_plain, run_sealed};
pub use key::{KeyError, SessionKey};
pub use records::{End, MAX_RECORD, RecordError};
pub use tcp::{connect, listen};
