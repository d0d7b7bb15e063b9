//! The durable back end. No type of the engine leaves this module and `error`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{
    Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table,
    TableDefinition, TableError,
};

use crate::batch::{Op, WriteBatch};
use crate::error::{StoreError, guarded};
use crate::gate::{ViewCounter, ViewTicket, WriteGate};
use crate::lock::FileLock;
use crate::range::Direction;
use crate::store::{Page, Row, Scan, Store, View, fill_page};
use crate::table::TableDef;

type Def = TableDefinition<'static, &'static [u8], &'static [u8]>;
type ReadTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

const fn def(table: &TableDef) -> Def {
    TableDefinition::new(table.name())
}

const COMMIT: &str = "commit a batch";

/// How a commit reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Commits also save the allocator, so a large file opens at once after a crash.
    Quick,
    /// Fewer pages per commit; the whole file is read and its checksums compared whenever it is opened. For small
    /// files.
    Scan,
}

pub(crate) struct RedbStore {
    // Field order is drop order: the database goes before the lock that guards its file.
    db: Database,
    gate: WriteGate,
    views: ViewCounter,
    repair: Repair,
    path: PathBuf,
    _lock: Option<FileLock>,
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("path", &self.path)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}

impl RedbStore {
    pub(crate) fn new(db: Database, path: &Path, repair: Repair, lock: Option<FileLock>) -> Self {
        Self {
            db,
            gate: WriteGate::default(),
            views: ViewCounter::default(),
            repair,
            path: path.to_owned(),
            _lock: lock,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn size_bytes(&self) -> Result<u64, StoreError> {
        fs::metadata(&self.path)
            .map(|m| m.len())
            .map_err(|e| StoreError::io("read the file size", e))
    }

    pub(crate) fn compact(&mut self) -> Result<bool, StoreError> {
        const STEP: &str = "compact the file";
        let Self { db, gate, .. } = self;
        gate.run(STEP, || {
            guarded(STEP, || {
                db.compact().map_err(|e| StoreError::engine(STEP, e))
            })
        })
    }

    /// Reads every page and compares checksums.
    pub(crate) fn verify(&mut self) -> Result<(), StoreError> {
        const STEP: &str = "verify the file";
        let Self { db, gate, .. } = self;
        let whole = gate.run(STEP, || {
            guarded(STEP, || {
                db.check_integrity()
                    .map_err(|e| StoreError::engine(STEP, e))
            })
        })?;
        if whole {
            Ok(())
        } else {
            Err(StoreError::Damaged { step: STEP })
        }
    }

    fn write(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        const STEP: &str = COMMIT;
        let mut tx = self
            .db
            .begin_write()
            .map_err(|e| StoreError::engine(STEP, e))?;
        tx.set_durability(Durability::Immediate)
            .map_err(|e| StoreError::engine(STEP, e))?;
        match self.repair {
            Repair::Quick => tx.set_quick_repair(true),
            Repair::Scan => tx.set_two_phase_commit(true),
        }
        // Operations on different tables commute; grouping opens each table once.
        let mut by_table: BTreeMap<&'static str, (Def, Vec<&Op>)> = BTreeMap::new();
        for (table, op) in batch.iter() {
            by_table
                .entry(table.name())
                .or_insert_with(|| (def(table), Vec::new()))
                .1
                .push(op);
        }
        for (table, ops) in by_table.into_values() {
            let mut table = tx
                .open_table(table)
                .map_err(|e| StoreError::engine(STEP, e))?;
            for op in ops {
                apply(&mut table, op).map_err(|e| StoreError::engine(STEP, e))?;
            }
        }
        tx.commit().map_err(|e| StoreError::engine(STEP, e))
    }
}

fn apply(
    table: &mut Table<'_, &'static [u8], &'static [u8]>,
    op: &Op,
) -> Result<(), redb::StorageError> {
    match op {
        Op::Put { key, value } => {
            table.insert(key.as_slice(), value.as_slice())?;
        }
        Op::Delete { key } => {
            table.remove(key.as_slice())?;
        }
        Op::DeleteRange { range } if range.is_empty() => {}
        Op::DeleteRange { range } => table.retain_in::<&[u8], _>(range.bounds(), |_, _| false)?,
    }
    Ok(())
}

impl Store for RedbStore {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        const STEP: &str = "begin a view";
        let ticket = self.views.enter()?;
        guarded(STEP, || {
            let tx = self
                .db
                .begin_read()
                .map_err(|e| StoreError::engine(STEP, e))?;
            let view: Box<dyn View> = Box::new(RedbView {
                open: Mutex::default(),
                tx,
                _ticket: ticket,
            });
            Ok(view)
        })
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let result = self
            .gate
            .run(COMMIT, || guarded(COMMIT, || self.write(batch)));
        if let Err(error) = &result {
            tracing::error!(path = %self.path.display(), %error, "store commit failed");
        }
        result
    }
}

struct RedbView {
    /// Tables this view has opened: finding a table again costs a tree descent. `None` = it does not exist.
    open: Mutex<BTreeMap<&'static str, Option<Arc<ReadTable>>>>,
    tx: ReadTransaction,
    _ticket: ViewTicket,
}

impl fmt::Debug for RedbView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbView").finish_non_exhaustive()
    }
}

impl RedbView {
    fn table(&self, table: &TableDef) -> Result<Option<Arc<ReadTable>>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.get(table.name()) {
            return Ok(known.clone());
        }
        let found = match self.tx.open_table(def(table)) {
            Ok(found) => Some(Arc::new(found)),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(e) => return Err(StoreError::engine("open a table", e)),
        };
        open.insert(table.name(), found.clone());
        Ok(found)
    }
}

impl View for RedbView {
    fn get(&self, table: &TableDef, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        const STEP: &str = "read a row";
        table.check_key(key)?;
        guarded(STEP, || {
            let Some(rows) = self.table(table)? else {
                return Ok(None);
            };
            let found = rows.get(key).map_err(|e| StoreError::engine(STEP, e))?;
            Ok(found.map(|guard| guard.value().to_vec()))
        })
    }

    fn scan(&self, table: &TableDef, scan: &Scan) -> Result<Page, StoreError> {
        const STEP: &str = "scan a range";
        guarded(STEP, || {
            let rows = match self.table(table)? {
                Some(rows) if !scan.range.is_empty() => rows,
                _ => return Ok(Page::default()),
            };
            let range = ReadableTable::range::<&[u8]>(&*rows, scan.range.bounds());
            let range = range.map_err(|e| StoreError::engine(STEP, e))?;
            match scan.direction {
                Direction::Forward => fill_page(range.map(row), scan.limit),
                Direction::Backward => fill_page(range.rev().map(row), scan.limit),
            }
            .map_err(|e| StoreError::engine(STEP, e))
        })
    }
}

type Guard<'a> = redb::AccessGuard<'a, &'static [u8]>;

fn row(
    item: Result<(Guard<'_>, Guard<'_>), redb::StorageError>,
) -> Result<Row, redb::StorageError> {
    item.map(|(key, value)| Row {
        key: key.value().to_vec(),
        value: value.value().to_vec(),
    })
}
