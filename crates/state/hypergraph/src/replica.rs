//! The sets as plain values: a replicated graph that merges (K3).
//!
//! Joining shards, and comparing what two nodes hold, work on these; the tries only commit to the result.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{AtomId, Family};
use crate::entry::Entry;
use crate::error::StateError;
use crate::overlay::Overlay;

/// Entries and removals of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    adds: BTreeMap<(Family, AtomId), Entry>,
    removes: BTreeSet<(Family, AtomId)>,
}

impl Replica {
    /// Joins one entry.
    pub fn add(&mut self, family: Family, atom: AtomId, entry: Entry) {
        let merged = match self.adds.remove(&(family, atom)) {
            Some(ours) => ours.merge(entry),
            None => entry,
        };
        self.adds.insert((family, atom), merged);
    }

    /// Joins one removal.
    pub fn remove(&mut self, family: Family, atom: AtomId) {
        self.removes.insert((family, atom));
    }

    /// Joins another replica. Commutative, associative, idempotent.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        for ((family, atom), entry) in &other.adds {
            self.add(*family, *atom, entry.clone());
        }
        self.removes.extend(other.removes.iter().copied());
        self
    }

    /// The entry of a visible atom.
    #[must_use]
    pub fn visible(&self, family: Family, atom: &AtomId) -> Option<&Entry> {
        let key = (family, *atom);
        self.adds.get(&key).filter(|_| !self.removes.contains(&key))
    }

    /// Joins the replica into a state.
    ///
    /// # Errors
    /// [`StateError`], local faults only.
    pub fn merge_into(&self, overlay: &mut Overlay) -> Result<(), StateError> {
        for ((family, atom), entry) in &self.adds {
            overlay.merge_entry(*family, atom, entry.clone())?;
        }
        self.removes
            .iter()
            .try_for_each(|(family, atom)| overlay.merge_removal(*family, atom))
    }
}
