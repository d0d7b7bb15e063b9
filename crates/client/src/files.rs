//! Files of users: bounded reads, whole writes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::output::Failure;

fn failure(path: &Path, what: &str, e: &std::io::Error) -> Failure {
    let missing = e.kind() == std::io::ErrorKind::NotFound;
    let f = Failure::new(
        "file.io",
        format!("{what} {}: {e}", path.display()),
        "check the path and its permissions",
    );
    if missing { f.not_found() } else { f }
}

/// Reads a file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: u64) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|e| failure(path, "cannot read", &e))?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| failure(path, "cannot read", &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= max) {
        return Ok(bytes);
    }
    let message = format!("{} has more than {max} bytes", path.display());
    Err(Failure::new(
        "file.too_large",
        message,
        "this is not the file you mean",
    ))
}

/// Writes a file whole or not at all: a new file beside it, flushed, renamed over it.
pub(crate) fn write(path: &Path, bytes: &[u8], private: bool) -> Result<(), Failure> {
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(parent).map_err(|e| failure(parent, "cannot create", &e))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = parent.join(name);
    let written = write_new(&beside, bytes, private).and_then(|()| fs::rename(&beside, path));
    written
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|e| failure(path, "cannot write", &e))
}

fn write_new(path: &Path, bytes: &[u8], private: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if private {
        restrict(&mut options);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
const fn restrict(_: &mut OpenOptions) {}

/// Longest secret line: a recovery phrase is about 200 bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// The first line of a file, or of standard input for `-`: a passphrase or a recovery phrase.
///
/// # Errors
/// [`Failure`] when it cannot be read or is no text.
pub fn read_secret_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    if path == Path::new("-") {
        let mut input = std::io::stdin().lock().take(SECRET_BYTES_MAX);
        input
            .read_to_string(&mut text)
            .map_err(|e| failure(path, "cannot read", &e))?;
    } else {
        let bytes = Zeroizing::new(read(path, SECRET_BYTES_MAX)?);
        let whole = core::str::from_utf8(&bytes);
        text.push_str(
            whole.map_err(|_| Failure::new("file.text", "not UTF-8 text", "check the file"))?,
        );
    }
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

/// The first line of a file that only its owner may read; `None` when there is no such file.
///
/// # Errors
/// [`Failure`] when others can read it too, when it cannot be read, or is no text.
pub fn read_private_line(path: &Path) -> Result<Option<Zeroizing<String>>, Failure> {
    match fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failure(path, "cannot read", &e)),
        Ok(found) if is_exposed(&found) => {
            let message = format!("others can read {}", path.display());
            let hint = "set its mode to 0600";
            Err(Failure::new("passphrase.exposed", message, hint).denied())
        }
        Ok(_) => read_secret_line(path).map(Some),
    }
}

#[cfg(unix)]
fn is_exposed(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    found.mode() & 0o077 != 0
}

#[cfg(not(unix))]
const fn is_exposed(_: &fs::Metadata) -> bool {
    false
}
