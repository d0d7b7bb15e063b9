//! The committed state of a chain: tries over the store (K1, K3, K6).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_execution::state::{Entry, RecordKey, StateFault, StateView, WriteSet};
use quil_trie::{
    Changes, Key, LeafWrite, NodeBatch, NodeSource, RootRecord, SetId, Trie, TrieError,
};
use quil_types::{Bytes, Canonical, Chain, FrameNumber, ShardAddr, ShardRow, canonical};

use crate::io::Write;
use crate::keys;
use crate::network::Network;
use crate::snapshot::{Effects, Roots};
use crate::tables::Table;

/// Largest stored entry, bytes.
const ENTRY_BYTES_MAX: usize = quil_execution::state::RECORD_BYTES_MAX + 16;

canonical! {
    /// A record at rest: what the leaf's content hash covers (K3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct StoredEntry {
        version: u64,
        content: Bytes<{ quil_execution::state::RECORD_BYTES_MAX }>,
    }
}

canonical! {
    /// Root records of the tries, as stored.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct StoredRoots {
        /// Four phase sets, then the shard table.
        pub sets: [RootRecord; 5],
    }
}

/// The local state cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A state without a committed ancestor.
    #[error("no committed state below")]
    NoBase,
    /// A trie node is missing or damaged.
    #[error("trie: {0}")]
    Trie(String),
    /// A record cannot be read.
    #[error(transparent)]
    Fault(#[from] StateFault),
}

impl From<TrieError> for StateError {
    fn from(e: TrieError) -> Self {
        Self::Trie(e.to_string())
    }
}

/// Reads stored trie nodes and records of the last final state.
pub trait StateSource: NodeSource {
    /// The stored bytes of a record; `None` when there is none or the store fails.
    fn record(&self, phase: u8, key: &[u8; 64]) -> Option<Vec<u8>>;
}

/// One version of a chain's state. Cheap to clone; versions share what did not change.
#[derive(Clone)]
pub struct ChainState {
    sets: [Trie; 4],
    shards: Trie,
    source: Option<Arc<dyn StateSource>>,
}

impl core::fmt::Debug for ChainState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChainState").finish_non_exhaustive()
    }
}

/// What the store must write to hold a new version.
#[derive(Debug)]
pub struct Commit {
    batches: Vec<NodeBatch>,
    records: Vec<Write>,
    roots: StoredRoots,
}

/// Address that a chain's sets bind: the shard's, or zero for the global chain.
const fn address(chain: Chain) -> ShardAddr {
    match chain {
        Chain::Global => ShardAddr::ZERO,
        Chain::Shard(addr) => addr,
    }
}

const fn set(chain: Chain, phase: u8) -> SetId {
    SetId {
        addr: address(chain),
        phase,
    }
}

fn record_key(phase: u8, key: &[u8; 64]) -> Vec<u8> {
    let mut out = vec![phase];
    out.extend_from_slice(key);
    out
}

fn node_key(phase: u8, key: &[u8]) -> Vec<u8> {
    let mut out = vec![phase];
    out.extend_from_slice(key);
    out
}

impl ChainState {
    /// The empty state.
    #[must_use]
    pub fn empty(chain: Chain) -> Self {
        Self {
            sets: [0, 1, 2, 3].map(|p| Trie::empty(set(chain, p))),
            shards: Trie::empty(SetId::SHARDS),
            source: None,
        }
    }

    /// The stored state.
    ///
    /// # Errors
    /// [`StateError::Trie`] when a root record is damaged.
    pub fn open(
        chain: Chain,
        roots: StoredRoots,
        source: Arc<dyn StateSource>,
    ) -> Result<Self, StateError> {
        let [a, b, c, d, shards] = roots.sets;
        let nodes = || -> Arc<dyn NodeSource> { Arc::new(Nodes(Arc::clone(&source))) };
        let phase = |p: u8, record| Trie::open(set(chain, p), record, nodes());
        Ok(Self {
            sets: [phase(0, a)?, phase(1, b)?, phase(2, c)?, phase(3, d)?],
            shards: Trie::open(SetId::SHARDS, shards, nodes())?,
            source: Some(source),
        })
    }

    /// The roots of all sets.
    #[must_use]
    pub fn roots(&self) -> Roots {
        let [a, b, c, d] = &self.sets;
        Roots {
            state: [a.root(), b.root(), c.root(), d.root()],
            shards: self.shards.root(),
        }
    }

