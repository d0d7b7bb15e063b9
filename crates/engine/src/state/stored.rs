//! Where a state reads what is not in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use quil_hypergraph::ContentSource;
use quil_trie::{Key, NodeKey, NodeSource, SetId, SourceError};
use quil_types::FrameNumber;

use super::{stored_node_key, stored_record_key};
use crate::tables::Table;

/// Trie nodes that the versions of one state keep in memory before all but the top levels are dropped. A node with 64
/// leaves takes 14 kB, an average one a third of it: some tens of megabytes.
pub const LOADED_NODES_MAX: usize = 8 * 1024;
/// Levels that stay in memory then: the top node and its children.
pub const KEPT_LEVELS: usize = 2;

/// Final frames whose nodes stay in memory even then. A job may still work on a fork that ended as many frames ago; its
/// nodes have the numbers of final frames and are in no store.
const FORKS: u64 = 8;

/// Reads what the last durable batch left. Called from several threads.
pub trait StateSource: Send + Sync {
    /// The value of a key; `None` when there is none.
    ///
    /// # Errors
    /// [`SourceError`] when the read fails: a failed read must never look like an absent value, because the engine
    /// would execute a frame to another result.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError>;
}

/// A source shared by all versions of one state, with what they must know of each other.
pub(super) struct Stored {
    source: Arc<dyn StateSource>,
    /// Version whose batch is on disk.
    durable: AtomicU64,
    /// Nodes loaded or made since memory was last freed: an upper bound.
    loaded: AtomicUsize,
    limit: usize,
}

impl Stored {
    pub(super) fn new(source: Arc<dyn StateSource>, durable: FrameNumber) -> Self {
        Self {
            source,
            durable: AtomicU64::new(durable.get()),
            loaded: AtomicUsize::new(0),
            limit: LOADED_NODES_MAX,
        }
    }

    #[cfg(test)]
    pub(super) const fn limited(mut self, nodes: usize) -> Self {
        self.limit = nodes;
        self
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        self.source.get(table, key)
    }

    pub(super) fn note_durable(&self, number: FrameNumber) {
        self.durable.fetch_max(number.get(), Ordering::Relaxed);
    }

    pub(super) fn note_made(&self, nodes: usize) {
        self.loaded.fetch_add(nodes, Ordering::Relaxed);
    }

    /// The version up to which nodes may leave memory now, when there are too many.
    pub(super) fn crowded(&self) -> Option<u64> {
        let crowded = self.loaded.load(Ordering::Relaxed) > self.limit;
        crowded.then(|| {
            self.loaded.store(0, Ordering::Relaxed);
            self.durable.load(Ordering::Relaxed).saturating_sub(FORKS)
        })
    }
}

impl NodeSource for Stored {
    fn node(&self, set: &SetId, key: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        self.note_made(1);
        self.get(Table::Nodes, &stored_node_key(set, key))
    }
}

impl ContentSource for Stored {
    fn content(
        &self,
        set: &SetId,
        key: &Key,
        content: &[u8; 32],
    ) -> Result<Option<Arc<[u8]>>, String> {
        let key = stored_record_key(set.phase, &key.0, content);
        let stored = self.get(Table::Records, &key);
        stored
            .map(|bytes| bytes.map(Into::into))
            .map_err(|e| e.to_string())
    }
}
