#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod calibrate;
pub mod demo;
mod error;
pub mod folder;
pub mod genesis;
mod keys;
mod launch;
pub mod load;
pub mod network;
pub mod plan;
pub mod ports;
pub mod process;
pub mod ready;
pub mod record;
pub mod status;

pub use calibrate::{squaring_time, squarings};
pub use error::DevnetError;
pub use keys::{ACCOUNTS, FAUCET, Sealed};
pub use launch::{LOG, LOG_BYTES_MAX, Program};
pub use network::{Devnet, Stopped, down, ready_limit};
pub use plan::{Choice, DevnetPlan, FrameTime, PlanError};
