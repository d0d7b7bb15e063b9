//! Whole networks under faults.

mod network;
