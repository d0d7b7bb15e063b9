#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;
pub mod crypto;
mod error;
mod machine;
mod measure;
pub mod mpc;
mod report;
mod row;
mod target;

pub use clock::{Clock, SystemClock};
pub use error::BenchError;
pub use machine::Machine;
pub use measure::{Budget, Pace, measure};
pub use report::report;
pub use row::{Row, quantile};
pub use target::{Goal, Target};
