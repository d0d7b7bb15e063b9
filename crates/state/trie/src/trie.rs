//! A version of a trie: reading.

use std::sync::Arc;

use quil_kzg::{EMPTY_SLOT, Slot};

use crate::error::TrieError;
use crate::key::{Key, Nibbles, SetId};
use crate::node::{Branch, BranchChild, Child, Leaf, Totals};
use crate::source::{NoNodes, NodeKey, NodeSource, RootRecord};

/// One immutable version of one set. Cloning is cheap; versions share all nodes that did not change.
#[derive(Clone)]
pub struct Trie {
    pub(crate) set: SetId,
    pub(crate) root: Option<Child>,
    pub(crate) source: Arc<dyn NodeSource>,
}

impl Trie {
    /// The empty trie, in memory only.
    #[must_use]
    pub fn empty(set: SetId) -> Self {
        Self {
            set,
            root: None,
            source: Arc::new(NoNodes),
        }
    }

    /// The version whose root the store kept; nodes are loaded on first use.
    ///
    /// # Errors
    /// [`TrieError::Root`].
    pub fn open(
        set: SetId,
        record: RootRecord,
        source: Arc<dyn NodeSource>,
    ) -> Result<Self, TrieError> {
        Ok(Self {
            set,
            root: record.into_child(&set).map_err(TrieError::Root)?,
            source,
        })
    }

