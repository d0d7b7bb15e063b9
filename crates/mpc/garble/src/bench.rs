//! Loads for rate measurements.

pub mod aes;
pub mod gates;
