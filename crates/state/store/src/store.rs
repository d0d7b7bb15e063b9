use std::fmt::Debug;

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::limits::{SCAN_BYTES_MAX, SCAN_ROWS_MAX};
use crate::range::{Direction, KeyRange};
use crate::table::TableDef;

/// An ordered, transactional key-value store.
///
/// Both methods block; call them from a blocking thread. Writers are serialised, views never wait for writers.
pub trait Store: Debug + Send + Sync {
    /// A consistent snapshot of every table as of the last successful commit. Keep it for seconds, not minutes:
    /// a live view keeps replaced pages from being reused.
    ///
    /// # Errors
    /// Too many live views, or the engine failed.
    fn view(&self) -> Result<Box<dyn View>, StoreError>;

    /// Applies the batch atomically and returns when it is durable.
    ///
    /// # Errors
    /// After any error of a started commit the store is poisoned: whether this batch survives is known only after
    /// reopening, and every later commit returns [`StoreError::Poisoned`]. All earlier batches stay durable.
    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError>;
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        (**self).view()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        (**self).commit(batch)
    }
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        (**self).view()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        (**self).commit(batch)
    }
}

/// A consistent snapshot. A table nobody has written to is empty.
pub trait View: Debug + Send + Sync {
    /// The value of `key`.
    ///
    /// # Errors
    /// Key longer than the table allows, or the engine failed.
    fn get(&self, table: &TableDef, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// One page of the rows of a range, in order.
    ///
    /// # Errors
    /// The engine failed.
    fn scan(&self, table: &TableDef, scan: &Scan) -> Result<Page, StoreError>;
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Key bytes.
    pub key: Vec<u8>,
    /// Value bytes.
    pub value: Vec<u8>,
}

/// What to read with [`View::scan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The keys.
    pub range: KeyRange,
    /// The order; [`Direction::Backward`] begins at the upper end.
    pub direction: Direction,
    /// Most rows to return; values above [`SCAN_ROWS_MAX`] count as that.
    pub limit: usize,
}

impl Scan {
    /// At most `limit` rows from the lower end of `range`.
    #[must_use]
    pub const fn forward(range: KeyRange, limit: usize) -> Self {
        Self {
            range,
            direction: Direction::Forward,
            limit,
        }
    }

    /// At most `limit` rows from the upper end of `range`.
    #[must_use]
    pub const fn backward(range: KeyRange, limit: usize) -> Self {
        Self {
            range,
            direction: Direction::Backward,
            limit,
        }
    }
}

/// Rows of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows in the order asked for.
    pub rows: Vec<Row>,
    /// Whether the range holds further rows beyond the last one returned.
    pub more: bool,
}

/// Collects rows up to the limits of a page.
pub(crate) fn fill_page<E>(
    rows: impl Iterator<Item = Result<Row, E>>,
    limit: usize,
) -> Result<Page, E> {
    let limit = limit.min(SCAN_ROWS_MAX);
    let mut page = Page::default();
    let mut bytes = 0_usize;
    for row in rows {
        let row = row?;
        let full = page.rows.len() >= limit || (bytes >= SCAN_BYTES_MAX && !page.rows.is_empty());
        if full {
            page.more = true;
            break;
        }
        bytes = bytes
            .saturating_add(row.key.len())
            .saturating_add(row.value.len());
        page.rows.push(row);
    }
    Ok(page)
}
