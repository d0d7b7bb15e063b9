//! Behaviour of one router against scripted peers, and of whole networks of routers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking"
)]

mod lab;
mod net;

mod backoff;
mod fanout;
mod gossip;
mod hostile;
mod idontwant;
mod limits;
mod mesh;
mod scoring;
mod simulation;
mod slices;
