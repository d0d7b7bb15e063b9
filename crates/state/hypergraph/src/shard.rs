//! The committed state of one shard: four tries, and the values of their leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_kzg::Kzg;
use quil_trie::{
    Changes, Key, Leaf, LeafValue, LeafWrite, NodeBatch, NodeSource, Proof, RootRecord, SetId,
    Trie, content_hash, prove_many,
};
use quil_types::{ShardAddr, StateRoots, canonical};

use crate::address::{AtomId, Family, Phase};
use crate::entry::Entry;
use crate::error::StateError;
use crate::writes::{Place, WriteSet};

/// Reads the stored values of leaves.
pub trait ContentSource: Send + Sync {
    /// The value bytes of the leaf of `key` whose content hash is `content`; `None` if there are none.
    ///
    /// # Errors
    /// The store's message when it fails.
    fn content(
        &self,
        set: &SetId,
        key: &Key,
        content: &[u8; 32],
    ) -> Result<Option<Arc<[u8]>>, String>;
}

/// No store: all values are in memory beside their leaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoContents;

impl ContentSource for NoContents {
    fn content(&self, _: &SetId, _: &Key, _: &[u8; 32]) -> Result<Option<Arc<[u8]>>, String> {
        Ok(None)
    }
}

canonical! {
    /// Root records of the four sets, as the store keeps them for each version.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShardRecord {
        /// In the order of the phases.
        pub sets: [RootRecord; 4],
    }
}

/// A value to store, or to delete, for one leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentWrite {
    /// The set.
    pub set: SetId,
    /// The leaf's key.
    pub key: Key,
    /// The value and its content hash; `None` deletes.
    pub value: Option<([u8; 32], Arc<[u8]>)>,
    /// Content hash of the value that older versions still have here.
    pub replaces: Option<[u8; 32]>,
}

/// What the store writes for one version of a shard, in one durable batch.
#[derive(Clone, Debug)]
pub struct StateBatch {
    /// The shard.
    pub shard: ShardAddr,
    /// The version: the frame number.
    pub version: u64,
    /// Node changes, of the sets that changed.
    pub nodes: Vec<NodeBatch>,
    /// Value changes.
    pub contents: Vec<ContentWrite>,
    /// Roots after the change.
    pub record: ShardRecord,
}

/// A new version and what the store needs for it.
#[derive(Clone, Debug)]
pub struct StateUpdate {
    /// The state; the old one stays as it is.
    pub state: ShardState,
    /// For the store, once the frame is final (K6).
    pub batch: StateBatch,
}

/// One immutable version of a shard's state. Cheap to clone; versions share all that did not change.
#[derive(Clone)]
pub struct ShardState {
    shard: ShardAddr,
    sets: [Trie; 4],
    contents: Arc<dyn ContentSource>,
}

impl ShardState {
    /// The empty state, in memory only.
    #[must_use]
    pub fn empty(shard: ShardAddr) -> Self {
        Self {
            shard,
            sets: Phase::ALL.map(|p| Trie::empty(p.set(shard))),
            contents: Arc::new(NoContents),
        }
    }

    /// The state of a stored version; nodes and values are loaded when needed.
    ///
    /// # Errors
    /// [`StateError::Trie`] when a root record is damaged.
    pub fn open(
        shard: ShardAddr,
        record: ShardRecord,
        nodes: &Arc<dyn NodeSource>,
        contents: Arc<dyn ContentSource>,
    ) -> Result<Self, StateError> {
        let mut sets = Phase::ALL.map(|p| Trie::empty(p.set(shard)));
        for ((set, record), phase) in sets.iter_mut().zip(record.sets).zip(Phase::ALL) {
            *set = Trie::open(phase.set(shard), record, Arc::clone(nodes))?;
        }
        Ok(Self {
            shard,
            sets,
            contents,
        })
    }

    /// The same version over stores, for a state that began in memory and is stored from now on.
    #[must_use]
    pub fn with_sources(
        self,
        nodes: &Arc<dyn NodeSource>,
        contents: Arc<dyn ContentSource>,
    ) -> Self {
        Self {
            sets: self.sets.map(|t| t.with_source(Arc::clone(nodes))),
            contents,
            ..self
        }
    }

    /// The shard.
    #[must_use]
    pub const fn shard(&self) -> ShardAddr {
        self.shard
    }

    /// Roots of the four sets.
    #[must_use]
    pub fn roots(&self) -> StateRoots {
        let [a, b, c, d] = &self.sets;
        [a.root(), b.root(), c.root(), d.root()]
    }

    /// Root records, for the store.
    #[must_use]
    pub fn record(&self) -> ShardRecord {
        let [a, b, c, d] = &self.sets;
        ShardRecord {
            sets: [
                a.root_record(),
                b.root_record(),
                c.root_record(),
                d.root_record(),
            ],
        }
    }

    /// The trie of a set.
    #[must_use]
    pub fn trie(&self, phase: Phase) -> &Trie {
        let [a, b, c, d] = &self.sets;
        match phase {
            Phase::VertexAdds => a,
            Phase::VertexRemoves => b,
            Phase::HyperedgeAdds => c,
            Phase::HyperedgeRemoves => d,
        }
    }

    /// Bytes of state: what the adds sets hold. The shard's row reports it (S1).
    #[must_use]
    pub fn size(&self) -> u64 {
        let of = |p| self.trie(p).totals().bytes;
        u64::try_from(of(Phase::VertexAdds).saturating_add(of(Phase::HyperedgeAdds)))
            .unwrap_or(u64::MAX)
    }

