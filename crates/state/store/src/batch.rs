use crate::error::StoreError;
use crate::limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX, KEY_BYTES_MAX};
use crate::range::KeyRange;
use crate::table::TableDef;

/// One change of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets a key, replacing what was there.
    Put {
        /// Key bytes.
        key: Vec<u8>,
        /// Value bytes.
        value: Vec<u8>,
    },
    /// Removes a key; an absent key is no error.
    Delete {
        /// Key bytes.
        key: Vec<u8>,
    },
    /// Removes every key of a range.
    DeleteRange {
        /// The keys.
        range: KeyRange,
    },
}

/// Changes that become visible and durable together. Operations apply in the order they were added.
///
/// Bounds are checked when an operation is added, so that a commit can only fail for the disk's reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteBatch {
    ops: Vec<(TableDef, Op)>,
    bytes: usize,
}

impl WriteBatch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ops: Vec::new(),
            bytes: 0,
        }
    }

    /// Sets `key` to `value`.
    ///
    /// # Errors
    /// Key, value or batch exceeds its bound; the batch is unchanged.
    pub fn put(
        &mut self,
        table: &TableDef,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        table.check_key(&key)?;
        table.check_value(&value)?;
        self.push(
            table,
            key.len().saturating_add(value.len()),
            Op::Put { key, value },
        )
    }

    /// Removes `key`.
    ///
    /// # Errors
    /// Key or batch exceeds its bound; the batch is unchanged.
    pub fn delete(&mut self, table: &TableDef, key: Vec<u8>) -> Result<(), StoreError> {
        table.check_key(&key)?;
        self.push(table, key.len(), Op::Delete { key })
    }

    /// Removes every key of `range`. The commit costs time and space per removed row: to prune long histories
    /// use [`crate::prune`], which commits in chunks.
    ///
    /// # Errors
    /// A bound or the batch exceeds its limit; the batch is unchanged.
    pub fn delete_range(&mut self, table: &TableDef, range: KeyRange) -> Result<(), StoreError> {
        let len = range.byte_len();
        let max = KEY_BYTES_MAX.saturating_mul(2);
        if len > max {
            return Err(StoreError::KeyTooLong {
                table: table.name(),
                len,
                max,
            });
        }
        self.push(table, len, Op::DeleteRange { range })
    }

    /// Number of operations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Key and value bytes held.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.bytes
    }

    /// The operations in order.
    pub fn iter(&self) -> impl Iterator<Item = (&TableDef, &Op)> {
        self.ops.iter().map(|(table, op)| (table, op))
    }

    /// Appends the operations of `other`.
    ///
    /// # Errors
    /// The sum exceeds a bound; this batch is unchanged.
    pub fn append(&mut self, other: Self) -> Result<(), StoreError> {
        self.reserve(other.ops.len(), other.bytes)?;
        self.ops.extend(other.ops);
        Ok(())
    }

    fn push(&mut self, table: &TableDef, bytes: usize, op: Op) -> Result<(), StoreError> {
        self.reserve(1, bytes)?;
        self.ops.push((*table, op));
        Ok(())
    }

    const fn reserve(&mut self, ops: usize, bytes: usize) -> Result<(), StoreError> {
        if self.ops.len().saturating_add(ops) > BATCH_OPS_MAX {
            return Err(StoreError::BatchTooLarge {
                unit: "operations",
                max: BATCH_OPS_MAX,
            });
        }
        let total = self.bytes.saturating_add(bytes);
        if total > BATCH_BYTES_MAX {
            return Err(StoreError::BatchTooLarge {
                unit: "bytes",
                max: BATCH_BYTES_MAX,
            });
        }
        self.bytes = total;
        Ok(())
    }
}
