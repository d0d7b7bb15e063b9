//! The committed state of a chain: its part of the hypergraph, and on the global chain the table of shards (K1, K6).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_execution::state::{Entry, RecordKey, StateFault, StateView, write_to};
use quil_hypergraph::{ContentSource, ContentWrite, Phase, ShardRecord, ShardState, ShardTable};
use quil_trie::{Key, NodeBatch, NodeKey, NodeSource, RootRecord, SetId, SourceError, Trie};
use quil_types::{Canonical, Chain, FrameNumber, ShardAddr, ShardRow, canonical};

use crate::io::Write;
use crate::keys;
use crate::network::Network;
use crate::snapshot::{Effects, Roots};
use crate::tables::Table;

/// Phase number of the table of shards in keys.
const ROWS: u8 = 4;

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

/// Reads stored trie nodes and records of the last final state.
pub trait StateSource: NodeSource {
    /// The stored bytes of a record; `None` when there is none or the store fails.
    fn record(&self, phase: u8, key: &[u8; 64]) -> Option<Vec<u8>>;
}

/// A source in the two roles that the hypergraph asks for.
struct Stored(Arc<dyn StateSource>);

impl NodeSource for Stored {
    fn node(&self, set: &SetId, key: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.node(set, key)
    }
}

impl ContentSource for Stored {
    /// The store holds the values of the last final state only: a leaf of an older version whose value changed since
    /// has another content hash and is not served.
    fn content(
        &self,
        set: &SetId,
        key: &Key,
        content: &[u8; 32],
    ) -> Result<Option<Arc<[u8]>>, String> {
        let stored = self.0.record(set.phase, &key.0);
        Ok(stored
            .filter(|bytes| quil_trie::content_hash(bytes) == *content)
            .map(Into::into))
    }
}

/// One version of a chain's state. Cheap to clone; versions share what did not change.
#[derive(Clone)]
pub struct ChainState {
    graph: ShardState,
    table: ShardTable,
}

impl core::fmt::Debug for ChainState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChainState").finish_non_exhaustive()
    }
}

/// What the store must write to hold a new version.
#[derive(Debug)]
pub struct Commit {
    nodes: Vec<NodeBatch>,
    contents: Vec<ContentWrite>,
    rows: Vec<Write>,
    roots: StoredRoots,
}

/// Address that a chain's sets bind: the shard's, or zero for the global chain.
const fn address(chain: Chain) -> ShardAddr {
    match chain {
        Chain::Global => ShardAddr::ZERO,
        Chain::Shard(addr) => addr,
    }
}

impl ChainState {
    /// The empty state.
    #[must_use]
    pub fn empty(chain: Chain) -> Self {
        Self {
            graph: ShardState::empty(address(chain)),
            table: ShardTable::empty(),
        }
    }

    /// The stored state.
    ///
    /// # Errors
    /// [`StateError::Graph`] when a root record is damaged.
    pub fn open(
        chain: Chain,
        roots: StoredRoots,
        source: Arc<dyn StateSource>,
    ) -> Result<Self, StateError> {
        let nodes: Arc<dyn NodeSource> = Arc::new(Stored(Arc::clone(&source)));
        let contents: Arc<dyn ContentSource> = Arc::new(Stored(source));
        let graph = ShardState::open(address(chain), roots.sets, &nodes, Arc::clone(&contents))?;
        Ok(Self {
            graph,
            table: ShardTable::open(roots.shards, nodes, contents)?,
        })
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
            let rows: BTreeMap<ShardAddr, ShardRow> = effects.rows.iter().cloned().collect();
            let (table, update) = self.table.update(network.kzg(), number.get(), &rows)?;
            next.table = table;
            nodes.push(update.batch);
        }
        let roots = StoredRoots {
            sets: next.graph.record(),
            shards: next.table.trie().root_record(),
        };
        let commit = Commit {
            nodes,
            contents,
            rows: effects.rows.iter().map(row_write).collect(),
            roots,
        };
        Ok((next, commit))
    }
}

fn row_write((shard, row): &(ShardAddr, ShardRow)) -> Write {
    let key = stored_record_key(ROWS, &quil_execution::global::row_key(*shard));
    Write {
        table: Table::Records,
        key,
        value: Some(row.encode()),
    }
}

impl StateView for ChainState {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        self.graph.read(key)
    }
}

impl Commit {
    /// The changes of the store. Nodes that only older versions need stay: proofs against settled states read them.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let mut writes = self.rows;
        for content in self.contents {
            let key = stored_record_key(content.set.phase, &content.key.0);
            let value = content.value.map(|(_, bytes)| bytes.to_vec());
            writes.push(Write {
                table: Table::Records,
                key,
                value,
            });
        }
        for batch in &self.nodes {
            for (key, branch) in &batch.writes {
                let key = stored_node_key(&batch.set, key);
                writes.push(Write {
                    table: Table::Nodes,
                    key,
                    value: Some(branch.encode()),
                });
            }
        }
        let roots = self.roots.encode();
        writes.push(Write {
            table: Table::Meta,
            key: keys::ROOTS.to_vec(),
            value: Some(roots),
        });
        writes
    }
}

/// Where a node of a set is stored.
#[must_use]
pub fn stored_node_key(set: &SetId, key: &NodeKey) -> Vec<u8> {
    let mut out = vec![set.phase];
    out.extend_from_slice(&key.to_bytes());
    out
}

/// Where a record is stored.
#[must_use]
pub fn stored_record_key(phase: u8, key: &[u8; 64]) -> Vec<u8> {
    let mut out = vec![phase];
    out.extend_from_slice(key);
    out
}
