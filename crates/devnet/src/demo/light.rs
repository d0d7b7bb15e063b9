//! The light client's part: one answer, whole and with one byte flipped.

use quil_client::light::VerifiedRecord;
use quil_client::verify_answer;
use quil_execution::wallet::{OwnedCoin, ScanKeys};
use quil_types::ShardAddr;

use super::report::{Unheld, holds};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) shard: ShardAddr,
    pub(super) key: [u8; 64],
}

impl Asked {
    /// Where the REST API has the proof.
    pub(super) fn path(&self) -> String {
        format!("/v1/proofs/{}/{}", self.shard, hex::encode(self.key))
    }
}

/// Verifies an answer by the genesis document alone, that it is about what was asked, and opens the coin.
pub(super) fn open(
    genesis: &[u8],
    answer: &[u8],
    asked: &Asked,
    keys: &ScanKeys,
) -> Result<(VerifiedRecord, OwnedCoin), Unheld> {
    let verified = verify_answer(genesis, answer).map_err(|e| Unheld(e.to_string()))?;
    let record = verified.record();
    let about = record.shard == asked.shard && record.key.to_bytes() == asked.key;
    holds(about, || "the proof is about another record".to_owned())?;
    let coin = verified.open(keys);
    let coin = coin.ok_or_else(|| Unheld("the record is no coin of the account".to_owned()))?;
    Ok((verified, coin))
}

/// Changes one byte in the middle of the answer's proof so that it stays a hexadecimal digit: what rejects it is the
/// proof, not the reading of it. The position is returned; `None` when there is no proof in the answer.
#[must_use]
pub fn flip_digit(answer: &[u8]) -> Option<(Vec<u8>, usize)> {
    let field = br#""proof":""#;
    let start = answer.windows(field.len()).position(|w| w == field)?;
    let start = start.checked_add(field.len())?;
    let proof = answer.get(start..)?;
    let length = proof.iter().position(|b| *b == b'"')?;
    let middle = start.checked_add(length / 2)?;
    let end = start.checked_add(length)?;
    let digits = answer.get(middle..end)?;
    // Digits pair up under the flip of the lowest bit; letters do not.
    let offset = digits.iter().position(u8::is_ascii_digit)?;
    let position = middle.checked_add(offset)?;
    let mut flipped = answer.to_vec();
    *flipped.get_mut(position)? ^= 1;
    Some((flipped, position))
}
