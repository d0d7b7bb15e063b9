use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::batch::{Op, WriteBatch};
use crate::error::StoreError;
use crate::gate::{ViewCounter, ViewTicket, WriteGate};
use crate::range::{Direction, KeyRange};
use crate::store::{Page, Row, Scan, Store, View, fill_page};
use crate::table::TableDef;

type Rows = BTreeMap<Arc<[u8]>, Arc<[u8]>>;
type Tables = BTreeMap<&'static str, Arc<Rows>>;

/// A store in memory, for simulations and tests. Clones share one content, so a clone kept by the test is "the
/// disk" that survives when the owner of another clone is dropped and started again.
///
/// A commit while a view is alive copies the tables it touches (keys and values stay shared).
#[derive(Clone, Debug, Default)]
pub struct MemStore {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    gate: WriteGate,
    tables: RwLock<Tables>,
    views: ViewCounter,
}

impl MemStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemStore {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        let ticket = self.shared.views.enter()?;
        let tables = self
            .shared
            .tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Box::new(MemView {
            tables,
            _ticket: ticket,
        }))
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        self.shared.gate.run("commit a batch", || {
            let mut tables = self
                .shared
                .tables
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for (table, op) in batch.iter() {
                apply(Arc::make_mut(tables.entry(table.name()).or_default()), op);
            }
            Ok(())
        })
    }
}

fn apply(rows: &mut Rows, op: &Op) {
    match op {
        Op::Put { key, value } => {
            rows.insert(key.as_slice().into(), value.as_slice().into());
        }
        Op::Delete { key } => {
            rows.remove(key.as_slice());
        }
        Op::DeleteRange { range } => {
            let doomed: Vec<_> = iter(rows, range).map(|(key, _)| Arc::clone(key)).collect();
            for key in doomed {
                rows.remove(&key);
            }
        }
    }
}

/// `BTreeMap::range` panics on inverted bounds, so empty ranges are answered here.
fn iter<'a>(
    rows: &'a Rows,
    range: &KeyRange,
) -> impl DoubleEndedIterator<Item = (&'a Arc<[u8]>, &'a Arc<[u8]>)> {
    let found = if range.is_empty() {
        None
    } else {
        Some(rows.range::<[u8], _>(range.bounds()))
    };
    found.into_iter().flatten()
}

#[derive(Debug)]
struct MemView {
    tables: Tables,
    _ticket: ViewTicket,
}

impl View for MemView {
    fn get(&self, table: &TableDef, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        table.check_key(key)?;
        Ok(self
            .tables
            .get(table.name())
            .and_then(|rows| rows.get(key))
            .map(|v| v.to_vec()))
    }

    fn scan(&self, table: &TableDef, scan: &Scan) -> Result<Page, StoreError> {
        let Some(rows) = self.tables.get(table.name()) else {
            return Ok(Page::default());
        };
        let row = |(key, value): (&Arc<[u8]>, &Arc<[u8]>)| {
            Ok(Row {
                key: key.to_vec(),
                value: value.to_vec(),
            })
        };
        match scan.direction {
            Direction::Forward => fill_page(iter(rows, &scan.range).map(row), scan.limit),
            Direction::Backward => fill_page(iter(rows, &scan.range).rev().map(row), scan.limit),
        }
    }
}
