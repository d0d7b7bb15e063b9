#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod genesis;
mod net;
mod rng;
mod store;

pub use genesis::{SimGenesis, sim_genesis};
pub use net::{EngineId, Faults, Observation, SimNet};
pub use store::MemoryTables;
