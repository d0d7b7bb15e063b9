//! Stores that fail on demand, for the tests of crates that must survive it.

mod fault_disk;
mod fault_store;

pub use self::fault_disk::{DiskFault, FaultDisk};
pub use self::fault_store::{FaultStore, StoreFault};
