//! A plain map as state: simulations, wallets of one process, and the model that the overlay is tested against.

use std::collections::BTreeMap;

use super::{Entry, RecordKey, StateFault, StateView, WriteSet};

/// Records in an ordered map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    records: BTreeMap<RecordKey, Entry>,
}

impl MemoryState {
    /// The empty state.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            records: BTreeMap::new(),
        }
    }

    /// Puts every write of a frame in place.
    pub fn apply(&mut self, writes: &WriteSet) {
        for w in writes.iter() {
            self.records.insert(w.key, w.entry.clone());
        }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Records in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Entry)> {
        self.records.iter()
    }
}

impl StateView for MemoryState {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        Ok(self.records.get(key).cloned())
    }
}
