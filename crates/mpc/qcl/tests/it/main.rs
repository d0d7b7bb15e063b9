//! Tests of the circuit format and of the compiler.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod circuit;
mod counts;
mod curves;
mod errors;
mod examples;
mod exhaustive;
mod hostile;
mod json;
mod language;
mod operators;
mod packages;
mod random;

use quil_qcl::circuit::{Circuit, EvalError};
use quil_qcl::json::JsonError;
use serde_json::Value;

/// How the tests of programs evaluate. The tests of garbling include the same modules with a form that also runs two
/// parties and compares.
trait Run {
    fn run_json(&self, inputs: &[Value]) -> Result<Vec<Value>, JsonError>;
    fn run_lanes(&self, inputs: &[Vec<u64>]) -> Result<Vec<Vec<u64>>, EvalError>;
}

impl Run for Circuit {
    fn run_json(&self, inputs: &[Value]) -> Result<Vec<Value>, JsonError> {
        self.eval_json(inputs)
    }

    fn run_lanes(&self, inputs: &[Vec<u64>]) -> Result<Vec<Vec<u64>>, EvalError> {
        self.eval_lanes(inputs)
    }
}
