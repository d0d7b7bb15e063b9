#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod beacons;
mod chain;
mod error;
mod identity;
pub mod io;
pub mod jobs;
mod keys;
mod ledger;
pub mod light;
mod network;
mod pool;
pub mod queries;
mod recover;
mod snapshot;
pub mod state;
pub mod tables;
mod window;

pub use chain::{ChainEngine, Parts, TxPosition};
pub use error::LocalFault;
pub use identity::Identity;
pub use ledger::{HISTORY_MAX, Ledger};
pub use network::{Network, NetworkError, check_genesis};
pub use recover::{Consensus, kept_state, recommit_store, recover};
pub use snapshot::{Effects, Roots, Snapshot};
pub use window::{Ancestors, GlobalWindow, SETTLE_WINDOW};
