//! Opening and creating store files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use redb::{Builder, Database};

use crate::error::{StoreError, guarded};
use crate::format::FormatRecord;
use crate::lock::FileLock;
use crate::redb_store::{RedbStore, Repair};
use crate::store::Store;

/// Whether a file was there before it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This call created it.
    Created,
    /// It was there.
    Existing,
}

/// How to open a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSpec {
    pub(crate) record: FormatRecord,
    pub(crate) cache_bytes: usize,
    pub(crate) repair: Repair,
}

const OPEN: &str = "open the store";

/// Locks and opens `path`, creating it when it does not exist.
pub(crate) fn open(path: &Path, spec: OpenSpec) -> Result<(RedbStore, Origin), StoreError> {
    let lock = FileLock::acquire(path)?;
    let exists = path
        .try_exists()
        .map_err(|e| StoreError::io("look for the store", e))?;
    let origin = if exists {
        Origin::Existing
    } else {
        Origin::Created
    };
    if !exists {
        create(path, spec)?;
    }
    let db = guarded(OPEN, || {
        builder(spec.cache_bytes)
            .open(path)
            .map_err(|e| StoreError::opening(path, e))
    })?;
    let mut store = RedbStore::new(db, path, spec.repair, Some(lock));
    if spec.repair == Repair::Scan {
        store.verify()?;
    }
    spec.record.check(&*store.view()?, path)?;
    Ok((store, origin))
}

pub(crate) fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(cache_bytes);
    builder
}

/// Writes a complete file under another name and renames it, so that a crash leaves either no file or a whole one.
fn create(path: &Path, spec: OpenSpec) -> Result<(), StoreError> {
    const STEP: &str = "create the store";
    let io = |e: io::Error| StoreError::io(STEP, e);
    let fresh = suffixed(path, ".new");
    match fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io(e)),
        _ => {}
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(io)?;
    let handle = file.try_clone().map_err(io)?;
    let db = builder(spec.cache_bytes)
        .create_file(file)
        .map_err(|e| StoreError::engine(STEP, e))?;
    RedbStore::new(db, &fresh, spec.repair, None).commit(&spec.record.batch()?)?;
    handle.sync_all().map_err(io)?;
    fs::rename(&fresh, path).map_err(io)?;
    sync_directory(path).map_err(io)
}

/// Makes the entry of `path` in its directory durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
