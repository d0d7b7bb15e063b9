use crate::error::StoreError;
use crate::limits::{KEY_BYTES_MAX, TABLE_NAME_BYTES_MAX, VALUE_BYTES_MAX};

/// Static description of a table: its name and the bounds of its keys and values.
///
/// Two descriptors with one name are one table. Names that begin with `quil.` belong to this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableDef {
    name: &'static str,
    key_max: usize,
    value_max: usize,
}

impl TableDef {
    /// Describes a table with keys of at most `key_max` and values of at most `value_max` bytes.
    ///
    /// # Panics
    /// When the name is empty, too long or reserved, or a bound exceeds [`crate::limits`]. Descriptors are
    /// constants, so this is a compile error.
    #[must_use]
    pub const fn new(name: &'static str, key_max: usize, value_max: usize) -> Self {
        assert!(
            !reserved(name),
            "table names beginning with \"quil.\" are reserved"
        );
        Self::internal(name, key_max, value_max)
    }

    pub(crate) const fn internal(name: &'static str, key_max: usize, value_max: usize) -> Self {
        assert!(
            !name.is_empty() && name.len() <= TABLE_NAME_BYTES_MAX,
            "table name length"
        );
        assert!(key_max <= KEY_BYTES_MAX, "keys longer than KEY_BYTES_MAX");
        assert!(
            value_max <= VALUE_BYTES_MAX,
            "values longer than VALUE_BYTES_MAX"
        );
        Self {
            name,
            key_max,
            value_max,
        }
    }

    /// Name, unique in a file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Longest key, bytes.
    #[must_use]
    pub const fn key_max(&self) -> usize {
        self.key_max
    }

    /// Longest value, bytes.
    #[must_use]
    pub const fn value_max(&self) -> usize {
        self.value_max
    }

    pub(crate) const fn check_key(&self, key: &[u8]) -> Result<(), StoreError> {
        if key.len() > self.key_max {
            return Err(StoreError::KeyTooLong {
                table: self.name,
                len: key.len(),
                max: self.key_max,
            });
        }
        Ok(())
    }

    pub(crate) const fn check_value(&self, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > self.value_max {
            return Err(StoreError::ValueTooLong {
                table: self.name,
                len: value.len(),
                max: self.value_max,
            });
        }
        Ok(())
    }
}

const fn reserved(name: &str) -> bool {
    matches!(name.as_bytes(), [b'q', b'u', b'i', b'l', b'.', ..])
}
