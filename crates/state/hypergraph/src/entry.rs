//! Entries of the adds sets and their merge (K3).

use quil_trie::{LeafValue, content_hash};
use quil_types::{Bytes, Canonical, DecodeError, Sorted, canonical};

use crate::address::AtomId;

/// Largest content of an entry, bytes: a bundle's own bound.
pub const CONTENT_BYTES_MAX: usize = 64 * 1024;
/// Largest encoded entry.
pub const ENTRY_BYTES_MAX: usize = CONTENT_BYTES_MAX + 64;
/// Atoms of one hyperedge.
pub const ATOMS_MAX: usize = 512;

canonical! {
    /// What may happen to an entry after it was written. Part of the entry, so that no later code can disagree.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Mode {
        /// Never replaced, removed or deleted: token records (K2).
        InsertOnly = 0,
        /// Replaced by compare-and-set; may be removed, finally.
        Versioned = 1,
        /// Written once, deleted after its time: consumption marks (S6).
        Mark = 2,
    }
}

canonical! {
    /// The value of a leaf in an adds set.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Entry {
        /// What may happen to it.
        pub mode: Mode,
        /// Counts replacements; the first is 0.
        pub version: u64,
        /// Bytes kept elsewhere for this record (sealed bodies); counted in the leaf's size.
        pub external: u64,
        /// The content.
        pub content: Bytes<CONTENT_BYTES_MAX>,
    }
}

/// Version and content hash of an entry: what a compare-and-set names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryRef {
    /// The version.
    pub version: u64,
    /// Content hash of the encoded entry.
    pub hash: [u8; 32],
}

impl Entry {
    /// Reads a leaf's value.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes, ENTRY_BYTES_MAX)
    }

    /// What the leaf commits to.
    #[must_use]
    pub fn leaf_value(&self) -> LeafValue {
        let bytes = self.encode();
        let own = LeafValue::of(&bytes);
        LeafValue {
            size: own.size.saturating_add(self.external),
            ..own
        }
    }

    /// Version and hash.
    #[must_use]
    pub fn reference(&self) -> EntryRef {
        EntryRef {
            version: self.version,
            hash: content_hash(&self.encode()),
        }
    }

    /// The greater by (version, content hash): commutative, associative, idempotent (K3).
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if other.reference() > self.reference() {
            other
        } else {
            self
        }
    }
}

canonical! {
    /// Content of a hyperedge: the atoms it connects and its own data.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Hyperedge {
        /// Connected atoms, ascending.
        pub atoms: Sorted<AtomId, ATOMS_MAX>,
        /// Data of the edge itself.
        pub data: Bytes<4096>,
    }
}

impl Hyperedge {
    /// Reads an entry's content.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_content(content: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(content, CONTENT_BYTES_MAX)
    }

    /// Whether it connects an atom.
    #[must_use]
    pub fn connects(&self, atom: &AtomId) -> bool {
        self.atoms.binary_search(atom).is_ok()
    }
}

const _: () = assert!(ATOMS_MAX * 64 + 4096 + 16 <= CONTENT_BYTES_MAX);
