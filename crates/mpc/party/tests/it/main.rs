//! Runs as a program sees them, without processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is the report of a failure"
)]

mod files;
mod peers;

use std::path::{Path, PathBuf};

use quil_client::{Document, Output};
use serde_json::Value;

/// The examples of the repository.
fn example(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    root.unwrap().join("examples/qcl").join(name)
}

fn json(document: &Document) -> Value {
    serde_json::from_str(&document.render(Output::Json)).unwrap()
}
