//! The state of a chain after one frame (K6, C4).
//!
//! A snapshot starts as the writes of its frame over its parent's state: enough to execute the next frame and to
//! vote. Committing it computes the trie roots, which the child's header needs. Both happen on CPU threads;
//! snapshots are shared, never changed otherwise. Final snapshots go to disk, speculative ones live in memory. What
//! only the way to the roots needs is dropped as soon as they are known, and an old final state keeps nothing of its
//! tries in memory: readers of it load what they need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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
    /// Records, in key order. Empty in a snapshot: they are part of its state.
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
    /// Dropped once this snapshot is committed: then nothing reads through the parent any more.
    pending: Mutex<Option<Arc<Pending>>>,
    committed: RwLock<Option<Committed>>,
    /// Held by who computes the roots.
    committing: Mutex<()>,
}

/// The writes of a frame over its parent's state.
#[derive(Debug)]
struct Pending {
    parent: Arc<Snapshot>,
    effects: Effects,
    index: BTreeMap<RecordKey, usize>,
}

#[derive(Debug)]
struct Committed {
    state: ChainState,
    roots: Roots,
    commit: Option<Commit>,
}

impl Snapshot {
    /// The state at genesis or as loaded from the store: committed from the start.
    #[must_use]
    pub fn base(header: Header, state: ChainState, table: ShardTable, effects: Effects) -> Self {
        let committed = Committed {
            roots: state.roots(),
            state,
            commit: None,
        };
        Self {
            id: header.id(),
            header,
            receipts_root: merkle::root(&effects.receipts),
            effects: Effects {
                writes: WriteSet::default(),
                ..effects
            },
            table: Arc::new(table),
            pending: Mutex::new(None),
            committed: RwLock::new(Some(committed)),
            committing: Mutex::new(()),
        }
    }

    /// The state after a frame on top of its parent's.
    #[must_use]
    pub fn child(parent: &Arc<Self>, header: Header, mut effects: Effects) -> Self {
        let table = if effects.rows.is_empty() {
            Arc::clone(&parent.table)
        } else {
            let mut table = ShardTable::clone(&parent.table);
            table.apply(&effects.rows);
            Arc::new(table)
        };
        let writes = core::mem::take(&mut effects.writes);
        let pending = Pending {
            parent: Arc::clone(parent),
            index: writes.iter().enumerate().map(|(i, w)| (w.key, i)).collect(),
            effects: Effects {
                writes,
                rows: effects.rows.clone(),
                ..Effects::default()
            },
        };
        Self {
            id: header.id(),
            header,
            receipts_root: merkle::root(&effects.receipts),
            effects,
            table,
            pending: Mutex::new(Some(Arc::new(pending))),
            committed: RwLock::new(None),
            committing: Mutex::new(()),
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
        self.committed().as_ref().map(|c| c.roots)
    }

    /// The committed state, once it is computed.
    #[must_use]
    pub fn state(&self) -> Option<ChainState> {
        self.committed().as_ref().map(|c| c.state.clone())
    }

    /// What the store must write to hold this state, once; `None` before the commit and afterwards.
    #[must_use]
    pub fn take_commit(&self) -> Option<Commit> {
        self.committed_mut().as_mut()?.commit.take()
    }

    /// Forgets what is in memory of a state that is on disk and not the last one any more.
    pub(crate) fn archive(&self) {
        if let Some(committed) = &mut *self.committed_mut() {
            committed.state = committed.state.archived();
        }
    }

    /// Computes the roots, and those of uncommitted ancestors first. Callable from several threads: the second one
    /// waits for the first. Cost: about 0.1 ms per changed slot.
    ///
    /// # Errors
    /// [`StateError`] when the state cannot be read.
    pub fn commit(&self, network: &Network) -> Result<Roots, StateError> {
        let _turn = lock(&self.committing);
        if let Some(roots) = self.roots() {
            return Ok(roots);
        }
        let pending = lock(&self.pending).clone().ok_or(StateError::NoBase)?;
        pending.parent.commit(network)?;
        let base = pending.parent.state().ok_or(StateError::NoBase)?;
        let (state, commit) = base.apply(network, self.number(), &pending.effects)?;
        let roots = state.roots();
        *self.committed_mut() = Some(Committed {
            state,
            roots,
            commit: Some(commit),
        });
        *lock(&self.pending) = None;
        Ok(roots)
    }

    fn committed(&self) -> RwLockReadGuard<'_, Option<Committed>> {
        self.committed
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn committed_mut(&self) -> RwLockWriteGuard<'_, Option<Committed>> {
        self.committed
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic while holding one of these locks leaves plain data behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateView for Snapshot {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        if let Some(done) = &*self.committed() {
            return done.state.read(key);
        }
        // Set before this one is dropped, so one of the two is there.
        let pending = lock(&self.pending).clone();
        let Some(pending) = pending else {
            let state = self.state().ok_or(StateFault::Unavailable)?;
            return state.read(key);
        };
        let own = pending
            .index
            .get(key)
            .and_then(|i| pending.effects.writes.iter().nth(*i));
        match own {
            Some(write) => Ok(Some(write.entry.clone())),
            None => pending.parent.read(key),
        }
    }
}
