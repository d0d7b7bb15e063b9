use std::collections::VecDeque;

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::limits::{BATCH_OPS_MAX, ITER_PAGE_ROWS, SCAN_ROWS_MAX};
use crate::range::{Direction, KeyRange};
use crate::store::{Row, Scan, Store, View};
use crate::table::TableDef;

/// Walks all rows of a range lazily, a page at a time, so memory stays bounded however long the range is.
pub fn rows<'v>(
    view: &'v dyn View,
    table: &TableDef,
    range: KeyRange,
    direction: Direction,
) -> Rows<'v> {
    Rows {
        view,
        table: *table,
        range,
        direction,
        page: VecDeque::new(),
        more: true,
    }
}

/// Iterator made by [`rows`]. Ends after the first error.
#[derive(Debug)]
pub struct Rows<'v> {
    view: &'v dyn View,
    table: TableDef,
    range: KeyRange,
    direction: Direction,
    page: VecDeque<Row>,
    more: bool,
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && self.more {
            let scan = Scan {
                range: self.range.clone(),
                direction: self.direction,
                limit: ITER_PAGE_ROWS,
            };
            match self.view.scan(&self.table, &scan) {
                Ok(page) => {
                    self.more = page.more;
                    if let Some(last) = page.rows.last() {
                        self.range = self.range.past(&last.key, self.direction);
                    }
                    self.page = page.rows.into();
                }
                Err(e) => {
                    self.more = false;
                    return Some(Err(e));
                }
            }
        }
        self.page.pop_front().map(Ok)
    }
}

/// Deletes a range in several durable batches of at most `chunk` rows and returns the number of rows deleted.
///
/// Not atomic as a whole: after a crash a prefix of the range is gone. That is what pruning of old history wants,
/// and it keeps each commit short.
///
/// # Errors
/// As [`Store::commit`]; chunks committed before the error stay deleted.
pub fn prune(
    store: &dyn Store,
    table: &TableDef,
    range: &KeyRange,
    chunk: usize,
) -> Result<u64, StoreError> {
    let limit = chunk.clamp(
        1,
        if BATCH_OPS_MAX < SCAN_ROWS_MAX {
            BATCH_OPS_MAX
        } else {
            SCAN_ROWS_MAX
        },
    );
    let mut deleted = 0_u64;
    loop {
        let page = store
            .view()?
            .scan(table, &Scan::forward(range.clone(), limit))?;
        let mut batch = WriteBatch::new();
        for row in page.rows {
            batch.delete(table, row.key)?;
            deleted = deleted.saturating_add(1);
        }
        if !batch.is_empty() {
            store.commit(&batch)?;
        }
        if !page.more {
            return Ok(deleted);
        }
    }
}
