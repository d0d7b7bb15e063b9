//! Where nodes come from and go to.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use quil_types::{Canonical, DecodeError, canonical};

use crate::key::{Nibbles, SetId};
use crate::node::{Branch, Child, KindRecord, NodeError};

/// Place and version of a stored branch: the path from the root to the slot in which it hangs, without its own
/// prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// Nibbles from the root to the slot.
    pub path: Nibbles,
    /// The version that wrote it.
    pub version: u64,
}

impl NodeKey {
    /// `u8 n || n nibbles || u64 version`, big-endian: nodes of one place are neighbours, oldest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.path.len().saturating_add(9));
        out.push(u8::try_from(self.path.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.path.as_slice());
        out.extend_from_slice(&self.version.to_be_bytes());
        out
    }

    /// Reads [`Self::to_bytes`]; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (n, rest) = bytes.split_first()?;
        let (path, version) = rest.split_at_checked(usize::from(*n))?;
        Some(Self {
            path: Nibbles::from_slice(path)?,
            version: u64::from_be_bytes(version.try_into().ok()?),
        })
    }
}

/// The store failed; not the node's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node store: {0}")]
pub struct SourceError(pub String);

/// Reads stored nodes. Synchronous: callers run on worker threads.
pub trait NodeSource: Send + Sync {
    /// The record at `key`, `None` if there is none.
    ///
    /// # Errors
    /// [`SourceError`] when the store fails.
    fn node(&self, set: &SetId, key: &NodeKey) -> Result<Option<Vec<u8>>, SourceError>;
}

/// No store: every node of the trie is in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNodes;

impl NodeSource for NoNodes {
    fn node(&self, _: &SetId, _: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }
}

/// What one update changed, for the store: durable in one batch with everything else of the frame.
#[derive(Clone, Debug)]
pub struct NodeBatch {
    /// The set.
    pub set: SetId,
    /// Version of all writes.
    pub version: u64,
    /// New nodes; encode them with [`Branch::encode`].
    pub writes: Vec<(NodeKey, Arc<Branch>)>,
    /// Nodes that older versions need and this one does not: delete them when those leave the proof window.
    pub obsolete: Vec<NodeKey>,
    /// The root after the update.
    pub root: RootRecord,
}

impl NodeBatch {
    /// Appends the batch of a later update of the same version or of a later one.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        let mut writes: BTreeMap<NodeKey, Arc<Branch>> = self.writes.into_iter().collect();
        for key in later.obsolete {
            // A node that never reached the store need not be removed from it.
            if writes.remove(&key).is_none() {
                self.obsolete.push(key);
            }
        }
        writes.extend(later.writes);
        Self {
            set: later.set,
            version: later.version,
            writes: writes.into_iter().collect(),
            obsolete: self.obsolete,
            root: later.root,
        }
    }
}

canonical! {
    /// The root of one version, as stored: enough to open the trie.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RootRecord {
        top: Option<KindRecord>,
    }
}

/// Largest encoded [`RootRecord`].
pub const ROOT_BYTES_MAX: usize = 128;

impl RootRecord {
    /// The record of an empty trie.
    pub const EMPTY: Self = Self { top: None };

    pub(crate) fn of(root: Option<&Child>) -> Self {
        Self {
            top: root.map(Child::record),
        }
    }

    pub(crate) fn into_child(self, set: &SetId) -> Result<Option<Child>, NodeError> {
        self.top
            .map(|kind| kind.into_child(set, &Nibbles::EMPTY, u64::MAX))
            .transpose()
    }

    /// The stored bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes, ROOT_BYTES_MAX)
    }
}

/// Nodes in memory, by set and key: a store for tests, tools and short-lived processes.
#[derive(Debug, Default)]
pub struct MemoryNodes {
    rows: RwLock<BTreeMap<(SetId, NodeKey), Vec<u8>>>,
}

impl MemoryNodes {
    /// Adds the writes of a batch; drops its obsolete nodes if `prune`.
    pub fn apply(&self, batch: &NodeBatch, prune: bool) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (key, node) in &batch.writes {
            rows.insert((batch.set, *key), node.encode());
        }
        if prune {
            for key in &batch.obsolete {
                rows.remove(&(batch.set, *key));
            }
        }
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes stored bytes in place: for tests that damage a store.
    pub fn edit(&self, change: impl FnOnce(&mut BTreeMap<(SetId, NodeKey), Vec<u8>>)) {
        change(&mut self.rows.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl NodeSource for MemoryNodes {
    fn node(&self, set: &SetId, key: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        let rows = self.rows.read().map_err(|e| SourceError(e.to_string()))?;
        Ok(rows.get(&(*set, *key)).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_keys_round_trip_and_sort_by_place_then_version() {
        let key = |path: &[u8], version| NodeKey {
            path: Nibbles::from_slice(path).unwrap(),
            version,
        };
        for k in [key(&[], 0), key(&[1, 63], 7), key(&[0; 86], u64::MAX)] {
            assert_eq!(NodeKey::from_bytes(&k.to_bytes()), Some(k));
        }
        assert!(key(&[1], 2).to_bytes() < key(&[1], 300).to_bytes());
        assert_eq!(NodeKey::from_bytes(&[1, 64, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(NodeKey::from_bytes(&[1, 4, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(NodeKey::from_bytes(&[]), None);
    }

    #[test]
    fn root_records_are_strict() {
        let bytes = RootRecord::EMPTY.to_bytes();
        assert_eq!(bytes, [0]);
        assert_eq!(RootRecord::from_bytes(&bytes), Ok(RootRecord::EMPTY));
        assert!(RootRecord::from_bytes(&[1]).is_err());
        assert!(RootRecord::from_bytes(&[0, 0]).is_err());
    }
}
