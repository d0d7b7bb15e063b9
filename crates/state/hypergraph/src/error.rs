//! Why a write is refused or a state cannot answer.

use quil_trie::{NodeError, TrieError};
use quil_types::{DecodeError, ShardAddr};

use crate::address::{AtomId, Phase};
use crate::entry::{EntryRef, Mode};

/// Errors of records. The first group is the writer's fault, the second a local one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A first write of a key that has an entry.
    #[error("{0:?} exists")]
    Exists(AtomId),
    /// There is no such entry.
    #[error("{0:?} does not exist")]
    NotFound(AtomId),
    /// The atom was removed; removals are final (K3).
    #[error("{0:?} was removed")]
    Removed(AtomId),
    /// The compare-and-set names another entry than the present one.
    #[error("entry is at version {}", have.version)]
    Stale {
        /// The present entry.
        have: EntryRef,
    },
    /// The entry's mode does not allow the operation.
    #[error("entry is {0:?}")]
    Mode(Mode),
    /// Version counter at its end.
    #[error("version overflows")]
    Version,
    /// Content above its bound.
    #[error("content of {0} bytes")]
    ContentSize(usize),
    /// [`crate::SPECULATION_MAX`] layers lie over the base (K6).
    #[error("too many speculative layers")]
    TooDeep,
    /// A savepoint of another or of an older overlay.
    #[error("unknown savepoint")]
    Savepoint,

    /// The write set was made over another state.
    #[error("{1:?} in {0:?} is not what the write set replaces")]
    Conflict(Phase, AtomId),
    /// The write set is for another shard.
    #[error("write set of shard {0}")]
    Shard(ShardAddr),
    /// The value of a leaf is not stored.
    #[error("value of {1:?} in {0:?} is missing")]
    ContentMissing(Phase, AtomId),
    /// The stored value does not hash to its leaf.
    #[error("value of {1:?} in {0:?} is not the committed one")]
    ContentMismatch(Phase, AtomId),
    /// The stored value is not an entry.
    #[error("entry: {0}")]
    Entry(DecodeError),
    /// The content store failed.
    #[error("content store: {0}")]
    Source(String),
    /// A stored root record is damaged.
    #[error("root record: {0}")]
    Root(NodeError),
    /// A trie cannot answer.
    #[error("{0}")]
    Trie(#[from] TrieError),
}

impl StateError {
    /// Whether the writer is to blame; otherwise the local store or a bug.
    #[must_use]
    pub const fn is_writers_fault(&self) -> bool {
        matches!(
            self,
            Self::Exists(_)
                | Self::NotFound(_)
                | Self::Removed(_)
                | Self::Stale { .. }
                | Self::Mode(_)
                | Self::Version
                | Self::ContentSize(_)
        )
    }
}
