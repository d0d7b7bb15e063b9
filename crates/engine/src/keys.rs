//! Keys of the engine's tables: big-endian numbers, so that order is order of time.

use quil_types::{Epoch, FrameNumber};

use crate::chain::CandidateKey;

/// The safety record.
pub(crate) const SAFETY: &[u8] = b"record";
/// Number, identity and header of the last final frame.
pub(crate) const LAST_FINAL: &[u8] = b"last_final";
/// Hash of the genesis document that the store belongs to.
pub(crate) const GENESIS: &[u8] = b"genesis";

/// By number.
#[must_use]
pub(crate) fn number(n: FrameNumber) -> Vec<u8> {
    n.get().to_be_bytes().to_vec()
}

/// By number and position.
#[must_use]
pub(crate) fn chunk(n: FrameNumber, at: u32) -> Vec<u8> {
    let mut key = number(n);
    key.extend_from_slice(&at.to_be_bytes());
    key
}

/// By epoch.
#[must_use]
pub(crate) fn epoch(e: Epoch) -> Vec<u8> {
    e.get().to_be_bytes().to_vec()
}

/// By epoch, rank and identity.
#[must_use]
pub(crate) fn candidate((epoch, rank, id): CandidateKey) -> Vec<u8> {
    let mut key = epoch.get().to_be_bytes().to_vec();
    key.extend_from_slice(&rank.get().to_be_bytes());
    key.extend_from_slice(&id.0);
    key
}

/// Number from a key of a table by number.
#[must_use]
pub(crate) fn number_of(key: &[u8]) -> Option<FrameNumber> {
    Some(FrameNumber::new(u64::from_be_bytes(
        key.get(..8)?.try_into().ok()?,
    )))
}
