use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeBounds;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::key::{Key, Prefix};
use crate::range::{Direction, KeyRange};
use crate::rows::{Rows, rows};
use crate::store::{Row, Scan, View};
use crate::table::TableDef;

/// A table with a key type and a value type. Values are borsh, decoded to the exact end.
pub struct TypedTable<K, V> {
    def: TableDef,
    types: PhantomData<fn(K) -> V>,
}

impl<K, V> fmt::Debug for TypedTable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedTable").field(&self.def).finish()
    }
}

impl<K: Key, V: BorshSerialize + BorshDeserialize> TypedTable<K, V> {
    /// Describes a table with values of at most `value_max` bytes; use it in a `const`.
    ///
    /// # Panics
    /// As [`TableDef::new`]: at compile time, in a constant.
    #[must_use]
    pub const fn new(name: &'static str, value_max: usize) -> Self {
        Self {
            def: TableDef::new(name, K::ENCODED_MAX, value_max),
            types: PhantomData,
        }
    }

    /// The untyped descriptor.
    #[must_use]
    pub const fn def(&self) -> &TableDef {
        &self.def
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// The value does not decode, or the engine failed.
    pub fn get(&self, view: &dyn View, key: &K) -> Result<Option<V>, StoreError> {
        match view.get(&self.def, &key.encoded())? {
            Some(bytes) => self.value(&bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Whether `key` is present.
    ///
    /// # Errors
    /// The engine failed.
    pub fn contains(&self, view: &dyn View, key: &K) -> Result<bool, StoreError> {
        Ok(view.get(&self.def, &key.encoded())?.is_some())
    }

    /// Adds "set `key` to `value`" to a batch.
    ///
    /// # Errors
    /// Key, value or batch exceeds its bound, or the value does not encode.
    pub fn put(&self, batch: &mut WriteBatch, key: &K, value: &V) -> Result<(), StoreError> {
        let bytes = borsh::to_vec(value).map_err(|source| StoreError::Encode {
            table: self.def.name(),
            source,
        })?;
        batch.put(&self.def, key.encoded(), bytes)
    }

    /// Adds "remove `key`" to a batch.
    ///
    /// # Errors
    /// Key or batch exceeds its bound.
    pub fn delete(&self, batch: &mut WriteBatch, key: &K) -> Result<(), StoreError> {
        batch.delete(&self.def, key.encoded())
    }

    /// Adds "remove the keys of `range`" to a batch.
    ///
    /// # Errors
    /// The batch exceeds its bound.
    pub fn delete_range(
        &self,
        batch: &mut WriteBatch,
        range: &impl RangeBounds<K>,
    ) -> Result<(), StoreError> {
        batch.delete_range(&self.def, Self::range(range))
    }

    /// Adds "remove the keys that begin with `prefix`" to a batch.
    ///
    /// # Errors
    /// The batch exceeds its bound.
    pub fn delete_prefix<P: Prefix<K>>(
        &self,
        batch: &mut WriteBatch,
        prefix: &P,
    ) -> Result<(), StoreError> {
        batch.delete_range(&self.def, KeyRange::prefix(&prefix.encoded()))
    }

    /// The row with the smallest key of a range.
    ///
    /// # Errors
    /// The row does not decode, or the engine failed.
    pub fn first(&self, view: &dyn View, range: &KeyRange) -> Result<Option<(K, V)>, StoreError> {
        self.one(view, Scan::forward(range.clone(), 1))
    }

    /// The row with the largest key of a range.
    ///
    /// # Errors
    /// The row does not decode, or the engine failed.
    pub fn last(&self, view: &dyn View, range: &KeyRange) -> Result<Option<(K, V)>, StoreError> {
        self.one(view, Scan::backward(range.clone(), 1))
    }

    /// Walks the rows of a range lazily.
    pub fn rows<'v>(
        &self,
        view: &'v dyn View,
        range: KeyRange,
        direction: Direction,
    ) -> TypedRows<'v, K, V> {
        TypedRows {
            rows: rows(view, &self.def, range, direction),
            table: Self { ..*self },
        }
    }

    /// The encoded form of a typed range, such as `&(a..b)` or `&(..)`.
    #[must_use]
    pub fn range(range: &impl RangeBounds<K>) -> KeyRange {
        KeyRange::from_bounds(
            range.start_bound().map(Key::encoded),
            range.end_bound().map(Key::encoded),
        )
    }

    /// The range of keys that begin with `prefix`.
    #[must_use]
    pub fn prefix<P: Prefix<K>>(prefix: &P) -> KeyRange {
        KeyRange::prefix(&prefix.encoded())
    }

    fn one(&self, view: &dyn View, scan: Scan) -> Result<Option<(K, V)>, StoreError> {
        let page = view.scan(&self.def, &scan)?;
        page.rows
            .into_iter()
            .next()
            .map(|row| self.row(&row))
            .transpose()
    }

    fn row(&self, row: &Row) -> Result<(K, V), StoreError> {
        let mut bytes = row.key.as_slice();
        let key = K::decode_from(&mut bytes).filter(|_| bytes.is_empty());
        let key = key.ok_or(StoreError::Decode {
            table: self.def.name(),
            what: "key",
        })?;
        Ok((key, self.value(&row.value)?))
    }

    fn value(&self, bytes: &[u8]) -> Result<V, StoreError> {
        V::try_from_slice(bytes).map_err(|_| StoreError::Decode {
            table: self.def.name(),
            what: "value",
        })
    }
}

/// Iterator made by [`TypedTable::rows`].
#[derive(Debug)]
pub struct TypedRows<'v, K, V> {
    rows: Rows<'v>,
    table: TypedTable<K, V>,
}

impl<K: Key, V: BorshSerialize + BorshDeserialize> Iterator for TypedRows<'_, K, V> {
    type Item = Result<(K, V), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| self.table.row(&row?))
    }
}
