#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ceremony;
pub mod chain;
mod files;
pub mod key;
pub mod light;
pub mod node;
mod output;
mod random;
mod time;
pub mod token;
pub mod wallet;

pub use files::{read_private_line, read_secret_line};
pub use light::verify_answer;
pub use node::{NodeClient, NodeError};
pub use output::{Document, Failure, Output};
pub use quil_types::genesis::NetworkBinding;
pub use time::parse_duration;
pub use wallet::{SessionOptions, Standing, WaitFor, WalletSession};
