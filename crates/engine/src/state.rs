//! A version of a chain's state: its part of the hypergraph, and on the global chain the table of shards (K1, K6).

mod commit;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_execution::state::{Entry, RecordKey, StateFault, StateView, write_to};
use quil_hypergraph::{ContentSource, Phase, ShardRecord, ShardState, ShardTable};
use quil_trie::{NodeKey, NodeSource, RootRecord, SetId, Trie};
use quil_types::{Chain, FrameNumber, ShardAddr, ShardRow, canonical};

use crate::network::Network;
use crate::snapshot::{Effects, Roots};

pub use commit::Commit;
use stored::Stored;
pub use stored::{KEPT_LEVELS, LOADED_NODES_MAX, StateSource};

/// Phase number of the table of shards in keys.
const ROWS: u8 = 4;
/// Branches of each set that are recomputed when a process starts (K5).
pub const AUDIT_BRANCHES: usize = 64;
/// Leaves up to which a debug build recomputes a changed state in full after every frame; above it compares a sample
/// (K5).
#[cfg(debug_assertions)]
const RECOMMIT_LEAVES_MAX: u64 = 256;

canonical! {
    /// Root records of the tries, as stored.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct StoredRoots {
        /// The four phase sets.
        pub sets: ShardRecord,
        /// The table of shards.
        pub shards: RootRecord,
    }
}

/// Largest encoded [`StoredRoots`], bytes.
pub const STORED_ROOTS_BYTES_MAX: usize = 1024;

/// The local state cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A state without a committed ancestor.
    #[error("no committed state below")]
    NoBase,
    /// A node or record is missing or damaged, or the writes are of another state.
    #[error("hypergraph: {0}")]
    Graph(String),
    /// The store failed.
    #[error("store: {0}")]
    Source(String),
    /// A stored value does not decode.
    #[error("table {0}: a stored value is damaged")]
    Corrupt(&'static str),
    /// A record cannot be read.
    #[error(transparent)]
    Fault(#[from] StateFault),
}

impl From<quil_hypergraph::StateError> for StateError {
    fn from(e: quil_hypergraph::StateError) -> Self {
        Self::Graph(e.to_string())
    }
}

impl From<quil_trie::TrieError> for StateError {
    fn from(e: quil_trie::TrieError) -> Self {
        Self::Graph(e.to_string())
    }
}

/// One version of a chain's state. Cheap to clone; versions share what did not change.
#[derive(Clone)]
pub struct ChainState {
    graph: ShardState,
    table: ShardTable,
    stored: Option<Arc<Stored>>,
}

impl core::fmt::Debug for ChainState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChainState").finish_non_exhaustive()
    }
}

/// Address that a chain's sets bind: the shard's, or zero for the global chain.
const fn address(chain: Chain) -> ShardAddr {
    match chain {
        Chain::Global => ShardAddr::ZERO,
        Chain::Shard(addr) => addr,
    }
}

impl ChainState {
    /// The empty state, in memory only.
    #[must_use]
    pub fn empty(chain: Chain) -> Self {
        Self {
            graph: ShardState::empty(address(chain)),
            table: ShardTable::empty(),
            stored: None,
        }
    }

    /// The stored state of a final frame, which is on disk.
    ///
    /// # Errors
    /// [`StateError::Graph`] when a root record is damaged.
    pub fn open(
        chain: Chain,
        number: FrameNumber,
        roots: StoredRoots,
        source: Arc<dyn StateSource>,
    ) -> Result<Self, StateError> {
        let stored = Arc::new(Stored::new(source, number));
        let nodes: Arc<dyn NodeSource> = stored.clone();
        let contents: Arc<dyn ContentSource> = stored.clone();
        let graph = ShardState::open(address(chain), roots.sets, &nodes, Arc::clone(&contents))?;
        Ok(Self {
            graph,
            table: ShardTable::open(roots.shards, nodes, contents)?,
            stored: Some(stored),
        })
    }

    /// A state that was made in memory and is about to be stored: the batch of its commit must be on disk before the
    /// next version is.
    #[must_use]
    pub fn stored_in(self, number: FrameNumber, source: Arc<dyn StateSource>) -> Self {
        self.over(Arc::new(Stored::new(source, number)))
    }

    fn over(self, stored: Arc<Stored>) -> Self {
        let nodes: Arc<dyn NodeSource> = stored.clone();
        let contents: Arc<dyn ContentSource> = stored.clone();
        Self {
            graph: self.graph.with_sources(&nodes, Arc::clone(&contents)),
            table: self.table.with_sources(nodes, contents),
            stored: Some(stored),
        }
    }

    /// The roots of all sets.
    #[must_use]
    pub fn roots(&self) -> Roots {
        Roots {
            state: self.graph.roots(),
            shards: self.table.root(),
        }
    }

    /// The chain's part of the hypergraph.
    #[must_use]
    pub const fn graph(&self) -> &ShardState {
        &self.graph
    }

    /// The table of shards; empty on a shard.
    #[must_use]
    pub const fn table(&self) -> &ShardTable {
        &self.table
    }

    /// The trie of a phase set.
    #[must_use]
    pub fn trie(&self, phase: Phase) -> &Trie {
        self.graph.trie(phase)
    }

