#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod backend;
pub mod client;
mod convert;
mod error;
pub mod limits;
mod rest;
mod server;

pub use backend::Backend;
pub use client::{Client, ClientError, Timeouts};
pub use error::{ApiError, CODE_KEY};
pub use limits::ServerLimits;
pub use server::{ServeError, serve, serve_with};

/// Types and services generated from `proto/quil/v1/node.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::use_self,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "generated code"
)]
pub mod pb {
    tonic::include_proto!("quil.v1");

    /// The compiled description, for reflection.
    pub const DESCRIPTOR: &[u8] = tonic::include_file_descriptor_set!("descriptor");
}