    /// The trie of a phase set; of the shard table for phase 4.
    #[must_use]
    pub fn trie(&self, phase: u8) -> Option<&Trie> {
        match phase {
            4 => Some(&self.shards),
            p => self.sets.get(usize::from(p)),
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
        let mut batches = Vec::new();
        let mut records = Vec::new();
        let adds = entry_changes(&effects.writes, &mut records);
        let rows = row_changes(&effects.rows, &mut records);
        let version = number.get();
        let [first, ..] = &mut next.sets;
        step(first, network, version, &adds, &mut batches)?;
        step(&mut next.shards, network, version, &rows, &mut batches)?;
        let [a, b, c, d] = &next.sets;
        let sets = [a, b, c, d, &next.shards].map(Trie::root_record);
        Ok((
            next,
            Commit {
                batches,
                records,
                roots: StoredRoots { sets },
            },
        ))
    }

    fn value(&self, trie: &Trie, phase: u8, key: &[u8; 64]) -> Result<Option<Vec<u8>>, StateFault> {
        let leaf = trie.get(&Key(*key)).map_err(|_| StateFault::Unavailable)?;
        let Some(leaf) = leaf else { return Ok(None) };
        if let Some(payload) = &leaf.payload {
            return Ok(Some(payload.to_vec()));
        }
        let stored = self.source.as_ref().and_then(|s| s.record(phase, key));
        let fits = |bytes: &Vec<u8>| quil_trie::LeafValue::of(bytes) == leaf.value;
        // Another value there means that a later frame wrote it: this version is too old to be read.
        stored.filter(fits).map(Some).ok_or(StateFault::Unavailable)
    }
}

/// Stored nodes through the state's source.
struct Nodes(Arc<dyn StateSource>);

impl NodeSource for Nodes {
    fn node(
        &self,
        set: &SetId,
        key: &quil_trie::NodeKey,
    ) -> Result<Option<Vec<u8>>, quil_trie::SourceError> {
        self.0.node(set, key)
    }
}

fn step(
    trie: &mut Trie,
    network: &Network,
    version: u64,
    changes: &Changes,
    batches: &mut Vec<NodeBatch>,
) -> Result<(), StateError> {
    if changes.is_empty() {
        return Ok(());
    }
    let update = trie.update(network.kzg(), version, changes)?;
    *trie = update.trie;
    batches.push(update.batch);
    Ok(())
}

fn entry_changes(writes: &WriteSet, records: &mut Vec<Write>) -> Changes {
    let mut changes = BTreeMap::new();
    for write in writes {
        let key = write.key.to_bytes();
        let content = Bytes::from_slice(&write.entry.content).unwrap_or_default();
        let bytes = StoredEntry {
            version: write.entry.version,
            content,
        }
        .encode();
        put(&mut changes, records, 0, key, bytes);
    }
    changes
}

fn row_changes(rows: &[(ShardAddr, ShardRow)], records: &mut Vec<Write>) -> Changes {
    let mut changes = BTreeMap::new();
    for (shard, row) in rows {
        put(
            &mut changes,
            records,
            4,
            quil_execution::global::row_key(*shard),
            row.encode(),
        );
    }
    changes
}

fn put(changes: &mut Changes, records: &mut Vec<Write>, phase: u8, key: [u8; 64], bytes: Vec<u8>) {
    let value: Arc<[u8]> = bytes.clone().into();
    changes.insert(Key(key), Some(LeafWrite::of(value)));
    records.push(Write {
        table: Table::Records,
        key: record_key(phase, &key),
        value: Some(bytes),
    });
}

impl StateView for ChainState {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        let [adds, ..] = &self.sets;
        let Some(bytes) = self.value(adds, 0, &key.to_bytes())? else {
            return Ok(None);
        };
        let stored =
            StoredEntry::decode(&bytes, ENTRY_BYTES_MAX).map_err(|_| StateFault::Corrupt(*key))?;
        Ok(Some(Entry {
            version: stored.version,
            content: stored.content.into_vec(),
        }))
    }
}

impl Commit {
    /// Trie nodes that only older versions need.
    #[must_use]
    pub fn obsolete(&self) -> Vec<Vec<u8>> {
        let of = |b: &NodeBatch| {
            b.obsolete
                .iter()
                .map(|k| node_key(b.set.phase, &k.to_bytes()))
                .collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(of).collect()
    }

    /// The changes of the store, without removals.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let mut writes = self.records;
        for batch in &self.batches {
            for (key, branch) in &batch.writes {
                let key = node_key(batch.set.phase, &key.to_bytes());
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
pub fn stored_node_key(set: &SetId, key: &quil_trie::NodeKey) -> Vec<u8> {
    node_key(set.phase, &key.to_bytes())
}

/// Where a record is stored.
#[must_use]
pub fn stored_record_key(phase: u8, key: &[u8; 64]) -> Vec<u8> {
    record_key(phase, key)
}

/// Largest encoded [`StoredRoots`], bytes.
pub const STORED_ROOTS_BYTES_MAX: usize = 1024;
