//! Changes: first the shape, node by node; then all commitments, level by level.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quil_kzg::Kzg;

use crate::commit::commit;
use crate::error::TrieError;
use crate::key::{Key, Nibbles};
use crate::node::{Branch, BranchChild, Child, Leaf, LeafChild};
use crate::slot::LeafValue;
use crate::source::{NodeBatch, NodeKey, RootRecord};
use crate::trie::Trie;

/// A leaf to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafWrite {
    /// What the slot binds.
    pub value: LeafValue,
    /// Value bytes to keep beside the leaf in memory.
    pub payload: Option<Arc<[u8]>>,
}

impl LeafWrite {
    /// Commits to `value` and keeps it.
    #[must_use]
    pub fn of(value: Arc<[u8]>) -> Self {
        Self {
            value: LeafValue::of(&value),
            payload: Some(value),
        }
    }
}

/// Leaves to write (`Some`) and to delete (`None`).
pub type Changes = BTreeMap<Key, Option<LeafWrite>>;

/// A new version and what the store needs to keep it.
#[derive(Clone, Debug)]
pub struct Update {
    /// The new version; the old one stays as it is.
    pub trie: Trie,
    /// Changed nodes.
    pub batch: NodeBatch,
}

/// A child while its parent is open.
#[derive(Debug)]
pub(crate) enum Work {
    Leaf(LeafChild),
    Clean(BranchChild),
    Open(Box<OpenBranch>),
    /// Taken out while its commitment is computed.
    Taken,
}

/// A branch whose commitment is out of date.
#[derive(Debug)]
pub(crate) struct OpenBranch {
    pub(crate) prefix: Nibbles,
    /// Ascending by index.
    pub(crate) children: Vec<(u8, Work)>,
    /// The committed branch it came from: only the difference to it is computed.
    pub(crate) base: Option<Arc<Branch>>,
}

impl From<Child> for Work {
    fn from(child: Child) -> Self {
        match child {
            Child::Leaf(leaf) => Self::Leaf(leaf),
            Child::Branch(branch) => Self::Clean(branch),
        }
    }
}

impl OpenBranch {
    fn of(base: Arc<Branch>) -> Self {
        let children = base
            .children
            .iter()
            .map(|(i, c)| (*i, c.clone().into()))
            .collect();
        Self {
            prefix: base.prefix,
            children,
            base: Some(base),
        }
    }

    fn pair(prefix: Nibbles, a: (u8, Work), b: (u8, Work)) -> Self {
        let children = if a.0 < b.0 { vec![a, b] } else { vec![b, a] };
        Self {
            prefix,
            children,
            base: None,
        }
    }

    fn take(&mut self, index: u8) -> Option<Work> {
        let at = self
            .children
            .binary_search_by_key(&index, |(i, _)| *i)
            .ok()?;
        Some(self.children.remove(at).1)
    }

    fn put(&mut self, index: u8, work: Work) {
        match self.children.binary_search_by_key(&index, |(i, _)| *i) {
            Ok(at) => {
                if let Some(place) = self.children.get_mut(at) {
                    place.1 = work;
                }
            }
            Err(at) => self.children.insert(at, (index, work)),
        }
    }
}

impl Trie {
    /// The version after `changes`. Writes of what is already there and deletions of what is not have no effect.
    ///
    /// Cost: per changed slot one table sum (0.1 ms), per changed branch one hash; parallel within each level.
    ///
    /// # Errors
    /// [`TrieError`] when a node cannot be loaded, or when `version` is older than the root's.
    pub fn update(&self, kzg: &Kzg, version: u64, changes: &Changes) -> Result<Update, TrieError> {
        if let Some(Child::Branch(b)) = &self.root
            && b.version > version
        {
            return Err(TrieError::Version {
                have: b.version,
                given: version,
            });
        }
        let mut editor = Editor {
            trie: self,
            opened: Vec::new(),
        };
        let mut root: Option<Work> = self.root.clone().map(Into::into);
        // Writes first: fewer branches collapse only to grow again.
        for (key, write) in changes {
            let Some(write) = write else { continue };
            if self.get(key)?.is_some_and(|l| l.value == write.value) {
                continue;
            }
            let leaf = Leaf {
                key: *key,
                value: write.value,
                payload: write.payload.clone(),
            };
            root = Some(editor.insert(root, 0, LeafChild::new(&self.set, leaf))?);
        }
        for (key, _) in changes.iter().filter(|(_, write)| write.is_none()) {
            if self.get(key)?.is_some() {
                root = editor.remove(root, 0, key)?;
            }
        }
        let opened = editor.opened;
        let (root, writes) = commit(kzg, &self.set, version, root)?;
        let written: BTreeSet<NodeKey> = writes.iter().map(|(key, _)| *key).collect();
        let obsolete = opened
            .into_iter()
            .filter(|key| !written.contains(key))
            .collect();
        let batch = NodeBatch {
            set: self.set,
            version,
            writes,
            obsolete,
            root: RootRecord::of(root.as_ref()),
        };
        Ok(Update {
            trie: Self {
                root,
                ..self.clone()
            },
            batch,
        })
    }
}