    /// The same version over another store, for tries that began in memory.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn NodeSource>) -> Self {
        self.source = source;
        self
    }

    /// The set that all slots bind.
    #[must_use]
    pub const fn set(&self) -> &SetId {
        &self.set
    }

    /// The root: the slot of the top node, zero when empty (K1).
    #[must_use]
    pub fn root(&self) -> Slot {
        self.root.as_ref().map_or(EMPTY_SLOT, Child::slot)
    }

    /// The root as the store keeps it.
    #[must_use]
    pub fn root_record(&self) -> RootRecord {
        RootRecord::of(self.root.as_ref())
    }

    /// Number of leaves and sum of their sizes.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.root
            .as_ref()
            .map_or_else(Totals::default, Child::totals)
    }

    /// Whether there are no leaves.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The leaf of a key. Cost: one node per level.
    ///
    /// # Errors
    /// [`TrieError`] when a node cannot be loaded.
    pub fn get(&self, key: &Key) -> Result<Option<Leaf>, TrieError> {
        self.root
            .as_ref()
            .map_or(Ok(None), |root| self.find(root, 0, key))
    }

    fn find(&self, child: &Child, depth: usize, key: &Key) -> Result<Option<Leaf>, TrieError> {
        let child = match child {
            Child::Leaf(leaf) => return Ok((leaf.leaf.key == *key).then(|| leaf.leaf.clone())),
            Child::Branch(child) => child,
        };
        let branch = self.load(child, &key.nibbles(0, depth))?;
        match branch.step(key, depth) {
            Some((index, next)) => branch
                .child(index)
                .map_or(Ok(None), |child| self.find(child, next, key)),
            None => Ok(None),
        }
    }

    /// Leaves with `from <= key < to`, ascending, at most `limit`. `to = None` means to the end.
    ///
    /// # Errors
    /// [`TrieError`] when a node cannot be loaded.
    pub fn range(
        &self,
        from: &Key,
        to: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Leaf>, TrieError> {
        let mut out = Vec::new();
        if let Some(root) = &self.root {
            self.collect(root, Nibbles::EMPTY, &Range { from, to, limit }, &mut out)?;
        }
        Ok(out)
    }

    fn collect(
        &self,
        child: &Child,
        path: Nibbles,
        range: &Range<'_>,
        out: &mut Vec<Leaf>,
    ) -> Result<(), TrieError> {
        if out.len() >= range.limit {
            return Ok(());
        }
        match child {
            Child::Leaf(leaf) => {
                if range.has(&leaf.leaf.key) {
                    out.push(leaf.leaf.clone());
                }
            }
            Child::Branch(child) => {
                let branch = self.load(child, &path)?;
                let full = path.join(&branch.prefix);
                for (index, child) in &branch.children {
                    let path = full.with(*index);
                    if range.touches(&path) {
                        self.collect(child, path, range, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The node behind a child that hangs at `path`: from memory, or from the store and checked against its slot.
    pub(crate) fn load(
        &self,
        child: &BranchChild,
        path: &Nibbles,
    ) -> Result<Arc<Branch>, TrieError> {
        if let Some(node) = child.node.get() {
            return Ok(Arc::clone(node));
        }
        let key = NodeKey {
            path: *path,
            version: child.version,
        };
        let bytes = self
            .source
            .node(&self.set, &key)?
            .ok_or(TrieError::Missing(key))?;
        let branch = Branch::decode(&bytes, &self.set, path, child.version)
            .map_err(|e| TrieError::Corrupt(key, e))?;
        if branch.slot(&self.set) != child.slot {
            return Err(TrieError::SlotMismatch(key));
        }
        Ok(Arc::clone(child.node.get_or_init(|| Arc::new(branch))))
    }

    /// The same version with only the top `levels` levels of branches in memory; the rest will be loaded from the
    /// store again. Call it only for versions whose batches are durable.
    #[must_use]
    pub fn unload(&self, levels: usize) -> Self {
        self.unload_stored(levels, u64::MAX)
    }

    /// As [`Self::unload`] for a version that may not be durable yet: branches newer than version `durable` stay in
    /// memory, and so do the values of their leaves.
    #[must_use]
    pub fn unload_stored(&self, levels: usize, durable: u64) -> Self {
        Self {
            root: self.root.as_ref().map(|c| unload(c, levels, durable)),
            ..self.clone()
        }
    }

    /// Branches in memory, for metrics.
    #[must_use]
    pub fn loaded_nodes(&self) -> usize {
        self.root.as_ref().map_or(0, loaded)
    }
}

struct Range<'a> {
    from: &'a Key,
    to: Option<&'a Key>,
    limit: usize,
}

impl Range<'_> {
    fn has(&self, key: &Key) -> bool {
        key >= self.from && self.to.is_none_or(|to| key < to)
    }

    /// Whether a key that begins with `path` may be inside.
    fn touches(&self, path: &Nibbles) -> bool {
        let head = |k: &Key| k.nibbles(0, path.len());
        *path >= head(self.from) && self.to.is_none_or(|to| *path <= head(to))
    }
}

fn unload(child: &Child, levels: usize, durable: u64) -> Child {
    let Child::Branch(b) = child else {
        return child.clone();
    };
    let stored = b.version <= durable;
    let mut out = BranchChild {
        node: std::sync::OnceLock::new(),
        ..b.clone()
    };
    if let Some(node) = b.node.get().filter(|_| levels > 0 || !stored) {
        let children = node.children.iter().map(|(i, c)| {
            let kept = match c {
                Child::Leaf(leaf) if stored => Child::Leaf(leaf.without_payload()),
                other => unload(other, levels.saturating_sub(1), durable),
            };
            (*i, kept)
        });
        let node = Branch {
            prefix: node.prefix,
            version: node.version,
            commitment: node.commitment,
            point: node.point.clone(),
            children: children.collect(),
        };
        out.node = Arc::new(node).into();
    }
    Child::Branch(out)
}

fn loaded(child: &Child) -> usize {
    match child {
        Child::Leaf(_) => 0,
        Child::Branch(b) => b.node.get().map_or(0, |n| {
            n.children
                .iter()
                .fold(1, |sum: usize, (_, c)| sum.saturating_add(loaded(c)))
        }),
    }
}

impl core::fmt::Debug for Trie {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Trie")
            .field("set", &self.set)
            .field("totals", &self.totals())
            .finish_non_exhaustive()
    }
}
