//! A simulated disk: what was persisted survives a crash, nothing else does.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quil_engine::io::Write;
use quil_engine::state::StateSource;
use quil_engine::tables::{Reader, Table};
use quil_trie::SourceError;

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Tables in memory, shared between an engine and its disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    rows: Arc<Mutex<Rows>>,
    broken: Arc<AtomicBool>,
}

impl MemoryTables {
    fn rows(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on reads of the state fail.
    pub fn break_reads(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Whether reads of the state fail.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Number of rows of a table.
    #[must_use]
    pub fn count(&self, table: Table) -> usize {
        self.rows().keys().filter(|(t, _)| *t == table).count()
    }

    /// Applies one batch.
    pub fn apply(&self, writes: Vec<Write>) {
        let mut rows = self.rows();
        for write in writes {
            match write.value {
                Some(value) => rows.insert((write.table, write.key), value),
                None => rows.remove(&(write.table, write.key)),
            };
        }
    }

    /// One value.
    #[must_use]
    pub fn value(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.rows().get(&(table, key.to_vec())).cloned()
    }
}

impl Reader for MemoryTables {
    type Error = Infallible;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.value(table, key))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        max: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Infallible> {
        let rows = self.rows();
        let from = (table, from.to_vec());
        let of_table = rows.range(from..).take_while(|((t, _), _)| *t == table);
        Ok(of_table
            .take(max)
            .map(|((_, k), v)| (k.clone(), v.clone()))
            .collect())
    }

    fn last(&self, table: Table) -> Result<Option<(Vec<u8>, Vec<u8>)>, Infallible> {
        let rows = self.rows();
        let last = rows.iter().rev().find(|((t, _), _)| *t == table);
        Ok(last.map(|((_, k), v)| (k.clone(), v.clone())))
    }
}

impl StateSource for MemoryTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        if self.is_broken() {
            return Err(SourceError("the simulated disk is broken".to_owned()));
        }
        Ok(self.value(table, key))
    }
}
