//! The global table of shards: one trie, one row per shard (S1, K1).

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use quil_kzg::Kzg;
use quil_trie::{
    Changes, Key, LeafWrite, NodeSource, Proof, RootRecord, SetId, Slot, Trie, TrieError, Update,
    content_hash, prove_many,
};
use quil_types::{Canonical, SHARD_ROW_BYTES_MAX, ShardAddr, ShardRow};

use crate::address::AtomId;
use crate::error::StateError;
use crate::shard::ContentSource;
use crate::{Phase, ShardState};

/// What a row of the table is.
pub trait Row: Canonical {
    /// Largest encoding, bytes.
    const BYTES_MAX: usize;
}

impl Row for ShardRow {
    const BYTES_MAX: usize = SHARD_ROW_BYTES_MAX;
}

/// Key of a shard's row: `addr || 0 x 32` (K1).
#[must_use]
pub fn row_key(shard: &ShardAddr) -> Key {
    Key::join(&shard.0, &[0; 32])
}

/// One version of the table.
pub struct ShardTable<R: Row = ShardRow> {
    trie: Trie,
    contents: Arc<dyn ContentSource>,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> Clone for ShardTable<R> {
    fn clone(&self) -> Self {
        Self {
            trie: self.trie.clone(),
            contents: Arc::clone(&self.contents),
            row: PhantomData,
        }
    }
}

impl<R: Row> ShardTable<R> {
    /// The empty table, in memory only.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            trie: Trie::empty(SetId::SHARDS),
            contents: Arc::new(crate::NoContents),
            row: PhantomData,
        }
    }

    /// A stored version.
    ///
    /// # Errors
    /// [`StateError::Trie`] when the record is damaged.
    pub fn open(
        record: RootRecord,
        nodes: Arc<dyn NodeSource>,
        contents: Arc<dyn ContentSource>,
    ) -> Result<Self, StateError> {
        Ok(Self {
            trie: Trie::open(SetId::SHARDS, record, nodes)?,
            contents,
            row: PhantomData,
        })
    }

    /// The same version over stores, for a table that began in memory and is stored from now on.
    #[must_use]
    pub fn with_sources(
        self,
        nodes: Arc<dyn NodeSource>,
        contents: Arc<dyn ContentSource>,
    ) -> Self {
        Self {
            trie: self.trie.with_source(nodes),
            contents,
            row: PhantomData,
        }
    }

    /// See [`ShardState::unload_stored`].
    #[must_use]
    pub fn unload_stored(&self, levels: usize, durable: u64) -> Self {
        Self {
            trie: self.trie.unload_stored(levels, durable),
            ..self.clone()
        }
    }

    /// The header's `shards_root`.
    #[must_use]
    pub fn root(&self) -> Slot {
        self.trie.root()
    }

    /// The trie.
    #[must_use]
    pub const fn trie(&self) -> &Trie {
        &self.trie
    }

    /// A shard's row.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn get(&self, shard: &ShardAddr) -> Result<Option<R>, StateError> {
        let key = row_key(shard);
        let Some(leaf) = self.trie.get(&key)? else {
            return Ok(None);
        };
        let bytes = match leaf.payload {
            Some(bytes) => bytes,
            None => {
                let stored = self
                    .contents
                    .content(&SetId::SHARDS, &key, &leaf.value.content);
                let missing = StateError::ContentMissing(Phase::VertexAdds, AtomId::of_key(&key));
                stored.map_err(StateError::Source)?.ok_or(missing)?
            }
        };
        if content_hash(&bytes) != leaf.value.content {
            return Err(StateError::ContentMismatch(
                Phase::VertexAdds,
                AtomId::of_key(&key),
            ));
        }
        R::decode(&bytes, R::BYTES_MAX)
            .map(Some)
            .map_err(StateError::Entry)
    }

    /// The version after the updates of one global frame.
    ///
    /// # Errors
    /// [`TrieError`].
    pub fn update(
        &self,
        kzg: &Kzg,
        version: u64,
        rows: &BTreeMap<ShardAddr, R>,
    ) -> Result<(Self, Update), TrieError> {
        let changes: Changes = rows
            .iter()
            .map(|(shard, row)| (row_key(shard), Some(LeafWrite::of(row.encode().into()))))
            .collect();
        let update = self.trie.update(kzg, version, &changes)?;
        Ok((
            Self {
                trie: update.trie.clone(),
                ..self.clone()
            },
            update,
        ))
    }

    /// Proof of a shard's row alone.
    ///
    /// # Errors
    /// [`TrieError`].
    pub fn prove(&self, kzg: &Kzg, shard: &ShardAddr) -> Result<Proof, TrieError> {
        Ok(self.trie.prove(kzg, &row_key(shard))?.1)
    }

    /// Proof of a shard's row and of records in the state that the row names, in one opening (S4).
    ///
    /// `state` must be the state whose roots the row holds, otherwise the proof does not verify.
    ///
    /// # Errors
    /// [`TrieError`].
    pub fn prove_settled(
        &self,
        kzg: &Kzg,
        state: &ShardState,
        records: &[(Phase, AtomId)],
    ) -> Result<Proof, TrieError> {
        let mut queries = vec![(&self.trie, row_key(&state.shard()))];
        queries.extend(
            records
                .iter()
                .map(|(phase, atom)| (state.trie(*phase), atom.key())),
        );
        Ok(prove_many(kzg, &queries)?.1)
    }
}

impl<R: Row> core::fmt::Debug for ShardTable<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ShardTable")
            .field("trie", &self.trie)
            .finish_non_exhaustive()
    }
}
