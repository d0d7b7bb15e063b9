use std::fmt;
use std::path::Path;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::store::View;
use crate::table::TableDef;

/// Version of the file layout this crate reads and writes.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: [u8; 8] = *b"QUILSTOR";
const FORMAT: TableDef = TableDef::internal("quil.format", 8, 256);
const FORMAT_KEY: &[u8] = b"format";

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum FileKind {
    /// Chain data.
    State = 1,
    /// What this process has signed.
    Safety = 2,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "state",
            Self::Safety => "safety",
        })
    }
}

/// First record of every file. Magic and format come first and never move, so that any version can refuse any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct FormatRecord {
    magic: [u8; 8],
    format: u16,
    kind: FileKind,
    schema: u16,
}

impl FormatRecord {
    pub(crate) const fn new(kind: FileKind, schema: u16) -> Self {
        Self {
            magic: MAGIC,
            format: FORMAT_VERSION,
            kind,
            schema,
        }
    }

    /// The batch that marks a new file.
    pub(crate) fn batch(self) -> Result<WriteBatch, StoreError> {
        let bytes = borsh::to_vec(&self).map_err(|source| StoreError::Encode {
            table: FORMAT.name(),
            source,
        })?;
        let mut batch = WriteBatch::new();
        batch.put(&FORMAT, FORMAT_KEY.to_vec(), bytes)?;
        Ok(batch)
    }

    /// Refuses a file that this record does not describe.
    pub(crate) fn check(self, view: &dyn View, path: &Path) -> Result<(), StoreError> {
        let not_a_store = || StoreError::NotAStore {
            path: path.to_owned(),
        };
        let bytes = view.get(&FORMAT, FORMAT_KEY)?.ok_or_else(not_a_store)?;
        let mut rest = bytes.as_slice();
        let head = <([u8; 8], u16)>::deserialize(&mut rest).map_err(|_| not_a_store())?;
        if head.0 != MAGIC {
            return Err(not_a_store());
        }
        if head.1 != FORMAT_VERSION {
            return Err(StoreError::UnknownFormat {
                path: path.to_owned(),
                found: head.1,
                supported: FORMAT_VERSION,
            });
        }
        let found = Self::try_from_slice(&bytes).map_err(|_| not_a_store())?;
        if found.kind != self.kind {
            return Err(StoreError::WrongKind {
                path: path.to_owned(),
                found: found.kind,
                expected: self.kind,
            });
        }
        if found.schema != self.schema {
            return Err(StoreError::UnknownSchema {
                path: path.to_owned(),
                found: found.schema,
                supported: self.schema,
            });
        }
        Ok(())
    }
}
