//! The handshake: both parties state everything they rely on, and compare.

use quil_ot::context::Context;

use super::error::SessionError;
use crate::plan::{Plan, WINDOW};

/// Version of frames and steps.
pub const VERSION: u16 = 1;
/// Half-gates with a semi-honest garbler, transfers safe against deviation, authentic outputs, two-column extension.
/// The high bit marks a suite without external review.
pub const SUITE: u16 = 0x8001;
/// Bytes of the body.
const HELLO_BYTES: usize = 2 + 2 + 1 + 32 + 32 + 32 + 4 + 4 + 4 + 32;

/// Which party this side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Party 0 of the circuit: makes labels and tables.
    Garbler = 0,
    /// Party 1 of the circuit: evaluates.
    Evaluator = 1,
}

/// What both parties agreed on before they met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Name of this meeting; 32 bytes never used before.
    pub rendezvous: [u8; 32],
    /// Address the code is registered under; zero where there is no registry.
    pub code_address: [u8; 32],
}

pub(super) fn encode(role: Role, agreement: &Agreement, plan: &Plan, nonce: &[u8; 32]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    let [garbler, evaluator] = plan.widths();
    let mut out = Vec::with_capacity(HELLO_BYTES);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&SUITE.to_be_bytes());
    out.push(role as u8);
    out.extend_from_slice(&agreement.rendezvous);
    out.extend_from_slice(&agreement.code_address);
    out.extend_from_slice(plan.code_id());
    out.extend_from_slice(&number(garbler));
    out.extend_from_slice(&number(evaluator));
    out.extend_from_slice(&number(WINDOW));
    out.extend_from_slice(nonce);
    out
}

/// Compares the other party's statement with the own one, each field with its own error.
pub(super) fn compare(own: &[u8], other: &[u8]) -> Result<(), SessionError> {
    if other.len() != HELLO_BYTES || own.len() != HELLO_BYTES {
        return Err(SessionError::Frame);
    }
    let same = |from: usize, to: usize| own.get(from..to) == other.get(from..to);
    if !same(0, 2) {
        return Err(SessionError::Version);
    }
    if !same(2, 4) {
        return Err(SessionError::Suite);
    }
    match (own.get(4), other.get(4)) {
        (Some(0), Some(1)) | (Some(1), Some(0)) => {}
        _ => return Err(SessionError::Role),
    }
    if !same(5, 69) {
        return Err(SessionError::Rendezvous);
    }
    if same(69, 113) {
        Ok(())
    } else {
        Err(SessionError::Circuit)
    }
}

/// The context of everything that follows: the hash of both statements, garbler's first.
pub(super) fn context(garbler: &[u8], evaluator: &[u8]) -> Context {
    Context::new(blake3::derive_key(
        "quil two-party session v1",
        &[garbler, evaluator].concat(),
    ))
}
