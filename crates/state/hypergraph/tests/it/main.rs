//! Public behaviour of the graph.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]

mod merge;
mod model;
mod overlay;
mod proofs;
mod routing;
mod state;
mod support;
