//! A simulated disk: what was persisted survives a crash, nothing else does.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use quil_engine::io::Write;
use quil_engine::state::{StateSource, stored_node_key, stored_record_key};
use quil_engine::tables::{Reader, Table};
use quil_trie::{NodeKey, NodeSource, SetId, SourceError};

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Tables in memory, shared between an engine and its disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables(Arc<Mutex<Rows>>);

impl MemoryTables {
    fn rows(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

impl NodeSource for MemoryTables {
    fn node(&self, set: &SetId, key: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.value(Table::Nodes, &stored_node_key(set, key)))
    }
}

impl StateSource for MemoryTables {
    fn record(&self, phase: u8, key: &[u8; 64]) -> Option<Vec<u8>> {
        self.value(Table::Records, &stored_record_key(phase, key))
    }
}
