#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod base;
pub mod block;
pub mod context;
mod error;
pub mod extension;
pub mod kernel;
mod seeds;
pub mod silent;
pub mod stock;

pub use error::OtError;
pub use seeds::SEED_BYTES;
