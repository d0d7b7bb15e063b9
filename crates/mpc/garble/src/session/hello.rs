//! The handshake: both parties state everything they rely on, and compare.

use quil_ot::context::Context;
use quil_ot::stock::Stock;

use super::error::SessionError;
use crate::plan::WINDOW;

/// Version of frames and steps.
pub const VERSION: u16 = 1;
/// Half-gates with a semi-honest garbler, transfers safe against deviation, authentic outputs, two-column extension.
/// The high bit marks a suite without external review.
pub const SUITE: u16 = 0x8001;
/// Bytes of the body.
const HELLO_BYTES: usize = STOCK + STOCK_BYTES;
/// Place of the width of the evaluator's inputs.
const WIDTH: usize = 2 + 2 + 1 + 32 + 32 + 32 + 4;
/// Place of what is said about the stock.
const STOCK: usize = WIDTH + 4 + 4 + 32;
/// Name, position and rest of a stock; zero for none.
const STOCK_BYTES: usize = 32 + 8 + 8;

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

/// What a session computes: the circuit, or the order of a stock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) code_id: [u8; 32],
    /// Input bits of garbler and evaluator.
    pub(super) widths: [usize; 2],
}

pub(super) fn encode(
    role: Role,
    agreement: &Agreement,
    subject: &Subject,
    stock: Option<&Stock>,
    nonce: &[u8; 32],
) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    let [garbler, evaluator] = subject.widths;
    let mut out = Vec::with_capacity(HELLO_BYTES);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&SUITE.to_be_bytes());
    out.push(role as u8);
    out.extend_from_slice(&agreement.rendezvous);
    out.extend_from_slice(&agreement.code_address);
    out.extend_from_slice(&subject.code_id);
    out.extend_from_slice(&number(garbler));
    out.extend_from_slice(&number(evaluator));
    out.extend_from_slice(&number(WINDOW));
    out.extend_from_slice(nonce);
    let (id, position, left) = stock.map_or(([0; 32], 0, 0), |stock| {
        (stock.id(), stock.position(), stock.left() as u64)
    });
    out.extend_from_slice(&id);
    out.extend_from_slice(&position.to_be_bytes());
    out.extend_from_slice(&left.to_be_bytes());
    out
}

/// Name, position and end of the stock a statement speaks of; `None` without one.
fn stock_of(hello: &[u8]) -> Option<([u8; 32], u64, u64)> {
    let (id, numbers) = hello.get(STOCK..)?.split_first_chunk::<32>()?;
    let [position, left] = numbers.as_chunks::<8>().0 else {
        return None;
    };
    let (position, left) = (u64::from_be_bytes(*position), u64::from_be_bytes(*left));
    (*id != [0; 32]).then_some((*id, position, position.saturating_add(left)))
}

/// Where both parties take the transfers of this session from their stock: at the later of both positions, if both
/// named the same stock and it has enough on both sides. Otherwise they transfer anew.
pub(super) fn stock_position(own: &[u8], other: &[u8]) -> Option<u64> {
    let width = own.get(WIDTH..)?.first_chunk::<4>()?;
    let width = u64::from(u32::from_be_bytes(*width));
    let ((id, first, end), (other_id, second, other_end)) = (stock_of(own)?, stock_of(other)?);
    let position = first.max(second);
    let enough = position.checked_add(width)? <= end.min(other_end);
    (id == other_id && enough && width > 0).then_some(position)
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
    if same(69, WIDTH + 8) {
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
