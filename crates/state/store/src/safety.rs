use std::path::Path;
use std::sync::{Mutex, PoisonError};

use borsh::{BorshDeserialize, BorshSerialize};
use quil_types::Chain;

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::files::{self, OpenSpec, Origin};
use crate::format::{FileKind, FormatRecord};
use crate::key::Key;
use crate::limits::{SAFETY_CACHE_BYTES, SAFETY_CHAINS_MAX, SAFETY_RECORD_BYTES_MAX};
use crate::range::KeyRange;
use crate::redb_store::Repair;
use crate::store::{Scan, Store};
use crate::table::TableDef;

const RECORDS: TableDef =
    TableDef::internal("quil.safety", Chain::ENCODED_MAX, SAFETY_RECORD_BYTES_MAX);

/// Layout version of the safety file.
const SAFETY_SCHEMA: u16 = 1;

/// The file that remembers what this process has signed (rules C4 and C8): one small record per chain.
///
/// It is locked for the life of the value, so two processes can never sign with one record. [`Self::put`] returns
/// when the record is durable; only then may the signature leave the process.
#[derive(Debug)]
pub struct SafetyFile {
    store: Box<dyn Store>,
    origin: Origin,
    /// Makes the test of the chain bound and the write that follows one step.
    bound: Mutex<()>,
}

impl SafetyFile {
    /// Locks and opens the file, creating it (not its directory) when it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds it: exit with [`crate::EXIT_CANNOT_LOCK`]. Unknown format,
    /// wrong kind, input or output; a checksum anywhere in the file is wrong.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let spec = OpenSpec {
            record: FormatRecord::new(FileKind::Safety, SAFETY_SCHEMA),
            cache_bytes: SAFETY_CACHE_BYTES,
            repair: Repair::Scan,
        };
        let (store, origin) = files::open(path, spec)?;
        Ok(Self {
            store: Box::new(store),
            origin,
            bound: Mutex::new(()),
        })
    }

    /// Safety records kept in another store, for simulations.
    #[must_use]
    pub fn over(store: Box<dyn Store>) -> Self {
        Self {
            store,
            origin: Origin::Existing,
            bound: Mutex::new(()),
        }
    }

    /// Whether [`Self::open`] created the file. A created safety file beside an existing state file means that the
    /// record was lost: refuse to sign (rule C8).
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The record of a chain, `None` when nothing was ever put.
    ///
    /// # Errors
    /// The record does not decode (do not sign!), or the engine failed.
    pub fn get<R: BorshDeserialize>(&self, chain: &Chain) -> Result<Option<R>, StoreError> {
        let Some(bytes) = self.store.view()?.get(&RECORDS, &chain.encoded())? else {
            return Ok(None);
        };
        let decoded = R::try_from_slice(&bytes);
        decoded.map(Some).map_err(|_| StoreError::Decode {
            table: RECORDS.name(),
            what: "value",
        })
    }

    /// Replaces the record of a chain and returns when it is durable. Cost: two flushes of the disk.
    ///
    /// # Errors
    /// Record too long, too many chains: nothing changed. Anything else: the file is poisoned, nothing may
    /// be signed any more and the process must stop.
    pub fn put<R: BorshSerialize>(&self, chain: &Chain, record: &R) -> Result<(), StoreError> {
        let bytes = borsh::to_vec(record).map_err(|source| StoreError::Encode {
            table: RECORDS.name(),
            source,
        })?;
        let mut batch = WriteBatch::new();
        batch.put(&RECORDS, chain.encoded(), bytes)?;
        let _bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_chain_bound(chain)?;
        self.store.commit(&batch)
    }

    /// All chains with a record, the global chain first.
    ///
    /// # Errors
    /// A key does not decode, or the engine failed.
    pub fn chains(&self) -> Result<Vec<Chain>, StoreError> {
        let scan = Scan::forward(KeyRange::all(), SAFETY_CHAINS_MAX);
        let page = self.store.view()?.scan(&RECORDS, &scan)?;
        let chain = |bytes: &[u8]| {
            let mut rest = bytes;
            Chain::decode_from(&mut rest).filter(|_| rest.is_empty())
        };
        let chains = page
            .rows
            .iter()
            .map(|row| chain(&row.key))
            .collect::<Option<Vec<_>>>();
        chains.ok_or(StoreError::Decode {
            table: RECORDS.name(),
            what: "key",
        })
    }

    fn check_chain_bound(&self, chain: &Chain) -> Result<(), StoreError> {
        let view = self.store.view()?;
        if view.get(&RECORDS, &chain.encoded())?.is_some() {
            return Ok(());
        }
        let page = view.scan(&RECORDS, &Scan::forward(KeyRange::all(), SAFETY_CHAINS_MAX))?;
        if page.rows.len() >= SAFETY_CHAINS_MAX {
            return Err(StoreError::TooManyChains {
                max: SAFETY_CHAINS_MAX,
            });
        }
        Ok(())
    }
}
