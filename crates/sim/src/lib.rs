#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod costs;
mod genesis;
mod net;
mod people;
mod rng;
mod store;

pub use costs::Costs;
pub use genesis::{SimGenesis, sim_genesis};
pub use net::{EngineId, Faults, Observation, SimNet};
pub use people::{Authority, Person};
pub use store::MemoryTables;
