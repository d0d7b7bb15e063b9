//! Public behaviour of the commitment scheme.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]

mod ceremony;
mod known_answers;
mod multi;
mod single;
mod srs;
mod support;
mod twin;
