//! Whole networks under faults.

mod network;
mod transfer;
