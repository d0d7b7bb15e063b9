//! The engine's tables over the embedded store.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use quil_engine::io::{File, Write};
use quil_engine::state::StateSource;
use quil_engine::tables::{Reader, Table};
use quil_store::{Direction, KeyRange, SafetyFile, Store, StoreError, TableDef, View, WriteBatch};
use quil_trie::SourceError;
use quil_types::Chain;
use tracing::error;

/// Largest value of a table: a candidate proposal.
const VALUE_BYTES_MAX: usize = quil_types::limits::PROPOSAL_BYTES_MAX + 4096;

/// Longest key: set, level and path of a trie node, behind a number.
const KEY_BYTES_MAX: usize = 160;

/// Layout of the state file, for [`quil_store::StateOptions`].
pub const STATE_SCHEMA: u16 = 1;

/// The store's description of an engine table.
const fn def(table: Table) -> TableDef {
    TableDef::new(table.name(), KEY_BYTES_MAX, VALUE_BYTES_MAX)
}

/// The two files of a process.
#[derive(Debug)]
pub struct Files {
    state: Arc<dyn Store>,
    safety: SafetyFile,
    chain: Chain,
}

impl Files {
    /// Over opened files.
    #[must_use]
    pub fn new(state: Arc<dyn Store>, safety: SafetyFile, chain: Chain) -> Self {
        Self {
            state,
            safety,
            chain,
        }
    }

    /// The state store, for readers.
    #[must_use]
    pub fn state(&self) -> Arc<dyn Store> {
        Arc::clone(&self.state)
    }

    /// Writes one batch durably: it is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`]; the process must stop.
    pub fn write(&self, file: File, writes: Vec<Write>) -> Result<(), StoreError> {
        match file {
            // One record per chain, and it is never deleted.
            File::Safety => writes
                .into_iter()
                .filter_map(|w| w.value)
                .try_for_each(|record| self.safety.put(&self.chain, &record)),
            File::State => {
                let mut batch = WriteBatch::new();
                for write in writes {
                    let table = def(write.table);
                    match write.value {
                        Some(value) => batch.put(&table, write.key, value)?,
                        None => batch.delete(&table, write.key)?,
                    }
                }
                self.state.commit(&batch)
            }
        }
    }

    /// Notes that the key of this process has signed nothing yet: an empty safety record.
    ///
    /// # Errors
    /// [`StoreError`]; the process must stop.
    pub fn mark_unsigned(&self) -> Result<(), StoreError> {
        self.safety.put(&self.chain, &Vec::<u8>::new())
    }

    /// The encoded safety record, if there is one; empty after [`Self::mark_unsigned`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn safety_record(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.safety.get(&self.chain)
    }

    /// A snapshot for reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reader(&self) -> Result<StoreReader, StoreError> {
        StoreReader::open(&*self.state)
    }

    /// Trie nodes and records as of the last batch.
    #[must_use]
    pub fn source(&self) -> Arc<dyn StateSource> {
        Arc::new(StoreSource(self.state()))
    }
}

/// Reads of one snapshot.
#[derive(Debug)]
pub struct StoreReader(Box<dyn View>);

impl StoreReader {
    /// A snapshot of a store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: &dyn Store) -> Result<Self, StoreError> {
        store.view().map(Self)
    }
}

/// Entries of a table.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

impl Reader for StoreReader {
    type Error = StoreError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(&def(table), key)
    }

    fn range(&self, table: Table, from: &[u8], max: usize) -> Result<Entries, StoreError> {
        let range = KeyRange::of(&(from..));
        quil_store::rows(&*self.0, &def(table), range, Direction::Forward)
            .take(max)
            .map(|row| row.map(|r| (r.key, r.value)))
            .collect()
    }

    fn last(&self, table: Table) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let mut rows =
            quil_store::rows(&*self.0, &def(table), KeyRange::all(), Direction::Backward);
        let row = rows.next().transpose()?;
        Ok(row.map(|r| (r.key, r.value)))
    }
}

/// The committed state of a chain, always as of the last batch. Reads open a view each: the engine writes between them,
/// and a view that lived on would keep replaced pages.
#[derive(Clone, Debug)]
pub struct StoreSource(Arc<dyn Store>);

impl StoreSource {
    /// Over a state store.
    #[must_use]
    pub fn over(state: Arc<dyn Store>) -> Self {
        Self(state)
    }
}

impl StateSource for StoreSource {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        let found = self.0.view().and_then(|v| v.get(&def(table), key));
        found.map_err(|e| {
            error!(%e, table = table.name(), "the state cannot be read");
            SourceError(e.to_string())
        })
    }
}
