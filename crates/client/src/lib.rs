#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ceremony;
mod files;
pub mod key;
mod output;
mod random;

pub use files::read_secret_line;
pub use output::{Document, Failure, Output};
pub use quil_types::genesis::NetworkBinding;
