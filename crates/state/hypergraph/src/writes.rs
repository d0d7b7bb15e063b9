//! Write sets: what a frame changes, derived from the writes themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_trie::LeafValue;
use quil_types::{Canonical as _, ShardAddr};

use crate::address::{AtomId, Phase};
use crate::entry::Entry;

/// A leaf of one of the four sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The set.
    pub phase: Phase,
    /// The atom.
    pub atom: AtomId,
}

/// A value with what its leaf commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Size and content hash.
    pub leaf: LeafValue,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl Value {
    /// The value of an adds set.
    #[must_use]
    pub fn entry(entry: &Entry) -> Self {
        let bytes: Arc<[u8]> = entry.encode().into();
        let own = LeafValue::of(&bytes);
        Self {
            leaf: LeafValue {
                size: own.size.saturating_add(entry.external),
                ..own
            },
            bytes,
        }
    }

    /// The value of a removes set: empty, so that all removals of an atom are equal.
    #[must_use]
    pub fn tombstone() -> Self {
        let bytes: Arc<[u8]> = Arc::from([].as_slice());
        Self {
            leaf: LeafValue::of(&bytes),
            bytes,
        }
    }
}

/// One change of a [`WriteSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Content hash of the leaf before; `None` if there was none.
    pub replaces: Option<[u8; 32]>,
    /// The leaf after; `None` deletes it.
    pub value: Option<Value>,
}

/// Changes of one shard in one frame, each place once, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteSet {
    shard: ShardAddr,
    writes: BTreeMap<Place, Write>,
}

impl WriteSet {
    /// No changes.
    #[must_use]
    pub const fn empty(shard: ShardAddr) -> Self {
        Self {
            shard,
            writes: BTreeMap::new(),
        }
    }

    pub(crate) fn set(&mut self, place: Place, write: Write) {
        // A place that ends as it began is not a change.
        if write.replaces == write.value.as_ref().map(|v| v.leaf.content) {
            self.writes.remove(&place);
        } else {
            self.writes.insert(place, write);
        }
    }

    pub(crate) fn restore(&mut self, place: Place, write: Option<Write>) {
        match write {
            Some(write) => self.writes.insert(place, write),
            None => self.writes.remove(&place),
        };
    }

    /// The shard.
    #[must_use]
    pub const fn shard(&self) -> ShardAddr {
        self.shard
    }

    /// The change of a place.
    #[must_use]
    pub fn get(&self, place: &Place) -> Option<&Write> {
        self.writes.get(place)
    }

    /// Number of changed places.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Whether the sets have no place in common: then their order does not matter.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.shard != other.shard || self.writes.keys().all(|p| !other.writes.contains_key(p))
    }
}

impl<'a> IntoIterator for &'a WriteSet {
    type Item = (&'a Place, &'a Write);
    type IntoIter = std::collections::btree_map::Iter<'a, Place, Write>;
    fn into_iter(self) -> Self::IntoIter {
        self.writes.iter()
    }
}
