#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod cost;
pub mod fee;
pub mod frame;
pub mod global;
pub mod light;
pub mod mempool;
pub mod rules;
pub mod state;
pub mod token;
pub mod wallet;
