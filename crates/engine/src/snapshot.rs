//! The state of a chain after one frame (K6, C4).
//!
//! A snapshot starts as the writes of its frame over its parent's state: enough to execute the next frame and to
//! vote. Committing it computes the trie roots, which the child's header needs. Both happen on CPU threads;
//! snapshots are shared, never changed otherwise. Final snapshots go to disk, speculative ones live in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use quil_execution::fee::Fullness;
use quil_execution::global::ShardTable;
use quil_execution::state::{Entry, RecordKey, StateFault, StateView, WriteSet};
use quil_types::{
    Digest, FrameId, FrameNumber, Header, Receipt, Root, ShardAddr, ShardRow, StateRoots, merkle,
};

use crate::network::Network;
use crate::state::{ChainState, Commit, StateError};

/// What the child's header repeats of this frame's execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Roots of the four phase sets.
    pub state: StateRoots,
    /// Root of the shard table; zero on shards.
    pub shards: Root,
}

/// What a frame's body did.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Records, in key order.
    pub writes: WriteSet,
    /// Rows of the shard table; global chain only.
    pub rows: Vec<(ShardAddr, ShardRow)>,
    /// One per bundle.
    pub receipts: Vec<Receipt>,
    /// For the child's multiplier (F2).
    pub fullness: Fullness,
}

/// See the module documentation.
#[derive(Debug)]
pub struct Snapshot {
    header: Header,
    id: FrameId,
    effects: Effects,
    receipts_root: Digest,
    table: Arc<ShardTable>,
    index: BTreeMap<RecordKey, usize>,
    /// Dropped once this snapshot is committed: then nothing reads through the parent any more.
    parent: Mutex<Option<Arc<Self>>>,
    committed: OnceLock<Committed>,
}

#[derive(Debug)]
struct Committed {
    state: ChainState,
    roots: Roots,
    commit: Mutex<Option<Commit>>,
}

impl Snapshot {
    /// The state at genesis or as loaded from the store: committed from the start.
    #[must_use]
    pub fn base(header: Header, state: ChainState, table: ShardTable, effects: Effects) -> Self {
        let roots = state.roots();
        let committed = OnceLock::new();
        let stored = committed.set(Committed {
            state,
            roots,
            commit: Mutex::new(None),
        });
        debug_assert!(stored.is_ok(), "a new cell is empty");
        Self {
            id: header.id(),
            header,
            receipts_root: merkle::root(&effects.receipts),
            effects,
            table: Arc::new(table),
            index: BTreeMap::new(),
            parent: Mutex::new(None),
            committed,
        }
    }

    /// The state after a frame on top of its parent's.
    #[must_use]
    pub fn child(parent: &Arc<Self>, header: Header, effects: Effects) -> Self {
        let table = if effects.rows.is_empty() {
            Arc::clone(&parent.table)
        } else {
            let mut table = ShardTable::clone(&parent.table);
            table.apply(&effects.rows);
            Arc::new(table)
        };
        Self {
            id: header.id(),
            header,
            receipts_root: merkle::root(&effects.receipts),
            index: effects
                .writes
                .iter()
                .enumerate()
                .map(|(i, w)| (w.key, i))
                .collect(),
            effects,
            table,
            parent: Mutex::new(Some(Arc::clone(parent))),
            committed: OnceLock::new(),
        }
    }

    /// The frame.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its identity.
    #[must_use]
    pub const fn id(&self) -> FrameId {
        self.id
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> FrameNumber {
        self.header.number
    }

    /// What its body did.
    #[must_use]
    pub const fn effects(&self) -> &Effects {
        &self.effects
    }

    /// For the child's header.
    #[must_use]
    pub const fn receipts_root(&self) -> Digest {
        self.receipts_root
    }

    /// The shard table after the frame; empty on shards.
    #[must_use]
    pub fn table(&self) -> &ShardTable {
        &self.table
    }

    /// Roots, once they are computed.
    #[must_use]
    pub fn roots(&self) -> Option<Roots> {
        self.committed.get().map(|c| c.roots)
    }

    /// The committed state, once it is computed.
    #[must_use]
    pub fn state(&self) -> Option<&ChainState> {
        self.committed.get().map(|c| &c.state)
    }

    /// What the store must write to hold this state, once; `None` before the commit and afterwards.
    #[must_use]
    pub fn take_commit(&self) -> Option<Commit> {
        self.committed.get().and_then(|c| lock(&c.commit).take())
    }

    /// Computes the roots, and those of uncommitted ancestors first. Callable from several threads: the second one
    /// waits for the first. Cost: about 0.1 ms per changed slot.
    ///
    /// # Errors
    /// [`StateError`] when the state cannot be read.
    pub fn commit(&self, network: &Network) -> Result<Roots, StateError> {
        if let Some(done) = self.committed.get() {
            return Ok(done.roots);
        }
        let mut parent = lock(&self.parent);
        if let Some(done) = self.committed.get() {
            return Ok(done.roots);
        }
        let above = parent.as_ref().ok_or(StateError::NoBase)?;
        above.commit(network)?;
        let base = above.state().ok_or(StateError::NoBase)?;
        let (state, commit) = base.apply(network, self.number(), &self.effects)?;
        let roots = state.roots();
        let stored = self.committed.set(Committed {
            state,
            roots,
            commit: Mutex::new(Some(commit)),
        });
        debug_assert!(
            stored.is_ok(),
            "the lock on the parent admits one committer"
        );
        *parent = None;
        Ok(roots)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while holding one of these locks leaves plain data behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateView for Snapshot {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        if let Some(done) = self.committed.get() {
            return done.state.read(key);
        }
        let own = self
            .index
            .get(key)
            .and_then(|i| self.effects.writes.iter().nth(*i));
        if let Some(write) = own {
            return Ok(Some(write.entry.clone()));
        }
        let parent = lock(&self.parent).clone();
        match parent {
            Some(parent) => parent.read(key),
            // Committed between the two looks.
            None => self
                .committed
                .get()
                .ok_or(StateFault::Unavailable)?
                .state
                .read(key),
        }
    }
}