struct Editor<'a> {
    trie: &'a Trie,
    /// Branches of the old version that the new one replaces.
    opened: Vec<NodeKey>,
}

impl Editor<'_> {
    fn open(&mut self, child: &BranchChild, path: &Nibbles) -> Result<Box<OpenBranch>, TrieError> {
        let branch = self.trie.load(child, path)?;
        self.opened.push(NodeKey {
            path: *path,
            version: child.version,
        });
        Ok(Box::new(OpenBranch::of(branch)))
    }

    /// Puts `new` below `node`, which hangs at nibble `depth` of the leaf's key.
    fn insert(
        &mut self,
        node: Option<Work>,
        depth: usize,
        new: LeafChild,
    ) -> Result<Work, TrieError> {
        let key = new.leaf.key;
        let mut branch = match node {
            None | Some(Work::Taken) => return Ok(Work::Leaf(new)),
            Some(Work::Leaf(old)) => return Ok(join_leaves(old, depth, new)),
            Some(Work::Clean(child)) => self.open(&child, &key.nibbles(0, depth))?,
            Some(Work::Open(branch)) => branch,
        };
        let same = branch.prefix.matching(&key, depth);
        if same < branch.prefix.len() {
            return Ok(Work::Open(Box::new(split(branch, same, depth, new))));
        }
        let at = depth.saturating_add(same);
        // A prefix never reaches the last nibble of a key, so there is a next one.
        let Some(index) = key.nibble(at) else {
            return Ok(Work::Open(branch));
        };
        let child = branch.take(index);
        let child = self.insert(child, at.saturating_add(1), new)?;
        branch.put(index, child);
        Ok(Work::Open(branch))
    }

    /// Removes a key that is known to be below `node`.
    fn remove(
        &mut self,
        node: Option<Work>,
        depth: usize,
        key: &Key,
    ) -> Result<Option<Work>, TrieError> {
        let mut branch = match node {
            None | Some(Work::Taken) => return Ok(None),
            Some(Work::Leaf(leaf)) => {
                return Ok((leaf.leaf.key != *key).then_some(Work::Leaf(leaf)));
            }
            Some(Work::Clean(child)) => self.open(&child, &key.nibbles(0, depth))?,
            Some(Work::Open(branch)) => branch,
        };
        let at = depth.saturating_add(branch.prefix.len());
        let Some(index) = key.nibble(at) else {
            return Ok(Some(Work::Open(branch)));
        };
        let child = branch.take(index);
        if let Some(rest) = self.remove(child, at.saturating_add(1), key)? {
            branch.put(index, rest);
        }
        if branch.children.len() > 1 {
            return Ok(Some(Work::Open(branch)));
        }
        self.collapse(*branch, &key.nibbles(0, depth)).map(Some)
    }

    /// A branch at `path` with one child left becomes that child, with a longer prefix.
    fn collapse(&mut self, mut branch: OpenBranch, path: &Nibbles) -> Result<Work, TrieError> {
        let Some((index, only)) = branch.children.pop() else {
            return Ok(Work::Taken);
        };
        let full = branch.prefix.with(index);
        let mut child = match only {
            Work::Leaf(_) | Work::Taken => return Ok(only),
            Work::Clean(child) => self.open(&child, &path.join(&full))?,
            Work::Open(child) => child,
        };
        child.prefix = full.join(&child.prefix);
        Ok(Work::Open(child))
    }
}

fn join_leaves(old: LeafChild, depth: usize, new: LeafChild) -> Work {
    let key = new.leaf.key;
    let Some(at) = key.first_difference(&old.leaf.key, depth) else {
        return Work::Leaf(new);
    };
    let index = |k: &Key| k.nibble(at).unwrap_or(0);
    let (a, b) = (index(&old.leaf.key), index(&key));
    Work::Open(Box::new(OpenBranch::pair(
        key.nibbles(depth, at),
        (a, Work::Leaf(old)),
        (b, Work::Leaf(new)),
    )))
}

/// A new branch over `branch`, which keeps the tail of its prefix, and the new leaf.
fn split(mut branch: Box<OpenBranch>, same: usize, depth: usize, new: LeafChild) -> OpenBranch {
    let head = branch.prefix.head(same);
    let theirs = branch.prefix.as_slice().get(same).copied().unwrap_or(0);
    let ours = new.leaf.key.nibble(depth.saturating_add(same)).unwrap_or(0);
    branch.prefix = branch.prefix.tail(same.saturating_add(1));
    OpenBranch::pair(head, (theirs, Work::Open(branch)), (ours, Work::Leaf(new)))
}