    /// The value bytes of a leaf, checked against its content hash when they come from the store.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn value(&self, phase: Phase, atom: &AtomId) -> Result<Option<Arc<[u8]>>, StateError> {
        match self.trie(phase).get(&atom.key())? {
            None => Ok(None),
            Some(leaf) => self.leaf_bytes(phase, &leaf).map(Some),
        }
    }

    fn leaf_bytes(&self, phase: Phase, leaf: &Leaf) -> Result<Arc<[u8]>, StateError> {
        if let Some(bytes) = &leaf.payload {
            return Ok(Arc::clone(bytes));
        }
        let atom = AtomId::of_key(&leaf.key);
        let set = phase.set(self.shard);
        let bytes = self
            .contents
            .content(&set, &leaf.key, &leaf.value.content)
            .map_err(StateError::Source)?;
        let bytes = bytes.ok_or(StateError::ContentMissing(phase, atom))?;
        if content_hash(&bytes) != leaf.value.content {
            return Err(StateError::ContentMismatch(phase, atom));
        }
        Ok(bytes)
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
        Ok(self.trie(family.removes()).get(&atom.key())?.is_some())
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

    /// Entries of a family with `from <= atom < to`, removed ones included, ascending, at most `limit`.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn range(
        &self,
        family: Family,
        from: &AtomId,
        to: Option<&AtomId>,
        limit: usize,
    ) -> Result<Vec<(AtomId, Entry)>, StateError> {
        let leaves =
            self.trie(family.adds())
                .range(&from.key(), to.map(AtomId::key).as_ref(), limit)?;
        leaves
            .iter()
            .map(|leaf| {
                let bytes = self.leaf_bytes(family.adds(), leaf)?;
                Ok((
                    AtomId::of_key(&leaf.key),
                    Entry::from_bytes(&bytes).map_err(StateError::Entry)?,
                ))
            })
            .collect()
    }

    /// The version after a write set that was made over this one.
    ///
    /// Everything is committed here, once per frame (K5): per changed slot about 0.1 ms.
    ///
    /// # Errors
    /// [`StateError::Shard`], [`StateError::Conflict`], or a local fault.
    pub fn apply(
        &self,
        kzg: &Kzg,
        version: u64,
        writes: &WriteSet,
    ) -> Result<StateUpdate, StateError> {
        if writes.shard() != self.shard {
            return Err(StateError::Shard(writes.shard()));
        }
        let mut changes: BTreeMap<Phase, Changes> = BTreeMap::new();
        let mut contents = Vec::with_capacity(writes.len());
        for (Place { phase, atom }, write) in writes {
            let have = self
                .trie(*phase)
                .get(&atom.key())?
                .map(|leaf| leaf.value.content);
            if have != write.replaces {
                return Err(StateError::Conflict(*phase, *atom));
            }
            let leaf = write.value.as_ref().map(|v| LeafWrite {
                value: v.leaf,
                payload: Some(Arc::clone(&v.bytes)),
            });
            changes.entry(*phase).or_default().insert(atom.key(), leaf);
            contents.push(ContentWrite {
                set: phase.set(self.shard),
                key: atom.key(),
                value: write
                    .value
                    .as_ref()
                    .map(|v| (v.leaf.content, Arc::clone(&v.bytes))),
                replaces: write.replaces,
            });
        }
        let mut next = self.clone();
        let mut nodes = Vec::new();
        for (phase, changes) in &changes {
            let update = self.trie(*phase).update(kzg, version, changes)?;
            nodes.push(update.batch);
            if let Some(set) = next.sets.get_mut(phase.index()) {
                *set = update.trie;
            }
        }
        let batch = StateBatch {
            shard: self.shard,
            version,
            nodes,
            contents,
            record: next.record(),
        };
        Ok(StateUpdate { state: next, batch })
    }

    /// Presence or absence of each key, whichever holds, in one proof.
    ///
    /// # Errors
    /// [`StateError::Trie`].
    pub fn prove(
        &self,
        kzg: &Kzg,
        queries: &[(Phase, AtomId)],
    ) -> Result<(Vec<Option<LeafValue>>, Proof), StateError> {
        let queries: Vec<(&Trie, Key)> = queries
            .iter()
            .map(|(p, atom)| (self.trie(*p), atom.key()))
            .collect();
        let (found, proof) = prove_many(kzg, &queries)?;
        Ok((
            found
                .into_iter()
                .map(|l| l.map(|leaf| leaf.value))
                .collect(),
            proof,
        ))
    }

    /// The same version with the top `levels` levels of each trie in memory; only after its batch is durable.
    #[must_use]
    pub fn unload(&self, levels: usize) -> Self {
        self.unload_stored(levels, u64::MAX)
    }

    /// As [`Self::unload`] for a version that may not be durable yet: what is newer than version `durable` stays.
    #[must_use]
    pub fn unload_stored(&self, levels: usize, durable: u64) -> Self {
        let [a, b, c, d] = &self.sets;
        Self {
            sets: [a, b, c, d].map(|t| t.unload_stored(levels, durable)),
            ..self.clone()
        }
    }

    /// Recomputes up to `samples` branches of each set; 64 at start (K5). Returns how many.
    ///
    /// # Errors
    /// [`StateError::Trie`] with the place that differs.
    pub fn audit(&self, kzg: &Kzg, seed: [u8; 32], samples: usize) -> Result<usize, StateError> {
        self.sets.iter().try_fold(0usize, |sum, t| {
            Ok(sum.saturating_add(t.audit(kzg, seed, samples)?))
        })
    }

    /// Recomputes everything and compares (K5).
    ///
    /// # Errors
    /// [`StateError::Trie`] with the place that differs.
    pub fn recommit(&self, kzg: &Kzg) -> Result<(), StateError> {
        Ok(self
            .sets
            .iter()
            .try_for_each(|t| t.recommit(kzg).map(drop))?)
    }
}

impl core::fmt::Debug for ShardState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ShardState")
            .field("shard", &self.shard)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
