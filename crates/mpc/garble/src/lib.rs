#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod bench;
pub mod halfgates;
mod machine;
pub mod plan;
pub mod session;

pub use machine::Progress;
pub use plan::{Plan, PlanError};
