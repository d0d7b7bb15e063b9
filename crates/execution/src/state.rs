//! Records of a shard as execution sees them: a read view, and an overlay with savepoints on top of it.
//!
//! A record is an entry of the vertex-adds set: key `domain || data address`, content, version (K1, K3). Execution
//! never touches the trie; it reads through [`StateView`] and leaves a [`WriteSet`] that is derived from the
//! writes themselves, so nothing can be written that is not announced.

mod graph;
mod memory;
mod overlay;

pub use graph::write_to;
pub use memory::MemoryState;
pub use overlay::{Overlay, Write, WriteSet};
pub use quil_hypergraph::Mode;

use quil_hypergraph::{AtomId, DataAddr};
use quil_types::Domain;

/// Largest content of a record, bytes: far above every record of the intrinsics, it bounds what a decoder reads.
pub const RECORD_BYTES_MAX: usize = 4 * 1024;

/// Where a record lives: 32 bytes of domain, 32 bytes of data address. Ordered as the 64-byte key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The domain.
    pub domain: Domain,
    /// The data address inside the domain.
    pub data: [u8; 32],
}

impl RecordKey {
    /// The key as the trie takes it.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 64] {
        let mut out = [0; 64];
        let (domain, data) = out.split_at_mut(32);
        domain.copy_from_slice(&self.domain.0);
        data.copy_from_slice(&self.data);
        out
    }

    /// The key from its 64 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let (mut domain, mut data) = ([0; 32], [0; 32]);
        let (a, b) = bytes.split_at(32);
        domain.copy_from_slice(a);
        data.copy_from_slice(b);
        Self {
            domain: Domain(domain),
            data,
        }
    }
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts replacements; the first content has version 0 (K3).
    pub version: u64,
    /// The content.
    pub content: Vec<u8>,
}

/// The local state cannot answer. Never the fault of a peer: the engine stops or retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateFault {
    /// The store failed; its driver has logged why.
    #[error("state cannot be read")]
    Unavailable,
    /// A record of the committed state does not decode.
    #[error("record {0:?} is corrupt")]
    Corrupt(RecordKey),
    /// A new record would overwrite an existing one: two 240-bit addresses collided or the state is corrupt.
    #[error("record {0:?} exists already")]
    Occupied(RecordKey),
    /// A record that the committed state must have is not there.
    #[error("record {0:?} does not exist")]
    Missing(RecordKey),
    /// A counter of the committed state is at its end.
    #[error("counter {0:?} overflows")]
    Overflow(RecordKey),
}

/// Read access to the records of one shard after some frame.
pub trait StateView {
    /// The record at `key`.
    ///
    /// # Errors
    /// [`StateFault::Unavailable`] when the store fails.
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault>;
}

impl RecordKey {
    /// The vertex that holds the record.
    #[must_use]
    pub const fn atom(self) -> AtomId {
        AtomId {
            domain: self.domain,
            data: DataAddr(self.data),
        }
    }
}

impl<S: StateView + ?Sized> StateView for &S {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        (**self).read(key)
    }
}
