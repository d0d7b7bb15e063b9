//! Proof of one record from a final global header (S4).
//!
//! This is the part below the certificate: whoever calls has checked a finality proof with the committee of its
//! epoch, and so trusts the header's `shards_root` (C3). One multi-opening binds the shard's row to that root and the
//! record to the row's roots.

use quil_hypergraph::{
    ENTRY_BYTES_MAX, Entry, Family, Phase, ShardState, ShardTable, verify_settled,
};
use quil_kzg::{Kzg, Verifier};
use quil_trie::{Expectation, Proof, ProofError, TrieError};
use quil_types::{Bytes, Canonical, DecodeError, Root, ShardAddr, ShardRow, canonical};

use crate::state::RecordKey;

canonical! {
    /// A record with its way up to the root of the shard table.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RecordProof {
        /// The shard's row.
        pub row: ShardRow,
        /// The encoded entry; `None` claims that there is none.
        pub entry: Option<Bytes<ENTRY_BYTES_MAX>>,
        /// Paths of the row and of the record, one opening for all.
        pub proof: Proof,
    }
}

/// Largest encoded [`RecordProof`], bytes: entry, paths and row.
pub const RECORD_PROOF_BYTES_MAX: usize = ENTRY_BYTES_MAX + quil_trie::PROOF_BYTES_MAX + 1024;

/// Why a record is not proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightError {
    /// The entry is not an encoding.
    #[error("entry: {0}")]
    Entry(DecodeError),
    /// The paths or the opening do not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// What a [`RecordProof`] shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The shard's row: epoch, height and roots that the record was read from.
    pub row: ShardRow,
    /// The record; `None` when it is proven that there is none.
    pub entry: Option<Entry>,
}

/// Checks a record of a shard against the shard table of a final global header.
///
/// Cost: one multi-opening, two pairings.
///
/// # Errors
/// [`LightError`], one variant per rule.
pub fn verify_record(
    verifier: &Verifier,
    shards_root: &Root,
    shard: ShardAddr,
    key: &RecordKey,
    proof: &RecordProof,
) -> Result<Settled, LightError> {
    let atom = key.atom();
    let entry = proof.entry.as_ref().map(|bytes| Entry::from_bytes(bytes));
    let entry = entry.transpose().map_err(LightError::Entry)?;
    let (adds, removes) = (Phase::VertexAdds, Phase::VertexRemoves);
    let records = match &entry {
        Some(e) => vec![
            (adds, atom, Expectation::Present(e.leaf_value())),
            (removes, atom, Expectation::Absent),
        ],
        None => vec![(adds, atom, Expectation::Absent)],
    };
    verify_settled(
        verifier,
        shards_root,
        &shard,
        &proof.row,
        &records,
        &proof.proof,
    )?;
    Ok(Settled {
        row: proof.row.clone(),
        entry,
    })
}

/// Why a record proof cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The table has no row of this shard.
    #[error("shard is not in the table")]
    UnknownShard,
    /// The state is not the one that the row records.
    #[error("state is not the settled one")]
    OtherState,
    /// The record was removed: neither visible nor absent.
    #[error("record was removed")]
    Removed,
    /// The state cannot answer.
    #[error(transparent)]
    State(#[from] quil_hypergraph::StateError),
    /// A trie cannot answer.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

/// Makes the proof that [`verify_record`] checks; `state` is the shard's state after the frame that `table` records.
///
/// # Errors
/// [`ProveError`], one variant per rule.
pub fn prove_record(
    kzg: &Kzg,
    table: &ShardTable,
    state: &ShardState,
    key: &RecordKey,
) -> Result<RecordProof, ProveError> {
    let atom = key.atom();
    let row: ShardRow = table.get(&state.shard())?.ok_or(ProveError::UnknownShard)?;
    if row.roots != state.roots() {
        return Err(ProveError::OtherState);
    }
    if state.is_removed(Family::Vertex, &atom)? {
        return Err(ProveError::Removed);
    }
    let entry = state.entry(Family::Vertex, &atom)?;
    let mut queries = vec![(Phase::VertexAdds, atom)];
    if entry.is_some() {
        queries.push((Phase::VertexRemoves, atom));
    }
    Ok(RecordProof {
        row,
        entry: entry.map(|e| Bytes::try_from(e.encode()).unwrap_or_default()),
        proof: table.prove_settled(kzg, state, &queries)?,
    })
}
