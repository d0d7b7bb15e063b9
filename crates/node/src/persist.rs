//! The engine's tables over the embedded store.

use std::sync::Arc;

use quil_engine::io::{File, Write};
use quil_engine::tables::{Reader, Table};
use quil_store::{Direction, KeyRange, SafetyFile, Scan, Store, StoreError, TableDef, View, WriteBatch};
use quil_types::{Bytes, Chain};

/// Largest value of a table: a candidate proposal.
const VALUE_BYTES_MAX: usize = quil_types::limits::PROPOSAL_BYTES_MAX + 4096;

/// Longest key: set, level and path of a trie node.
const KEY_BYTES_MAX: usize = 160;

/// The store's description of an engine table.
fn def(table: Table) -> TableDef {
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
        Self { state, safety, chain }
    }

    /// The state store, for readers.
    #[must_use]
    pub fn state(&self) -> Arc<dyn Store> {
        Arc::clone(&self.state)
    }

    /// Writes one batch durably.
    ///
    /// # Errors
    /// [`StoreError`]; the process must stop.
    pub fn write(&self, file: File, writes: Vec<Write>) -> Result<(), StoreError> {
        match file {
            File::Safety => {
                for write in writes {
                    let value = write.value.unwrap_or_default();
                    let record = Bytes::<SAFETY_BYTES_MAX>::try_from(value).unwrap_or_default();
                    self.safety.put(&self.chain, &record)?;
                }
                Ok(())
            }
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

    /// The encoded safety record, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn safety_record(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let record: Option<Bytes<SAFETY_BYTES_MAX>> = self.safety.get(&self.chain)?;
        Ok(record.map(quil_types::Bounded::into_vec))
    }

    /// A snapshot for reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reader(&self) -> Result<StoreReader, StoreError> {
        StoreReader::open(&*self.state)
    }
}

const SAFETY_BYTES_MAX: usize = 4096;

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

impl Reader for StoreReader {
    type Error = StoreError;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(&def(table), key)
    }

    fn range(&self, table: Table, from: &[u8], max: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let range = KeyRange::of(&(from..));
        let mut out = Vec::new();
        for row in quil_store::rows(&*self.0, &def(table), range, Direction::Forward) {
            if out.len() >= max {
                break;
            }
            let row = row?;
            out.push((row.key, row.value));
        }
        Ok(out)
    }

    fn last(&self, table: Table) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let all: &[u8] = &[];
        let range = KeyRange::of(&(all..));
        let row = quil_store::rows(&*self.0, &def(table), range, Direction::Backward).next().transpose()?;
        Ok(row.map(|r| (r.key, r.value)))
    }
}
