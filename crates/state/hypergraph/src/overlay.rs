//! Speculative states: a committed base, up to eight frozen layers, and one open overlay (K6).

use std::sync::Arc;

use quil_kzg::Kzg;
use quil_types::{Bytes, ShardAddr};

use crate::address::{AtomId, Family, Phase};
use crate::entry::{CONTENT_BYTES_MAX, Entry, EntryRef, Hyperedge, Mode};
use crate::error::StateError;
use crate::shard::{ShardState, StateUpdate};
use crate::writes::{Place, Value, Write, WriteSet};

/// Most frozen layers over a base (K6).
pub const SPECULATION_MAX: usize = 8;

macro_rules! keys {
    ($($(#[$m:meta])* $name:ident),* $(,)?) => {$(
        $(#[$m])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub AtomId);
    )*};
}

keys! {
    /// Key of an insert-only vertex: token records. There is no operation that replaces or removes one (K2).
    TokenKey,
    /// Key of a versioned vertex.
    RecordKey,
    /// Key of a versioned hyperedge.
    EdgeKey,
    /// Key of a mark: written once, deleted after its time (S6).
    MarkKey,
}

/// A committed state with the writes of up to eight frames above it. Cheap to clone: forks share all of it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    base: ShardState,
    /// Oldest first.
    layers: Vec<Arc<WriteSet>>,
}

impl Snapshot {
    /// A committed state.
    #[must_use]
    pub const fn new(base: ShardState) -> Self {
        Self {
            base,
            layers: Vec::new(),
        }
    }

    /// The shard.
    #[must_use]
    pub const fn shard(&self) -> ShardAddr {
        self.base.shard()
    }

    /// The committed state below.
    #[must_use]
    pub const fn base(&self) -> &ShardState {
        &self.base
    }

    /// Layers above it.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Starts the writes of the next frame.
    #[must_use]
    pub fn overlay(&self) -> Overlay {
        Overlay {
            below: self.clone(),
            writes: WriteSet::empty(self.shard()),
            journal: Vec::new(),
        }
    }

    /// The value of a place, newest layer first.
    fn value(&self, place: &Place) -> Result<Option<Arc<[u8]>>, StateError> {
        match self.layers.iter().rev().find_map(|layer| layer.get(place)) {
            Some(write) => Ok(write.value.as_ref().map(|v| Arc::clone(&v.bytes))),
            None => self.base.value(place.phase, &place.atom),
        }
    }

    /// Content hash of a place.
    fn hash(&self, place: &Place) -> Result<Option<[u8; 32]>, StateError> {
        match self.layers.iter().rev().find_map(|layer| layer.get(place)) {
            Some(write) => Ok(write.value.as_ref().map(|v| v.leaf.content)),
            None => Ok(self
                .base
                .trie(place.phase)
                .get(&place.atom.key())?
                .map(|leaf| leaf.value.content)),
        }
    }

    /// Commits the oldest layer: the state after it, what the store needs, and the rest of the layers above.
    ///
    /// # Errors
    /// As [`ShardState::apply`]. `Ok(None)` without layers.
    pub fn commit_oldest(
        &self,
        kzg: &Kzg,
        version: u64,
    ) -> Result<Option<(Self, StateUpdate)>, StateError> {
        let Some((oldest, rest)) = self.layers.split_first() else {
            return Ok(None);
        };
        let update = self.base.apply(kzg, version, oldest)?;
        Ok(Some((
            Self {
                base: update.state.clone(),
                layers: rest.to_vec(),
            },
            update,
        )))
    }

    /// The same layers over the state after the oldest, which was committed for another fork of this snapshot.
    #[must_use]
    pub fn advanced(&self, base: ShardState) -> Self {
        Self {
            base,
            layers: self.layers.get(1..).unwrap_or_default().to_vec(),
        }
    }
}

/// Undo point of an [`Overlay`]; later ones become invalid when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

/// Writes in progress over a [`Snapshot`], with savepoints. Reads see them at once.
#[derive(Clone, Debug)]
pub struct Overlay {
    below: Snapshot,
    writes: WriteSet,
    /// What each write displaced, oldest first.
    journal: Vec<(Place, Option<Write>)>,
}

impl Overlay {
    /// The changes so far.
    #[must_use]
    pub const fn writes(&self) -> &WriteSet {
        &self.writes
    }

    /// Ends the frame: its changes.
    #[must_use]
    pub fn into_writes(self) -> WriteSet {
        self.writes
    }

    /// Ends the frame: the changes as one more layer.
    ///
    /// # Errors
    /// [`StateError::TooDeep`] above [`SPECULATION_MAX`] layers.
    pub fn freeze(self) -> Result<Snapshot, StateError> {
        if self.below.layers.len() >= SPECULATION_MAX {
            return Err(StateError::TooDeep);
        }
        let mut layers = self.below.layers;
        layers.push(Arc::new(self.writes));
        Ok(Snapshot {
            base: self.below.base,
            layers,
        })
    }

    /// Marks the present point.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.journal.len())
    }

    /// Undoes every write since a savepoint.
    ///
    /// # Errors
    /// [`StateError::Savepoint`] for one that lies after the present point.
    pub fn rollback(&mut self, to: Savepoint) -> Result<(), StateError> {
        if to.0 > self.journal.len() {
            return Err(StateError::Savepoint);
        }
        for (place, before) in self.journal.drain(to.0..).rev() {
            self.writes.restore(place, before);
        }
        Ok(())
    }

    fn value(&self, phase: Phase, atom: &AtomId) -> Result<Option<Arc<[u8]>>, StateError> {
        let place = Place { phase, atom: *atom };
        match self.writes.get(&place) {
            Some(write) => Ok(write.value.as_ref().map(|v| Arc::clone(&v.bytes))),
            None => self.below.value(&place),
        }
    }

    fn write(
        &mut self,
        phase: Phase,
        atom: &AtomId,
        value: Option<Value>,
    ) -> Result<(), StateError> {
        let place = Place { phase, atom: *atom };
        let before = self.writes.get(&place).cloned();
        let replaces = match &before {
            Some(write) => write.replaces,
            None => self.below.hash(&place)?,
        };
        self.writes.set(place, Write { replaces, value });
        self.journal.push((place, before));
        Ok(())
    }

    /// The entry of an atom, removed or not.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn entry(&self, family: Family, atom: &AtomId) -> Result<Option<Entry>, StateError> {
        self.value(family.adds(), atom)?
            .map(|b| Entry::from_bytes(&b).map_err(StateError::Entry))
            .transpose()
    }

    /// Whether an atom was removed.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn is_removed(&self, family: Family, atom: &AtomId) -> Result<bool, StateError> {
        Ok(self.value(family.removes(), atom)?.is_some())
    }

    /// The entry of a visible atom: in adds and not in removes (K2).
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn visible(&self, family: Family, atom: &AtomId) -> Result<Option<Entry>, StateError> {
        if self.is_removed(family, atom)? {
            Ok(None)
        } else {
            self.entry(family, atom)
        }
    }

    fn put_entry(
        &mut self,
        family: Family,
        atom: &AtomId,
        entry: &Entry,
    ) -> Result<(), StateError> {
        self.write(family.adds(), atom, Some(Value::entry(entry)))
    }

    /// Refuses an atom that has an entry or was removed.
    fn require_new(&self, family: Family, atom: &AtomId) -> Result<(), StateError> {
        if self.is_removed(family, atom)? {
            return Err(StateError::Removed(*atom));
        }
        if self.entry(family, atom)?.is_some() {
            Err(StateError::Exists(*atom))
        } else {
            Ok(())
        }
    }

    /// The present entry of the given mode.
    fn require(&self, family: Family, atom: &AtomId, mode: Mode) -> Result<Entry, StateError> {
        if self.is_removed(family, atom)? {
            return Err(StateError::Removed(*atom));
        }
        let entry = self
            .entry(family, atom)?
            .ok_or(StateError::NotFound(*atom))?;
        if entry.mode == mode {
            Ok(entry)
        } else {
            Err(StateError::Mode(entry.mode))
        }
    }

    /// Writes a token record for ever.
    ///
    /// # Errors
    /// [`StateError::Exists`], [`StateError::Removed`], [`StateError::ContentSize`], or a local fault.
    pub fn insert(&mut self, key: TokenKey, content: &[u8]) -> Result<(), StateError> {
        self.require_new(Family::Vertex, &key.0)?;
        self.put_entry(
            Family::Vertex,
            &key.0,
            &first(Mode::InsertOnly, content, 0)?,
        )
    }

    /// Writes a mark.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub fn mark(&mut self, key: MarkKey, content: &[u8]) -> Result<(), StateError> {
        self.require_new(Family::Vertex, &key.0)?;
        self.put_entry(Family::Vertex, &key.0, &first(Mode::Mark, content, 0)?)
    }

    /// Deletes a mark whose time is over.
    ///
    /// # Errors
    /// [`StateError::NotFound`], [`StateError::Mode`], or a local fault.
    pub fn unmark(&mut self, key: MarkKey) -> Result<(), StateError> {
        self.require(Family::Vertex, &key.0, Mode::Mark)?;
        self.write(Phase::VertexAdds, &key.0, None)
    }

    /// Compare-and-set of a record: `expected` is what the writer has seen, `None` for a first write. `external`
    /// counts bytes kept elsewhere. Returns what a next write has to name.
    ///
    /// # Errors
    /// [`StateError::Exists`], [`StateError::NotFound`], [`StateError::Stale`], [`StateError::Removed`],
    /// [`StateError::Mode`], [`StateError::ContentSize`], [`StateError::Version`], or a local fault.
    pub fn put(
        &mut self,
        key: RecordKey,
        expected: Option<EntryRef>,
        content: &[u8],
        external: u64,
    ) -> Result<EntryRef, StateError> {
        self.compare_and_set(Family::Vertex, &key.0, expected, content, external)
    }

    /// Compare-and-set of a hyperedge; see [`Self::put`].
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn put_edge(
        &mut self,
        key: EdgeKey,
        expected: Option<EntryRef>,
        edge: &Hyperedge,
    ) -> Result<EntryRef, StateError> {
        let content = quil_types::Canonical::encode(edge);
        self.compare_and_set(Family::Hyperedge, &key.0, expected, &content, 0)
    }

    fn compare_and_set(
        &mut self,
        family: Family,
        atom: &AtomId,
        expected: Option<EntryRef>,
        content: &[u8],
        external: u64,
    ) -> Result<EntryRef, StateError> {
        let mut entry = first(Mode::Versioned, content, external)?;
        match expected {
            None => self.require_new(family, atom)?,
            Some(expected) => {
                let have = self.require(family, atom, Mode::Versioned)?.reference();
                if have != expected {
                    return Err(StateError::Stale { have });
                }
                entry.version = have.version.checked_add(1).ok_or(StateError::Version)?;
            }
        }
        self.put_entry(family, atom, &entry)?;
        Ok(entry.reference())
    }

    /// Removes a record, finally.
    ///
    /// # Errors
    /// [`StateError::NotFound`], [`StateError::Removed`], [`StateError::Mode`], or a local fault.
    pub fn remove(&mut self, key: RecordKey) -> Result<(), StateError> {
        self.require(Family::Vertex, &key.0, Mode::Versioned)?;
        self.write(Phase::VertexRemoves, &key.0, Some(Value::tombstone()))
    }

    /// Removes a hyperedge, finally.
    ///
    /// # Errors
    /// As [`Self::remove`].
    pub fn remove_edge(&mut self, key: EdgeKey) -> Result<(), StateError> {
        self.require(Family::Hyperedge, &key.0, Mode::Versioned)?;
        self.write(Phase::HyperedgeRemoves, &key.0, Some(Value::tombstone()))
    }

    /// The visible hyperedge of an atom.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn edge(&self, key: &EdgeKey) -> Result<Option<Hyperedge>, StateError> {
        self.visible(Family::Hyperedge, &key.0)?
            .map(|e| Hyperedge::from_content(&e.content).map_err(StateError::Entry))
            .transpose()
    }

    /// Joins another replica's entry: the greater by (version, content hash) stays (K3).
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn merge_entry(
        &mut self,
        family: Family,
        atom: &AtomId,
        theirs: Entry,
    ) -> Result<(), StateError> {
        let merged = match self.entry(family, atom)? {
            Some(ours) => ours.merge(theirs),
            None => theirs,
        };
        self.put_entry(family, atom, &merged)
    }

    /// Joins another replica's removal.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn merge_removal(&mut self, family: Family, atom: &AtomId) -> Result<(), StateError> {
        self.write(family.removes(), atom, Some(Value::tombstone()))
    }
}

fn first(mode: Mode, content: &[u8], external: u64) -> Result<Entry, StateError> {
    let bounded = Bytes::<CONTENT_BYTES_MAX>::from_slice(content)
        .map_err(|e| StateError::ContentSize(e.len))?;
    Ok(Entry {
        mode,
        version: 0,
        external,
        content: bounded,
    })
}
