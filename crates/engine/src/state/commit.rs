//! What the store writes for one version of a state, and what it deletes (K6).
//!
//! Nodes and values are never overwritten: a version writes its own, and names those of its parent that it does not
//! use any more. They are deleted when the last kept state that reads them leaves the window, in the batch of the
//! frame that pushes it out.

use quil_hypergraph::{ContentWrite, Phase, ShardTable};
use quil_trie::{Key, NodeBatch, SourceError, content_hash};
use quil_types::{Bounded, Bytes, Canonical, FrameNumber, ShardAddr, ShardRow, canonical};

use super::{ChainState, ROWS, StateError, StoredRoots, stored_node_key, stored_record_key};
use crate::io::Write;
use crate::keys;
use crate::ledger::HISTORY_MAX;
use crate::tables::Table;

/// Keys in one row of the list of obsolete keys.
const CHUNK: usize = 2048;
/// Longest stored key: phase, record key, content hash.
const KEY_BYTES: usize = 128;
/// Largest encoded [`ObsoleteKeys`].
const CHUNK_BYTES_MAX: usize = CHUNK * (KEY_BYTES + 4) + 16;

canonical! {
    /// A stored key that newer versions do not read.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) enum ObsoleteKey {
        Node(Bytes<KEY_BYTES>) = 0,
        /// Phase, key, content hash.
        Record(u8, [u8; 64], [u8; 32]) = 1,
    }
}

canonical! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct ObsoleteKeys {
        keys: Bounded<ObsoleteKey, CHUNK>,
    }
}

/// What the store must write to hold a new version.
#[derive(Debug)]
pub struct Commit {
    pub(super) number: FrameNumber,
    pub(super) nodes: Vec<NodeBatch>,
    pub(super) contents: Vec<ContentWrite>,
    pub(super) roots: StoredRoots,
    /// Deletions of what left the window with this version.
    pub(super) expired: Vec<Write>,
}

const fn put(table: Table, key: Vec<u8>, value: Vec<u8>) -> Write {
    Write {
        table,
        key,
        value: Some(value),
    }
}

const fn delete(table: Table, key: Vec<u8>) -> Write {
    Write {
        table,
        key,
        value: None,
    }
}

impl Commit {
    /// The changes of the store.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let mut writes = self.expired;
        let obsolete = obsolete_keys(&self.nodes, &self.contents);
        for (chunk, keys) in (0u32..).zip(obsolete.chunks(CHUNK)) {
            let keys = Bounded::try_from(keys.to_vec()).unwrap_or_default();
            let value = ObsoleteKeys { keys }.encode();
            writes.push(put(Table::Obsolete, keys::chunk(self.number, chunk), value));
        }
        for content in self.contents {
            if let Some((hash, bytes)) = content.value {
                let key = stored_record_key(content.set.phase, &content.key.0, &hash);
                writes.push(put(Table::Records, key, bytes.to_vec()));
            }
        }
        for batch in &self.nodes {
            for (key, branch) in &batch.writes {
                let key = stored_node_key(&batch.set, key);
                writes.push(put(Table::Nodes, key, branch.encode()));
            }
        }
        let roots = self.roots.encode();
        writes.push(put(Table::Roots, keys::number(self.number), roots));
        writes
    }
}

/// Stored keys that the version before reads and this one does not.
fn obsolete_keys(nodes: &[NodeBatch], contents: &[ContentWrite]) -> Vec<ObsoleteKey> {
    let mut out = Vec::new();
    for batch in nodes {
        for key in &batch.obsolete {
            let key = stored_node_key(&batch.set, key);
            // A node key is at most 97 bytes.
            out.extend(Bytes::from_slice(&key).ok().map(ObsoleteKey::Node));
        }
    }
    for content in contents {
        let now = content.value.as_ref().map(|(hash, _)| *hash);
        if let Some(before) = content.replaces.filter(|before| Some(*before) != now) {
            out.push(ObsoleteKey::Record(
                content.set.phase,
                content.key.0,
                before,
            ));
        }
    }
    out
}

/// Rows as value changes.
pub(super) fn row_contents(
    table: &ShardTable,
    rows: &[(ShardAddr, ShardRow)],
) -> Result<Vec<ContentWrite>, StateError> {
    let set = *table.trie().set();
    let each = rows.iter().map(|(shard, row)| {
        let key = Key(quil_execution::global::row_key(*shard));
        let bytes: std::sync::Arc<[u8]> = row.encode().into();
        Ok(ContentWrite {
            set,
            key,
            replaces: table.trie().get(&key)?.map(|leaf| leaf.value.content),
            value: Some((content_hash(&bytes), bytes)),
        })
    });
    each.collect()
}

impl ChainState {
    /// What leaves the store when the version `number` enters it: what only states before the oldest of the last
    /// [`HISTORY_MAX`] read.
    pub(super) fn expired(&self, number: FrameNumber) -> Result<Vec<Write>, StateError> {
        let kept = u64::try_from(HISTORY_MAX).unwrap_or(u64::MAX);
        let (Some(stored), Some(gone)) = (&self.stored, number.get().checked_sub(kept)) else {
            return Ok(Vec::new());
        };
        let mut writes = vec![delete(Table::Roots, keys::number(FrameNumber::new(gone)))];
        // The oldest kept state is that of the next frame; what it replaced is read by nobody.
        let oldest = FrameNumber::new(gone).next();
        for chunk in 0u32.. {
            let row = keys::chunk(oldest, chunk);
            let Some(bytes) = stored.get(Table::Obsolete, &row).map_err(read)? else {
                break;
            };
            let list = ObsoleteKeys::decode(&bytes, CHUNK_BYTES_MAX);
            let list = list.map_err(|_| StateError::Corrupt(Table::Obsolete.name()))?;
            for key in list.keys {
                writes.extend(self.deletion(key)?);
            }
            writes.push(delete(Table::Obsolete, row));
        }
        Ok(writes)
    }

    fn deletion(&self, key: ObsoleteKey) -> Result<Option<Write>, StateError> {
        let (phase, record, content) = match key {
            ObsoleteKey::Node(key) => return Ok(Some(delete(Table::Nodes, key.into_vec()))),
            ObsoleteKey::Record(phase, record, content) => (phase, record, content),
        };
        // The same value may have come back since.
        let trie = match Phase::ALL.get(usize::from(phase)).copied() {
            Some(phase) => self.graph.trie(phase),
            None if phase == ROWS => self.table.trie(),
            None => return Ok(None),
        };
        let live = trie.get(&Key(record))?;
        let live = live.is_some_and(|leaf| leaf.value.content == content);
        let key = stored_record_key(phase, &record, &content);
        Ok((!live).then(|| delete(Table::Records, key)))
    }
}

fn read(e: SourceError) -> StateError {
    StateError::Source(e.to_string())
}
