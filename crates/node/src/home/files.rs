//! Bounded reads, and files that only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::HomeError;

fn at(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Io { path, source }
}

/// Creates a folder and those above it, mode 0700; an existing one stays as it is.
pub(super) fn folder(path: &Path) -> Result<(), HomeError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(at(path))
}

/// Creates a file, mode 0600, durably; an existing one is an error.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = opened.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => HomeError::Exists(path.to_owned()),
        _ => at(path)(e),
    })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(at(path))
}

fn open(path: &Path) -> Result<Option<File>, HomeError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at(path)(e)),
    }
}

fn read_all(file: File, path: &Path, cap: usize) -> Result<Vec<u8>, HomeError> {
    let limit = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    // All the room at once: growing would leave copies of a secret behind.
    let mut bytes = Vec::with_capacity(cap.saturating_add(1).min(1 << 16));
    file.take(limit).read_to_end(&mut bytes).map_err(at(path))?;
    if bytes.len() > cap {
        return Err(HomeError::TooLarge {
            path: path.to_owned(),
            cap,
        });
    }
    Ok(bytes)
}

/// The content; `None` when there is no such file.
pub(super) fn read(path: &Path, cap: usize) -> Result<Option<Vec<u8>>, HomeError> {
    open(path)?
        .map(|file| read_all(file, path, cap))
        .transpose()
}

/// The content of a file that must be there.
pub(super) fn read_existing(path: &Path, cap: usize) -> Result<Vec<u8>, HomeError> {
    read_all(File::open(path).map_err(at(path))?, path, cap)
}

/// The content of a file that only its owner may read.
pub(super) fn read_secret(
    path: &Path,
    cap: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, HomeError> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let mode = file.metadata().map_err(at(path))?.permissions();
    if fs::Permissions::mode(&mode) & 0o077 != 0 {
        return Err(HomeError::Exposed(path.to_owned()));
    }
    read_all(file, path, cap).map(|bytes| Some(Zeroizing::new(bytes)))
}
