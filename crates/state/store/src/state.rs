use std::path::Path;

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::files::{self, OpenSpec, Origin};
use crate::format::{FileKind, FormatRecord};
use crate::limits::STATE_CACHE_BYTES;
use crate::redb_store::{RedbStore, Repair};
use crate::store::{Store, View};

/// Settings of a [`StateFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// Version of the caller's table layout; a file with another one is refused.
    pub schema: u16,
    /// Page cache, bytes.
    pub cache_bytes: usize,
}

impl StateOptions {
    /// The default cache with this table layout version.
    #[must_use]
    pub const fn new(schema: u16) -> Self {
        Self {
            schema,
            cache_bytes: STATE_CACHE_BYTES,
        }
    }

    pub(crate) const fn spec(self) -> OpenSpec {
        OpenSpec {
            record: FormatRecord::new(FileKind::State, self.schema),
            cache_bytes: self.cache_bytes,
            repair: Repair::Quick,
        }
    }
}

/// The file with chain data: frames, candidates, trie nodes, indexes. One durable batch per frame.
#[derive(Debug)]
pub struct StateFile {
    store: RedbStore,
    origin: Origin,
}

impl StateFile {
    /// Locks and opens the file, creating it (not its directory) when it does not exist.
    ///
    /// # Errors
    /// Locked by another process; unknown format, layout or kind; damaged; input or output.
    pub fn open(path: &Path, options: StateOptions) -> Result<Self, StoreError> {
        let (store, origin) = files::open(path, options.spec())?;
        Ok(Self { store, origin })
    }

    #[cfg(feature = "test-support")]
    pub(crate) const fn from_parts(store: RedbStore, origin: Origin) -> Self {
        Self { store, origin }
    }

    /// Whether this call created the file.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Size on disk, bytes, free pages included.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        self.store.size_bytes()
    }

    /// Reads the whole file and compares checksums; for maintenance. Ordinary reads do not compare them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when they differ; the engine failed.
    pub fn verify(&mut self) -> Result<(), StoreError> {
        self.store.verify()
    }

    /// Moves pages to the front and shortens the file; for maintenance while nothing else runs. Returns whether
    /// anything moved. Takes time in proportion to the file.
    ///
    /// # Errors
    /// A view is alive, or the engine failed; either way the store is poisoned.
    pub fn compact(&mut self) -> Result<bool, StoreError> {
        self.store.compact()
    }
}

impl Store for StateFile {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        self.store.view()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        self.store.commit(batch)
    }
}