    /// Branches in memory, for metrics and tests. Walks all of them.
    #[must_use]
    pub fn loaded_nodes(&self) -> usize {
        let sets = Phase::ALL.map(|p| self.graph.trie(p).loaded_nodes());
        let rows = self.table.trie().loaded_nodes();
        sets.into_iter().fold(rows, usize::saturating_add)
    }

    /// The version `number` is on disk: what it wrote may leave memory.
    pub fn note_durable(&self, number: FrameNumber) {
        if let Some(stored) = &self.stored {
            stored.note_durable(number);
        }
    }

    /// The same version with nothing in memory: everything is read from the store again. Only for durable versions;
    /// without effect on one that has no store.
    #[must_use]
    pub fn archived(&self) -> Self {
        self.unload(0, u64::MAX)
    }

    fn unload(&self, levels: usize, durable: u64) -> Self {
        if self.stored.is_none() {
            return self.clone();
        }
        Self {
            graph: self.graph.unload_stored(levels, durable),
            table: self.table.unload_stored(levels, durable),
            stored: self.stored.clone(),
        }
    }

    /// The state after a frame. Cost: about 0.1 ms per changed slot.
    ///
    /// # Errors
    /// [`StateError`] when nodes cannot be loaded.
    pub fn apply(
        &self,
        network: &Network,
        number: FrameNumber,
        effects: &Effects,
    ) -> Result<(Self, Commit), StateError> {
        let mut next = self.clone();
        let (mut nodes, mut contents) = (Vec::new(), Vec::new());
        if !effects.writes.is_empty() {
            let mut overlay = quil_hypergraph::Snapshot::new(self.graph.clone()).overlay();
            write_to(&effects.writes, &mut overlay)?;
            let update = self
                .graph
                .apply(network.kzg(), number.get(), overlay.writes())?;
            next.graph = update.state;
            nodes.extend(update.batch.nodes);
            contents = update.batch.contents;
        }
        if !effects.rows.is_empty() {
            contents.extend(commit::row_contents(&self.table, &effects.rows)?);
            let rows: BTreeMap<ShardAddr, ShardRow> = effects.rows.iter().cloned().collect();
            let (table, update) = self.table.update(network.kzg(), number.get(), &rows)?;
            next.table = table;
            nodes.push(update.batch);
        }
        #[cfg(debug_assertions)]
        if !nodes.is_empty() {
            next.compare(network, number)?;
        }
        let commit = Commit {
            number,
            roots: StoredRoots {
                sets: next.graph.record(),
                shards: next.table.trie().root_record(),
            },
            expired: next.expired(number)?,
            nodes,
            contents,
        };
        Ok((next.trimmed(&commit), commit))
    }

    /// Frees memory when too many nodes are in it.
    fn trimmed(self, commit: &Commit) -> Self {
        let Some(stored) = &self.stored else {
            return self;
        };
        stored.note_made(
            commit
                .nodes
                .iter()
                .fold(0, |n, b| b.writes.len().saturating_add(n)),
        );
        match stored.crowded() {
            Some(durable) => self.unload(KEPT_LEVELS, durable),
            None => self,
        }
    }

    /// Compares the differences that [`Self::apply`] computed with a recomputation (K5).
    #[cfg(debug_assertions)]
    fn compare(&self, network: &Network, number: FrameNumber) -> Result<(), StateError> {
        let leaves = Phase::ALL.map(|p| self.graph.trie(p).totals().leaves);
        let rows = self.table.trie().totals().leaves;
        if leaves.into_iter().fold(rows, u64::saturating_add) <= RECOMMIT_LEAVES_MAX {
            self.recommit(network)
        } else {
            let mut seed = [0; 32];
            seed.iter_mut()
                .zip(number.get().to_le_bytes())
                .for_each(|(s, b)| *s = b);
            self.audit(network, seed, 1).map(drop)
        }
    }

    /// Recomputes up to `samples` branches of each set, drawn from `seed`, and compares (K5). Returns how many.
    ///
    /// # Errors
    /// [`StateError::Graph`] with the place that differs, or when nodes cannot be loaded.
    pub fn audit(
        &self,
        network: &Network,
        seed: [u8; 32],
        samples: usize,
    ) -> Result<usize, StateError> {
        let graph = self.graph.audit(network.kzg(), seed, samples)?;
        let rows = self.table.trie().audit(network.kzg(), seed, samples)?;
        Ok(graph.saturating_add(rows))
    }

    /// Recomputes every slot and commitment from the leaves and compares (K5). Loads the whole state: for operators
    /// who doubt their disk, and for tests.
    ///
    /// # Errors
    /// As [`Self::audit`].
    pub fn recommit(&self, network: &Network) -> Result<(), StateError> {
        self.graph.recommit(network.kzg())?;
        self.table.trie().recommit(network.kzg())?;
        Ok(())
    }
}

impl StateView for ChainState {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        self.graph.read(key)
    }
}

/// Where a node of a set is stored.
#[must_use]
pub fn stored_node_key(set: &SetId, key: &NodeKey) -> Vec<u8> {
    let mut out = vec![set.phase];
    out.extend_from_slice(&key.to_bytes());
    out
}

/// Where a value of a record is stored.
#[must_use]
pub fn stored_record_key(phase: u8, key: &[u8; 64], content: &[u8; 32]) -> Vec<u8> {
    let mut out = vec![phase];
    out.extend_from_slice(key);
    out.extend_from_slice(content);
    out
}
